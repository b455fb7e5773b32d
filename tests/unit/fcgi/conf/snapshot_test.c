/*
 * struct conf -> image -> accessors; its place in the state directory; when
 * it is fresh; and images that are damaged.
 */
#include "tests/unit/fcgi/conf/site.h"

#include <errno.h>
#include <utime.h>

static const char yaml[] =
    "service: shop\n"
    "provider:\n"
    "  name: bothy\n"
    "  stage: prod\n"
    "  basePath: /b\n"
    "  aws: {path: /d}\n"
    "  environment: {ALL: 'yes'}\n"
    "  trustedProxies: [127.0.0.1, '::1']\n"
    "  httpApi: {cors: {allowedOrigins: ['https://a.example']}}\n"
    "functions:\n"
    "  zeta:\n"
    "    handler: functions/tool\n"
    "    runtime: exec\n"
    "    reservedConcurrency: 7\n"
    "    environment: {KEY: '${secret:KEY}', PART: '${file(part.yml):a}'}\n"
    "    paths: {read: [/usr/share]}\n"
    "    events:\n"
    "      - httpApi: GET /z/{id}/{rest+}\n"
    "      - httpApi: '*'\n"
    "  alpha:\n"
    "    handler: functions/hello/hello.c\n"
    "    timeout: 1.5\n"
    "    events: [httpApi: GET /, httpApi: PUT /a]\n";

static void
make(struct site *s)
{
	struct conf_options opt = {0};

	site_make(s);
	site_write(s, "part.yml", "a: 1\n", 0600);
	opt.state_dir = s->state;
	site_assert_loads(s, yaml, &opt);
}

static void
image_says_what_was_checked(void **state)
{
	const struct snap_function *f;
	const struct snap_site *site;
	const struct snap_route *r;
	const struct snap_pair *p;
	struct snapshot *snap;
	struct site s;
	struct err e;
	char path[256];

	(void)state;
	make(&s);
	snap = snapshot_build(s.conf, &e);
	assert_non_null(snap);
	assert_int_equal(strlen(snapshot_id(snap)), SNAP_ID_SIZE - 1);
	site = snapshot_site(snap);
	assert_string_equal(snapshot_str(snap, site->service), "shop");
	assert_string_equal(snapshot_str(snap, site->stage), "prod");
	assert_string_equal(snapshot_str(snap, site->directory), s.dir);
	assert_string_equal(snapshot_str(snap, site->base_path), "/b");
	assert_string_equal(snapshot_str(snap, site->aws_path), "/d");
	assert_int_equal(site->trusted_proxies.count, 2);
	assert_string_equal(snapshot_item(snap, site->trusted_proxies, 1),
	    "::1");
	assert_string_equal(snapshot_item(snap, site->trusted_proxies, 2),
	    "");
	assert_int_equal(site->cors.enabled, 1);
	assert_string_equal(snapshot_item(snap, site->cors.origins, 0),
	    "https://a.example");
	assert_int_equal(snapshot_functions(snap), 2);
	assert_int_equal(snapshot_find(snap, "alpha"), 1);
	assert_int_equal(snapshot_find(snap, "zeta"), 0);
	assert_int_equal(snapshot_find(snap, "beta"), -1);
	assert_null(snapshot_function(snap, 2));
	f = snapshot_function(snap, 0);
	snprintf(path, sizeof path, "%s/functions/tool", s.dir);
	assert_string_equal(snapshot_str(snap, f->binary), path);
	assert_int_equal(f->runtime, SNAP_RUNTIME_EXEC);
	assert_int_equal(f->reserved_concurrency, 7);
	assert_int_equal(f->environment.count, 3);
	p = snapshot_pair(snap, f->environment, 1);
	assert_string_equal(snapshot_str(snap, p->name), "KEY");
	assert_string_equal(snapshot_str(snap, p->value), "${secret:KEY}");
	assert_null(snapshot_pair(snap, f->environment, 3));
	assert_string_equal(snapshot_item(snap, f->read_paths, 0),
	    "/usr/share");
	f = snapshot_function(snap, 1);
	assert_int_equal(f->timeout_ms, 1500);
	assert_int_equal(f->binary, 0);
	assert_string_equal(snapshot_str(snap, f->binary), "");
	assert_int_equal(snapshot_routes(snap), 4);
	r = snapshot_route(snap, 0);
	assert_string_equal(snapshot_str(snap, r->key),
	    "GET /z/{id}/{rest+}");
	assert_int_equal(r->params.count, 2);
	assert_string_equal(snapshot_str(snap,
	    snapshot_param(snap, r->params, 1)->variable),
	    "BOTHY_PARAM_rest");
	assert_int_equal(snapshot_default(snap), 2);
	snapshot_free(snap);
	site_remove(&s);
}

