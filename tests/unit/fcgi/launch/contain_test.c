/*
 * Containment on each rung: what a child starts ends with it, and it hurts no
 * neighbour.
 *
 * This program plays the launcher and, exec'ed by itself with arguments, the
 * zygote: `contain_test --zygote RUNG ROLE`, confined, with descriptors
 *   3  to the launcher      4  from the launcher
 *   5  life: held open by all descendants of the child, and nobody else
 */
#include "confined.h"

#include "functions/sdk/contain.h"

#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum {
	SAY_FD = 3,
	HEAR_FD = 4,
	LIFE_FD = 5,
	DAEMONS = 20,
	BOMB = 200,		/* processes when it is ended */
	BOMB_MAX = 400,		/* forked in all, whatever happens */
	PATIENCE_MS = 60000	/* nobody of them ends by itself */
};

static void
say(char c)
{
	if (write(SAY_FD, &c, 1) != 1)
		_exit(90);
}

static void
hear(char want)
{
	char c = 0;

	if (read(HEAR_FD, &c, 1) != 1 || c != want)
		_exit(91);
}

/* --- deeds of a child ------------------------------------------------------- */

/* What nobody ends, for some minutes. */
static void
stay(void)
{
	unsigned left = 240;

	while (left)
		left = sleep(left);
	_exit(0);
}

/* Daemons as daemons are made: out of the group, the session, the family. */
static void
daemonise(void)
{
	int i;

	for (i = 0; i < DAEMONS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			setsid();
			if (fork() != 0)
				_exit(0);
			prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			stay();
		}
		waitpid(pid, NULL, 0);
	}
}

