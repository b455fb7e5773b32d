/*
 * The probe's choice, and what it says of it.
 */
#include "confined.h"

#include <sys/syscall.h>

static void
unknown_rungs_are_refused(void **state)
{
	struct err e = {0};
	struct probe p;

	(void)state;
	assert_int_equal(probe_run(&p, "docker", &e), -1);
	assert_non_null(strstr(e.text, "BOTHY_CONTAINMENT is \"docker\""));
	assert_non_null(strstr(e.text, "namespace, cgroup or subreaper"));
}

static int
act_forced(struct play *p)
{
	struct buf b;
	int bad = 0;

	buf_init(&b, 8192);
	bad += check(p->probe.rung == p->rung && p->probe.forced, "forced");
	bad += check(p->probe.has[p->rung], "it is there");
	bad += check(!p->probe.why_not[p->rung][0], "no reason against it");
	bad += check(!p->probe.mounts || p->rung == CONTAIN_NAMESPACE, "mounts");
	bad += check(p->probe.own_uids ==
	        (p->who == AS_ROOT && identity_needed()),
	    "uids");
	probe_text(&p->probe, &b);
	bad += check(buf_ok(&b) && strstr(buf_str(&b), "forced"), "text");
	bad += check(strstr(buf_str(&b), contain_name(p->rung)) != NULL,
	    "text with the rung");
	buf_release(&b);
	return bad;
}

static void
a_rung_can_be_forced(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_forced);
}

/* An ordinary user outside of any cgroup of theirs. */
static int
refuse_cgroup(void)
{
	struct err e = {0};
	struct probe p;
	int bad = 0;

	if (setgroups(0, NULL) < 0 || setgid(ORDINARY_UID) < 0 ||
	    setuid(ORDINARY_UID) < 0)
		return 1;
	bad += check(probe_run(&p, "cgroup", &e) < 0, "cgroup is refused");
	bad += check(strstr(e.text, "not to be had here: ") != NULL, "why");
	bad += check(probe_run(&p, "", &e) == 0 && !p.forced, "a choice");
	return bad;
}

static void
a_rung_that_is_missing_is_refused(void **state)
{
	pid_t pid;

	(void)state;
	if (!identity_needed()) {
		print_message("    SKIPPED: not run as root\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(refuse_cgroup());
	assert_int_equal(outcome(pid), 0);
}

/* A trial that fails where the kernel has the thing would only be skipped. */
static void
what_is_there_is_found(void **state)
{
	struct err e = {0};
	struct probe p;
	char text[8192] = "";
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

	(void)state;
	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	assert_int_equal(probe_run(&p, NULL, &e), 0);
	assert_false(p.forced);
	assert_int_equal(p.landlock_abi, abi > 0 ? abi : 0);
	assert_int_equal(p.seccomp, strstr(text, "\nSeccomp:") != NULL);
	if (access("/proc/thread-self/children", R_OK) == 0)
		assert_true(p.has[CONTAIN_SUBREAPER]);
	if (p.has[CONTAIN_NAMESPACE])
		assert_int_equal(p.rung, CONTAIN_NAMESPACE);
	if (identity_needed() && cgroup_mount()) {
		assert_int_equal(probe_run(&p, "cgroup", &e), 0);
		assert_int_equal(p.rung, CONTAIN_CGROUP);
	}
}

static void
gaps_are_said(void **state)
{
	struct probe full = {.rung = CONTAIN_NAMESPACE,
	    .landlock_abi = 7,
	    .seccomp = true,
	    .mounts = true,
	    .counts_processes = true};
	struct probe bare = {.rung = CONTAIN_SUBREAPER};
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 8192);
	probe_missing(&full, &b);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(probe_require(&full, &e), 0);
	probe_missing(&bare, &b);
	assert_non_null(strstr(buf_str(&b), "functions are trusted"));
	assert_non_null(strstr(buf_str(&b), "network limits don't hold"));
	assert_non_null(strstr(buf_str(&b), "send signals"));
	assert_null(strchr(buf_str(&b), '\n'));
	assert_int_equal(probe_require(&bare, &e), -1);
	assert_non_null(strstr(e.text, "landlock"));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unknown_rungs_are_refused),
	    cmocka_unit_test(a_rung_can_be_forced),
	    cmocka_unit_test(a_rung_that_is_missing_is_refused),
	    cmocka_unit_test(what_is_there_is_found),
	    cmocka_unit_test(gaps_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
