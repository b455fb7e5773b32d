/*
 * The end of descendants, as contain.h describes it: lists process trees from
 * /proc and kills them.  Runs in zygotes, their children and the launcher.
 */
#include "contain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	TREE_MAX = 8192,		/* processes ended in one pass */
	CHILDREN_TEXT = 16 * 1024,	/* bytes read of a children file */
	PAUSE_NS = 300 * 1000		/* between two passes of a sweep */
};

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

	if (c && contain_rung(c) != CONTAIN_SUBREAPER)
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