/* Every process forks as fast as it can, sessions and all. */
static void
bomb(void)
{
	atomic_int *n = mmap(NULL, sizeof *n, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (n == MAP_FAILED)
		_exit(92);
	say('r');
	while (atomic_fetch_add(n, 1) < BOMB_MAX)
		if (fork() == 0)
			setsid();
	stay();
}

static void
daemons(void)
{
	daemonise();
	say('r');
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

/* --- the zygote's side of "a child is ended" -------------------------------- */

static int
role_ended(struct contain *c, void (*deed)(void), bool exits)
{
	int gate[2];
	pid_t pid;
	char go;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return 92;
	pid = fork_child(c);
	if (pid == 0) {
		if (contain_child(c) < 0 || read(gate[0], &go, 1) != 1)
			_exit(93);
		deed();
		if (exits)
			_exit(0);
		for (;;)
			pause();
	}
	if (pid < 0)
		return 94;
	close(LIFE_FD);
	say('f');
	hear('g');
	if (write(gate[1], "g", 1) != 1)
		return 92;
	if (waitpid(pid, NULL, 0) != pid || contain_sweep(c, NULL, 0) < 0)
		return 95;
	say('d');
	return contain_rung(c) == CONTAIN_CGROUP || contain_alone() ? 0 : 96;
}

static int
role_daemons_killed(struct contain *c)
{
	return role_ended(c, daemons, false);
}

static int
role_daemons_left(struct contain *c)
{
	return role_ended(c, daemons, true);
}

static int
role_bomb(struct contain *c)
{
	return role_ended(c, bomb, false);
}

/* --- more roles ------------------------------------------------------------- */

/* A child tries to hurt all it knows; kill(-1, SIGKILL) only if it is alone. */
static void
hurt(pid_t neighbour, bool all)
{
	char path[64];
	int bad = 0;

	bad += check(kill(neighbour, SIGKILL) < 0, "kill a neighbour");
	bad += check(kill(getppid(), SIGKILL) < 0 || getppid() == 0,
	    "kill the zygote");
	if (all)
		kill(-1, SIGKILL);
	snprintf(path, sizeof path, "/proc/%d/environ", (int)neighbour);
	bad += check(open(path, O_RDONLY | O_CLOEXEC) < 0,
	    "read a neighbour's environment");
	_exit(bad);
}

/*
 * Two children and one that attacks: both live on.  The launcher has said in
 * 'a' or 'n' whether the uid is the test's own, so that all may be killed.
 */
static int
role_neighbours(struct contain *c)
{
	pid_t peaceful, attacker;
	int bad = 0;
	char all;

	if (read(HEAR_FD, &all, 1) != 1)
		return 91;
	peaceful = fork_child(c);
	if (peaceful == 0) {
		contain_child(c);
		hear('q');
		_exit(0);
	}
	attacker = fork_child(c);
	if (attacker == 0) {
		if (contain_child(c) < 0)
			_exit(93);
		hurt(peaceful, all == 'a');
	}
	bad += check(outcome(attacker) == 0, "the attacker's outcome");
	bad += check(waitpid(peaceful, NULL, WNOHANG) == 0, "neighbour lives");
	say('q');
	bad += check(outcome(peaceful) == 0, "the neighbour's outcome");
	return bad;
}

static volatile sig_atomic_t words;

static void
last_words(int sig)
{
	words = sig;
	if (sig == SIGABRT)
		say('w');
}

/* abort, alarm and a broken pipe end a child, pid 1 though it may be. */
static int
role_signals(struct contain *c)
{
	const bool first = contain_rung(c) == CONTAIN_NAMESPACE;
	const int base = first ? 128 : ENDED_BY_SIGNAL;
	int fds[2], bad = 0;
	pid_t pid;

	contain_catch(last_words);
	pid = fork_child(c);
	if (pid == 0)
		abort();
	bad += check(outcome(pid) == base + SIGABRT, "abort");
	pid = fork_child(c);
	if (pid == 0) {
		const struct itimerval soon = {{0, 0}, {0, 20000}};

		setitimer(ITIMER_REAL, &soon, NULL);
		pause();
		_exit(0);
	}
	bad += check(outcome(pid) == base + SIGALRM, "alarm");
	pid = fork_child(c);
	if (pid == 0) {
		if (pipe(fds) < 0 || close(fds[0]) < 0)
			_exit(1);
		_exit(write(fds[1], "x", 1) < 0 ? 2 : 3);
	}
	bad += check(outcome(pid) == base + SIGPIPE, "broken pipe");
	pid = fork_child(c);
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGTERM);
	bad += check(outcome(pid) == base + SIGTERM, "SIGTERM from the zygote");
	if (!first)
		say('w');
	return bad;
}

/* A child that serves again ends what the request before has started. */
static int
role_clean(struct contain *c)
{
	pid_t pid = fork_child(c);
	int bad = 0;

	if (pid == 0) {
		bad += check(contain_child(c) == 0, "contain_child");
		bad += check(contain_alone(), "alone at first");
		daemonise();
		bad += check(!contain_alone(), "not alone with daemons");
		bad += check(contain_clean() == 0, "contain_clean");
		bad += check(contain_alone(), "alone again");
		bad += check(contain_clean() == 0, "nothing to clean");
		_exit(bad);
	}
	return outcome(pid);
}

/* A child has no capability, and can get into no namespace. */
static int
role_powerless(struct contain *c)
{
	pid_t pid = fork_child(c);
	char text[4096] = "";
	int fd, bad = 0;
	const char *p;

	if (pid == 0) {
		bad += check(contain_child(c) == 0, "contain_child");
		fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		bad += check(read(fd, text, sizeof text - 1) > 0, "status");
		p = strstr(text, "CapInh:");
		bad += check(p &&
		        strncmp(p,
		            "CapInh:\t0000000000000000\n"
		            "CapPrm:\t0000000000000000\n"
		            "CapEff:\t0000000000000000\n",
		            75) == 0,
		    "no capabilities");
		bad += check(strstr(text, "CapAmb:\t0000000000000000\n") != NULL,
		    "no ambient capability");
		bad += check(unshare(CLONE_NEWPID) < 0, "unshare");
		bad += check(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL,
		                 NULL, NULL, NULL) < 0, "clone");
		bad += check(fcntl(fd + 1, F_GETFD) < 0, "no descriptor stays");
		_exit(bad);
	}
	return outcome(pid);
}

