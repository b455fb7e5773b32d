/*
 * Files that somebody changed by hand: found by a check, adopted, or told why
 * not; and a check that finds nothing where nothing is wrong.
 */
#include "rig.h"

#include <dirent.h>
#include <sys/stat.h>

#define TABLE(name) \
	"{\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"kind\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byKind\"," \
	"\"KeySchema\":[{\"AttributeName\":\"kind\",\"KeyType\":\"HASH\"}]," \
	"\"Projection\":{\"ProjectionType\":\"ALL\"}}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"
#define KEY(id) "{\"TableName\":\"notes\",\"Key\":{\"id\":\"" id "\"}}"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", TABLE("notes"));
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

static void
put(struct rig *r, const char *id, const char *kind)
{
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"%s\",\"kind\":\"%s\"}}", id, kind);
}

static void
write_file(struct rig *r, const char *path, const char *text)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof full, "%s/%s", r->dir, path);
	unlink(full);
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
remove_file(struct rig *r, const char *path)
{
	char full[256];

	snprintf(full, sizeof full, "%s/%s", r->dir, path);
	assert_int_equal(unlink(full), 0);
}

static const char *
get(struct rig *r, const char *id)
{
	return rig_ok(r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"%s\"}}", id);
}

static void
expect_clean(struct rig *r)
{
	rig_has(rig_ok(r, "Check", "{\"Deep\":true}"),
	    "{\"Problems\":[],\"Count\":0");
}

static void
fill(struct rig *r)
{
	char id[16];
	int i;

	for (i = 0; i < 50; i++) {
		snprintf(id, sizeof id, "n%d", i);
		put(r, id, i % 2 ? "odd" : "even");
	}
}

/* --- tests --------------------------------------------------------------- */

static void
clean(void **state)
{
	struct rig *r = *state;
	char id[600];

	expect_clean(r);
	fill(r);
	memset(id, 'x', sizeof id);	/* a name that is cut */
	id[sizeof id - 1] = '\0';
	put(r, id, "long");
	expect_clean(r);
	rig_ok(r, "Checkpoint", "{}");
	rig_ok(r, "DeleteItem", KEY("n7"));
	put(r, "n8", "changed");
	expect_clean(r);
	rig_has(rig_ok(r, "Check", "{}"), "\"Documents\":50");
	rig_close(r);
	rig_open(r);
	expect_clean(r);
}

static void
found(void **state)
{
	struct rig *r = *state;
	const char *reply;

	fill(r);
	write_file(r, "data/notes/n1.json", "{\"id\":\"n1\",\"kind\":\"x\"}");
	write_file(r, "data/notes/n2.json", "{\"id\":\"n2\",");
	write_file(r, "data/notes/n3.json", "{\"id\":\"n4\"}");
	remove_file(r, "data/notes/n5.json");
	write_file(r, "data/notes/fresh.json", "{\"id\":\"fresh\"}");
	write_file(r, "data/notes/readme.txt", "what is this");
	reply = rig_ok(r, "Check", "{}");
	rig_has(reply, "{\"Kind\":\"edited\",\"TableName\":\"notes\","
	    "\"Path\":\"data/notes/n1.json\"");
	rig_has(reply, "{\"Kind\":\"invalid\",\"TableName\":\"notes\","
	    "\"Path\":\"data/notes/n2.json\"");
	rig_has(reply, "{\"Kind\":\"invalid\",\"TableName\":\"notes\","
	    "\"Path\":\"data/notes/n3.json\"");
	rig_has(reply, "{\"Kind\":\"missing\",\"TableName\":\"notes\","
	    "\"Path\":\"data/notes/n5.json\"");
	rig_has(reply, "{\"Kind\":\"new\",\"TableName\":\"notes\","
	    "\"Path\":\"data/notes/fresh.json\"");
	rig_has(reply, "{\"Kind\":\"foreign\",\"TableName\":\"notes\","
	    "\"Path\":\"data/notes/readme.txt\"");
	rig_has(reply, "\"Count\":6");
	rig_has(get(r, "n1"), "\"kind\":\"odd\"");
	rig_has(rig_ok(r, "Check", "{\"TableName\":\"notes\",\"Limit\":1}"),
	    "\"Count\":6");
}

