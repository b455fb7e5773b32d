/*
 * Tries what this machine offers, as probe.h describes it.  Runs in the
 * launcher at its start and in bothy status; every trial runs in a child.
 */
#include "probe.h"

#include "cgroup.h"
#include "identity.h"
#include "sandbox_internal.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/* The first Linux whose RLIMIT_NPROC counts per user namespace. */
	NPROC_MAJOR = 5,
	NPROC_MINOR = 14,
	SCOPES_ABI = 6	/* of Landlock: signals and abstract sockets */
};

/* --- trials ---------------------------------------------------------------- */

/* What a trial's child sends back. */
struct result {
	int ok;
	int memory, pids;	/* controllers */
	char text[160];
};

/* A trial: 0, or -1 and the error; runs in a child of its own. */
typedef int trial_fn(struct result *r, struct err *e);

/* As an ordinary user would: user code has no root either. */
static uid_t
trial_uid(void)
{
	return identity_needed() ? IDENTITY_FIRST : geteuid();
}

/* A child whose end is seen by waiting: its pidfd is not needed. */
static pid_t
fork_child(struct contain *c)
{
	int pidfd;
	pid_t pid = contain_fork(c, &pidfd);

	if (pid > 0)
		close(pidfd);
	return pid;
}

/* Twice, since a zygote makes many. */
static int
try_pid_namespaces(struct err *e)
{
	struct contain *c = contain_open("namespace", e);
	pid_t pid;
	int i, status;

	if (!c)
		return -1;
	for (i = 0; i < 2; i++) {
		pid = fork_child(c);
		if (pid == 0)
			_exit(contain_child(c) == 0 && getpid() == 1 ? 0 : 1);
		if (pid < 0)
			return err_sys(e, "cannot make pid namespaces");
		if (waitpid(pid, &status, 0) != pid || status != 0)
			return err_set(e, 0, "a pid namespace is no such");
	}
	return 0;
}

static int
try_namespace(struct result *r, struct err *e)
{
	(void)r;
	if (identity_needed() && identity_become(IDENTITY_FIRST, e) < 0)
		return -1;
	if (sandbox_keep_capability(e) < 0)
		return -1;
	return try_pid_namespaces(e);
}

static int
try_mounts(struct result *r, struct err *e)
{
	const struct sandbox s = {.scratch = "/dev/null"};

	(void)r;
	return sandbox_mounts(&s, e);
}

static int
try_cgroup(struct result *r, struct err *e)
{
	struct cgroup g;
	int slot, status, rc = -1;
	pid_t pid;

	if (cgroup_init(&g, e) < 0)
		return -1;
	r->memory = g.memory;
	r->pids = g.pids;
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	slot = cgroup_slot_take(&g, 0, 0);
	if (pid < 0 || slot < 0 || cgroup_slot_enter(&g, slot, pid) < 0)
		err_sys(e, "cannot move a process into a cgroup");
	else if (cgroup_slot_kill(&g, slot) < 0)
		err_sys(e, "cannot kill a cgroup");
	else
		rc = 0;
	if (rc < 0 && pid > 0)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	cgroup_release(&g);
	return rc;
}

/* A child leaves a process behind, which has to be found and ended. */
static int
try_subreaper(struct result *r, struct err *e)
{
	struct contain *c = contain_open("subreaper", e);
	pid_t pid;

	(void)r;
	if (!c)
		return -1;
	pid = fork_child(c);
	if (pid == 0) {
		if (fork() == 0)
			pause();
		_exit(0);
	}
	if (pid < 0)
		return err_sys(e, "cannot fork");
	waitpid(pid, NULL, 0);
	switch (contain_sweep(c, NULL, 0)) {
	case 1:
		return 0;
	case -1:
		return err_sys(e, "cannot find the children of a process");
	default:
		return err_set(e, 0, "an orphan was not found");
	}
}

