/*
 * The router over compiled configurations: precedence, methods, parameters,
 * a table of 1,000 routes against a slow but simple matcher, and images that
 * are damaged.
 */
#include "tests/unit/fcgi/conf/site.h"

#include "fcgi/gateway/router.h"
#include "store/base/clock.h"
#include "store/base/map.h"

struct table {
	struct site site;
	struct snapshot *snap;
};

/* Routes, one a line, all of one function. */
static void
make(struct table *t, const char *routes)
{
	struct err e;
	struct buf b;
	size_t n;

	site_make(&t->site);
	buf_init(&b, 1024 * 1024);
	buf_puts(&b, SITE_HEAD "functions:\n  a:\n"
	    "    handler: functions/hello/hello.c\n    events:\n");
	for (; *routes; routes += n + (routes[n] == '\n')) {
		n = strcspn(routes, "\n");
		buf_printf(&b, "      - httpApi: '%.*s'\n", (int)n, routes);
	}
	site_assert_loads(&t->site, buf_str(&b), NULL);
	t->snap = snapshot_build(t->site.conf, &e);
	assert_non_null(t->snap);
	buf_release(&b);
}

static void
drop(struct table *t)
{
	snapshot_free(t->snap);
	site_remove(&t->site);
}

/* "key name=value ..." of a match, "405 GET, POST", or "404". */
static const char *
match(const struct table *t, const char *method, const char *path)
{
	static struct buf out;
	struct route_match m;
	size_t i;

	buf_release(&out);
	buf_init(&out, 64 * 1024);
	switch (router_match(t->snap, method, path, &m)) {
	case ROUTE_FOUND:
		buf_puts(&out, m.key);
		for (i = 0; i < m.nparams; i++)
			buf_printf(&out, " %s=%.*s", m.params[i].name,
			    (int)m.params[i].len, m.params[i].value);
		break;
	case ROUTE_METHOD:
		buf_puts(&out, "405 ");
		router_allow(m.allow, &out);
		break;
	case ROUTE_NONE:
		assert_int_equal(m.allow, 0);
		buf_puts(&out, "404");
		break;
	}
	return buf_str(&out);
}

#define MATCH(method, path, result) \
	assert_string_equal(match(&t, method, path), result)

static void
full_before_parameter_before_greedy_before_default(void **state)
{
	struct table t;

	(void)state;
	make(&t, "*\n"
	    "GET /\n"
	    "GET /a\n"
	    "GET /a/\n"
	    "GET /a/b\n"
	    "GET /a/{x}\n"
	    "GET /a/{x}/c\n"
	    "GET /{y}/{x}/d\n"
	    "GET /a/{rest+}\n"
	    "GET /a/b/{rest+}\n"
	    "GET /{y}/{rest+}\n");
	MATCH("GET", "/", "GET /");
	MATCH("GET", "/a", "GET /a");
	MATCH("GET", "/a/", "GET /a/");
	MATCH("GET", "/a/b", "GET /a/b");
	MATCH("GET", "/a/z", "GET /a/{x} x=z");
	MATCH("GET", "/a/b/c", "GET /a/{x}/c x=b");
	MATCH("GET", "/a/b/d", "GET /{y}/{x}/d y=a x=b");
	MATCH("GET", "/a/b/e", "GET /a/b/{rest+} rest=e");
	MATCH("GET", "/a/b/", "GET /a/b/{rest+} rest=");
	MATCH("GET", "/a/b/e/f//g/", "GET /a/b/{rest+} rest=e/f//g/");
	MATCH("GET", "/a/z/e", "GET /a/{rest+} rest=z/e");
	MATCH("GET", "/q/z/e", "GET /{y}/{rest+} y=q rest=z/e");
	MATCH("GET", "/q/", "GET /{y}/{rest+} y=q rest=");
	MATCH("GET", "/q", "$default");
	MATCH("GET", "//", "$default");
	MATCH("GET", "//a", "$default");
	MATCH("GET", "/a//", "GET /a/{rest+} rest=/");
	MATCH("POST", "/a", "$default");
	MATCH("PROPFIND", "/", "$default");
	MATCH("GET", "", "$default");
	MATCH("GET", "*", "$default");
	drop(&t);
}