static void
adopted(void **state)
{
	struct rig *r = *state;
	const char *reply;

	fill(r);
	write_file(r, "data/notes/n1.json", "{\"id\":\"n1\",\"kind\":\"x\"}");
	write_file(r, "data/notes/n2.json", "{\"id\":\"n2\",");
	write_file(r, "data/notes/fresh.json", "{\"id\":\"fresh\"}");
	reply = rig_ok(r, "Adopt", "{\"TableName\":\"notes\"}");
	rig_has(reply, "{\"TableName\":\"notes\",\"File\":\"n1.json\","
	    "\"Kind\":\"changed\"}");
	rig_has(reply, "{\"TableName\":\"notes\",\"File\":\"fresh.json\","
	    "\"Kind\":\"new\"}");
	rig_has(reply, "{\"TableName\":\"notes\",\"File\":\"n2.json\","
	    "\"Kind\":\"refused\",\"Text\":");
	rig_has(reply, "\"Adopted\":2,\"Refused\":1");
	rig_has(get(r, "n1"), "\"kind\":\"x\"");
	rig_has(get(r, "fresh"), "\"id\":\"fresh\"");
	rig_has(get(r, "n2"), "\"kind\":\"even\"");
	rig_has(rig_ok(r, "Query", "{\"TableName\":\"notes\","
	    "\"IndexName\":\"byKind\",\"KeyConditionExpression\":\"kind = :k\","
	    "\"ExpressionAttributeValues\":{\":k\":\"x\"}}"), "\"Count\":1");
	put(r, "n2", "again");
	reply = rig_ok(r, "Check", "{\"Deep\":true}");
	rig_has(reply, "\"Count\":0");
	rig_has(reply, "\"Conflicts\":1");
	rig_close(r);
	rig_open(r);
	rig_has(get(r, "n1"), "\"kind\":\"x\"");
	rig_has(get(r, "n2"), "\"kind\":\"again\"");
}

static void
one_by_one(void **state)
{
	struct rig *r = *state;

	fill(r);
	write_file(r, "data/notes/n1.json", "{\"id\":\"n1\",\"kind\":\"x\"}");
	write_file(r, "data/notes/n3.json", "{\"id\":\"n3\",\"kind\":\"x\"}");
	rig_has(rig_ok(r, "Adopt", KEY("n1")), "\"Adopted\":1");
	rig_has(get(r, "n3"), "\"kind\":\"odd\"");
	rig_has(rig_ok(r, "Adopt", "{\"Path\":\"data/notes/n3.json\"}"),
	    "\"Adopted\":1");
	rig_has(get(r, "n3"), "\"kind\":\"x\"");
	rig_has(rig_ok(r, "Adopt", KEY("n3")), "\"Adopted\":0");
	remove_file(r, "data/notes/n5.json");
	rig_has(rig_ok(r, "Adopt", KEY("n5")), "\"Kind\":\"removed\"");
	rig_lacks(get(r, "n5"), "Item");
	rig_call(r, "Adopt", "{\"Path\":\"/etc/passwd\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "Adopt", "{\"Path\":\"data/notes/../../x/y.json\"}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	expect_clean(r);
}

/* An edit that the store wrote over is kept, and can be adopted from there. */
static void
saved(void **state)
{
	struct rig *r = *state;
	char full[256], path[400];
	struct dirent *x;
	DIR *d;

	put(r, "a", "one");
	write_file(r, "data/notes/a.json", "{\"id\":\"a\",\"kind\":\"mine\"}");
	put(r, "a", "two");
	rig_has(get(r, "a"), "\"kind\":\"two\"");
	snprintf(full, sizeof full, "%s/conflicts/notes", r->dir);
	d = opendir(full);
	assert_non_null(d);
	*path = '\0';
	while ((x = readdir(d)))
		if (*x->d_name != '.')
			snprintf(path, sizeof path, "conflicts/notes/%s",
			    x->d_name);
	closedir(d);
	rig_has(rig_ok(r, "Adopt", "{\"Path\":\"%s\"}", path),
	    "\"Kind\":\"changed\"");
	rig_has(get(r, "a"), "\"kind\":\"mine\"");
	rig_has(rig_ok(r, "Check", "{\"Deep\":true}"), "\"Conflicts\":0");
	expect_clean(r);
}

/* A restore of one document makes its file what it was. */
static void
made_again(void **state)
{
	struct rig *r = *state;

	fill(r);
	rig_ok(r, "Backup", "{\"Name\":\"start\"}");
	remove_file(r, "data/notes/n1.json");
	write_file(r, "data/notes/n2.json", "{\"id\":\"n2\",\"kind\":\"x\"}");
	rig_has(rig_ok(r, "Check", "{}"), "\"Count\":2");
	rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"Key\":{\"id\":\"n1\"},\"From\":\"start\"}");
	rig_ok(r, "Restore", "{\"TableName\":\"notes\","
	    "\"Key\":{\"id\":\"n2\"},\"From\":\"start\"}");
	rig_has(rig_ok(r, "Check", "{\"Deep\":true}"), "\"Count\":0");
	rig_has(get(r, "n2"), "\"kind\":\"even\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clean, begin, end),
		cmocka_unit_test_setup_teardown(found, begin, end),
		cmocka_unit_test_setup_teardown(adopted, begin, end),
		cmocka_unit_test_setup_teardown(one_by_one, begin, end),
		cmocka_unit_test_setup_teardown(saved, begin, end),
		cmocka_unit_test_setup_teardown(made_again, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
