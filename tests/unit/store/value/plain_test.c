/*
 * Plain JSON against a table, and the text of a file to the byte.
 */
#include "store/value/plain.h"

#include "store/value/fault.h"
#include "store/value/typed.h"
#include "tests/unit/store/value/cases.h"

static void
check(char **fields)
{
	const bool item = strcmp(fields[0], "item") == 0;
	char said[1024];
	struct value v;
	struct arena a;
	struct buf out;
	struct err e;
	int rc;

	assert_true(item || strcmp(fields[0], "value") == 0);
	arena_init(&a, 1 << 20);
	buf_init(&out, 1 << 20);
	if (item)
		rc = plain_read_item(&a, fields[1], strlen(fields[1]), &v, &e);
	else
		rc = plain_read(&a, fields[1], strlen(fields[1]), &v, &e);
	if (rc == 0) {
		assert_int_equal(plain_write_line(&out, &v), 0);
		snprintf(said, sizeof said, "%s", buf_str(&out));
	} else {
		snprintf(said, sizeof said, "! %s %d:%d %s",
		    e.code == FAULT_VALIDATION ? "validation" :
		    e.code == FAULT_SERIALIZATION ? "serialization" :
		    fault_name(e.code), e.line, e.col, e.text);
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
	assert_true(cases_run("plain.cases", check) > 90);
}

static const char TYPED[] = "{\"id\":{\"S\":\"7\"},\"empty\":{\"L\":[]},"
    "\"none\":{\"M\":{}},\"price\":{\"N\":\"12.5\"},\"raw\":{\"B\":\"AAE=\"},"
    "\"tags\":{\"SS\":[\"b\",\"a\"]},\"sizes\":{\"NS\":[\"10\",\"9\"]},"
    "\"keys\":{\"BS\":[\"AA==\"]},\"gone\":{\"NULL\":true},"
    "\"list\":{\"L\":[{\"BOOL\":true},{\"M\":{\"$set\":{\"S\":\"x\"}}}]}}";

static const char FILE_TEXT[] =
    "{\n"
    "  \"empty\": [],\n"
    "  \"gone\": null,\n"
    "  \"id\": \"7\",\n"
    "  \"keys\": {\n"
    "    \"$set\": [\n"
    "      {\n"
    "        \"$binary\": \"AA==\"\n"
    "      }\n"
    "    ]\n"
    "  },\n"
    "  \"list\": [\n"
    "    true,\n"
    "    {\n"
    "      \"$map\": {\n"
    "        \"$set\": \"x\"\n"
    "      }\n"
    "    }\n"
    "  ],\n"
    "  \"none\": {},\n"
    "  \"price\": 12.5,\n"
    "  \"raw\": {\n"
    "    \"$binary\": \"AAE=\"\n"
    "  },\n"
    "  \"sizes\": {\n"
    "    \"$set\": [\n"
    "      9,\n"
    "      10\n"
    "    ]\n"
    "  },\n"
    "  \"tags\": {\n"
    "    \"$set\": [\n"
    "      \"a\",\n"
    "      \"b\"\n"
    "    ]\n"
    "  }\n"
    "}\n";

static void
file_text(void **state)
{
	struct value item, back;
	struct arena a;
	struct buf out;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	buf_init(&out, 1 << 20);
	assert_int_equal(typed_read_item(&a, TYPED, sizeof TYPED - 1, &item,
	    &e), 0);
	assert_int_equal(plain_write(&out, &item), 0);
	assert_string_equal(buf_str(&out), FILE_TEXT);
	assert_int_equal(plain_read_item(&a, out.data, out.len, &back, &e),
	    0);
	assert_true(value_equal(&item, &back));
	buf_release(&out);
	arena_release(&a);
}

static void
lines_are_counted(void **state)
{
	static const char text[] = "{\n  \"a\": 1,\n  \"b\": [\n    1,\n"
	    "    {\"$set\": [\"x\",\n      \"x\"]}\n  ]\n}\n";
	struct value v;
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(plain_read_item(&a, text, sizeof text - 1, &v, &e),
	    -1);
	assert_string_equal(e.text, "the member \"x\" is there twice");
	assert_int_equal(e.line, 5);
	assert_int_equal(e.col, 14);
	arena_release(&a);
}

static void
full_buffer(void **state)
{
	struct value v;
	struct arena a;
	struct buf out;
	struct err e;
	size_t max;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(plain_read(&a, FILE_TEXT, sizeof FILE_TEXT - 1, &v,
	    &e), 0);
	for (max = 0; max < sizeof FILE_TEXT - 1; max++) {
		buf_init(&out, max);
		assert_int_equal(plain_write(&out, &v), -1);
		buf_release(&out);
	}
	buf_init(&out, max);
	assert_int_equal(plain_write(&out, &v), 0);
	buf_release(&out);
	arena_release(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table),
	    cmocka_unit_test(file_text),
	    cmocka_unit_test(lines_are_counted),
	    cmocka_unit_test(full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
