/* What a connection shows: checked once, held to its deadline. */
#include "store/daemon/credential.h"

#include "store/value/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char SECRET[TOKEN_SECRET_SIZE] = "the secret";
static const unsigned char OTHER[TOKEN_SECRET_SIZE] = "another secret";
static const unsigned char CHALLENGE[FRAME_CHALLENGE_SIZE] = "challenge";

static void
mint(struct buf *out, int64_t deadline_ms, const unsigned char *secret)
{
	struct token t = {.function = {"f", 1}, .release = {"1", 1},
	    .deadline_ms = deadline_ms};
	struct err e;

	buf_init(out, TOKEN_BYTES_MAX);
	assert_int_equal(token_mint(out, secret, &t, &e), 0);
}

static const struct token *
check(struct credential *c, const struct buf *token, unsigned flags,
    int64_t wall_ms)
{
	struct frame_request r = {.flags = (uint16_t)flags};
	struct err e = {0};
	const struct token *t;

	if (token) {
		r.token = token->data;
		r.ntoken = token->len;
	}
	t = credential_check(c, &r, SECRET, CHALLENGE, wall_ms, &e);
	if (!t)
		assert_int_equal(e.code, FAULT_DENIED);
	return t;
}

static void
nothing_shown(void **state)
{
	struct credential c;

	(void)state;
	credential_init(&c);
	assert_null(check(&c, NULL, 0, 0));
	assert_null(check(&c, NULL, FRAME_PROOF, 0));
	credential_release(&c);
}

static void
holds_for_requests_without(void **state)
{
	struct credential c;
	struct buf token;

	(void)state;
	credential_init(&c);
	mint(&token, 1000, SECRET);
	assert_non_null(check(&c, &token, 0, 1000));
	assert_non_null(check(&c, NULL, 0, 1000));
	assert_non_null(check(&c, &token, 0, 1000));
	assert_false(check(&c, NULL, 0, 1000)->all);
	/* The deadline counts for each of them. */
	assert_null(check(&c, NULL, 0, 1001));
	assert_null(check(&c, &token, 0, 1001));
	buf_release(&token);
	mint(&token, 2000, SECRET);
	assert_non_null(check(&c, &token, 0, 1001));
	buf_release(&token);
	credential_release(&c);
}

static void
a_false_one_ends_the_one_before(void **state)
{
	struct credential c;
	struct buf token, forged;

	(void)state;
	credential_init(&c);
	mint(&token, 0, SECRET);
	mint(&forged, 0, OTHER);
	assert_non_null(check(&c, &token, 0, 1));
	assert_null(check(&c, &forged, 0, 1));
	assert_null(check(&c, NULL, 0, 1));
	assert_non_null(check(&c, &token, 0, 1));
	/* The same bytes as a proof are something else. */
	assert_null(check(&c, &token, FRAME_PROOF, 1));
	assert_null(check(&c, NULL, 0, 1));
	buf_release(&token);
	buf_release(&forged);
	credential_release(&c);
}

static void
a_proof_may_do_everything(void **state)
{
	unsigned char proof[TOKEN_PROOF_SIZE];
	struct credential c;
	struct buf b;

	(void)state;
	credential_init(&c);
	buf_init(&b, 64);
	token_prove(SECRET, CHALLENGE, proof);
	buf_add(&b, proof, sizeof proof);
	assert_non_null(check(&c, &b, FRAME_PROOF, 1));
	assert_true(check(&c, NULL, 0, 1)->all);
	b.data[5] ^= 1;
	assert_null(check(&c, &b, FRAME_PROOF, 1));
	buf_release(&b);
	credential_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_shown),
		cmocka_unit_test(holds_for_requests_without),
		cmocka_unit_test(a_false_one_ends_the_one_before),
		cmocka_unit_test(a_proof_may_do_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