/*
 * Tables and grants are text for the store: it is in tests/cases, where the
 * store's own tests read it too.
 */
static void
image_holds_tables_and_grants(void **state)
{
	const struct snap_function *f;
	struct buf in, want, got;
	struct snapshot *snap;
	struct site s;
	struct err e;
	size_t i;

	(void)state;
	buf_init(&in, 65536);
	buf_init(&want, 65536);
	buf_init(&got, 65536);
	assert_int_equal(io_read_file(AT_FDCWD,
	    "tests/cases/conf/ok-tables.yaml", &in, &e), 0);
	assert_int_equal(io_read_file(AT_FDCWD,
	    "tests/cases/conf/ok-tables.json", &want, &e), 0);
	site_make(&s);
	site_assert_loads(&s, buf_str(&in), NULL);
	snap = snapshot_build(s.conf, &e);
	assert_non_null(snap);
	assert_int_equal(snapshot_tables(snap), 2);
	for (i = 0; i < 2; i++)
		buf_printf(&got, "%s\n", snapshot_table(snap, i));
	for (i = 0; i < 2; i++) {
		f = snapshot_function(snap, i);
		buf_printf(&got, "%s\n", snapshot_str(snap, f->grants));
	}
	assert_string_equal(buf_str(&got), buf_str(&want));
	assert_string_equal(snapshot_table(snap, 2), "");
	snapshot_free(snap);
	site_remove(&s);
	buf_release(&in);
	buf_release(&want);
	buf_release(&got);
}

static void
image_has_the_stores_settings(void **state)
{
	struct snapshot *snap;
	struct buf in, want;
	struct site s;
	struct err e;

	(void)state;
	buf_init(&in, 65536);
	buf_init(&want, 65536);
	assert_int_equal(io_read_file(AT_FDCWD,
	    "tests/cases/conf/ok-store.yaml", &in, &e), 0);
	assert_int_equal(io_read_file(AT_FDCWD,
	    "tests/cases/conf/ok-store.json", &want, &e), 0);
	site_make(&s);
	site_assert_loads(&s, buf_str(&in), NULL);
	snap = snapshot_build(s.conf, &e);
	assert_non_null(snap);
	assert_string_equal(snapshot_settings(snap), buf_str(&want));
	assert_true(snapshot_any_file_system(snap));
	snapshot_free(snap);
	site_remove(&s);
	buf_release(&in);
	buf_release(&want);
}

static void
write_puts_it_in_place(void **state)
{
	char id[SNAP_ID_SIZE], again[SNAP_ID_SIZE], path[256], target[64];
	struct snapshot *snap;
	struct stat st;
	struct site s;
	struct err e;

	(void)state;
	make(&s);
	assert_int_equal(snapshot_write(s.conf, s.state, id, &e), 0);
	assert_int_equal(snapshot_write(s.conf, s.state, again, &e), 0);
	assert_string_equal(id, again);
	snprintf(path, sizeof path, "%s/snap/%s", s.state, id);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(path, sizeof path, "%s/snap/current", s.state);
	memset(target, 0, sizeof target);
	assert_int_equal(readlink(path, target, sizeof target - 1),
	    SNAP_ID_SIZE - 1);
	assert_string_equal(target, id);
	conf_free(s.conf);
	s.conf = NULL;
	snap = snapshot_open(path, &e);
	assert_non_null(snap);
	assert_string_equal(snapshot_id(snap), id);
	assert_int_equal(snapshot_find(snap, "alpha"), 1);
	assert_true(snapshot_fresh(snap));
	snapshot_free(snap);
	assert_int_equal(site_load(&s, NULL), 0);
	assert_int_equal(snapshot_write(s.conf, "/proc/nowhere", id, &e), -1);
	assert_non_null(strstr(e.text, "/proc/nowhere"));
	site_remove(&s);
}

/* --- freshness ------------------------------------------------------------ */

static struct snapshot *
load_and_write(struct site *s)
{
	struct conf_options opt = {.state_dir = s->state};
	char id[SNAP_ID_SIZE], path[256];
	struct snapshot *snap;
	struct err e;

	assert_int_equal(site_load(s, &opt), 0);
	assert_int_equal(snapshot_write(s->conf, s->state, id, &e), 0);
	snprintf(path, sizeof path, "%s/snap/current", s->state);
	snap = snapshot_open(path, &e);
	assert_non_null(snap);
	assert_true(snapshot_fresh(snap));
	return snap;
}

