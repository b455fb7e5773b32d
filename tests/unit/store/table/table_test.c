/*
 * Tables: JSON and back, copies, and what table_read() refuses.
 */
#include "store/base/io.h"
#include "store/table/table.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static const char whole[] =
    "{\"name\":\"messages\",\"id\":7,\"created\":1700000000000,"
    "\"hash\":[{\"name\":\"room\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"at\",\"type\":\"N\"}],"
    "\"indexes\":[{\"name\":\"byAuthor\",\"id\":3,\"global\":true,"
    "\"filling\":true,"
    "\"hash\":[{\"name\":\"author\",\"type\":\"S\"},"
    "{\"name\":\"a\\\"b\",\"type\":\"B\"}],"
    "\"range\":[{\"name\":\"at\",\"type\":\"N\"}],"
    "\"projection\":\"INCLUDE\",\"nonkey\":[\"text\",\"likes\"]},"
    "{\"name\":\"local\",\"id\":4,\"global\":false,\"filling\":false,"
    "\"hash\":[{\"name\":\"room\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"likes\",\"type\":\"N\"}],"
    "\"projection\":\"KEYS_ONLY\",\"nonkey\":[]}],"
    "\"nextIndex\":5,\"ttl\":\"expires\",\"ttlFilling\":true,"
    "\"stream\":\"NEW_AND_OLD_IMAGES\","
    "\"streamSince\":1700000000001,"
    "\"history\":false,\"protected\":true,\"more\":{\"a\":[1,{}]}}";

static struct table *
read_ok(const char *json)
{
	struct err e = {0};
	struct table *t = table_read(json, strlen(json), &e);

	if (!t)
		fail_msg("%s", e.text);
	return t;
}

static void
assert_writes(const struct table *t, const char *json)
{
	struct buf b;

	buf_init(&b, 65536);
	assert_int_equal(table_write(t, &b), 0);
	assert_string_equal(buf_str(&b), json);
	buf_release(&b);
}

static void
a_table_is_read_and_written(void **state)
{
	struct table *t = read_ok(whole);

	(void)state;
	assert_int_equal(t->id, 7);
	assert_string_equal(t->name, "messages");
	assert_int_equal(t->key.nhash, 1);
	assert_int_equal(t->key.range[0].type, VALUE_N);
	assert_int_equal(t->nindexes, 2);
	assert_true(t->indexes[0].filling);
	assert_string_equal(t->indexes[0].key.hash[1].name, "a\"b");
	assert_string_equal(t->indexes[0].nonkey[1], "likes");
	assert_int_equal(t->indexes[1].projection, PROJECT_KEYS);
	assert_string_equal(t->ttl, "expires");
	assert_int_equal(t->stream, STREAM_BOTH);
	assert_false(t->history);
	assert_true(t->protected);
	assert_string_equal(t->more, "{\"a\":[1,{}]}");
	assert_writes(t, whole);
	table_free(t);
}

static void
a_copy_is_its_own(void **state)
{
	struct table *t = read_ok(whole), *copy = table_copy(t);

	(void)state;
	assert_non_null(copy);
	strcpy(t->indexes[0].nonkey[0], "gone");
	table_free(t);
	assert_writes(copy, whole);
	table_free(copy);
	table_free(NULL);
}

static void
what_is_absent_has_a_default(void **state)
{
	struct table *t = read_ok("{\"name\":\"abc\",\"hash\":"
	    "[{\"name\":\"id\",\"type\":\"B\"}]}");

	(void)state;
	assert_int_equal(t->id, 0);
	assert_int_equal(t->key.nrange, 0);
	assert_int_equal(t->nindexes, 0);
	assert_true(t->history);
	assert_int_equal(t->stream, STREAM_OFF);
	assert_string_equal(t->ttl, "");
	assert_null(t->more);
	table_free(t);
}

static void
indexes_have_names_and_attributes(void **state)
{
	struct table *t = read_ok(whole);
	const struct table_index *ix = table_index_named(t, "localX", 5);

	(void)state;
	assert_ptr_equal(ix, &t->indexes[1]);
	assert_null(table_index_named(t, "local", 4));
	assert_true(table_projects(t, ix, "room", 4));
	assert_true(table_projects(t, ix, "at", 2));
	assert_true(table_projects(t, ix, "likes", 5));
	assert_false(table_projects(t, ix, "text", 4));
	assert_true(table_projects(t, &t->indexes[0], "text", 4));
	assert_false(table_projects(t, &t->indexes[0], "other", 5));
	table_free(t);
}