/* The rights that the zygote has in scratch, its children have: git moves. */
static int
role_files(struct contain *c)
{
	pid_t pid = fork_child(c);
	const char *scratch = getenv("TEST_SCRATCH");
	int bad = 0;

	if (pid == 0) {
		bad += check(contain_child(c) == 0, "contain_child");
		bad += check(scratch && chdir(scratch) == 0, "scratch");
		bad += check(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0,
		    "mkdir");
		bad += check(close(open("a/f", O_CREAT | O_CLOEXEC, 0600)) == 0,
		    "make a file");
		bad += check(link("a/f", "b/linked") == 0, "link");
		bad += check(rename("a/f", "b/moved") == 0, "move a file");
		bad += check(rename("a", "b/a") == 0, "move a directory");
		bad += check(open("../own/new", O_CREAT | O_CLOEXEC, 0600) < 0,
		    "make a file outside");
		bad += check(rename("b/moved", "../own/moved") < 0,
		    "move a file outside");
		_exit(bad);
	}
	return outcome(pid);
}

static const struct role {
	const char *name;
	int (*act)(struct contain *c);
} roles[] = {
    {"daemons-killed", role_daemons_killed},
    {"daemons-left", role_daemons_left},
    {"bomb", role_bomb},
    {"neighbours", role_neighbours},
    {"signals", role_signals},
    {"clean", role_clean},
    {"powerless", role_powerless},
    {"files", role_files},
};

static int
be_zygote(const char *rung, const char *role)
{
	struct err e;
	struct contain *c = contain_open(rung, &e);
	size_t i;

	if (!c) {
		fprintf(stderr, "    contain_open: %s\n", e.text);
		return 99;
	}
	for (i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(roles[i].name, role) == 0)
			return roles[i].act(c);
	return 98;
}

/* --- the launcher's side ---------------------------------------------------- */

struct zygote {
	pid_t pid;
	int say_fd, hear_fd, life_fd;
};

/* In the child: descriptors in place, confined, exec. */
static void
become_zygote(struct play *p, const char *role, const int *fds)
{
	char path[] = "/proc/self/exe", flag[] = "--zygote";
	char *argv[] = {path, flag, NULL, NULL, NULL};
	int high[3], i;
	struct err e;

	argv[2] = strdup(contain_name(p->rung));
	argv[3] = strdup(role);
	for (i = 0; i < 3; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 20);
	for (i = 0; i < 3; i++)
		dup2(high[i], SAY_FD + i);
	if (sandbox_enter(&p->host, &p->sandbox, LIFE_FD + 1, &e) < 0) {
		fprintf(stderr, "    sandbox_enter: %s\n", e.text);
		_exit(89);
	}
	setenv("TEST_SCRATCH", p->scene->scratch, 1);
	execv(path, argv);
	_exit(88);
}

static int
start_zygote(struct play *p, const char *role, struct zygote *z)
{
	int say_fds[2], hear_fds[2], life_fds[2];
	struct err e;

	if (pipe2(say_fds, O_CLOEXEC) < 0 || pipe2(hear_fds, O_CLOEXEC) < 0 ||
	    pipe2(life_fds, O_CLOEXEC) < 0)
		return -1;
	z->pid = sandbox_fork(&p->host, &p->sandbox, &e);
	if (z->pid == 0) {
		const int fds[3] = {say_fds[1], hear_fds[0], life_fds[1]};

		become_zygote(p, role, fds);
	}
	if (z->pid < 0)
		fprintf(stderr, "    sandbox_fork: %s\n", e.text);
	close(say_fds[1]);
	close(hear_fds[0]);
	close(life_fds[1]);
	z->say_fd = hear_fds[1];
	z->hear_fd = say_fds[0];
	z->life_fd = life_fds[0];
	return z->pid < 0 ? -1 : 0;
}

static int
expect(const struct zygote *z, char want)
{
	char c = 0;
	char what[32];

	snprintf(what, sizeof what, "the zygote says %c", want);
	return check(read(z->hear_fd, &c, 1) == 1 && c == want, what);
}

/* Milliseconds until nobody holds the life pipe, or -1. */
static int
time_to_die(const struct zygote *z, int64_t from_ms)
{
	struct pollfd p = {.fd = z->life_fd, .events = POLLIN};

	if (poll(&p, 1, PATIENCE_MS) != 1)
		return -1;
	return (int)(clock_mono_ms() - from_ms);
}