static void
kinds_and_the_place_of_the_rest(void **state)
{
	static const char path[] = "/files/a/b/c";
	struct route_match m;
	struct table t;

	(void)state;
	make(&t, "GET /files/{dir}/{path+}\nGET /x\nGET /x/{y}\n*\n");
	assert_int_equal(router_match(t.snap, "GET", path, &m), ROUTE_FOUND);
	assert_int_equal(m.kind, SNAP_KIND_GREEDY);
	assert_string_equal(path + m.rest_at, "b/c");
	assert_int_equal(m.function, 0);
	assert_string_equal(m.params[0].variable, "BOTHY_PARAM_dir");
	assert_string_equal(m.params[1].variable, "BOTHY_PARAM_path");
	assert_ptr_equal(m.params[1].value, path + m.rest_at);
	router_match(t.snap, "GET", "/x", &m);
	assert_int_equal(m.kind, SNAP_KIND_EXACT);
	router_match(t.snap, "GET", "/x/1", &m);
	assert_int_equal(m.kind, SNAP_KIND_PARAMETER);
	router_match(t.snap, "GET", "/none", &m);
	assert_int_equal(m.kind, SNAP_KIND_DEFAULT);
	assert_int_equal(m.nparams, 0);
	drop(&t);
}

static void
a_greedy_route_at_the_root(void **state)
{
	struct table t;

	(void)state;
	make(&t, "GET /{proxy+}\n");
	MATCH("GET", "/", "GET /{proxy+} proxy=");
	MATCH("GET", "/a", "GET /{proxy+} proxy=a");
	MATCH("GET", "/a/b/", "GET /{proxy+} proxy=a/b/");
	MATCH("POST", "/a", "405 GET, HEAD");
	drop(&t);
}

static void
methods(void **state)
{
	struct table t;

	(void)state;
	make(&t, "GET /a\n"
	    "POST /a\n"
	    "DELETE /{x}\n"
	    "* /any\n"
	    "PUT /any\n"
	    "HEAD /h\n"
	    "GET /h\n"
	    "* /h\n"
	    "POST /only/{x}\n"
	    "* /only/{x+}\n");
	MATCH("GET", "/a", "GET /a");
	MATCH("HEAD", "/a", "GET /a");
	MATCH("DELETE", "/a", "DELETE /{x} x=a");
	MATCH("PUT", "/a", "405 GET, HEAD, POST, DELETE");
	MATCH("get", "/a", "405 GET, HEAD, POST, DELETE");
	MATCH("PUT", "/any", "PUT /any");
	MATCH("GET", "/any", "ANY /any");
	MATCH("HEAD", "/any", "ANY /any");
	MATCH("PROPFIND", "/any", "ANY /any");
	MATCH("ANY", "/any", "ANY /any");
	MATCH("HEAD", "/h", "HEAD /h");
	MATCH("GET", "/h", "GET /h");
	MATCH("POST", "/only/1", "POST /only/{x} x=1");
	MATCH("GET", "/only/1", "ANY /only/{x+} x=1");
	MATCH("GET", "/nothing/here", "404");
	drop(&t);
}