static int
try_landlock(struct result *r, struct err *e)
{
	const struct sandbox s = {
	    .binary = "/dev", .directory = "/dev", .scratch = "/dev"};
	int abi = sandbox_landlock_abi();

	(void)r;
	if (abi == 0)
		return err_set(e, ENOSYS, "this kernel has no landlock");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot set no_new_privs");
	if (sandbox_landlock(&s, abi, e) < 0)
		return -1;
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0)
		return err_set(e, 0, "landlock refuses nothing");
	return 0;
}

static int
try_seccomp(struct result *r, struct err *e)
{
	struct sandbox_filter f = {NULL, 0};

	(void)r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot set no_new_privs");
	if (sandbox_filter_compile(&f, SNAP_NETWORK_ALL, true, e) < 0 ||
	    sandbox_filter_install(&f, e) < 0)
		return -1;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		return err_set(e, 0, "seccomp refuses nothing");
	return 0;
}

static void
run_trial(trial_fn *trial, int fd)
{
	struct result r = {0};
	struct err e = {0};

	r.ok = trial(&r, &e) == 0;
	if (!r.ok)
		snprintf(r.text, sizeof r.text, "%.*s",
		    (int)sizeof r.text - 1, e.text);
	_exit(io_write_all(fd, &r, sizeof r) < 0);
}