/* The only child of process `pid`: in its cgroup slot before it begins. */
static int
place(struct cgroup *g, const struct zygote *z)
{
	pid_t child;
	int slot;

	if (contain_children(z->pid, &child, 1) != 1)
		return -1;
	slot = cgroup_slot_take(g, 0, 0);
	return slot >= 0 && cgroup_slot_enter(g, slot, child) == 0 ? slot : -1;
}

/* Waits until the tree below `child` has that many processes. */
static bool
has_grown(pid_t child, uint32_t want)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;
	struct usage u = {0};

	while (u.processes < want && clock_mono_ms() < until)
		if (sample_tree(child, 0, UINT32_MAX, &u) < 0)
			return false;
	return u.processes >= want;
}

/* The zygote's child does its deed and is ended; its tree must be gone. */
static int
end_one(struct play *p, const char *role, bool exits)
{
	const bool bombs = strcmp(role, "bomb") == 0;
	struct cgroup g;
	struct zygote z;
	struct err e;
	int64_t from_ms;
	int slot = -1, bad = 0, took;
	pid_t child;

	if (p->rung == CONTAIN_CGROUP && cgroup_init(&g, &e) < 0)
		return check(false, e.text);
	if (start_zygote(p, role, &z) < 0)
		return 1;
	bad += expect(&z, 'f');
	bad += check(contain_children(z.pid, &child, 1) == 1, "the child");
	if (p->rung == CONTAIN_CGROUP)
		bad += check((slot = place(&g, &z)) >= 0, "enter a slot");
	bad += check(write(z.say_fd, "g", 1) == 1, "go");
	bad += expect(&z, 'r');
	if (!exits)
		bad += check(has_grown(child, bombs ? BOMB : DAEMONS), "grow");
	from_ms = clock_mono_ms();
	if (slot >= 0)
		bad += check(cgroup_slot_kill(&g, slot) == 0, "kill a slot");
	else if (!exits)
		bad += check(contain_kill_tree(child) > 0, "kill a tree");
	took = time_to_die(&z, from_ms);
	bad += check(took >= 0, "all descendants are gone");
	fprintf(stderr, "    %s, %s, %s: %d ms\n", role,
	    contain_name(p->rung), p->who == AS_ROOT ? "root" : "user", took);
	bad += expect(&z, 'd');
	bad += check(outcome(z.pid) == 0, "the zygote's outcome");
	if (p->rung == CONTAIN_CGROUP)
		cgroup_release(&g);
	return bad;
}

static int
act_daemons_killed(struct play *p)
{
	return end_one(p, "daemons-killed", false);
}

static int
act_daemons_left(struct play *p)
{
	return end_one(p, "daemons-left", true);
}

static int
act_bomb(struct play *p)
{
	return end_one(p, "bomb", false);
}

static void
daemons_end_with_a_killed_child(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_daemons_killed);
}

static void
daemons_end_with_a_child_that_exits(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_daemons_left);
}

static void
a_fork_bomb_ends(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_bomb);
}

/* The zygote itself ends, or is ended by the launcher: nothing is left. */
static int
end_zygote(struct play *p, const char *role, bool by_launcher)
{
	struct cgroup g;
	struct zygote z;
	struct err e;
	int64_t from_ms;
	int slot = -1, bad = 0, took;
	pid_t child;

	if (p->rung == CONTAIN_CGROUP && cgroup_init(&g, &e) < 0)
		return check(false, e.text);
	if (start_zygote(p, role, &z) < 0)
		return 1;
	bad += expect(&z, 'f');
	bad += check(contain_children(z.pid, &child, 1) == 1, "the child");
	if (p->rung == CONTAIN_CGROUP)
		bad += check((slot = place(&g, &z)) >= 0, "enter a slot");
	bad += check(write(z.say_fd, "g", 1) == 1, "go");
	bad += expect(&z, 'r');
	bad += check(has_grown(child, by_launcher ? BOMB : DAEMONS), "grow");
	from_ms = clock_mono_ms();
	if (by_launcher)
		bad += check(contain_kill_tree(z.pid) > 0, "kill a tree");
	else
		kill(z.pid, SIGKILL);
	bad += check(outcome(z.pid) == ENDED_BY_SIGNAL + SIGKILL, "killed");
	if (slot >= 0)
		cgroup_slot_kill(&g, slot);
	bad += check(contain_sweep(NULL, NULL, 0) >= 0, "sweep");
	took = time_to_die(&z, from_ms);
	bad += check(took >= 0, "all are gone");
	fprintf(stderr, "    zygote of %s killed, %s, %s: %d ms\n", role,
	    contain_name(p->rung), p->who == AS_ROOT ? "root" : "user", took);
	if (p->rung == CONTAIN_CGROUP)
		cgroup_release(&g);
	return bad;
}