#define NAME "\"name\":\"abc\""
#define HASH "\"hash\":[{\"name\":\"id\",\"type\":\"S\"}]"
#define RANGE "\"range\":[{\"name\":\"at\",\"type\":\"S\"}]"
#define KEY(attribute, type) \
	"[{\"name\":\"" attribute "\",\"type\":\"" type "\"}]"

static const struct {
	const char *json, *why;
} nonsense[] = {
	{"[]", "no object"},
	{"{", ""},
	{"{}", "no name"},
	{"{" NAME "}", "no partition key"},
	{"{" HASH "}", "no name"},
	{"{\"name\":\"ab\"," HASH "}", "has 2 bytes"},
	{"{\"name\":\"a/bc\"," HASH "}", "a-z"},
	{"{\"name\":3," HASH "}", "name is 3, not a string"},
	{"{" NAME "," HASH ",\"name\":\"abd\"}", ""},
	{"{" NAME "," HASH ",\"nmae\":1}", "nmae is an unknown member"},
	{"{" NAME "," HASH ",\"id\":-1}", "id is -1"},
	{"{" NAME "," HASH ",\"id\":1.5}", "id is 1.5"},
	{"{" NAME "," HASH ",\"id\":99999999999999999999}", "id is 9"},
	{"{" NAME "," HASH ",\"history\":1}", "not true or false"},
	{"{" NAME "," HASH ",\"ttl\":\"a\\u0000b\"}", "without NUL"},
	{"{" NAME "," HASH ",\"stream\":\"ALL\"}", "stream is \"ALL\""},
	{"{" NAME "," HASH ",\"more\":[]}", "more is [], not an object"},
	{"{" NAME ",\"hash\":{}}", "hash is {}"},
	{"{" NAME ",\"hash\":" KEY("id", "BOOL") "}", "not S, N or B"},
	{"{" NAME ",\"hash\":" KEY("", "S") "}", "has 0 bytes"},
	{"{" NAME ",\"hash\":[{\"name\":\"id\"}]}", "a name and a type"},
	{"{" NAME ",\"hash\":[{\"name\":\"a\",\"type\":\"S\"},"
	    "{\"name\":\"b\",\"type\":\"S\"}]}", "more than a partition"},
	{"{" NAME "," HASH ",\"range\":" KEY("id", "S") "}", "twice"},
	{"{" NAME "," HASH ",\"indexes\":[1]}", "not an object"},
	{"{" NAME "," HASH ",\"indexes\":[{}]}", "no name"},
	{"{" NAME "," HASH ",\"indexes\":[{\"name\":\"one\"}]}", "no id"},
	{"{" NAME "," HASH ",\"indexes\":[{\"name\":\"one\",\"id\":1,"
	    "\"global\":true}]}", "no partition key"},
	{"{" NAME "," HASH ",\"indexes\":[{\"name\":\"one\",\"id\":1,"
	    "\"global\":true,\"hash\":" KEY("id", "N") "}]}", "two types"},
	{"{" NAME "," HASH ",\"indexes\":[{\"name\":\"one\",\"id\":1,"
	    "\"global\":true,\"hash\":" KEY("x", "N") ","
	    "\"projection\":\"INCLUDE\"}]}", "go with INCLUDE"},
	{"{" NAME "," HASH ",\"indexes\":[{\"name\":\"one\",\"id\":1,"
	    "\"hash\":" KEY("id", "S") ",\"range\":" KEY("x", "N") "}]}",
	    "no sort key"},
	{"{" NAME "," HASH "," RANGE ",\"indexes\":[{\"name\":\"one\","
	    "\"id\":1,\"hash\":" KEY("x", "S") ",\"range\":" KEY("y", "N")
	    "}]}", "the table's partition key"},
	{"{" NAME "," HASH ",\"indexes\":[{\"name\":\"one\",\"id\":1,"
	    "\"global\":true,\"hash\":" KEY("x", "N") "},{\"name\":\"two\","
	    "\"id\":1,\"global\":true,\"hash\":" KEY("y", "N") "}]}",
	    "one name or id"}
};

static void
nonsense_is_refused(void **state)
{
	struct err e;
	struct table *t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		e = (struct err){0};
		t = table_read(nonsense[i].json, strlen(nonsense[i].json), &e);
		if (t)
			fail_msg("taken: %s", nonsense[i].json);
		if (!strstr(e.text, nonsense[i].why))
			fail_msg("%s: says %s", nonsense[i].json, e.text);
	}
}

