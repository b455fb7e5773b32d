/*
 * Content codings: what an Accept-Encoding chooses, and bodies both ways.
 */
#include "fcgi/aws/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct text
text(const char *s)
{
	return (struct text){s, strlen(s)};
}

static void
chooses(void **state)
{
	static const struct {
		const char *accept;
		enum encoding e;
	} cases[] = {
		{"", ENCODING_NONE}, {"identity", ENCODING_NONE},
		{"br, zstd", ENCODING_NONE}, {"x-gzip", ENCODING_NONE},
		{"gzip", ENCODING_GZIP}, {"GZIP, deflate", ENCODING_GZIP},
		{"br, deflate, gzip", ENCODING_DEFLATE},
		{"gzip;q=0.8, deflate;q=0.9", ENCODING_DEFLATE},
		{"gzip;q=0, deflate; q = 0.5", ENCODING_DEFLATE},
		{"*", ENCODING_GZIP}, {"*, deflate", ENCODING_DEFLATE},
		{"*, gzip;q=0.5", ENCODING_DEFLATE},
		{"*;q=0", ENCODING_NONE}, {"gzip ;q=0", ENCODING_NONE},
		{"gzip;q=0.0001", ENCODING_GZIP},
		{"gzip;q=0, gzip;q=1", ENCODING_GZIP},
		{"deflate;q=0.5,gzip;q=0.", ENCODING_DEFLATE},
		{"deflate;q=0.5,gzip;q=0.x", ENCODING_GZIP},
		{"deflate;q=-0.5,gzip;q=0.2", ENCODING_GZIP},
		{"gzip br", ENCODING_NONE}, {"\"gzip\"", ENCODING_NONE},
		{",,;,=;q=,", ENCODING_NONE},
	};
	struct text t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		t = text(cases[i].accept);
		if (encoding_choose(&t) != cases[i].e)
			fail_msg("'%s' chose %s", cases[i].accept,
			    encoding_name(encoding_choose(&t)));
	}
}

static void
names(void **state)
{
	struct text t = {NULL, 0};

	(void)state;
	assert_int_equal(encoding_parse(&t), ENCODING_NONE);
	t = text("Identity");
	assert_int_equal(encoding_parse(&t), ENCODING_NONE);
	t = text("GZip");
	assert_int_equal(encoding_parse(&t), ENCODING_GZIP);
	t = text("gzip, gzip");
	assert_int_equal(encoding_parse(&t), ENCODING_UNKNOWN);
}

static void
there_and_back(void **state)
{
	static char plain[300000];
	struct buf coded, back;
	enum encoding e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof plain; i++)
		plain[i] = (char)('a' + i * i % 17);
	for (e = ENCODING_GZIP; e <= ENCODING_DEFLATE; e++) {
		buf_init(&coded, 1 << 20);
		buf_init(&back, 1 << 20);
		assert_int_equal(encoding_encode(e, plain, sizeof plain,
		    &coded), 0);
		assert_true(coded.len < sizeof plain / 4);
		assert_int_equal(encoding_decode(e, coded.data, coded.len,
		    &back), 0);
		assert_int_equal(back.len, sizeof plain);
		assert_memory_equal(back.data, plain, sizeof plain);
		buf_release(&coded);
		buf_release(&back);
	}
}

/* Several streams are one body; anything else behind one is none. */
static void
streams(void **state)
{
	struct buf coded, back;
	size_t one;

	(void)state;
	buf_init(&coded, 1 << 20);
	buf_init(&back, 1 << 20);
	encoding_encode(ENCODING_GZIP, "abc", 3, &coded);
	one = coded.len;
	encoding_encode(ENCODING_GZIP, "def", 3, &coded);
	assert_int_equal(encoding_decode(ENCODING_GZIP, coded.data, coded.len,
	    &back), 0);
	assert_string_equal(buf_str(&back), "abcdef");
	buf_reset(&back);
	assert_int_equal(encoding_decode(ENCODING_GZIP, coded.data, one - 1,
	    &back), -1);
	buf_reset(&back);
	memcpy(coded.data + one, "junk", 4);
	assert_int_equal(encoding_decode(ENCODING_GZIP, coded.data, one + 4,
	    &back), -1);
	buf_reset(&back);
	assert_int_equal(encoding_decode(ENCODING_GZIP, "", 0, &back), -1);
	buf_reset(&back);
	assert_int_equal(encoding_decode(ENCODING_DEFLATE, "{\"a\":1}", 7,
	    &back), -1);
	assert_int_equal(encoding_decode(ENCODING_UNKNOWN, "x", 1, &back),
	    -1);
	buf_release(&coded);
	buf_release(&back);
}

/* What unpacks to more than there may be takes no more than there may be. */
static void
bomb(void **state)
{
	static char zeros[4 << 20];
	struct buf coded, back;

	(void)state;
	buf_init(&coded, 8 << 20);
	buf_init(&back, sizeof zeros - 1);
	assert_int_equal(encoding_encode(ENCODING_GZIP, zeros, sizeof zeros,
	    &coded), 0);
	assert_true(coded.len < sizeof zeros / 100);
	assert_int_equal(encoding_decode(ENCODING_GZIP, coded.data, coded.len,
	    &back), -2);
	buf_release(&back);
	buf_init(&back, sizeof zeros);
	assert_int_equal(encoding_decode(ENCODING_GZIP, coded.data, coded.len,
	    &back), 0);
	assert_int_equal(back.len, sizeof zeros);
	buf_release(&back);
	buf_release(&coded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chooses),
	    cmocka_unit_test(names),
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(streams),
	    cmocka_unit_test(bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
