/*
 * The small modules of fcgi/conf: zone, errlist, suggest, format, siphash,
 * stamp.
 */
#include "tests/unit/fcgi/conf/site.h"

#include "fcgi/conf/format.h"
#include "fcgi/conf/suggest.h"
#include "fcgi/conf/zone.h"
#include "store/base/siphash.h"

static void
zone_gives_zeroed_memory_up_to_its_limit(void **state)
{
	struct zone *a = zone_new(256 * 1024);
	size_t got = 0, i;
	char *p;

	(void)state;
	assert_non_null(a);
	while ((p = zone_alloc(a, 1000))) {
		for (i = 0; i < 1000; i++)
			assert_int_equal(p[i], 0);
		assert_int_equal((uintptr_t)p % 16, 0);
		memset(p, 'x', 1000);
		got += 1000;
	}
	assert_true(got > 200 * 1024 && got <= 256 * 1024);
	assert_true(zone_failed(a));
	zone_free(a);
	a = zone_new(1000);
	assert_null(zone_alloc(a, SIZE_MAX));
	assert_null(zone_alloc(a, SIZE_MAX - 20));
	zone_free(a);
	zone_free(NULL);
}

static void
zone_copies_strings(void **state)
{
	struct zone *a = zone_new(1024 * 1024);

	(void)state;
	assert_string_equal(zone_strndup(a, "hello", 3), "hel");
	assert_string_equal(zone_strdup(a, ""), "");
	assert_string_equal(zone_printf(a, "%d-%s", 5, "x"), "5-x");
	assert_false(zone_failed(a));
	zone_free(a);
}

static void
errlist_sorts_by_place_and_keeps_order(void **state)
{
	struct errlist l;
	char *text;

	(void)state;
	errlist_init(&l);
	errlist_add(&l, "z.yml", 1, 1, "in z");
	errlist_add(&l, "a.yml", 1, 1, "in a");
	errlist_add(&l, "main", 10, 1, "ten");
	errlist_add(&l, "main", 9, 2, "nine two");
	errlist_add(&l, "main", 9, 1, "first at nine");
	errlist_add(&l, "main", 9, 1, "second at nine");
	assert_int_equal(errlist_add(&l, "main", 9, 1, "first at nine"), -1);
	errlist_add(&l, "", 0, 0, "nowhere");
	errlist_add(&l, "main", 0, 0, "the file %d", 5);
	errlist_sort(&l, "main");
	text = site_errors(&l);
	assert_string_equal(text, "main: the file 5\n"
	    "main:9:1: first at nine\nmain:9:1: second at nine\n"
	    "main:9:2: nine two\nmain:10:1: ten\nnowhere\n"
	    "a.yml:1:1: in a\nz.yml:1:1: in z\n");
	free(text);
	errlist_release(&l);
}

static void
errlist_is_bounded(void **state)
{
	struct errlist l;
	char *text;
	int i;

	(void)state;
	errlist_init(&l);
	for (i = 0; i < ERRLIST_MAX + 5; i++)
		errlist_add(&l, "f", i + 1, 1, "no");
	assert_int_equal(l.count, ERRLIST_MAX);
	assert_int_equal(l.dropped, 5);
	text = site_errors(&l);
	assert_non_null(strstr(text, "and more: these are the first 100\n"));
	free(text);
	errlist_release(&l);
}

static void
errlist_json_is_quoted(void **state)
{
	struct errlist l;
	struct buf out;

	(void)state;
	errlist_init(&l);
	buf_init(&out, 4096);
	errlist_json(&l, &out);
	assert_string_equal(buf_str(&out), "[]");
	buf_reset(&out);
	errlist_add(&l, "a\"b", 1, 2, "say \"%s\"", "x");
	errlist_add(&l, "c", 3, 4, "y");
	errlist_json(&l, &out);
	assert_string_equal(buf_str(&out),
	    "[{\"file\":\"a\\\"b\",\"line\":1,\"col\":2,"
	    "\"message\":\"say \\\"x\\\"\"},"
	    "{\"file\":\"c\",\"line\":3,\"col\":4,\"message\":\"y\"}]");
	buf_release(&out);
	errlist_release(&l);
}

static const char *
nearest(const char *word)
{
	static const char *const known[] = {"timeout", "idleTimeout",
	    "memorySize", "runtime", "warm", "c", "GET", "HEAD"};
	struct suggest s = {.word = word};
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		suggest_offer(&s, known[i]);
	return s.best ? s.best : "-";
}

