/*
 * Containment as contain.h describes it: forks children on the rung that the
 * launcher chose, and ends what they leave behind.  Runs in zygotes, runners,
 * their children and the launcher; never in a process with threads.
 */
#include "contain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

enum {
	TREE_MAX = 8192,		/* processes ended in one pass */
	CHILDREN_TEXT = 16 * 1024,	/* bytes read of a children file */
	PAUSE_NS = 300 * 1000		/* between two passes of a sweep */
};

/*
 * Invariants: ns_fd is >= 0 exactly on the rung namespace; between calls new
 * children of the process would land in the pid namespace that it stands for,
 * the process's own.
 */
struct contain {
	enum contain_rung rung;
	int ns_fd;	/* this process's own pid namespace, or -1 */
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
	return fd;
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
	c->ns_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (c->ns_fd < 0)
		return err_sys(e, "cannot open /proc/self/ns/pid");
	return 0;
}

struct contain *
contain_open(const char *name, struct err *e)
{
	static struct contain only;
	struct contain c = {CONTAIN_SUBREAPER, -1, -1};

	if (name && *name && contain_parse(name, &c.rung) < 0) {
		err_set(e, EINVAL,
		    "unknown containment \"%s\"; it is namespace, cgroup or "
		    "subreaper",
		    name);
		return NULL;
	}
	if (join_rung(&c, e) < 0)
		return NULL;
	c.scope_fd = make_scope();
	only = c;
	return &only;
}

enum contain_rung
contain_rung(const struct contain *c)
{
	return c->rung;
}

/* In a new child: 0, or -1 if it can't be scoped though others were. */
static int
scope_child(struct contain *c)
{
	int failed = 0;

	if (c->scope_fd >= 0) {
		failed = syscall(SYS_landlock_restrict_self, c->scope_fd, 0) < 0;
		close(c->scope_fd);
		c->scope_fd = -1;
	}
	if (c->ns_fd >= 0) {
		close(c->ns_fd);
		c->ns_fd = -1;
	}
	return failed ? -1 : 0;
}

/*
 * A child in a new pid namespace.  The caller is put back into its own
 * whatever becomes of the fork: unshare refuses to nest otherwise.
 */
