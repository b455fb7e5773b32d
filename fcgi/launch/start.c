/*
 * Starting a zygote, as start.h describes it.  Runs in the launcher, and in
 * the forked child until its exec.
 */
#include "start.h"

#include "containment.h"
#include "identity.h"
#include "schedule.h"
#include "scratchdir.h"

#include "fcgi/conf/secret.h"
#include "functions/sdk/abi.h"
#include "store/base/buf.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ZYGOTE_FD = 3,
	START_VARIABLES = 600,
	START_BYTES = 128 * 1024
};

#define START_PATH "PATH=/usr/local/bin:/usr/bin:/bin"

/* All that the new process needs; made before the fork. */
struct start {
	struct sandbox sandbox;
	struct buf strings;
	size_t at[START_VARIABLES];	/* offsets into strings */
	size_t count;
	char *envp[START_VARIABLES + 1];
	char scratch[4096];
	const char *read_paths[64], *write_paths[64];
};

static int
add_variable(struct start *st, struct err *e, const char *name,
    const char *value)
{
	if (st->count == START_VARIABLES)
		return err_set(e, E2BIG, "more than %d variables",
		    START_VARIABLES);
	st->at[st->count++] = st->strings.len;
	buf_printf(&st->strings, "%s=%s", name, value);
	return buf_putc(&st->strings, '\0') < 0
	    ? err_set(e, E2BIG, "the environment is larger than %d bytes",
	          START_BYTES)
	    : 0;
}

/* The function's own variables, secrets filled in. */
static int
add_environment(struct start *st, const struct pool *p, struct err *e)
{
	const struct snapshot *s = p->release->snapshot;
	const struct snap_site *site = snapshot_site(s);
	struct buf value;
	size_t i;
	int rc = 0;

	buf_init(&value, START_BYTES);
	for (i = 0; rc == 0 && i < p->fn->environment.count; i++) {
		const struct snap_pair *v =
		    snapshot_pair(s, p->fn->environment, i);

		buf_reset(&value);
		if (!v)
			continue;
		rc = secret_expand(snapshot_str(s, v->value),
		    snapshot_str(s, site->service),
		    snapshot_str(s, site->stage), &value, e);
		if (rc == 0)
			rc = add_variable(st, e, snapshot_str(s, v->name),
			    buf_str(&value));
	}
	if (value.data)
		explicit_bzero(value.data, value.room);
	buf_release(&value);
	return rc;
}

static size_t
collect(const struct snapshot *s, struct snap_list l, const char **out,
    size_t room)
{
	size_t i;

	for (i = 0; i < l.count && i < room; i++)
		out[i] = snapshot_item(s, l, i);
	return i;
}

/*
 * Under root a function has a uid of its own, which must get to its binary
 * and its scratch: the directories between the state directory and `path` may
 * be passed through, not listed.
 */
static int
open_way(const struct launcher *l, const char *path, struct err *e)
{
	size_t n = strlen(l->state_dir), i;
	char dir[4096];

	if (strncmp(path, l->state_dir, n) != 0 || path[n] != '/' ||
	    strlen(path) >= sizeof dir)
		return 0;	/* not ours to open */
	for (i = n; path[i]; i++) {
		if (path[i] != '/')
			continue;
		memcpy(dir, path, i);
		dir[i] = '\0';
		if (chmod(dir, 0711) < 0)
			return err_sys(e, "cannot let functions through %s",
			    dir);
	}
	return 0;
}

/* Says which directory above `path` is closed to everybody but its owner. */
static int
check_way(const char *path, uid_t uid, struct err *e)
{
	char dir[4096];
	struct stat st;
	size_t i;

	for (i = 1; i < sizeof dir && path[i]; i++) {
		if (path[i] != '/')
			continue;
		memcpy(dir, path, i);
		dir[i] = '\0';
		if (stat(dir, &st) == 0 && !(st.st_mode & S_IXOTH))
			return err_set(e, EACCES, "run by root, the function "
			    "has a uid of its own (%u) and can't pass through "
			    "%s: chmod o+x it, keep the site elsewhere, or "
			    "don't run as root", (unsigned)uid, dir);
	}
	return 0;
}

static int
prepare_scratch(struct launcher *l, struct pool *p, struct start *st,
    struct err *e)
{
	const char *name = snapshot_str(p->release->snapshot, p->fn->name);
	char uids[4096];

	if (scratchdir_make(l->state_dir, name, ++l->last_zygote, st->scratch,
	        sizeof st->scratch, e) < 0)
		return -1;
	if (!identity_needed())
		return 0;
	snprintf(uids, sizeof uids, "%s/run/uids", l->state_dir);
	if (identity_find(uids, l->site_dir, name, &st->sandbox.uid, e) < 0 ||
	    open_way(l, st->scratch, e) < 0 ||
	    open_way(l, st->sandbox.binary, e) < 0 ||
	    check_way(st->scratch, st->sandbox.uid, e) < 0 ||
	    check_way(st->sandbox.binary, st->sandbox.uid, e) < 0)
		return -1;
	return identity_own(st->scratch, st->sandbox.uid, e);
}

