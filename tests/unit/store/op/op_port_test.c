/*
 * Documents out of a store and into one: in every form, back without a
 * difference, and what is refused on the way.
 */
#include "rig.h"

#define TABLE(name) \
	"{\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", TABLE("notes"));
	rig_ok(r, "CreateTable", TABLE("copy"));
	*state = r;
	return 0;
}

static int
end(void **state)
{
	rig_release(*state);
	free(*state);
	return 0;
}

enum { DOCUMENTS = 450 };

static void
fill(struct rig *r)
{
	char body[256];
	int i;

	for (i = 0; i < DOCUMENTS; i++) {
		snprintf(body, sizeof body, "{\"TableName\":\"notes\","
		    "\"Item\":{\"id\":{\"S\":\"n\\n%d\"},\"v\":{\"N\":"
		    "\"12345678901234567890123456789.0%d\"},"
		    "\"b\":{\"B\":\"AAEC\"},\"s\":{\"SS\":[\"x\",\"y\"]},"
		    "\"$m\":{\"NULL\":true}}}", i, i + 1);
		rig_call_with(r, "PutItem", body, false, false);
		assert_int_equal(r->status, 0);
	}
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Both tables hold the same, as exports tell. */
static void
expect_same(struct rig *r, const char *out)
{
	char one[128], other[128];
	struct buf a, b;
	struct err e;

	snprintf(one, sizeof one, "%s/one", out);
	snprintf(other, sizeof other, "%s/other", out);
	rig_ok(r, "Export", "{\"TableName\":\"notes\",\"Path\":\"%s\"}", one);
	rig_ok(r, "Export", "{\"TableName\":\"copy\",\"Path\":\"%s\"}", other);
	buf_init(&a, 16 << 20);
	buf_init(&b, 16 << 20);
	assert_int_equal(io_read_file(AT_FDCWD, one, &a, &e), 0);
	assert_int_equal(io_read_file(AT_FDCWD, other, &b, &e), 0);
	assert_true(a.len > 1000);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	buf_release(&a);
	buf_release(&b);
}

static void
there_and_back(struct rig *r, const char *format)
{
	char out[64] = "/tmp/bothy-port-XXXXXX", path[128];
	const char *reply;

	assert_non_null(mkdtemp(out));
	fill(r);
	snprintf(path, sizeof path, "%s/notes", out);
	reply = rig_ok(r, "Export", "{\"TableName\":\"notes\",\"Path\":\"%s\","
	    "\"Format\":\"%s\"}", path, format);
	rig_has(reply, "\"Documents\":450");
	rig_call(r, "Export", "{\"TableName\":\"notes\",\"Path\":\"%s\","
	    "\"Format\":\"%s\"}", path, format);
	assert_int_equal(r->status, FAULT_IN_USE);
	reply = rig_ok(r, "Import", "{\"TableName\":\"copy\",\"Path\":\"%s\","
	    "\"Format\":\"%s\",\"DryRun\":true}", path, format);
	rig_has(reply, "\"Added\":450");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"copy\"}"), "\"Count\":0");
	reply = rig_ok(r, "Import", "{\"TableName\":\"copy\",\"Path\":\"%s\","
	    "\"Format\":\"%s\"}", path, format);
	rig_has(reply, "\"Documents\":450,\"Added\":450,\"Same\":0,"
	    "\"RefusedCount\":0");
	reply = rig_ok(r, "Import", "{\"TableName\":\"copy\",\"Path\":\"%s\","
	    "\"Format\":\"%s\"}", path, format);
	rig_has(reply, "\"Added\":0,\"Same\":450");
	expect_same(r, out);
	io_remove_tree(AT_FDCWD, out);
}

/* --- tests --------------------------------------------------------------- */

static void
lines(void **state)
{
	there_and_back(*state, "lines");
}

static void
dynamodb(void **state)
{
	there_and_back(*state, "dynamodb");
}

static void
files(void **state)
{
	there_and_back(*state, "files");
}

static void
refused(void **state)
{
	struct rig *r = *state;
	char path[64] = "/tmp/bothy-port-XXXXXX";
	const char *reply;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"b\",\"v\":1}}");
	write_file(path, "{\"id\":\"a\",\"v\":1}\n"
	    "\n"
	    "{\"id\":\"b\",\"v\":2}\n"
	    "{\"id\":7}\n"
	    "{\"id\":\"c\"\n"
	    "{\"id\":\"a\",\"v\":3}\r\n"
	    "{\"id\":\"d\"}");
	reply = rig_ok(r, "Import", "{\"TableName\":\"notes\","
	    "\"Path\":\"%s\"}", path);
	rig_has(reply, "\"Documents\":6,\"Added\":2,\"Same\":0,"
	    "\"RefusedCount\":4");
	rig_has(reply, ":3\",\"Text\":\"the table has another document");
	rig_has(reply, ":4\",\"Text\":");
	rig_has(reply, ":5\",\"Text\":");
	rig_has(reply, ":6\",\"Text\":\"its key was there before");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"b\"}}"), "\"v\":1");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"d\"}}"), "\"id\":\"d\"");
	unlink(path);
	rig_call(r, "Import", "{\"TableName\":\"notes\",\"Path\":\"%s\"}",
	    path);
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "Import", "{\"TableName\":\"notes\",\"Path\":\"x\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "Import", "{\"TableName\":\"none\",\"Path\":\"/tmp\"}");
	assert_int_equal(r->status, FAULT_NOT_FOUND);
	rig_call(r, "Export", "{\"TableName\":\"notes\","
	    "\"Path\":\"%s/data/x\"}", r->dir);
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "Export", "{\"TableName\":\"notes\","
	    "\"Path\":\"/nowhere/at/all\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines, begin, end),
		cmocka_unit_test_setup_teardown(dynamodb, begin, end),
		cmocka_unit_test_setup_teardown(files, begin, end),
		cmocka_unit_test_setup_teardown(refused, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
