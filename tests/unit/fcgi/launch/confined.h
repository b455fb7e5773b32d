/*
 * For the tests of containment and confinement: plays the launcher in a
 * process of its own, as root and as an ordinary user, on each rung.
 *
 * What is tried runs in plain child processes, without cmocka: it reports by
 * check() on stderr and by its exit status.  SKIP is a status of its own, and
 * is said aloud.
 */
#ifndef TEST_CONFINED_H
#define TEST_CONFINED_H

#include "fcgi/launch/cgroup.h"
#include "fcgi/launch/identity.h"
#include "fcgi/launch/probe.h"
#include "fcgi/launch/sandbox.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	SKIP = 77,
	ENDED_BY_SIGNAL = 200,	/* + its number: outcome() */
	/* Nobody else's, so that a failing test hurts nobody else. */
	ORDINARY_UID = 65533,
	FUNCTION_UID = IDENTITY_LAST
};

/* Sanitizers reserve more memory than any limit allows, and are slow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

/* The thread sanitizer starts a thread in what never has two. */
#ifdef __SANITIZE_THREAD__
enum { THREADED = 1 };
#else
enum { THREADED = 0 };
#endif

enum who { AS_ROOT, AS_USER, WHOS };

/* 1 and a line on stderr if it isn't so, else 0: to be added up. */
__attribute__((unused)) static int
check(bool ok, const char *what)
{
	int error = errno;

	if (!ok)
		fprintf(stderr, "    failed: %s (errno %d, %s)\n", what, error,
		    strerror(error));
	return !ok;
}

/* A wait status as one number: exit status, or signal + ENDED_BY_SIGNAL. */
__attribute__((unused)) static int
outcome(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? ENDED_BY_SIGNAL + WTERMSIG(status)
	                           : WEXITSTATUS(status);
}

/* --- the scene: a site with two functions --------------------------------- */

struct scene {
	char top[32];
	char own[64], other[64], scratch[64], secret[64];
	char readable[64], writable[64];
};

__attribute__((unused)) static void
put_file(const char *dir, const char *name, uid_t uid)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, "text\n", 5), 0);
	assert_int_equal(fchown(fd, uid, (gid_t)uid), 0);
	io_close(&fd);
}

__attribute__((unused)) static void
put_directory(char *out, const char *top, const char *name, uid_t uid)
{
	snprintf(out, 64, "%s/%s", top, name);
	assert_int_equal(mkdir(out, 0755), 0);
	assert_int_equal(chown(out, uid, (gid_t)uid), 0);
	put_file(out, "file", uid);
}

/* All of it belongs to who runs the function: nothing hangs on modes. */
__attribute__((unused)) static void
scene_make(struct scene *s, enum who who)
{
	uid_t uid = geteuid();

	if (identity_needed())
		uid = who == AS_ROOT ? FUNCTION_UID : ORDINARY_UID;
	snprintf(s->top, sizeof s->top, "/tmp/bothy-test-XXXXXX");
	assert_non_null(mkdtemp(s->top));
	assert_int_equal(chmod(s->top, 0755), 0);
	assert_int_equal(chown(s->top, uid, (gid_t)uid), 0);
	put_directory(s->own, s->top, "own", uid);
	put_directory(s->other, s->top, "other", uid);
	put_directory(s->scratch, s->top, "scratch", uid);
	put_directory(s->secret, s->top, "secret", uid);
	put_directory(s->readable, s->top, "readable", uid);
	put_directory(s->writable, s->top, "writable", uid);
}

__attribute__((unused)) static void
scene_remove(const struct scene *s)
{
	io_remove_tree(AT_FDCWD, s->top);
}

/* --- a delegated cgroup, for the ordinary user ----------------------------- */

/* Where version 2 is mounted, or NULL. */
__attribute__((unused)) static const char *
cgroup_mount(void)
{
	static const char *const places[] = {
	    "/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char path[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/cgroup.procs", places[i]);
		if (access(path, W_OK) == 0)
			return places[i];
	}
	return NULL;
}