static int
prepare(struct launcher *l, struct pool *p, struct start *st, struct err *e)
{
	const struct snapshot *s = p->release->snapshot;
	const struct snap_function *fn = p->fn;
	const struct probe *probe = &l->containment->probe;
	char number[16];
	size_t i;

	*st = (struct start){0};
	buf_init(&st->strings, START_BYTES);
	if (fn->read_paths.count > 64 || fn->write_paths.count > 64)
		return err_set(e, E2BIG, "more than 64 paths");
	st->sandbox = (struct sandbox){
	    .binary = snapshot_str(s, fn->binary),
	    .directory = snapshot_str(s, fn->directory),
	    .scratch = st->scratch,
	    .read_paths = st->read_paths,
	    .read_count = collect(s, fn->read_paths, st->read_paths, 64),
	    .write_paths = st->write_paths,
	    .write_count = collect(s, fn->write_paths, st->write_paths, 64),
	    .network = (enum snap_network)fn->network,
	    .required = snapshot_site(s)->confinement_required != 0,
	};
	if (prepare_scratch(l, p, st, e) < 0 || add_environment(st, p, e) < 0)
		return -1;
	limits_default(&st->sandbox.limits, fn->memory_mb,
	    probe->counts_processes || st->sandbox.uid);
	snprintf(number, sizeof number, "%u", fn->requests_per_process);
	if (add_variable(st, e, ABI_ENV_ZYGOTE, "3") < 0 ||
	    add_variable(st, e, ABI_ENV_CONTAIN, contain_name(probe->rung)) <
	        0 ||
	    add_variable(st, e, ABI_ENV_SCRATCH, st->scratch) < 0 ||
	    add_variable(st, e, ABI_ENV_REUSE, number) < 0 ||
	    add_variable(st, e, "HOME", st->scratch) < 0 ||
	    add_variable(st, e, "TMPDIR", st->scratch) < 0 ||
	    add_variable(st, e, "BOTHY_FUNCTION", snapshot_str(s, fn->name)) <
	        0 ||
	    add_variable(st, e, "BOTHY_BINARY", st->sandbox.binary) < 0)
		return -1;
	for (i = 0; i < st->count; i++)
		st->envp[i] = st->strings.data + st->at[i];
	return 0;
}

static void
say_failed(const char *text)
{
	struct abi_zygote h = {ABI_MAGIC, ABI_Z_FAILED, 0, 0};
	char copy[ABI_Z_TEXT];
	struct iovec iov[2] = {{&h, sizeof h}, {copy, 0}};

	snprintf(copy, sizeof copy, "%s", text);
	iov[1].iov_len = strlen(copy);
	sock_send(ZYGOTE_FD, iov, 2, NULL, 0, 0);
	_exit(127);
}

/* In the child: descriptors in place, confined, then the program. */
static void
become_zygote(struct launcher *l, struct pool *p, struct start *st,
    int sock_fd, int log_fd)
{
	static char role[] = "bothy-runner";
	char *argv[2] = {role, NULL};
	char path[] = START_PATH;
	const char *exe = "/proc/self/exe";
	struct err e;
	int high_sock, high_log;

	high_sock = fcntl(sock_fd, F_DUPFD, 20);
	high_log = fcntl(log_fd, F_DUPFD, 20);
	close(0);
	if (high_sock < 0 || high_log < 0 || open("/dev/null", O_RDONLY) != 0 ||
	    dup2(high_log, 1) < 0 || dup2(high_log, 2) < 0 ||
	    dup2(high_sock, ZYGOTE_FD) < 0)
		_exit(127);
	/* Whatever the launcher itself is at now. */
	schedule_thread(0, l->hasty ? SCHEDULE_PROMPT : SCHEDULE_USUAL);
	if (sandbox_enter(&l->containment->host, &st->sandbox, ZYGOTE_FD + 1,
	        &e) < 0)
		say_failed(e.text);
	if (chdir(st->sandbox.directory) < 0) {
		err_sys(&e, "cannot go to %s", st->sandbox.directory);
		say_failed(e.text);
	}
	st->envp[st->count] = path;
	fcntl(ZYGOTE_FD, F_SETFD, 0);
	if (p->fn->runtime == SNAP_RUNTIME_C) {
		exe = st->sandbox.binary;
		argv[0] = (char *)(uintptr_t)exe;
	}
	execve(exe, argv, st->envp);
	err_sys(&e, "cannot start %s", exe);
	say_failed(e.text);
}

/* The first line of a function's log, where something can't be had here. */
static void
say_missing(struct launcher *l, const struct pool *p)
{
	struct buf b;

	buf_init(&b, 4096);
	probe_missing(&l->containment->probe, &b);
	if (b.len)
		launchlog_function(l,
		    snapshot_str(p->release->snapshot, p->fn->name), "warning",
		    b.data, b.len);
	buf_release(&b);
}

int
start_process(struct launcher *l, struct pool *p, struct started *out,
    struct err *e)
{
	struct start *st = calloc(1, sizeof *st);
	int sv[2] = {-1, -1}, logs[2] = {-1, -1};
	pid_t pid;

	if (!st)
		return err_set(e, ENOMEM, "out of memory");
	if (prepare(l, p, st, e) < 0)
		goto fail;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    pipe2(logs, O_CLOEXEC) < 0 || io_nonblock(logs[0]) < 0) {
		err_sys(e, "cannot make a socket for a zygote");
		goto fail;
	}
	pid = sandbox_fork(&l->containment->host, &st->sandbox, e);
	if (pid < 0)
		goto fail;
	if (pid == 0)
		become_zygote(l, p, st, sv[1], logs[1]);
	io_close(&sv[1]);
	io_close(&logs[1]);
	*out = (struct started){pid, sv[0], logs[0], st->sandbox.uid,
	    strdup(st->scratch)};
	say_missing(l, p);
	explicit_bzero(st->strings.data, st->strings.room);
	buf_release(&st->strings);
	free(st);
	return 0;
fail:
	io_close(&sv[0]);
	io_close(&sv[1]);
	io_close(&logs[0]);
	io_close(&logs[1]);
	buf_release(&st->strings);
	free(st);
	return -1;
}
