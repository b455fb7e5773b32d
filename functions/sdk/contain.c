/*
 * Containment as contain.h describes it: forks children on the rung that the
 * launcher chose.  Runs in zygotes, runners and their children; never in a
 * process with threads.
 */
#include "contain.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SCOPE_FD = 12 };

/* Landlock beyond Debian 12's headers (linux/landlock.h of Linux 6.12). */
enum {
	CREATE_VERSION = 1,	/* flag of landlock_create_ruleset */
	RULE_PATH_BENEATH = 1,
	SCOPES_ABI = 6,		/* the first version that has scopes */
	FS_REFER = 1 << 13,
	SCOPE_SIGNAL = 1 << 1
};

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

struct path_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct contain {
	enum contain_rung rung;
	int scope_fd;	/* a Landlock ruleset for each child, or -1 */
};

static const char *const names[CONTAIN_RUNGS] = {
    [CONTAIN_NAMESPACE] = "namespace",
    [CONTAIN_CGROUP] = "cgroup",
    [CONTAIN_SUBREAPER] = "subreaper",
};

const char *
contain_name(enum contain_rung rung)
{
	return names[rung];
}

int
contain_parse(const char *name, enum contain_rung *rung)
{
	int i;

	for (i = 0; i < CONTAIN_RUNGS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*rung = (enum contain_rung)i;
			return 0;
		}
	}
	errno = EINVAL;
	return -1;
}

/* Grants FS_REFER everywhere, as far as this ruleset goes. */
static int
allow_refer(int ruleset_fd)
{
	struct path_attr root = {.allowed_access = FS_REFER};
	long rc;

	root.parent_fd = open("/", O_PATH | O_CLOEXEC);
	if (root.parent_fd < 0)
		return -1;
	rc = syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH,
	    &root, 0);
	close(root.parent_fd);
	return rc < 0 ? -1 : 0;
}

/*
 * A ruleset that lets a child signal only itself and what it starts, or -1.
 * A ruleset that says nothing of FS_REFER denies it (rename and link between
 * directories are EXDEV), so this one has to allow it.
 */
static int
make_scope(void)
{
	const struct ruleset_attr attr = {
	    .handled_access_fs = FS_REFER, .scoped = SCOPE_SIGNAL};
	long abi;
	int fd;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return -1;
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	if (abi < SCOPES_ABI)
		return -1;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (fd >= 0 && allow_refer(fd) < 0) {
		close(fd);
		fd = -1;
	}
	/* Out of the way of the descriptors that a child wants. */
	return fd < 0 ? fd : io_raise_fd(fd, SCOPE_FD);
}

static int
join_rung(struct contain *c, struct err *e)
{
	if (c->rung != CONTAIN_NAMESPACE) {
		/* Orphans of a dead child become ours to sweep. */
		if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
			return err_sys(e, "cannot become a child subreaper");
		return 0;
	}
	if (getpid() != 1)
		return err_set(e, EPERM,
		    "containment \"namespace\" takes a pid namespace that the "
		    "launcher has made; start this program through it");
	return 0;
}

struct contain *
contain_open(const char *name, struct err *e)
{
	static struct contain only;
	struct contain c = {CONTAIN_SUBREAPER, -1};

	if (name && *name && contain_parse(name, &c.rung) < 0) {
		err_set(e, EINVAL,
		    "unknown containment \"%s\"; it is namespace, cgroup or "
		    "subreaper",
		    name);
		return NULL;
	}
	if (join_rung(&c, e) < 0)
		return NULL;
	c.scope_fd = c.rung == CONTAIN_NAMESPACE ? -1 : make_scope();
	only = c;
	return &only;
}

enum contain_rung
contain_rung(const struct contain *c)
{
	return c->rung;
}

/*
 * In a new child: 0, or -1 if it could signal others though it need not.  In
 * a pid namespace it can't name one, but for its process group, which is not
 * of the namespace: so it gets its own.
 */
static int
scope_child(struct contain *c)
{
	int failed = 0;

	if (c->rung == CONTAIN_NAMESPACE)
		return setpgid(0, 0);
	if (c->scope_fd >= 0) {
		failed = syscall(SYS_landlock_restrict_self, c->scope_fd, 0) < 0;
		close(c->scope_fd);
		c->scope_fd = -1;
	}
	return failed ? -1 : 0;
}

/*
 * As fork(), into a pid namespace that the child is the first of.  Only the
 * kernel's part of it: what libc does besides is for threads, of which there
 * are none, and costs page faults.
 */
static pid_t
fork_namespace(int *pidfd)
{
	return (pid_t)syscall(SYS_clone,
	    CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, NULL);
}

static pid_t
fork_plain(int *pidfd)
{
	pid_t pid = fork();

	if (pid <= 0)
		return pid;
	*pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (*pidfd >= 0)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

pid_t
contain_fork(struct contain *c, int *pidfd)
{
	pid_t pid = c->rung == CONTAIN_NAMESPACE ? fork_namespace(pidfd)
	                                         : fork_plain(pidfd);

	if (pid == 0 && scope_child(c) < 0)
		_exit(127);
	return pid;
}

/* What a spawned child begins with; alike for all of a process. */
static struct {
	struct contain *contain;
	int (*run)(void *arg);
} spawned;

static int
begin(void *arg)
{
	if (scope_child(spawned.contain) < 0)
		return 127;
	return spawned.run(arg);
}

pid_t
contain_spawn(struct contain *c, int (*run)(void *), void *arg,
    void *stack_end, int *pidfd)
{
	pid_t pid;

	if (spawned.run != run) {
		spawned.contain = c;
		spawned.run = run;
	}
	if (c->rung == CONTAIN_NAMESPACE)
		return clone(begin, stack_end,
		    CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, arg, pidfd);
	pid = fork_plain(pidfd);
	if (pid == 0)
		_exit(begin(arg));
	return pid;
}

/* With the permitted ones the ambient ones go, too (capabilities(7)). */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	return (int)syscall(SYS_capset, &head, none);
}

int
contain_child(struct contain *c)
{
	if (c->rung == CONTAIN_NAMESPACE)
		return drop_capabilities();
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/* --- signals to the first process of a namespace -------------------------- */

static void (*say_last_words)(int sig);

static void
die_of(int sig)
{
	if (say_last_words)
		say_last_words(sig);
	_exit(128 + sig);
}

void
contain_catch(void (*last_words)(int sig))
{
	static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTRAP, SIGABRT,
	    SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU,
	    SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS};
	struct sigaction sa = {.sa_handler = die_of};
	struct sigaction old;
	size_t i;

	if (getpid() != 1)
		return;
	say_last_words = last_words;
	sigfillset(&sa.sa_mask);
	for (i = 0; i < sizeof deadly / sizeof *deadly; i++) {
		if (sigaction(deadly[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			sigaction(deadly[i], &sa, NULL);
	}
}

bool
contain_gives_way(void)
{
	return sched_getscheduler(0) == SCHED_IDLE;
}