/* Moves this process, which is root, into a cgroup given to ORDINARY_UID. */
__attribute__((unused)) static void
enter_delegated(char *dir, size_t size)
{
	const char *mount = cgroup_mount();
	char path[128];
	int fd;

	dir[0] = 0;
	if (!mount)
		return;
	snprintf(dir, size, "%s/bothy-test-%d", mount, (int)getpid());
	if (mkdir(dir, 0755) < 0 || chown(dir, ORDINARY_UID, ORDINARY_UID) < 0)
		return;
	snprintf(path, sizeof path, "%s/cgroup.procs", dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (io_write_all(fd, "0", 1) < 0 ||
	    fchown(fd, ORDINARY_UID, ORDINARY_UID) < 0)
		fprintf(stderr, "    no delegated cgroup\n");
	io_close(&fd);
}

/* --- the launcher ----------------------------------------------------------- */

struct play {
	enum who who;
	enum contain_rung rung;
	const struct scene *scene;
	pid_t launcher;		/* whom the play acts */
	struct probe probe;
	struct sandbox_host host;
	struct sandbox sandbox;
	const char *read_paths[1], *write_paths[1];
};

static void
play_prepare(struct play *p)
{
	const struct scene *s = p->scene;

	p->launcher = getpid();
	sandbox_host_init(&p->host, &p->probe);
	p->read_paths[0] = s->readable;
	p->write_paths[0] = s->writable;
	p->sandbox = (struct sandbox){
	    .binary = "/proc/self/exe",
	    .directory = s->own,
	    .scratch = s->scratch,
	    .read_paths = p->read_paths,
	    .read_count = 1,
	    .write_paths = p->write_paths,
	    .write_count = 1,
	    .network = SNAP_NETWORK_ALL,
	    .required = true,
	    .uid = p->probe.own_uids ? FUNCTION_UID : 0,
	};
	limits_default(&p->sandbox.limits, 0, p->probe.counts_processes);
}

/* In a child of the test: becomes who it plays, probes, and acts. */
static int
play_act(struct play *p, int (*act)(struct play *p))
{
	struct err e = {0};

	alarm(250);
	if (p->who == AS_USER && identity_needed() &&
	    (setgroups(0, NULL) < 0 || setgid(ORDINARY_UID) < 0 ||
	        setuid(ORDINARY_UID) < 0 ||
	        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0))
		return check(false, "become an ordinary user");
	/* As the launcher: the reaper of orphans, and a session of its own. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	setsid();
	if (probe_run(&p->probe, contain_name(p->rung), &e) < 0) {
		fprintf(stderr, "    SKIPPED on %s as %s: %s\n",
		    contain_name(p->rung), p->who == AS_ROOT ? "root" : "user",
		    e.text);
		return SKIP;
	}
	play_prepare(p);
	return act(p);
}

static int
play_one(enum who who, enum contain_rung rung, const struct scene *scene,
    int (*act)(struct play *p))
{
	struct play p = {.who = who, .rung = rung, .scene = scene};
	char delegated[64] = "";
	pid_t pid;
	int i, got;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (who == AS_USER && identity_needed() &&
		    rung == CONTAIN_CGROUP)
			enter_delegated(delegated, sizeof delegated);
		got = play_act(&p, act);
		fflush(NULL);
		_exit(got);
	}
	assert_true(pid > 0);
	got = outcome(pid);
	/* The cgroup is free a moment after its last process. */
	if (cgroup_mount()) {
		snprintf(delegated, sizeof delegated, "%s/bothy-test-%d",
		    cgroup_mount(), (int)pid);
		for (i = 0; i < 1000 && rmdir(delegated) < 0 && errno == EBUSY;
		     i++)
			usleep(10000);
	}
	return got;
}

/*
 * Plays `act` as root (if the test is) and as an ordinary user, on the rungs
 * from `first` to `last`; fails the test if one failed.
 */
__attribute__((unused)) static void
play_all(enum contain_rung first, enum contain_rung last,
    int (*act)(struct play *p))
{
	struct scene scene;
	int who, rung, got;

	for (who = AS_ROOT; who < WHOS; who++) {
		if (who == AS_ROOT && !identity_needed()) {
			print_message("    SKIPPED as root: not run as root\n");
			continue;
		}
		for (rung = (int)first; rung <= (int)last; rung++) {
			scene_make(&scene, (enum who)who);
			got = play_one((enum who)who, (enum contain_rung)rung,
			    &scene, act);
			scene_remove(&scene);
			if (got != 0 && got != SKIP)
				fail_msg("%s as %s ended with %d",
				    contain_name((enum contain_rung)rung),
				    who == AS_ROOT ? "root" : "user", got);
		}
	}
}

/* Forks, confines, runs `body` in there: its outcome. */
__attribute__((unused)) static int
play_confined(struct play *p, int (*body)(struct play *p))
{
	struct err e = {0};
	pid_t pid;

	pid = sandbox_fork(&p->host, &p->sandbox, &e);
	if (pid == 0) {
		if (sandbox_enter(&p->host, &p->sandbox, 3, &e) < 0) {
			fprintf(stderr, "    sandbox_enter: %s\n", e.text);
			_exit(99);
		}
		_exit(body(p));
	}
	if (pid < 0) {
		fprintf(stderr, "    sandbox_fork: %s\n", e.text);
		return 99;
	}
	return outcome(pid);
}

#endif
