/*
 * Slots are entered, killed, given back and used again, and nothing of them
 * stays behind.
 */
#include "confined.h"

#include "fcgi/launch/cgroup.h"

/* A process in `slot` that has forked some others, as a child would have. */
static pid_t
start_family(struct cgroup *g, int slot, int members, int *life_fd)
{
	int fds[2], gate[2], i;
	pid_t pid;
	char c;

	if (pipe2(fds, O_CLOEXEC) < 0 || pipe2(gate, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &c, 1) != 1)
			_exit(1);
		for (i = 1; i < members; i++)
			if (fork() == 0)
				break;
		alarm(60);
		for (;;)
			pause();
	}
	close(fds[1]);
	close(gate[0]);
	*life_fd = fds[0];
	if (cgroup_slot_enter(g, slot, pid) == 0 && write(gate[1], "g", 1) != 1)
		pid = -1;
	close(gate[1]);
	return pid;
}

/* True if nobody holds the other end; they would for a minute. */
static bool
is_over(int life_fd)
{
	char c;
	int i;

	fcntl(life_fd, F_SETFL, O_NONBLOCK);
	for (i = 0; i < 3000; i++) {
		if (read(life_fd, &c, 1) == 0)
			return true;
		usleep(10000);
	}
	return false;
}

static bool
is_there(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

static int
use_slots(struct cgroup *g)
{
	int first, second, life, bad = 0;
	struct usage u;
	pid_t pid;

	first = cgroup_slot_take(g, 0, 0);
	second = cgroup_slot_take(g, 0, 0);
	bad += check(first >= 0 && second >= 0 && first != second, "two slots");
	bad += check(cgroup_slot_empty(g, first), "empty at first");
	pid = start_family(g, first, 10, &life);
	bad += check(!cgroup_slot_empty(g, first), "not empty with one");
	if (g->memory) {
		bad += check(cgroup_slot_usage(g, first, &u) == 0, "usage");
		bad += check(u.memory_bytes > 0, "some memory");
	} else {
		bad += check(cgroup_slot_usage(g, first, &u) < 0 &&
		        errno == ENOTSUP,
		    "no usage without controllers");
	}
	usleep(20000);
	bad += check(cgroup_slot_kill(g, first) == 0, "kill");
	bad += check(outcome(pid) == ENDED_BY_SIGNAL + SIGKILL, "killed");
	bad += check(is_over(life), "all are gone");
	close(life);
	bad += check(cgroup_slot_empty(g, first), "empty again");
	bad += check(cgroup_slot_enter(g, first, pid) < 0 && errno == ESRCH,
	    "enter of who is gone");
	cgroup_slot_give(g, first);
	bad += check(cgroup_slot_take(g, 0, 0) == first, "the same slot again");
	cgroup_slot_give(g, first);
	cgroup_slot_give(g, second);
	return bad;
}

/* What is given back while it is in use is not taken until it is empty. */
static int
give_early(struct cgroup *g)
{
	int slot = cgroup_slot_take(g, 0, 0), next, life, bad = 0;
	pid_t pid = start_family(g, slot, 5, &life);

	bad += check(!cgroup_slot_empty(g, slot), "not empty with some");
	kill(pid, SIGSTOP);
	cgroup_slot_give(g, slot);
	next = cgroup_slot_take(g, 0, 0);
	bad += check(next >= 0 && cgroup_slot_empty(g, next), "empty");
	bad += check(outcome(pid) == ENDED_BY_SIGNAL + SIGKILL, "killed");
	bad += check(is_over(life), "all are gone");
	close(life);
	cgroup_slot_give(g, next);
	return bad;
}

static int
act(struct play *p)
{
	struct cgroup g;
	struct err e;
	char name[sizeof g.name];
	int bad = 0, parent_fd;

	(void)p;
	if (cgroup_init(&g, &e) < 0)
		return check(false, e.text);
	memcpy(name, g.name, sizeof name);
	if (!g.memory)
		fprintf(stderr, "    memory.max SKIPPED: no controllers\n");
	parent_fd = dup(g.parent_fd);
	bad += use_slots(&g) + give_early(&g);
	if (g.kill) {
		/* As before Linux 5.14. */
		g.kill = false;
		bad += use_slots(&g) + give_early(&g);
	}
	bad += check(g.count <= 4, "few slots");
	bad += check(is_there(parent_fd, name), "its directory");
	cgroup_release(&g);
	bad += check(!is_there(parent_fd, name), "nothing stays behind");
	close(parent_fd);
	return bad;
}

static void
slots_are_used_again(void **state)
{
	(void)state;
	play_all(CONTAIN_CGROUP, CONTAIN_CGROUP, act);
}

/* A launcher that was killed leaves its cgroups; the next removes them. */
static int
act_stale(struct play *p)
{
	struct cgroup g;
	struct err e;
	pid_t pid = fork();
	char name[sizeof g.name];
	int bad = 0;

	(void)p;
	if (pid == 0) {
		if (cgroup_init(&g, &e) < 0)
			_exit(1);
		_exit(cgroup_slot_take(&g, 0, 0) == 0 ? 0 : 2);
	}
	bad += check(outcome(pid) == 0, "the launcher that goes");
	if (cgroup_init(&g, &e) < 0)
		return check(false, e.text);
	snprintf(name, sizeof name, "bothy-%d", (int)pid);
	bad += check(!is_there(g.parent_fd, name), "the other's is removed");
	bad += check(is_there(g.parent_fd, g.name), "our own is there");
	cgroup_release(&g);
	return bad;
}

static void
stale_slots_are_removed(void **state)
{
	(void)state;
	play_all(CONTAIN_CGROUP, CONTAIN_CGROUP, act_stale);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slots_are_used_again),
	    cmocka_unit_test(stale_slots_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