static void
every_source_that_changes_makes_it_stale(void **state)
{
	static const char *const names[] = {"deploy.yaml", "part.yml", ".env",
	    "functions/tool", ".bothy/build/alpha"};
	const char *const texts[] = {yaml, "a: 5\n", "B=1\n", "#!/bin/ls\n",
	    "binary"};
	struct snapshot *snap;
	struct site s;
	size_t i;

	(void)state;
	make(&s);
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		snap = load_and_write(&s);
		site_write(&s, names[i], texts[i], 0700);
		assert_false(snapshot_fresh(snap));
		snapshot_free(snap);
	}
	snap = load_and_write(&s);
	site_write(&s, "functions/hello/hello.c", "int y;\n", 0600);
	assert_true(snapshot_fresh(snap));
	snapshot_free(snap);
	site_remove(&s);
}

static void
options_of_another_load_do_not_suit(void **state)
{
	struct conf_options opt = {0};
	struct snapshot *snap;
	char link[128];
	struct site s;
	struct err e;

	(void)state;
	make(&s);
	snap = load_and_write(&s);
	assert_true(snapshot_suits(snap, &opt));
	opt.stage = "prod";	/* what the file says, but nobody asked */
	assert_false(snapshot_suits(snap, &opt));
	opt = (struct conf_options){.env_file = "other"};
	assert_false(snapshot_suits(snap, &opt));
	opt = (struct conf_options){.require_builds = true};
	assert_false(snapshot_suits(snap, &opt));
	snapshot_free(snap);
	site_write(&s, ".bothy/build/cache/alpha", "one", 0700);
	snprintf(link, sizeof link, "%s/build/alpha", s.state);
	assert_int_equal(symlink("cache/alpha", link), 0);
	snap = load_and_write(&s);
	assert_true(snapshot_suits(snap, &opt));
	snapshot_free(snap);
	opt = (struct conf_options){.stage = "test"};
	assert_int_equal(site_load(&s, &opt), 0);
	snap = snapshot_build(s.conf, &e);
	assert_true(snapshot_suits(snap, &opt));
	opt.stage = NULL;
	assert_false(snapshot_suits(snap, &opt));
	snapshot_free(snap);
	site_remove(&s);
}

static void
a_new_build_behind_the_link_makes_it_stale(void **state)
{
	struct snapshot *snap;
	char link[128], id[SNAP_ID_SIZE];
	struct site s;

	(void)state;
	make(&s);
	site_write(&s, ".bothy/build/cache/1/alpha", "one", 0700);
	site_write(&s, ".bothy/build/cache/2/alpha", "two", 0700);
	snprintf(link, sizeof link, "%s/build/alpha", s.state);
	assert_int_equal(symlink("cache/1/alpha", link), 0);
	snap = load_and_write(&s);
	memcpy(id, snapshot_id(snap), sizeof id);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("cache/2/alpha", link), 0);
	assert_false(snapshot_fresh(snap));
	snapshot_free(snap);
	snap = load_and_write(&s);
	assert_string_not_equal(snapshot_id(snap), id);
	snapshot_free(snap);
	site_remove(&s);
}

/* Saving the file again starts nothing anew; changing it does. */
static void
the_id_follows_the_content(void **state)
{
	struct snapshot *a, *b;
	struct site s;

	(void)state;
	make(&s);
	a = load_and_write(&s);
	site_write(&s, "deploy.yaml", "# a comment\n", 0600);
	site_write(&s, "deploy.yaml", yaml, 0600);
	assert_false(snapshot_fresh(a));
	b = load_and_write(&s);
	assert_string_equal(snapshot_id(a), snapshot_id(b));
	snapshot_free(b);
	site_write(&s, "part.yml", "a: 2\n", 0600);
	b = load_and_write(&s);
	assert_string_not_equal(snapshot_id(a), snapshot_id(b));
	snapshot_free(a);
	snapshot_free(b);
	site_remove(&s);
}

static void
old_images_go_but_not_the_last_current(void **state)
{
	const struct utimbuf long_ago = {1000000, 1000000};
	char path[256], first[SNAP_ID_SIZE];
	struct snapshot *snap;
	struct site s;

	(void)state;
	make(&s);
	snap = load_and_write(&s);
	memcpy(first, snapshot_id(snap), sizeof first);
	snapshot_free(snap);
	site_write(&s, ".bothy/snap/0123", "very old", 0600);
	snprintf(path, sizeof path, "%s/snap/0123", s.state);
	assert_int_equal(utime(path, &long_ago), 0);
	snprintf(path, sizeof path, "%s/snap/%s", s.state, first);
	assert_int_equal(utime(path, &long_ago), 0);
	site_write(&s, "part.yml", "a: 3\n", 0600);
	snapshot_free(load_and_write(&s));
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/snap/0123", s.state);
	assert_int_equal(access(path, F_OK), -1);
	site_remove(&s);
}

