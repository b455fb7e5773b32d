/*
 * States of the replayer before the checker: damaged, asked about, reported.
 */
#include "states.h"

#include "store/base/err.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHECK_SECONDS = 300,	/* on a machine that does much else */
	KEPT = 5		/* states that failed are left for inspection */
};

/* --- damage ------------------------------------------------------------- */

void
rot(struct run *run, const char *state)
{
	char path[600], at[8];
	struct buf b;
	struct err e;
	size_t i, start = 0;
	uint64_t seen = 0;
	int fd, number;

	do {
		number = 1 + (int)(model_random(&run->random) % 8);
		(void)snprintf(path, sizeof path, "%s/journal/%08d.jsonl",
		    state, number);
	} while (access(path, F_OK) < 0 && ++seen < 64);
	buf_init(&b, LOG_MAX);
	if (seen == 64 || io_read_file(AT_FDCWD, path, &b, &e) < 0) {
		buf_release(&b);
		return;
	}
	seen = 0;
	for (i = 0; i + 60 < b.len; i++)
		if (memcmp(b.data + i, "[\"", 2) == 0 &&
		    b.data[i + 12] == '"' && one_in(run, ++seen))
			start = i;
	start += model_random(&run->random) % (one_in(run, 2) ? 53 : 120);
	memset(at, "0123456789abcdef"[model_random(&run->random) % 16],
	    sizeof at);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, at, 1 + model_random(&run->random) % 2,
		(off_t)start) < 0)
		die(path);
	(void)close(fd);
	buf_release(&b);
}

/* --- asking the checker ------------------------------------------------- */

static void
be_checker(const struct run *run, char **args, const char *output)
{
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	if (strcmp(args[run->o->nchecker + 2], "recover") == 0) {
		(void)setenv("CRASH_ROOT", args[run->o->nchecker], 1);
		(void)setenv("LD_PRELOAD", run->o->recorder, 1);
	}
	(void)alarm(CHECK_SECONDS);
	execvp(args[0], args);
	_exit(127);
}

int
ask(const struct run *run, const char *state, const char *sent,
    const char *mode, const char *output)
{
	size_t n = (size_t)run->o->nchecker;
	char *args[CHECKER_MAX + 4] = {NULL};
	int status;
	pid_t pid;

	memcpy(args, run->o->checker, n * sizeof *args);
	args[n] = (char *)(uintptr_t)state;
	args[n + 1] = (char *)(uintptr_t)sent;
	args[n + 2] = (char *)(uintptr_t)mode;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		be_checker(run, args, output);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return status;
}

/* What a state has of the ops that were open. */
static void
list_ops(const struct moment *when)
{
	static const char *const KINDS[] = {[RECORD_WRITE] = "write",
	    [RECORD_TRUNCATE] = "truncate", [RECORD_ALLOCATE] = "allocate",
	    [RECORD_NAME] = "name", [RECORD_MODE] = "mode"};
	const struct model *m = when->m;
	const struct op *op;
	size_t i;

	for (i = 0; i < m->nops; i++) {
		op = &m->ops[i];
		if (!model_open(op))
			continue;
		(void)printf("  %s record %" PRIu64 ": %s ",
		    op->chosen ? "with" : "without", op->at, KINDS[op->kind]);
		if (op->nentries)
			(void)printf("%.*s\n", (int)op->entries[0].len,
			    op->entries[0].name);
		else
			(void)printf("of %" PRIu64 ", %u bytes at %" PRIu64
			    "%s\n", m->nodes[op->node].inode, op->len,
			    op->offset, i == when->torn && when->tear
				? ", torn" : "");
	}
}

void
report(struct run *run, const struct moment *when, int status,
    const char *output)
{
	struct buf said;
	struct err e;

	(void)printf("FAILED: %s%s, %s rules, after record %zu of %zu, "
	    "status %#x\n", run->mode, run->nested ? " in recovery" : "",
	    when->m->rules == RULES_EXT4 ? "ext4" : "strict", when->at,
	    run->count, (unsigned int)status);
	buf_init(&said, 1 << 16);
	if (io_read_file(AT_FDCWD, output, &said, &e) == 0)
		(void)printf("  the checker: %s\n", buf_str(&said));
	buf_release(&said);
	if (run->failed < 2)
		list_ops(when);
	(void)fflush(stdout);
}

/* The words that ask the checker again, about a copy. */
static void
tell_command(const struct run *run, const char *path)
{
	int i;

	(void)printf("  again: rm -rf /tmp/again; cp -r %s /tmp/again &&",
	    path);
	if (strcmp(run->mode, "recover") == 0)
		(void)printf(" CRASH_ROOT=/tmp/again CRASH_LOG=/tmp/again.log "
		    "LD_PRELOAD='%s'", run->o->recorder);
	for (i = 0; i < run->o->nchecker; i++)
		(void)printf(" %s", run->o->checker[i]);
	(void)printf(" /tmp/again %s.sent %s\n", path, run->mode);
	(void)fflush(stdout);
}

void
keep(struct run *run, const char *state, const char *sent)
{
	char path[512], beside[520];

	if (run->kept == KEPT)
		return;
	(void)snprintf(path, sizeof path, "%s/failed-%ld", run->work,
	    ++run->kept);
	(void)io_remove_tree(AT_FDCWD, path);
	(void)rename(state, path);
	(void)snprintf(beside, sizeof beside, "%s.sent", path);
	(void)rename(sent, beside);
	tell_command(run, path);
}