/* Runs it in a child, with namespaces if `namespaces`. */
static void
try(trial_fn *trial, bool namespaces, unsigned long more, struct result *r)
{
	struct err e = {0};
	int fds[2], status;
	pid_t pid;

	*r = (struct result){0};
	if (pipe2(fds, O_CLOEXEC) < 0) {
		snprintf(r->text, sizeof r->text, "cannot make a pipe");
		return;
	}
	if (namespaces)
		pid = sandbox_fork_namespaces(
		    more, trial_uid(), identity_needed() ? IDENTITY_FIRST
		                                         : getegid(), &e);
	else
		pid = fork();
	if (pid == 0)
		run_trial(trial, fds[1]);
	io_close(&fds[1]);
	if (pid < 0 || io_read_all(fds[0], r, sizeof *r) < 0) {
		r->ok = 0;
		snprintf(r->text, sizeof r->text, "%.*s",
		    (int)sizeof r->text - 1,
		    e.text[0] ? e.text : "the trial ended early");
	}
	io_close(&fds[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
}

/* --- the whole ------------------------------------------------------------- */

static void
note_rung(struct probe *p, enum contain_rung rung, const struct result *r)
{
	p->has[rung] = r->ok;
	snprintf(p->why_not[rung], sizeof p->why_not[rung], "%s",
	    r->ok ? "" : r->text);
}

static bool
counts_per_namespace(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	return uname(&u) == 0 &&
	    sscanf(u.release, "%d.%d", &major, &minor) == 2 &&
	    (major > NPROC_MAJOR ||
	        (major == NPROC_MAJOR && minor >= NPROC_MINOR));
}

static int
choose(struct probe *p, const char *forced, struct err *e)
{
	int i;

	p->forced = forced && *forced;
	if (p->forced) {
		if (contain_parse(forced, &p->rung) < 0)
			return err_set(e, EINVAL,
			    "BOTHY_CONTAINMENT is \"%s\"; it may be namespace, "
			    "cgroup or subreaper",
			    forced);
		if (!p->has[p->rung])
			return err_set(e, ENOTSUP,
			    "BOTHY_CONTAINMENT is %s, which is not to be had "
			    "here: %s",
			    forced, p->why_not[p->rung]);
		return 0;
	}
	for (i = 0; i < CONTAIN_RUNGS; i++) {
		if (p->has[i]) {
			p->rung = (enum contain_rung)i;
			return 0;
		}
	}
	return err_set(e, ENOTSUP, "functions can't be contained here: %s",
	    p->why_not[CONTAIN_SUBREAPER]);
}

int
probe_run(struct probe *p, const char *forced, struct err *e)
{
	struct result r;

	*p = (struct probe){.own_uids = identity_needed()};
	try(try_namespace, true, 0, &r);
	note_rung(p, CONTAIN_NAMESPACE, &r);
	if (r.ok) {
		try(try_mounts, true, CLONE_NEWNS, &r);
		p->mounts = r.ok;
	}
	/* Moving a process between cgroups takes ten times all the rest. */
	if (!p->has[CONTAIN_NAMESPACE] ||
	    (forced && strcmp(forced, contain_name(CONTAIN_CGROUP)) == 0))
		try(try_cgroup, false, 0, &r);
	else
		r = (struct result){.text = "not tried, as namespace is there"};
	note_rung(p, CONTAIN_CGROUP, &r);
	p->cgroup_memory = r.ok && r.memory;
	p->cgroup_pids = r.ok && r.pids;
	try(try_subreaper, false, 0, &r);
	note_rung(p, CONTAIN_SUBREAPER, &r);
	try(try_landlock, false, 0, &r);
	p->landlock_abi = r.ok ? sandbox_landlock_abi() : 0;
	try(try_seccomp, false, 0, &r);
	p->seccomp = r.ok;
	if (choose(p, forced, e) < 0)
		return -1;
	p->mounts = p->mounts && p->rung == CONTAIN_NAMESPACE;
	p->counts_processes =
	    p->rung == CONTAIN_NAMESPACE && counts_per_namespace();
	return 0;
}

int
probe_require(const struct probe *p, struct err *e)
{
	if (p->landlock_abi)
		return 0;
	return err_set(e, ENOTSUP,
	    "file isolation is required, but this kernel has no landlock: boot "
	    "Linux 5.13 or newer with lsm=landlock, or set "
	    "provider.confinement to best-effort");
}

/* --- in words -------------------------------------------------------------- */

void
probe_missing(const struct probe *p, struct buf *out)
{
	const bool apart = p->rung == CONTAIN_NAMESPACE || p->own_uids;
	const struct {
		bool missing;
		const char *text;
	} gaps[] = {
	    {!p->landlock_abi,
	        "files are open to functions as to their user (no landlock): "
	        "functions are trusted"},
	    {!p->seccomp, "system calls are not filtered (no seccomp), network "
	                  "limits don't hold"},
	    {p->landlock_abi < SCOPES_ABI && !apart,
	        "functions can send signals to processes of their user (landlock "
	        "6 or namespaces would prevent it)"},
	    {!p->mounts && !p->own_uids,
	        "functions can change modes and times of files of their user"},
	    {!p->counts_processes && !p->own_uids && !p->cgroup_pids,
	        "processes of a function are not counted"},
	};
	const char *between = "not protected here: ";
	size_t i;

	for (i = 0; i < sizeof gaps / sizeof *gaps; i++) {
		if (!gaps[i].missing)
			continue;
		buf_printf(out, "%s%s", between, gaps[i].text);
		between = "; ";
	}
}

static const char *
yes_or_no(bool yes)
{
	return yes ? "yes" : "no";
}

void
probe_text(const struct probe *p, struct buf *out)
{
	int i;

	buf_printf(out, "containment: %s%s\n", contain_name(p->rung),
	    p->forced ? " (forced by BOTHY_CONTAINMENT)" : "");
	for (i = 0; i < CONTAIN_RUNGS; i++)
		buf_printf(out, "  %-10s %s%s%s\n",
		    contain_name((enum contain_rung)i), yes_or_no(p->has[i]),
		    p->has[i] ? "" : ": ", p->why_not[i]);
	if (p->landlock_abi)
		buf_printf(out, "file isolation: landlock, version %d\n",
		    p->landlock_abi);
	else
		buf_puts(out, "file isolation: none\n");
	buf_printf(out, "read-only mounts: %s\n", yes_or_no(p->mounts));
	buf_printf(out, "system call filter: %s\n", yes_or_no(p->seccomp));
	buf_printf(out, "uid per function: %s\n", yes_or_no(p->own_uids));
	buf_printf(out, "processes counted per function: %s\n",
	    yes_or_no(p->counts_processes || p->own_uids || p->cgroup_pids));
	buf_printf(out, "cgroup controllers: memory %s, pids %s\n",
	    yes_or_no(p->cgroup_memory), yes_or_no(p->cgroup_pids));
	probe_missing(p, out);
}
