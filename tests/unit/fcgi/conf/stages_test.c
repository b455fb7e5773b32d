/*
 * Which branches are stages, and where: rules of deploy.stages.
 */
#include "tests/unit/fcgi/conf/site.h"

#include "fcgi/conf/stages.h"

static void
branches_are_harmless_names(void **state)
{
	static const char *const good[] = {
	    "feature", "review/42", "v1.2", "A", "a/b/c", "x-y_z", "0"};
	static const char *const bad[] = {"", "-x", "../up", "a/../b", "a//b",
	    "/a", "a/", "a b", ".git", "a/.b", "a.lock", "a.lock/b", "a.", "a*",
	    "a\nb", "\303\244", "a;b", "a\\b", "a:b", "@", "a@{1}"};
	char longest[STAGES_BRANCH_SIZE + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_null(stages_branch_wrong(good[i]));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_non_null(stages_branch_wrong(bad[i]));
	memset(longest, 'a', sizeof longest);
	longest[STAGES_BRANCH_SIZE] = '\0';
	assert_non_null(stages_branch_wrong(longest));
	longest[STAGES_BRANCH_SIZE - 1] = '\0';
	assert_null(stages_branch_wrong(longest));
}

static void
patterns_have_one_star(void **state)
{
	(void)state;
	assert_null(stages_pattern_wrong("*"));
	assert_null(stages_pattern_wrong("review/*"));
	assert_null(stages_pattern_wrong("a*b"));
	assert_non_null(stages_pattern_wrong("*/*"));
	assert_non_null(stages_pattern_wrong("**"));
	assert_null(stages_path_wrong("/r/*"));
	assert_non_null(stages_path_wrong("r"));
	assert_non_null(stages_path_wrong("/"));
	assert_non_null(stages_path_wrong("/r/"));
	assert_non_null(stages_path_wrong("/../r"));
	assert_non_null(stages_path_wrong("/_bothy"));
	assert_null(stages_host_wrong("*.example.org"));
	assert_null(stages_host_wrong("r-*.example.org"));
	assert_non_null(stages_host_wrong("A.example.org"));
	assert_non_null(stages_host_wrong("a..org"));
	assert_non_null(stages_host_wrong("a.example.org:80"));
}

/* What a branch gets by one rule; "" if it does not fit. */
static const char *
address(const char *pattern, const char *to, const char *branch)
{
	static char out[STAGES_ADDRESS_SIZE];
	struct err e;
	int rc = stages_fit(pattern, to, branch, out, &e);

	if (rc < 0)
		assert_non_null(strstr(e.text, "can't stand for *"));
	return rc > 0 ? out : rc < 0 ? "error" : "";
}

static void
a_star_is_the_same_on_both_sides(void **state)
{
	(void)state;
	assert_string_equal(address("f", "/f", "f"), "/f");
	assert_string_equal(address("f", "/f", "F"), "");
	assert_string_equal(address("f", "/f", "f/g"), "");
	assert_string_equal(address("r/*", "/r/*", "r/42"), "/r/42");
	assert_string_equal(address("r/*", "/r/*", "r/4/2"), "");
	assert_string_equal(address("r*", "/r/*", "r"), "");
	assert_string_equal(address("a*b", "/x*y", "a-b"), "/x-y");
	assert_string_equal(address("a*a", "/x*", "a"), "");
	assert_string_equal(address("r/*", "*.x.org", "r/42"), "42.x.org");
	assert_string_equal(address("r/*", "*.x.org", "r/A"), "error");
	assert_string_equal(address("r/*", "*.x.org", "r/a_b"), "error");
	assert_string_equal(address("r*", "/*", "r.b"), "error");
}

static void
any_of_some(void **state)
{
	(void)state;
	assert_true(stages_fits_any("main", "main"));
	assert_true(stages_fits_any("main review/*", "review/1"));
	assert_true(stages_fits_any("review/* main", "main"));
	assert_false(stages_fits_any("main review/*", "mainer"));
	assert_false(stages_fits_any("main review/*", "review/1/2"));
	assert_false(stages_fits_any("", "main"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(branches_are_harmless_names),
	    cmocka_unit_test(patterns_have_one_star),
	    cmocka_unit_test(a_star_is_the_same_on_both_sides),
	    cmocka_unit_test(any_of_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