/* --- damage --------------------------------------------------------------- */

/* Reads everything that an image claims to hold. */
static size_t
read_all(const struct snapshot *snap)
{
	const struct snap_site *site = snapshot_site(snap);
	const struct snap_function *f;
	const struct snap_route *r;
	const struct snap_edge *edges;
	const struct snap_node *node;
	size_t sum = 0, i, j, n;

	sum += strlen(snapshot_str(snap, site->service));
	sum += strlen(snapshot_item(snap, site->trusted_proxies, 0));
	for (i = 0; i < snapshot_functions(snap) && i < 10; i++) {
		f = snapshot_function(snap, i);
		if (!f)
			continue;
		sum += strlen(snapshot_str(snap, f->binary));
		for (j = 0; j < f->environment.count && j < 10; j++)
			if (snapshot_pair(snap, f->environment, j))
				sum += strlen(snapshot_str(snap,
				    snapshot_pair(snap, f->environment,
				    j)->value));
	}
	for (i = 0; i < snapshot_routes(snap) && i < 10; i++) {
		r = snapshot_route(snap, i);
		if (r)
			sum += strlen(snapshot_str(snap, r->key));
	}
	for (i = 0; i < snapshot_nodes(snap) && i < 10; i++) {
		node = snapshot_node(snap, (uint32_t)i);
		edges = node ? snapshot_edges(snap, node->children, &n) :
		    NULL;
		for (j = 0; edges && j < n && j < 10; j++)
			sum += strlen(snapshot_str(snap, edges[j].segment));
	}
	sum += snapshot_find(snap, "alpha") == 1;
	sum += snapshot_fresh(snap);
	return sum;
}

static void
put(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, bytes, n), 0);
	close(fd);
}

static void
damaged_images_are_refused_or_harmless(void **state)
{
	char path[256], id[SNAP_ID_SIZE], *copy;
	struct snapshot *snap;
	struct buf good;
	struct site s;
	struct err e;
	size_t i;

	(void)state;
	make(&s);
	assert_int_equal(snapshot_write(s.conf, s.state, id, &e), 0);
	snprintf(path, sizeof path, "%s/snap/%s", s.state, id);
	buf_init(&good, 1024 * 1024);
	assert_int_equal(io_read_file(AT_FDCWD, path, &good, &e), 0);
	copy = malloc(good.len);
	assert_non_null(copy);
	for (i = 0; i < good.len; i += 7) {
		put(path, good.data, i);
		assert_null(snapshot_open(path, &e));
		assert_true(e.text[0] != '\0');
	}
	for (i = 0; i < good.len; i++) {
		memcpy(copy, good.data, good.len);
		copy[i] = (char)(copy[i] ^ (i % 3 ? 0xff : 0x40));
		put(path, copy, good.len);
		snap = snapshot_open(path, &e);
		if (snap)
			read_all(snap);
		snapshot_free(snap);
	}
	put(path, good.data, good.len);
	snap = snapshot_open(path, &e);
	assert_non_null(snap);
	assert_true(read_all(snap) > 100);
	snapshot_free(snap);
	free(copy);
	buf_release(&good);
	site_remove(&s);
}

static void
files_of_others_are_not_trusted(void **state)
{
	char path[256], id[SNAP_ID_SIZE];
	struct site s;
	struct err e;

	(void)state;
	make(&s);
	assert_int_equal(snapshot_write(s.conf, s.state, id, &e), 0);
	snprintf(path, sizeof path, "%s/snap/%s", s.state, id);
	assert_int_equal(chmod(path, 0620), 0);
	assert_null(snapshot_open(path, &e));
	assert_non_null(strstr(e.text, "can be written by others"));
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_null(snapshot_open(path, &e));
		assert_non_null(strstr(e.text, "belongs to uid 12345"));
	}
	assert_null(snapshot_open(s.state, &e));
	assert_null(snapshot_open("/nowhere", &e));
	assert_int_equal(e.code, ENOENT);
	site_remove(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_says_what_was_checked),
		cmocka_unit_test(image_holds_tables_and_grants),
		cmocka_unit_test(image_has_the_stores_settings),
		cmocka_unit_test(write_puts_it_in_place),
		cmocka_unit_test(every_source_that_changes_makes_it_stale),
		cmocka_unit_test(options_of_another_load_do_not_suit),
		cmocka_unit_test(a_new_build_behind_the_link_makes_it_stale),
		cmocka_unit_test(the_id_follows_the_content),
		cmocka_unit_test(old_images_go_but_not_the_last_current),
		cmocka_unit_test(damaged_images_are_refused_or_harmless),
		cmocka_unit_test(files_of_others_are_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