static void
a_preflight_knows_the_methods(void **state)
{
	struct table t;
	struct buf b;

	(void)state;
	make(&t, "GET /a\nPUT /{x}\nDELETE /{r+}\n* /any\n*\n");
	buf_init(&b, 1024);
	router_allow(router_methods(t.snap, "/a"), &b);
	assert_string_equal(buf_str(&b), "GET, HEAD, PUT, DELETE");
	buf_reset(&b);
	router_allow(router_methods(t.snap, "/any"), &b);
	assert_string_equal(buf_str(&b),
	    "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
	assert_int_equal(router_methods(t.snap, ""), 0);
	buf_reset(&b);
	router_allow(0, &b);
	assert_string_equal(buf_str(&b), "");
	buf_release(&b);
	drop(&t);
}

static void
no_routes_at_all(void **state)
{
	struct table t;

	(void)state;
	site_make(&t.site);
	site_assert_loads(&t.site, SITE_HEAD, NULL);
	t.snap = snapshot_build(t.site.conf, &(struct err){0});
	assert_non_null(t.snap);
	MATCH("GET", "/", "404");
	MATCH("GET", "", "404");
	drop(&t);
}

static void
the_most_parameters_and_segments(void **state)
{
	struct route_match m;
	struct table t;
	struct buf route, path;
	int i;

	(void)state;
	buf_init(&route, 4096);
	buf_init(&path, 1024 * 1024);
	buf_puts(&route, "GET ");
	for (i = 0; i < SNAP_MAX_PARAMS; i++) {
		buf_printf(&route, "/{p%d}/s", i);
		buf_printf(&path, "/v%d/s", i);
	}
	make(&t, buf_str(&route));
	assert_int_equal(router_match(t.snap, "GET", buf_str(&path), &m),
	    ROUTE_FOUND);
	assert_int_equal(m.nparams, SNAP_MAX_PARAMS);
	assert_string_equal(m.params[31].name, "p31");
	assert_int_equal(m.params[31].len, 3);
	buf_puts(&path, "/s");
	MATCH("GET", buf_str(&path), "404");
	for (i = 0; i < 100000; i++)
		buf_puts(&path, "/s");
	MATCH("GET", buf_str(&path), "404");
	buf_release(&route);
	buf_release(&path);
	drop(&t);
}

/* --- against a simple matcher --------------------------------------------- */

/*
 * How well a route fits: "" for not, else one letter a segment (a literal, b
 * parameter, c greedy), so that the least text is the best route.
 */
static void
rate(const char *route, const char *path, char out[SNAP_MAX_SEGMENTS])
{
	size_t n, k, at = 0;

	while (*route == '/' && *path == '/') {
		n = strcspn(++route, "/");
		k = strcspn(++path, "/");
		if (n > 2 && route[n - 2] == '+') {
			out[at] = 'c';
			out[at + 1] = '\0';
			return;
		}
		if (*route == '{' && k > 0)
			out[at++] = 'b';
		else if (n == k && memcmp(route, path, n) == 0)
			out[at++] = 'a';
		else
			break;
		route += n;
		path += k;
	}
	out[*route || *path ? 0 : at] = '\0';
}

/* The best key by trying all routes: full matches go before greedy ones. */
static const char *
slow_match(const struct conf *conf, const char *path)
{
	char ratings[2][SNAP_MAX_SEGMENTS] = {"", ""};
	char *best = ratings[0], *now = ratings[1], *spare;
	bool greedy, best_greedy = true;
	const char *key = "404";
	size_t i;

	for (i = 0; i < conf->nroutes; i++) {
		rate(conf->routes[i].path, path, now);
		if (!*now)
			continue;
		greedy = strchr(now, 'c') != NULL;
		if (*best && (greedy > best_greedy ||
		    (greedy == best_greedy && strcmp(now, best) >= 0)))
			continue;
		spare = best;
		best = now;
		now = spare;
		best_greedy = greedy;
		key = conf->routes[i].key;
	}
	return key;
}

static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* A random path over few words, with parameters if it is a route's. */
static const char *
random_path(uint32_t *x, bool route)
{
	static const char *const words[] = {"a", "b", "aa", "ab", "c"};
	unsigned n = 1 + next_random(x) % 5, i, kind;
	static struct buf out;

	buf_release(&out);
	buf_init(&out, 256);
	for (i = 0; i < n; i++) {
		kind = next_random(x) % 10;
		if (route && kind < 3)
			buf_printf(&out, "/{p%u}", i);
		else if (route && kind == 3 && i == n - 1)
			buf_printf(&out, "/{p%u+}", i);
		else if (kind == 4 && i == n - 1)
			buf_putc(&out, '/');
		else
			buf_printf(&out, "/%s", words[next_random(x) % 5]);
	}
	return buf_str(&out);
}

/* About 1,000 random routes, each shape once, one a line. */
static void
random_routes(uint32_t *x, struct buf *out)
{
	struct map shapes;
	const char *path;
	int i;

	map_init(&shapes);
	for (i = 0; i < 1000; i++) {
		path = random_path(x, true);
		if (map_get(&shapes, path))
			continue;
		assert_int_equal(map_set(&shapes, path, strlen(path), &shapes,
		    NULL), 0);
		buf_printf(out, "GET %s\n", path);
	}
	map_release(&shapes);
}

static void
agrees_with_trying_every_route(void **state)
{
	const char *key, *expected, *path;
	uint32_t x = 88172645u;
	struct route_match m;
	struct table t;
	struct buf routes;
	int i, found = 0;

	(void)state;
	buf_init(&routes, 1024 * 1024);
	random_routes(&x, &routes);
	make(&t, buf_str(&routes));
	assert_true(t.site.conf->nroutes > 300);
	for (i = 0; i < 20000; i++) {
		path = random_path(&x, false);
		key = router_match(t.snap, "GET", path, &m) == ROUTE_FOUND ?
		    m.key : "404";
		expected = slow_match(t.site.conf, path);
		if (strcmp(key, expected) != 0)
			fail_msg("%s: %s, but should be %s", path, key,
			    expected);
		found += strcmp(key, "404") != 0;
	}
	assert_true(found > 5000);
	buf_release(&routes);
	drop(&t);
}

/* --- 1,000 routes --------------------------------------------------------- */

/* Nanoseconds a match, the best of several rounds. */
static int64_t
time_match(const struct table *t, const char *path)
{
	enum { ROUNDS = 10, MATCHES = 2000 };
	int64_t begin, took, best = INT64_MAX;
	struct route_match m;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		begin = clock_mono_us();
		for (i = 0; i < MATCHES; i++)
			assert_int_equal(router_match(t->snap, "GET", path,
			    &m), ROUTE_FOUND);
		took = (clock_mono_us() - begin) * 1000 / MATCHES;
		if (took < best)
			best = took;
	}
	return best;
}

