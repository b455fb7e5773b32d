/*
 * A store's settings: read, refused, kept, and what a running store makes of
 * others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/io.h"
#include "store/engine/mirrors.h"
#include "store/engine/store.h"
#include "store/value/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
reads(void **state)
{
	static const char TEXT[] = "{\"checkpointMs\":50,\"dayBytes\":2097152,"
	    "\"anyPlace\":true,\"idleMs\":0,\"mirrors\":{\"a\":\"/srv/a.git\","
	    "\"b\":\"ssh://b/c\"}}";
	struct settings s;
	struct err e;

	(void)state;
	assert_int_equal(settings_read("{}", 2, &s, &e), 0);
	assert_int_equal(s.idle_ms, 60000);
	assert_int_equal(s.checkpoint_ms, 1000);
	assert_int_equal(s.day_bytes, 100 << 20);
	assert_int_equal(s.nmirrors, 0);
	settings_release(&s);
	assert_int_equal(settings_read(TEXT, sizeof TEXT - 1, &s, &e), 0);
	assert_int_equal(s.checkpoint_ms, 50);
	assert_int_equal(s.day_bytes, 2 << 20);
	assert_int_equal(s.idle_ms, 0);
	assert_int_equal(s.hours_ms, INT64_C(2678400000));
	assert_true(s.any_place);
	assert_int_equal(s.nmirrors, 2);
	assert_string_equal(s.mirrors[1].name, "b");
	assert_string_equal(s.mirrors[1].url, "ssh://b/c");
	settings_release(&s);
}

/* What deploy.yaml's part makes of resources.store. */
static void
reads_what_a_site_says(void **state)
{
	struct settings s;
	struct err e;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	assert_int_equal(io_read_file(AT_FDCWD,
	    "tests/cases/conf/ok-store.json", &b, &e), 0);
	assert_int_equal(settings_read(b.data, b.len, &s, &e), 0);
	assert_int_equal(s.pitr_ms, 72 * 3600 * 1000);
	assert_int_equal(s.journal_bytes, 64 << 20);
	assert_int_equal(s.nmirrors, 2);
	settings_release(&s);
	buf_release(&b);
}

static void
refuses(void **state)
{
	static const char *const BAD[] = {"", "[]", "{", "{\"x\":1}",
	    "{\"idleMs\":\"1\"}", "{\"idleMs\":-1}", "{\"idleMs\":1.5}",
	    "{\"checkpointMs\":0}", "{\"pitrMs\":99999999999999999999}",
	    "{\"anyPlace\":1}", "{\"mirrors\":[]}",
	    "{\"mirrors\":{\"a\":1}}", "{\"idleMs\":1,\"idleMs\":2}"};
	struct settings s;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		e.text[0] = '\0';
		assert_int_equal(settings_read(BAD[i], strlen(BAD[i]), &s,
		    &e), -1);
		assert_true(*e.text);
		assert_int_equal(s.checkpoint_ms, 1000);
	}
}

/* --- a store's --------------------------------------------------------------- */

static struct store *
open_store(const char *dir)
{
	const struct store_options o = {.force = true};
	struct err e = {0};
	struct store *s = store_open(dir, &o, &e);

	if (!s)
		fail_msg("%s", e.text);
	return s;
}

static int
set(struct store *s, const char *text, struct err *e)
{
	return store_set(s, text, strlen(text), e);
}

static bool
has(struct store *s, const char *name, bool declared)
{
	struct mirror_state m;
	size_t i;

	for (i = 0; mirrors_state(store_mirrors(s), i, &m); i++)
		if (strcmp(m.name, name) == 0)
			return m.declared == declared;
	return false;
}

static void
mirrors_come_and_go(void **state)
{
	char dir[] = "/tmp/bothy-settings-XXXXXX";
	struct store *s;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(dir));
	s = open_store(dir);
	assert_int_equal(store_idle_ms(s), 60000);
	assert_int_equal(mirrors_set(store_mirrors(s), "own", "/nowhere/o",
	    &e), 0);
	assert_int_equal(set(s, "{\"idleMs\":7000,\"mirrors\":"
	    "{\"a\":\"/nowhere/a\",\"b\":\"/nowhere/b\"}}", &e), 1);
	assert_int_equal(set(s, "{\"idleMs\":7000,\"mirrors\":"
	    "{\"a\":\"/nowhere/a\",\"b\":\"/nowhere/b\"}}", &e), 0);
	assert_int_equal(store_idle_ms(s), 7000);
	assert_true(has(s, "a", true) && has(s, "own", false));
	assert_int_equal(mirrors_set(store_mirrors(s), "a", NULL, &e), -1);
	assert_int_equal(e.code, FAULT_VALIDATION);
	assert_int_equal(set(s, "{\"mirrors\":{\"a b\":\"/x\"}}", &e), -1);
	assert_int_equal(store_idle_ms(s), 7000);
	store_close(s);
	s = open_store(dir);
	assert_int_equal(store_idle_ms(s), 7000);
	assert_true(has(s, "b", true) && has(s, "own", false));
	assert_int_equal(set(s, "{\"mirrors\":{\"b\":\"/nowhere/b\"}}", &e),
	    1);
	assert_false(has(s, "a", true));
	assert_true(has(s, "b", true) && has(s, "own", false));
	assert_int_equal(set(s, "{}", &e), 1);
	assert_false(has(s, "b", true));
	assert_true(has(s, "own", false));
	assert_int_equal(store_idle_ms(s), 60000);
	store_close(s);
	io_remove_tree(AT_FDCWD, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(reads_what_a_site_says),
		cmocka_unit_test(refuses),
		cmocka_unit_test(mirrors_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
