/*
 * Typed JSON against a table: what is read and how it is written again, and
 * what is refused with which text; and the reader in the midst of a request.
 */
#include "store/value/typed.h"

#include "store/value/fault.h"
#include "tests/unit/store/value/cases.h"

static void
check(char **fields)
{
	const bool item = strcmp(fields[0], "item") == 0;
	char said[640];
	struct value v;
	struct arena a;
	struct buf out;
	struct err e;
	int rc;

	assert_true(item || strcmp(fields[0], "value") == 0);
	arena_init(&a, 1 << 20);
	buf_init(&out, 1 << 20);
	if (item)
		rc = typed_read_item(&a, fields[1], strlen(fields[1]), &v, &e);
	else
		rc = typed_read(&a, fields[1], strlen(fields[1]), &v, &e);
	if (rc == 0) {
		assert_int_equal((item ? typed_write_item : typed_write)(&out,
		    &v), 0);
		snprintf(said, sizeof said, "%s", buf_str(&out));
	} else {
		snprintf(said, sizeof said, "! %s %s",
		    e.code == FAULT_VALIDATION ? "validation" :
		    e.code == FAULT_SERIALIZATION ? "serialization" :
		    fault_name(e.code), e.text);
		assert_true(e.line == 1 && e.col > 0);
	}
	if (strcmp(said, fields[2]) != 0)
		fail_msg("%s\n%s\nis not\n%s", fields[1], said, fields[2]);
	buf_release(&out);
	arena_release(&a);
}

static void
table(void **state)
{
	(void)state;
	assert_true(cases_run("typed.cases", check) > 120);
}

/* A long set is named as far as the text of an error goes. */
static void
long_set(void **state)
{
	struct value v;
	struct arena a;
	struct buf b;
	struct err e;
	int i;

	(void)state;
	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	buf_puts(&b, "{\"SS\":[\"a\"");
	for (i = 0; i < 1000; i++)
		buf_printf(&b, ",\"%d\"", i);
	buf_puts(&b, ",\"a\"]}");
	assert_int_equal(typed_read(&a, b.data, b.len, &v, &e), -1);
	assert_string_equal(e.text, "One or more parameter values were "
	    "invalid: Input collection [...] contains duplicates.");
	buf_release(&b);
	arena_release(&a);
}

static void
within_a_request(void **state)
{
	static const char text[] = "{\"Key\":{\"id\":{\"N\":\"07\"}},\n"
	    "\"Value\":{\"L\":[{\"S\":\"x\"}]}, \"Bad\":\n {\"S\":1}}";
	struct value key, value;
	struct json_token t;
	struct arena a;
	struct json j;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	json_open(&j, &a, text, sizeof text - 1, &e);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(typed_take_item(&j, &t, &key), 0);
	assert_int_equal(value_member(&key, "id", 2)->text.n, 1);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(t.type, JSON_NAME);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(typed_take(&j, &t, &value), 0);
	assert_int_equal(value.count, 1);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(json_next(&j, &t), 0);
	assert_int_equal(typed_take(&j, &t, &value), -1);
	assert_int_equal(e.line, 3);
	assert_int_equal(e.col, 7);
	arena_release(&a);
}

/* What has no escapes and is in normal form lies where it was. */
static void
borrows(void **state)
{
	static const char text[] = "{\"a\":{\"S\":\"plain\"},\"b\":{\"N\":\"7\"}}";
	const struct value *s, *n;
	struct value item;
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(typed_read_item(&a, text, sizeof text - 1, &item,
	    &e), 0);
	s = value_member(&item, "a", 1);
	n = value_member(&item, "b", 1);
	assert_true(s->text.p > text && s->text.p < text + sizeof text);
	assert_true(n->text.p > text && n->text.p < text + sizeof text);
	assert_true(item.members[0].name.p == text + 2);
	arena_release(&a);
}

static void
full_buffer(void **state)
{
	static const char text[] = "{\"L\":[{\"S\":\"x\"},{\"B\":\"AAEC\"},"
	    "{\"M\":{\"a\":{\"NS\":[\"1\"]}}}]}";
	struct value v;
	struct arena a;
	struct buf out;
	struct err e;
	size_t max;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(typed_read(&a, text, sizeof text - 1, &v, &e), 0);
	for (max = 0; max < sizeof text - 1; max++) {
		buf_init(&out, max);
		assert_int_equal(typed_write(&out, &v), -1);
		buf_release(&out);
	}
	buf_init(&out, max);
	assert_int_equal(typed_write(&out, &v), 0);
	buf_release(&out);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table),
	    cmocka_unit_test(long_set),
	    cmocka_unit_test(within_a_request),
	    cmocka_unit_test(borrows),
	    cmocka_unit_test(full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