static int
act_zygote_killed(struct play *p)
{
	return end_zygote(p, "daemons-killed", false) +
	    end_zygote(p, "bomb", true);
}

static void
a_killed_zygote_leaves_nothing(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_zygote_killed);
}

static int
act_neighbours(struct play *p)
{
	const bool alone_on_uid = identity_needed() || p->who == AS_ROOT;
	struct zygote z;
	int bad = 0;

	if (p->rung != CONTAIN_NAMESPACE && p->probe.landlock_abi < 6) {
		fprintf(stderr, "    SKIPPED: landlock is older than 6\n");
		return SKIP;
	}
	if (start_zygote(p, "neighbours", &z) < 0)
		return 1;
	bad += check(write(z.say_fd, alone_on_uid ? "a" : "n", 1) == 1, "tell");
	bad += expect(&z, 'q');
	bad += check(write(z.say_fd, "q", 1) == 1, "quit");
	return bad + check(outcome(z.pid) == 0, "the zygote's outcome");
}

static void
neighbours_are_safe(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_neighbours);
}

static int
act_role(struct play *p, const char *role)
{
	struct zygote z;

	if (start_zygote(p, role, &z) < 0)
		return 1;
	if (strcmp(role, "signals") == 0 && expect(&z, 'w') != 0)
		return 1;
	return check(outcome(z.pid) == 0, role);
}

static int
act_signals(struct play *p)
{
	return act_role(p, "signals");
}

static int
act_clean(struct play *p)
{
	return act_role(p, "clean");
}

static int
act_powerless(struct play *p)
{
	return act_role(p, "powerless");
}

static int
act_files(struct play *p)
{
	return act_role(p, "files");
}

static void
scratch_is_all_a_childs(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_files);
}

static void
signals_end_a_first_process(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_signals);
}

static void
a_child_is_cleaned_for_the_next_request(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_clean);
}

static void
children_have_no_power(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_powerless);
}

static void
names_are_parsed(void **state)
{
	enum contain_rung rung;
	struct err e;

	(void)state;
	assert_int_equal(contain_parse("cgroup", &rung), 0);
	assert_int_equal(rung, CONTAIN_CGROUP);
	assert_int_equal(contain_parse("container", &rung), -1);
	assert_null(contain_open("container", &e));
	assert_non_null(strstr(e.text, "container"));
	/* The test is pid 1 of nothing that the launcher has made. */
	assert_null(contain_open("namespace", &e));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_parsed),
	    cmocka_unit_test(daemons_end_with_a_killed_child),
	    cmocka_unit_test(daemons_end_with_a_child_that_exits),
	    cmocka_unit_test(a_fork_bomb_ends),
	    cmocka_unit_test(a_killed_zygote_leaves_nothing),
	    cmocka_unit_test(neighbours_are_safe),
	    cmocka_unit_test(signals_end_a_first_process),
	    cmocka_unit_test(a_child_is_cleaned_for_the_next_request),
	    cmocka_unit_test(children_have_no_power),
	    cmocka_unit_test(scratch_is_all_a_childs),
	};

	if (argc == 4 && strcmp(argv[1], "--zygote") == 0) {
		alarm(60);
		_exit(be_zygote(argv[2], argv[3]));
	}
	if (THREADED) {
		print_message("SKIPPED: the thread sanitizer adds threads\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
