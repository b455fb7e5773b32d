/*
 * The function ABI's checks: what is of this ABI passes, whatever differs by
 * one field or one byte does not.
 */
#include "functions/sdk/abi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
request_of_the_abi_passes(void **state)
{
	struct abi_request h = {.magic = ABI_MAGIC, .env_bytes = 10,
	    .env_count = 2};

	(void)state;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 1), 0);
	h.flags = ABI_NO_STDIN;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 0), 0);
	h.flags = ABI_NO_STDIN | ABI_HAS_OUTPUTS;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 2), 0);
	h.flags = ABI_HAS_OUTPUTS;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 3), 0);
	h.env_bytes = ABI_ENV_MAX;
	h.env_count = ABI_VARIABLES_MAX;
	assert_int_equal(abi_request_check(&h, sizeof h + ABI_ENV_MAX, 3), 0);
}

static void
request_that_differs_is_refused(void **state)
{
	const struct abi_request good = {.magic = ABI_MAGIC, .env_bytes = 10,
	    .flags = ABI_HAS_OUTPUTS};
	struct abi_request h = good;
	size_t nfds;

	(void)state;
	h.magic++;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 3), -1);
	h = good;
	h.flags |= 4;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 3), -1);
	h = good;
	assert_int_equal(abi_request_check(&h, sizeof h + 9, 3), -1);
	assert_int_equal(abi_request_check(&h, sizeof h + 11, 3), -1);
	assert_int_equal(abi_request_check(&h, sizeof h - 1, 3), -1);
	assert_int_equal(abi_request_check(&h, 0, 3), -1);
	for (nfds = 0; nfds < 5; nfds++)
		assert_int_equal(abi_request_check(&h, sizeof h + 10, nfds),
		    nfds == 3 ? 0 : -1);
	h.env_bytes = ABI_ENV_MAX + 1;
	assert_int_equal(
	    abi_request_check(&h, sizeof h + ABI_ENV_MAX + 1, 3), -1);
	h = good;
	h.env_count = ABI_VARIABLES_MAX + 1;
	assert_int_equal(abi_request_check(&h, sizeof h + 10, 3), -1);
}

static void
done_is_checked(void **state)
{
	struct abi_done h = {.magic = ABI_MAGIC, .end = ABI_END_NOT_YET,
	    .inline_bytes = 5};

	(void)state;
	assert_int_equal(abi_done_check(&h, sizeof h + 5), 0);
	assert_int_equal(abi_done_check(&h, sizeof h + 4), -1);
	assert_int_equal(abi_done_check(&h, sizeof h + 6), -1);
	assert_int_equal(abi_done_check(&h, sizeof h - 1), -1);
	h.end = ABI_END_NOT_YET + 1;
	assert_int_equal(abi_done_check(&h, sizeof h + 5), -1);
	h.end = ABI_END_EXIT;
	h.magic = 0;
	assert_int_equal(abi_done_check(&h, sizeof h + 5), -1);
	h.magic = ABI_MAGIC;
	h.inline_bytes = ABI_INLINE_MAX;
	assert_int_equal(abi_done_check(&h, sizeof h + ABI_INLINE_MAX), 0);
	h.inline_bytes++;
	assert_int_equal(abi_done_check(&h, sizeof h + ABI_INLINE_MAX + 1),
	    -1);
	h.inline_bytes = UINT32_MAX;
	assert_int_equal(abi_done_check(&h, sizeof h - 1), -1);
}

static void
environment_is_split(void **state)
{
	char block[] = "A=1\0B=\0C=x=y";
	char *envp[4];

	(void)state;
	assert_int_equal(abi_env_split(block, sizeof block, 3, envp), 0);
	assert_string_equal(envp[0], "A=1");
	assert_string_equal(envp[1], "B=");
	assert_string_equal(envp[2], "C=x=y");
	assert_null(envp[3]);
	assert_int_equal(abi_env_split(block, 0, 0, envp), 0);
	assert_null(envp[0]);
}

static void
environment_that_does_not_fill_its_block_is_refused(void **state)
{
	char block[] = "A=1\0B=2";
	char no_name[] = "=1", no_value[] = "A";
	char *envp[4];

	(void)state;
	assert_int_equal(abi_env_split(block, sizeof block, 1, envp), -1);
	assert_int_equal(abi_env_split(block, sizeof block, 3, envp), -1);
	assert_int_equal(abi_env_split(block, sizeof block - 1, 2, envp), -1);
	assert_int_equal(abi_env_split(block, 0, 1, envp), -1);
	assert_int_equal(abi_env_split(no_name, sizeof no_name, 1, envp), -1);
	assert_int_equal(abi_env_split(no_value, sizeof no_value, 1, envp),
	    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request_of_the_abi_passes),
	    cmocka_unit_test(request_that_differs_is_refused),
	    cmocka_unit_test(done_is_checked),
	    cmocka_unit_test(environment_is_split),
	    cmocka_unit_test(
	        environment_that_does_not_fill_its_block_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