static void
too_many_indexes_are_refused(void **state)
{
	struct buf b;
	struct err e = {0};
	int i;

	(void)state;
	buf_init(&b, 65536);
	buf_puts(&b, "{" NAME "," HASH ",\"indexes\":[");
	for (i = 1; i <= TABLE_GLOBAL_MAX + 1; i++)
		buf_printf(&b, "%s{\"name\":\"i%d..\",\"id\":%d,"
		    "\"global\":true,\"hash\":" KEY("x", "S") "}",
		    i > 1 ? "," : "", i, i);
	buf_puts(&b, "]}");
	assert_null(table_read(buf_str(&b), b.len, &e));
	assert_non_null(strstr(e.text, "20 global indexes"));
	buf_release(&b);
}

/* What fcgi/conf makes of deploy.yaml, as its own test says too. */
static void
tables_of_a_site_are_taken(void **state)
{
	struct table *first, *second;
	struct buf lines;
	struct err e;
	char *end;

	(void)state;
	buf_init(&lines, 65536);
	assert_int_equal(io_read_file(AT_FDCWD,
	    "tests/cases/conf/ok-tables.json", &lines, &e), 0);
	end = strchr(lines.data, '\n');
	*end = '\0';
	first = read_ok(lines.data);
	*strchr(end + 1, '\n') = '\0';
	second = read_ok(end + 1);
	assert_string_equal(first->name, "messages");
	assert_int_equal(first->nindexes, 3);
	assert_string_equal(second->name, "Orders.v2");
	assert_int_equal(second->indexes[0].key.nhash, 2);
	table_free(first);
	table_free(second);
	buf_release(&lines);
}

static const char with_terms[] =
    "{\"name\":\"messages\",\"id\":7,\"created\":1700000000000,"
    "\"hash\":[{\"name\":\"room\",\"type\":\"S\"}],\"range\":[],"
    "\"indexes\":[{\"name\":\"byAuthor\",\"id\":3,\"global\":true,"
    "\"filling\":false,"
    "\"hash\":[{\"name\":\"author\",\"type\":\"S\"}],\"range\":[],"
    "\"projection\":\"ALL\",\"nonkey\":[],"
    "\"units\":{\"reads\":3,\"writes\":40}}],"
    "\"nextIndex\":4,\"ttl\":\"\",\"ttlFilling\":false,"
    "\"stream\":\"OFF\",\"streamSince\":0,"
    "\"history\":true,\"protected\":false,"
    "\"terms\":{\"provisioned\":true,\"units\":{\"reads\":5,"
    "\"writes\":4},\"increased\":1700000000001,\"decreases\":2,"
    "\"warm\":{\"writes\":5000},\"class\":\"STANDARD\","
    "\"pitr\":1700000000002,\"pitrDays\":35,"
    "\"tags\":[[\"a\\\"b\",\"\"],[\"bothy:throughput\",\"off\"]]}}";

static void
terms_are_read_written_and_copied(void **state)
{
	struct table *t = read_ok(with_terms), *copy;

	(void)state;
	assert_true(t->terms.provisioned);
	assert_int_equal(t->terms.units.writes, 4);
	assert_int_equal(t->terms.class, TABLE_CLASS_STANDARD);
	assert_int_equal(t->terms.ntags, 2);
	assert_int_equal(t->indexes[0].units.reads, 3);
	copy = table_copy(t);
	table_free(t);
	assert_non_null(copy);
	assert_writes(copy, with_terms);
	assert_string_equal(table_tag_named(copy, "a\"b", 3)->value, "");
	assert_null(table_tag_named(copy, "a", 1));
	table_free(copy);
}

static void
limits_are_asked_for(void **state)
{
	struct table *t = read_ok(with_terms);
	const struct table_index *ix = t->indexes;

	(void)state;
	assert_false(table_is_limited(t));	/* its tag says off */
	strcpy(t->terms.tags[1].value, "enforced");
	assert_int_equal(table_limit(t, NULL, false), 5);
	assert_int_equal(table_limit(t, ix, true), 40);
	t->terms.ntags = 1;
	assert_int_equal(table_limit(t, NULL, false), 0);
	assert_int_equal(table_limit(t, NULL, true), 4);
	assert_int_equal(table_limit(t, ix, false), 3);
	assert_int_equal(table_limit(t, ix, true), 0);
	assert_true(table_is_limited(t));
	t->terms.provisioned = false;
	assert_false(table_is_limited(t));
	t->terms.most.reads = 100000;
	assert_int_equal(table_limit(t, NULL, false), 100000);
	table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terms_are_read_written_and_copied),
		cmocka_unit_test(limits_are_asked_for),
		cmocka_unit_test(a_table_is_read_and_written),
		cmocka_unit_test(a_copy_is_its_own),
		cmocka_unit_test(what_is_absent_has_a_default),
		cmocka_unit_test(indexes_have_names_and_attributes),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(too_many_indexes_are_refused),
		cmocka_unit_test(tables_of_a_site_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