static void
a_thousand_routes_cost_no_more_than_ten(void **state)
{
	int64_t ten, thousand;
	struct table t;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 1024 * 1024);
	for (i = 0; i < 10; i++)
		buf_printf(&b, "GET /api/r%d/{id}/items/{item}\n", i);
	make(&t, buf_str(&b));
	ten = time_match(&t, "/api/r5/abc/items/def");
	drop(&t);
	buf_reset(&b);
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "GET /api/r%d/{id}/items/{item}\n", i);
	make(&t, buf_str(&b));
	thousand = time_match(&t, "/api/r555/abc/items/def");
	MATCH("GET", "/api/r999/x/items/y",
	    "GET /api/r999/{id}/items/{item} id=x item=y");
	MATCH("GET", "/api/r1000/x/items/y", "404");
	print_message("10 routes %lld ns, 1000 routes %lld ns\n",
	    (long long)ten, (long long)thousand);
	assert_true(thousand < 5 * ten + 1000);
	drop(&t);
	buf_release(&b);
}

/* 2^10 ways to go: each node is seen once, however the path looks. */
static void
backtracking_is_bounded(void **state)
{
	struct route_match m;
	struct table t;
	struct buf b;
	int i, j;

	(void)state;
	buf_init(&b, 1024 * 1024);
	for (i = 0; i < 1024; i++) {
		buf_puts(&b, "GET ");
		for (j = 0; j < 10; j++)
			if (i & 1 << j)
				buf_puts(&b, "/a");
			else
				buf_printf(&b, "/{p%d}", j);
		buf_puts(&b, "/end\n");
	}
	make(&t, buf_str(&b));
	MATCH("GET", "/a/a/a/a/a/a/a/a/a/a/not", "404");
	assert_int_equal(router_match(t.snap, "GET",
	    "/a/a/a/a/a/x/a/a/a/a/end", &m), ROUTE_FOUND);
	assert_int_equal(m.nparams, 1);
	buf_release(&b);
	drop(&t);
}

/* --- damage --------------------------------------------------------------- */

static void
damaged_images_do_no_harm(void **state)
{
	static const char *const paths[] = {"/", "/a/b/c", "/a/x/y/z", "/q/r",
	    "/a//"};
	struct route_match m;
	struct snapshot *snap;
	char id[SNAP_ID_SIZE], file[256];
	struct table t;
	struct buf good;
	struct err e;
	size_t i, k, j;
	FILE *f;

	(void)state;
	make(&t, "GET /\nGET /a/b/c\nPOST /a/{x}/c\nGET /a/{r+}\n"
	    "GET /{y}/{x}\n*\n");
	assert_int_equal(snapshot_write(t.site.conf, t.site.state, id, &e),
	    0);
	snprintf(file, sizeof file, "%s/snap/%s", t.site.state, id);
	buf_init(&good, 1024 * 1024);
	assert_int_equal(io_read_file(AT_FDCWD, file, &good, &e), 0);
	for (i = 0; i < good.len; i++) {
		good.data[i] = (char)(good.data[i] ^ (i % 2 ? 0x05 : 0xff));
		f = fopen(file, "w");
		assert_non_null(f);
		fwrite(good.data, 1, good.len, f);
		fclose(f);
		good.data[i] = (char)(good.data[i] ^ (i % 2 ? 0x05 : 0xff));
		snap = snapshot_open(file, &e);
		for (k = 0; snap && k < 5; k++) {
			if (router_match(snap, "GET", paths[k], &m) !=
			    ROUTE_FOUND)
				continue;
			assert_true(m.nparams <= SNAP_MAX_PARAMS);
			for (j = 0; j < m.nparams; j++)
				assert_true(m.params[j].value >= paths[k] &&
				    m.params[j].value + m.params[j].len <=
				    paths[k] + strlen(paths[k]));
			router_methods(snap, paths[k]);
		}
		snapshot_free(snap);
	}
	buf_release(&good);
	drop(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    full_before_parameter_before_greedy_before_default),
		cmocka_unit_test(kinds_and_the_place_of_the_rest),
		cmocka_unit_test(a_greedy_route_at_the_root),
		cmocka_unit_test(methods),
		cmocka_unit_test(a_preflight_knows_the_methods),
		cmocka_unit_test(no_routes_at_all),
		cmocka_unit_test(the_most_parameters_and_segments),
		cmocka_unit_test(agrees_with_trying_every_route),
		cmocka_unit_test(a_thousand_routes_cost_no_more_than_ten),
		cmocka_unit_test(backtracking_is_bounded),
		cmocka_unit_test(damaged_images_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