static void
suggest_finds_the_nearest(void **state)
{
	(void)state;
	assert_string_equal(nearest("timout"), "timeout");
	assert_string_equal(nearest("tiemout"), "timeout");
	assert_string_equal(nearest("Timeout"), "timeout");
	assert_string_equal(nearest("idletimeout"), "idleTimeout");
	assert_string_equal(nearest("memory_size"), "memorySize");
	assert_string_equal(nearest("wram"), "warm");
	assert_string_equal(nearest("C"), "c");
	assert_string_equal(nearest("GTE"), "GET");
	assert_string_equal(nearest("x"), "-");
	assert_string_equal(nearest(""), "-");
	assert_string_equal(nearest("handler"), "-");
	assert_string_equal(nearest("timeouttimeouttimeouttimeouttimeout"
	    "timeouttimeouttimeouttimeout"), "-");
}

static void
formats(void **state)
{
	char long_name[66];

	(void)state;
	memset(long_name, 'a', 65);
	long_name[65] = '\0';
	assert_non_null(format_name(long_name));
	assert_null(format_name(long_name + 1));
	assert_non_null(format_name(""));
	assert_non_null(format_name("a.b"));
	assert_non_null(format_name("h\xc3\xa9"));
	assert_null(format_param_name("a.b-c_d"));
	assert_true(format_identifier("_a1"));
	assert_false(format_identifier("1a"));
	assert_false(format_identifier("a-b"));
	assert_false(format_identifier(""));
	assert_null(format_env_name("PATH"));
	assert_null(format_env_name("SCRIPT_FILENAME"));
	assert_null(format_env_name("REDIRECT_STATUS"));
	assert_non_null(format_env_name("BOTHY_X"));
	assert_non_null(format_env_name("HTTP_PROXY"));
	assert_non_null(format_env_name("QUERY_STRING"));
	assert_null(format_base_path(""));
	assert_null(format_base_path("/a/b.c"));
	assert_non_null(format_base_path("/"));
	assert_non_null(format_base_path("/a/"));
	assert_non_null(format_base_path("/a//b"));
	assert_non_null(format_base_path("/.."));
	assert_non_null(format_base_path("/a/."));
	assert_non_null(format_base_path("a"));
	assert_non_null(format_base_path("/a b"));
	assert_null(format_network("10.1.2.3"));
	assert_null(format_network("0.0.0.0/0"));
	assert_null(format_network("2001:db8::/32"));
	assert_non_null(format_network("10.0.0.0/-1"));
	assert_non_null(format_network("10.0.0.0/33"));
	assert_non_null(format_network("::/1291"));
	assert_non_null(format_network("host"));
	assert_null(format_origin("*"));
	assert_null(format_origin("https://a.example:8443"));
	assert_null(format_origin("http://[::1]:80"));
	assert_non_null(format_origin("https://a.example/"));
	assert_non_null(format_origin("null"));
	assert_non_null(format_origin("://x"));
	assert_null(format_token("X-Request-Id"));
	assert_non_null(format_token("X Y"));
	assert_non_null(format_token("X:Y"));
	assert_non_null(format_token("X\r\n"));
}

/* The vector of the reference implementation (siphash.c, vectors_sip128). */
static void
siphash_matches_its_vectors(void **state)
{
	unsigned char in[64];
	uint64_t a[2], b[2], seen[64] = {0};
	size_t n, i;

	(void)state;
	for (i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)i;
	siphash128(0x0706050403020100u, in, 0, a);
	assert_true(a[0] == 0xe6a825ba047f81a3u);
	assert_true(a[1] == 0x930255c71472f66du);
	siphash128(0x0706050403020100u, in, 1, a);
	assert_true(a[0] == 0x44af996bd8c187dau);
	assert_true(a[1] == 0x45fc229b11597634u);
	for (n = 0; n < 64; n++) {
		siphash128(1, in, n, a);
		siphash128(2, in, n, b);
		assert_true(a[0] != b[0] && a[1] != b[1]);
		for (i = 0; i < n; i++)
			assert_true(seen[i] != a[0]);
		seen[n] = a[0];
	}
}

static void
stamps_see_changes(void **state)
{
	struct stamp a, b;
	struct site s;
	char path[128];

	(void)state;
	site_make(&s);
	snprintf(path, sizeof path, "%s/x", s.dir);
	a = stamp_take(path);
	assert_int_equal(a.present, 0);
	site_write(&s, "x", "1", 0600);
	b = stamp_take(path);
	assert_int_equal(b.present, 1);
	assert_false(stamp_same(&a, &b));
	a = stamp_take(path);
	assert_true(stamp_same(&a, &b));
	site_write(&s, "x", "12", 0600);
	b = stamp_take(path);
	assert_false(stamp_same(&a, &b));
	site_remove(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zone_gives_zeroed_memory_up_to_its_limit),
		cmocka_unit_test(zone_copies_strings),
		cmocka_unit_test(errlist_sorts_by_place_and_keeps_order),
		cmocka_unit_test(errlist_is_bounded),
		cmocka_unit_test(errlist_json_is_quoted),
		cmocka_unit_test(suggest_finds_the_nearest),
		cmocka_unit_test(formats),
		cmocka_unit_test(siphash_matches_its_vectors),
		cmocka_unit_test(stamps_see_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