static pid_t
fork_namespace(const struct contain *c)
{
	pid_t pid;
	int error;

	if (unshare(CLONE_NEWPID) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		return 0;
	error = errno;
	if (setns(c->ns_fd, CLONE_NEWPID) < 0) {
		error = errno;
		if (pid > 0) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		pid = -1;
	}
	errno = error;
	return pid;
}

pid_t
contain_fork(struct contain *c)
{
	pid_t pid;

	pid = c->rung == CONTAIN_NAMESPACE ? fork_namespace(c) : fork();
	if (pid == 0 && scope_child(c) < 0)
		_exit(127);
	return pid;
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	const struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -1;
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

/* --- descendants ----------------------------------------------------------- */

/* Adds the pids of "12 34 56 " to out[*n], at most up to `max`. */
static void
parse_pids(char *text, pid_t *out, size_t max, size_t *n)
{
	char *p = text;
	char *end;
	long pid;

	while (*n < max) {
		pid = strtol(p, &end, 10);
		if (end == p)
			return;
		out[(*n)++] = (pid_t)pid;
		p = end;
	}
}

/* Children of one thread: its name is an entry of the open task directory. */
static int
children_of_thread(
    int task_fd, const char *tid, pid_t *out, size_t max, size_t *n)
{
	char path[64], text[CHILDREN_TEXT];
	size_t len = 0;
	ssize_t k;
	int fd;

	snprintf(path, sizeof path, "%s/children", tid);
	fd = openat(task_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (len < sizeof text - 1 &&
	    (k = read(fd, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)k;
	close(fd);
	/* A pid that the room cuts in two would be another's. */
	if (len == sizeof text - 1)
		while (len && text[len - 1] != ' ')
			len--;
	text[len] = 0;
	parse_pids(text, out, max, n);
	return 0;
}

int
contain_children(pid_t pid, pid_t *out, size_t max)
{
	char path[32];
	const struct dirent *de;
	size_t n = 0;
	DIR *tasks;
	int threads = 0;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return -1;
	while ((de = readdir(tasks))) {
		if (de->d_name[0] == '.')
			continue;
		if (children_of_thread(
		        dirfd(tasks), de->d_name, out, max, &n) == 0)
			threads++;
	}
	closedir(tasks);
	if (!threads) {
		errno = ENOENT;
		return -1;
	}
	return (int)n;
}

/*
 * tree[0 .. n) holds the roots; adds their descendants behind them.  The
 * number of processes afterwards.
 */
static size_t
list_descendants(pid_t *tree, size_t n)
{
	size_t i;
	int k;

	for (i = 0; i < n; i++) {
		k = contain_children(tree[i], tree + n, TREE_MAX - n);
		if (k > 0)
			n += (size_t)k;
	}
	return n;
}

static void
kill_all(const pid_t *tree, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		kill(tree[i], SIGKILL);
}

static bool
is_among(pid_t pid, const pid_t *list, size_t n)
{
	size_t i;

	for (i = 0; i < n && list[i] != pid; i++)
		;
	return i < n;
}

/*
 * The root is stopped, not killed, until all others are: so it stays their
 * reaper, and orphans come back to where they are looked for.  A fork that is
 * under way when its process is killed fails (a stop would let it pass), so a
 * round that finds nobody new has found all.
 */
int
contain_kill_tree(pid_t pid)
{
	pid_t tree[TREE_MAX], killed[TREE_MAX];
	size_t n, i, nkilled = 0, before;

	if (contain_children(pid, tree, 0) < 0)
		return -1;
	kill(pid, SIGSTOP);
	tree[0] = pid;
	do {
		before = nkilled;
		n = list_descendants(tree, 1);
		for (i = 1; i < n && nkilled < TREE_MAX; i++) {
			if (is_among(tree[i], killed, nkilled))
				continue;
			kill(tree[i], SIGKILL);
			killed[nkilled++] = tree[i];
		}
	} while (nkilled > before && nkilled < TREE_MAX);
	kill(pid, SIGKILL);
	return (int)nkilled + 1;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * Leaves in tree[] the caller's children that are neither kept nor dead,
 * reaping the dead ones into *ended.  Their number, or -1.
 */
static int
list_orphans(pid_t *tree, const pid_t *keep, size_t nkeep, int *ended)
{
	int n = contain_children(getpid(), tree, TREE_MAX);
	int i, left = 0;

	for (i = 0; i < n; i++) {
		if (is_among(tree[i], keep, nkeep))
			continue;
		if (waitpid(tree[i], NULL, WNOHANG | __WALL) == tree[i])
			(*ended)++;
		else
			tree[left++] = tree[i];
	}
	return n < 0 ? -1 : left;
}

int
contain_sweep(const struct contain *c, const pid_t *keep, size_t n)
{
	const struct timespec pause = {0, PAUSE_NS};
	pid_t tree[TREE_MAX];
	int64_t until = 0;
	int ended = 0, left, before;

	if (c && c->rung != CONTAIN_SUBREAPER)
		return 0;
	for (;;) {
		before = ended;
		left = list_orphans(tree, keep, n, &ended);
		if (left < 0)
			return -1;
		/* What died may have left orphans of its own. */
		if (left == 0 && ended == before)
			return ended;
		if (left == 0)
			continue;
		kill_all(tree, list_descendants(tree, (size_t)left));
		if (until == 0)
			until = now_ms() + CONTAIN_SWEEP_MS;
		if (now_ms() > until) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
}

bool
contain_alone(void)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
	while (pid > 0);
	return pid < 0 && errno == ECHILD;
}

int
contain_clean(void)
{
	if (contain_alone())
		return 0;
	if (getpid() != 1)
		return contain_sweep(NULL, NULL, 0) < 0 ? -1 : 0;
	/* Nothing escapes that: a fork that is under way sees it pending. */
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
	return errno == ECHILD ? 0 : -1;
}
