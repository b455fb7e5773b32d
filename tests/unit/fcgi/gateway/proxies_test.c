/*
 * fcgi/gateway/proxies.c: whose word counts, and how far.
 */
#include "fcgi/gateway/proxies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct proxies proxies;

static int
set_up(void **state)
{
	struct err e;

	(void)state;
	proxies_init(&proxies);
	return proxies_add(&proxies, "10.0.0.0/8", &e) |
	    proxies_add(&proxies, "192.0.2.7", &e) |
	    proxies_add(&proxies, "198.51.100.128/25", &e) |
	    proxies_add(&proxies, "2001:db8::/33", &e) |
	    proxies_add(&proxies, "::1", &e);
}

static int
tear_down(void **state)
{
	(void)state;
	proxies_release(&proxies);
	return 0;
}

static void
test_trust(void **state)
{
	static const char *const yes[] = {"10.0.0.0", "10.255.255.255",
	    "192.0.2.7", "198.51.100.128", "198.51.100.255", "2001:db8::1",
	    "2001:db8:7fff::1", "::1", "::ffff:10.1.2.3"};
	static const char *const no[] = {"11.0.0.0", "9.255.255.255",
	    "192.0.2.6", "198.51.100.127", "2001:db8:8000::", "2001:db9::",
	    "::2", "", "10.0.0", "10.0.0.1 ", "x", "10.0.0.1:80"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(proxies_trust(&proxies, yes[i]));
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(proxies_trust(&proxies, no[i]));
}

static void
test_all_and_none(void **state)
{
	struct proxies x;
	struct err e;

	(void)state;
	proxies_init(&x);
	assert_false(proxies_trust(&x, "127.0.0.1"));
	assert_int_equal(proxies_add(&x, "0.0.0.0/0", &e), 0);
	assert_true(proxies_trust(&x, "127.0.0.1"));
	assert_false(proxies_trust(&x, "2001:db8::1"));
	assert_int_equal(proxies_add(&x, "::/0", &e), 0);
	assert_true(proxies_trust(&x, "2001:db8::1"));
	proxies_release(&x);
}

static void
test_bad(void **state)
{
	static const char *const bad[] = {"", "x", "10.0.0.0/33", "10.0.0/8",
	    "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "::/129", "/8",
	    "10.0.0.0/99999999999",
	    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
	struct proxies x;
	struct err e;
	size_t i;
	int n;

	(void)state;
	proxies_init(&x);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(proxies_add(&x, bad[i], &e), -1);
		assert_int_equal(x.count, 0);
	}
	for (n = 0; n < PROXIES_MAX; n++)
		assert_int_equal(proxies_add(&x, "::1", &e), 0);
	assert_int_equal(proxies_add(&x, "::1", &e), -1);
	proxies_release(&x);
}

static void
test_client(void **state)
{
	static const struct {
		const char *remote, *forwarded, *addr;
		bool from_header;
	} cases[] = {
	    {"203.0.113.9", NULL, "203.0.113.9", false},
	    {"203.0.113.9", "1.2.3.4", "203.0.113.9", false},
	    {"10.0.0.1", NULL, "10.0.0.1", false},
	    {"10.0.0.1", "1.2.3.4", "1.2.3.4", true},
	    {"10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4", true},
	    {"10.0.0.1", "6.6.6.6,1.2.3.4 , 10.0.0.2", "1.2.3.4", true},
	    {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3", true},
	    {"10.0.0.1", "6.6.6.6, unknown, 10.0.0.2", "10.0.0.2", true},
	    {"10.0.0.1", "6.6.6.6, ", "10.0.0.1", false},
	    {"10.0.0.1", "", "10.0.0.1", false},
	    {"10.0.0.1", ",,,", "10.0.0.1", false},
	    {"10.0.0.1", "1.2.3.4:5678", "1.2.3.4", true},
	    {"::1", "[2001:db9::5]:80", "2001:db9::5", true},
	    {"::1", "2001:db9::5", "2001:db9::5", true},
	    {"::1", "[2001:db9::5", "::1", false},
	    {"::1", "[", "::1", false},
	    {"::1", "[]", "::1", false},
	    {NULL, "1.2.3.4", "", false},
	    {"", "1.2.3.4", "", false},
	};
	struct params p;
	struct client c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&p, 0, sizeof(p));
		p.remote_addr = cases[i].remote;
		p.known[PARAMS_FORWARDED_FOR] = cases[i].forwarded;
		client_find(&c, &proxies, &p);
		assert_string_equal(c.addr, cases[i].addr);
		assert_int_equal(c.forwarded, cases[i].from_header);
	}
}

static void
test_scheme(void **state)
{
	static const struct {
		const char *remote, *https, *scheme, *proto;
		bool result;
	} cases[] = {
	    {"10.0.0.1", NULL, NULL, NULL, false},
	    {"10.0.0.1", "on", NULL, NULL, true},
	    {"10.0.0.1", "off", NULL, NULL, false},
	    {"10.0.0.1", "", "https", NULL, true},
	    {"10.0.0.1", NULL, "http", NULL, false},
	    {"10.0.0.1", NULL, "http", "https", true},
	    {"10.0.0.1", "on", NULL, "http", false},
	    {"10.0.0.1", "on", NULL, "nonsense", true},
	    {"10.0.0.1", NULL, NULL, "http, https", true},
	    {"203.0.113.9", NULL, NULL, "https", false},
	};
	struct params p;
	struct client c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&p, 0, sizeof(p));
		p.remote_addr = cases[i].remote;
		p.https = cases[i].https;
		p.request_scheme = cases[i].scheme;
		p.known[PARAMS_FORWARDED_PROTO] = cases[i].proto;
		client_find(&c, &proxies, &p);
		assert_int_equal(c.https, cases[i].result);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_trust),
	    cmocka_unit_test(test_all_and_none),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_client),
	    cmocka_unit_test(test_scheme),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
