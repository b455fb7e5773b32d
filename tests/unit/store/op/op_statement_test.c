/*
 * Statements against a whole store: what a client sees of ExecuteStatement,
 * BatchExecuteStatement and ExecuteTransaction, and of those it may not do.
 */
#include "rig.h"

#define MUSIC \
	"{\"TableName\":\"music\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"artist\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"song\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"year\",\"AttributeType\":\"N\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"artist\",\"KeyType\":\"HASH\"}," \
	"{\"AttributeName\":\"song\",\"KeyType\":\"RANGE\"}]," \
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byYear\"," \
	"\"KeySchema\":[{\"AttributeName\":\"year\",\"KeyType\":\"HASH\"}]," \
	"\"Projection\":{\"ProjectionType\":\"KEYS_ONLY\"}}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", "%s", MUSIC);
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

/* The reply to one statement; `more` are further members of the request. */
static const char *
run(struct rig *r, const char *statement, const char *more)
{
	return rig_call(r, "ExecuteStatement", "{\"Statement\":\"%s\"%s}",
	    statement, more);
}

static void
gives(struct rig *r, const char *statement, const char *reply)
{
	const char *got = run(r, statement, "");

	if (r->status || strcmp(got, reply) != 0)
		fail_msg("%s\nexpected %s\nbut got  %s", statement, reply,
		    got);
}

static void
fails(struct rig *r, const char *statement, int fault, const char *why)
{
	const char *got = run(r, statement, "");

	assert_int_equal(r->status, fault);
	if (!strstr(got, why))
		fail_msg("%s\nexpected %s\nbut got  %s", statement, why, got);
}

static void
insert(struct rig *r, const char *artist, const char *song, int year)
{
	rig_ok(r, "ExecuteStatement", "{\"Statement\":\"INSERT INTO music "
	    "VALUE {'artist': '%s', 'song': '%s', 'year': %d}\"}", artist,
	    song, year);
}

/* --- one statement ------------------------------------------------------------- */

static void
test_insert(void **state)
{
	struct rig *r = *state;

	gives(r, "INSERT INTO music VALUE {'artist': 'a', 'song': 's', "
	    "'m': {'l': [1, 'x']}}", "{\"Items\":[]}");
	gives(r, "SELECT * FROM music WHERE artist = 'a' AND song = 's'",
	    "{\"Items\":[{\"artist\":\"a\",\"m\":{\"l\":[1,\"x\"]},"
	    "\"song\":\"s\"}]}");
	fails(r, "INSERT INTO music VALUE {'artist': 'a', 'song': 's'}",
	    FAULT_DUPLICATE, "Duplicate primary key exists in table");
	fails(r, "INSERT INTO music VALUE {'artist': 'a'}", FAULT_VALIDATION,
	    "Missing the key song in the item");
	fails(r, "INSERT INTO none VALUE {'artist': 'a'}", FAULT_NOT_FOUND,
	    "Requested resource not found");
}

static void
test_select(void **state)
{
	struct rig *r = *state;

	insert(r, "a", "one", 1);
	insert(r, "a", "three", 3);
	insert(r, "a", "two", 2);
	insert(r, "b", "one", 1);
	gives(r, "SELECT song FROM music WHERE artist = 'a'",
	    "{\"Items\":[{\"song\":\"one\"},{\"song\":\"three\"},"
	    "{\"song\":\"two\"}]}");
	gives(r, "SELECT song FROM music WHERE artist = 'a' AND "
	    "begins_with(song, 't') AND year <> 3",
	    "{\"Items\":[{\"song\":\"two\"}]}");
	gives(r, "SELECT song FROM music WHERE artist = 'a' AND year > 1 "
	    "ORDER BY song DESC",
	    "{\"Items\":[{\"song\":\"two\"},{\"song\":\"three\"}]}");
	gives(r, "SELECT year FROM music WHERE song = 'one' AND artist = 'b' "
	    "AND year = 2", "{\"Items\":[]}");
	gives(r, "SELECT artist FROM music WHERE song = 'two' OR year = 3",
	    "{\"Items\":[{\"artist\":\"a\"},{\"artist\":\"a\"}]}");
	gives(r, "SELECT * FROM music.byYear WHERE year = 3",
	    "{\"Items\":[{\"artist\":\"a\",\"song\":\"three\",\"year\":3}]}");
	gives(r, "SELECT * FROM music WHERE artist = 'a' AND song IN "
	    "['one', 'four'] AND artist = 'a'",
	    "{\"Items\":[{\"artist\":\"a\",\"song\":\"one\",\"year\":1}]}");
	gives(r, "SELECT artist FROM music WHERE artist IN ['a', 'b'] AND "
	    "song = 'one' ORDER BY artist DESC",
	    "{\"Items\":[{\"artist\":\"b\"},{\"artist\":\"a\"}]}");
	fails(r, "SELECT * FROM music.none", FAULT_VALIDATION,
	    "The table does not have the specified index: none");
	fails(r, "SELECT x FROM music.byYear WHERE year = 3",
	    FAULT_VALIDATION, "does not project [x]");
	fails(r, "SELECT * FROM music WHERE artist = 5", FAULT_VALIDATION,
	    "Condition parameter type does not match schema type");
	fails(r, "EXISTS(SELECT * FROM music WHERE artist = 'a' AND "
	    "song = 'one' AND year = 1)", FAULT_VALIDATION,
	    "EXISTS can only be used in ExecuteTransaction");
}

static void
test_nested(void **state)
{
	struct rig *r = *state;

	gives(r, "INSERT INTO music VALUE {'artist': 'a', 'song': 's', "
	    "'m': {'l': [1, {'x': 'y'}]}}", "{\"Items\":[]}");
	gives(r, "SELECT m.l[0], m.l[1].x, m.none, song FROM music WHERE "
	    "artist = 'a' AND song = 's'",
	    "{\"Items\":[{\"l[0]\":1,\"song\":\"s\",\"x\":\"y\"}]}");
	gives(r, "SELECT l[1].x FROM music", "{\"Items\":[{}]}");
}

static void
test_update(void **state)
{
	struct rig *r = *state;

	insert(r, "a", "s", 7);
#define KEY " WHERE artist = 'a' AND song = 's'"
	gives(r, "UPDATE music SET n = year + 1 SET l = [1] REMOVE year" KEY
	    " AND year = 7", "{\"Items\":[]}");
	gives(r, "UPDATE music SET l = list_append(l, [2]), "
	    "t = 'x'" KEY " RETURNING ALL NEW *",
	    "{\"Items\":[{\"artist\":\"a\",\"l\":[1,2],\"n\":8,"
	    "\"song\":\"s\",\"t\":\"x\"}]}");
	gives(r, "UPDATE music SET l[0] = 9" KEY " RETURNING MODIFIED OLD *",
	    "{\"Items\":[{\"l\":[1]}]}");
	gives(r, "UPDATE music REMOVE t" KEY " RETURNING MODIFIED NEW *",
	    "{\"Items\":[]}");
	gives(r, "UPDATE music SET s = <<'a', 'b'>>" KEY, "{\"Items\":[]}");
	gives(r, "UPDATE music SET s = set_add(s, <<'c'>>) SET n = n - 8" KEY
	    " RETURNING MODIFIED NEW *",
	    "{\"Items\":[{\"n\":0,\"s\":{\"$set\":[\"a\",\"b\",\"c\"]}}]}");
	gives(r, "UPDATE music SET s = set_delete(s, <<'a','c'>>)" KEY
	    " RETURNING MODIFIED NEW *",
	    "{\"Items\":[{\"s\":{\"$set\":[\"b\"]}}]}");
	fails(r, "UPDATE music SET n = 1" KEY " AND n = 5", FAULT_CONDITION,
	    "The conditional request failed");
	fails(r, "UPDATE music SET n = 1 WHERE artist = 'a' AND song = 'x'",
	    FAULT_CONDITION, "The conditional request failed");
	fails(r, "UPDATE music SET song = 'x'" KEY, FAULT_VALIDATION,
	    "Cannot update attribute song. This attribute is part of the key");
	fails(r, "UPDATE music SET none.x = 1" KEY, FAULT_VALIDATION,
	    "document path provided in the update expression is invalid");
	fails(r, "UPDATE music SET n = 1 WHERE artist = 'a'",
	    FAULT_VALIDATION, "mandatory equality on all key attributes");
	run(r, "UPDATE music SET n = 1" KEY " AND n = 5",
	    ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
	assert_non_null(strstr(buf_str(&r->out), "\"Item\":{\"artist\""));
}

static void
test_delete(void **state)
{
	struct rig *r = *state;

	insert(r, "a", "s", 7);
	fails(r, "DELETE FROM music" KEY " AND year = 8", FAULT_CONDITION,
	    "The conditional request failed");
	gives(r, "DELETE FROM music" KEY " AND year = 7 RETURNING ALL OLD *",
	    "{\"Items\":[{\"artist\":\"a\",\"song\":\"s\",\"year\":7}]}");
	gives(r, "DELETE FROM music" KEY " AND year = 7 RETURNING ALL OLD *",
	    "{\"Items\":[]}");
	gives(r, "DELETE FROM music" KEY, "{\"Items\":[]}");
}

static void
test_parameters(void **state)
{
	struct rig *r = *state;
	const char *got;

	rig_ok(r, "ExecuteStatement", "{\"Statement\":\"INSERT INTO music "
	    "VALUE {'artist': ?, 'song': ?, 'x': ?}\",\"Parameters\":"
	    "[\"a\",\"s\",[1,{\"y\":true}]]}");
	got = rig_ok(r, "ExecuteStatement", "{\"Statement\":\"SELECT x[1] FROM "
	    "music WHERE artist = ? AND song = ?\",\"Parameters\":"
	    "[\"a\",\"s\"],\"ReturnConsumedCapacity\":\"TOTAL\","
	    "\"ConsistentRead\":true}");
	assert_string_equal(got, "{\"Items\":[{\"x[1]\":{\"y\":true}}],"
	    "\"ConsumedCapacity\":{\"TableName\":\"music\","
	    "\"CapacityUnits\":1.0}}");
	got = rig_call(r, "ExecuteStatement", "{\"Statement\":\"SELECT * FROM "
	    "music WHERE artist = ?\",\"Parameters\":[]}");
	assert_non_null(strstr(got, "Member must have length greater than or "
	    "equal to 1"));
	got = rig_call(r, "ExecuteStatement", "{\"Statement\":\"\"}");
	assert_non_null(strstr(got, "Member must have length greater than or "
	    "equal to 1"));
}

/* --- pages ------------------------------------------------------------------------ */

/* The NextToken of the last reply, or "". */
static void
keep_token(const struct rig *r, char *out, size_t size)
{
	static const char name[] = "\"NextToken\":\"";
	const char *p = strstr(buf_str(&r->out), name);
	size_t n = 0;

	if (p)
		for (p += sizeof name - 1; p[n] != '"'; n++)
			;
	assert_true(n < size);
	snprintf(out, size, "%.*s", (int)n, n ? p : "");
}

/* Reads all in pages of `limit`: how many items come, in how many pages. */
static size_t
read_pages(struct rig *r, const char *statement, int limit, size_t *pages)
{
	char token[4096] = "", more[4200];
	size_t items = 0;
	const char *p;

	*pages = 0;
	do {
		snprintf(more, sizeof more, ",\"Limit\":%d%s%s%s", limit,
		    *token ? ",\"NextToken\":\"" : "", token,
		    *token ? "\"" : "");
		run(r, statement, more);
		assert_int_equal(r->status, 0);
		for (p = buf_str(&r->out); (p = strstr(p, "{\"song\":")); p++)
			items++;
		++*pages;
		keep_token(r, token, sizeof token);
	} while (*token && *pages < 100);
	return items;
}

static void
test_pages(void **state)
{
	struct rig *r = *state;
	char song[16], token[4096], more[4200];
	size_t pages;
	int i;

	for (i = 0; i < 20; i++) {
		snprintf(song, sizeof song, "s%02d", i);
		insert(r, i % 2 ? "a" : "b", song, i);
	}
	assert_int_equal(read_pages(r, "SELECT song FROM music", 6, &pages),
	    20);
	assert_int_equal(pages, 4);
	assert_int_equal(read_pages(r, "SELECT song FROM music WHERE "
	    "artist = 'a' AND year > 10", 3, &pages), 5);
	assert_int_equal(pages, 4);
	assert_int_equal(read_pages(r, "SELECT song FROM music WHERE "
	    "artist = 'a' ORDER BY song DESC", 5, &pages), 10);
	assert_int_equal(read_pages(r, "SELECT song FROM music.byYear", 7,
	    &pages), 20);

	assert_int_equal(read_pages(r, "SELECT song FROM music WHERE "
	    "artist IN ['b', 'none', 'a']", 4, &pages), 20);
	assert_int_equal(pages, 6);
	assert_int_equal(read_pages(r, "SELECT song FROM music WHERE "
	    "(artist = 'b' OR artist = 'a') AND song = 's04'", 1, &pages), 1);
	assert_int_equal(read_pages(r, "SELECT song FROM music WHERE "
	    "artist IN ['a', 'b'] AND song IN ['s04', 's05']", 3, &pages), 2);

	run(r, "SELECT song FROM music", ",\"Limit\":1");
	keep_token(r, token, sizeof token);
	snprintf(more, sizeof more, ",\"NextToken\":\"%s\"", token);
	run(r, "SELECT song FROM music WHERE year > 0", more);
	assert_int_equal(r->status, FAULT_VALIDATION);
	assert_non_null(strstr(buf_str(&r->out),
	    "NextToken does not match request"));
	run(r, "SELECT song FROM music", ",\"NextToken\":\"rubbish\"");
	assert_non_null(strstr(buf_str(&r->out), "Invalid NextToken"));
	run(r, "DELETE FROM music" KEY, more);
	assert_int_equal(r->status, FAULT_VALIDATION);
}

/* --- several ------------------------------------------------------------------------ */

/* Where a partition is one item, a page may end between two. */
static void
test_pages_of_single_items(void **state)
{
	struct rig *r = *state;
	size_t pages;

	rig_ok(r, "CreateTable", "{\"TableName\":\"flat\",\"KeySchema\":[{"
	    "\"AttributeName\":\"song\",\"KeyType\":\"HASH\"}],"
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"song\","
	    "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\"}");
	gives(r, "INSERT INTO flat VALUE {'song': 'a'}", "{\"Items\":[]}");
	gives(r, "INSERT INTO flat VALUE {'song': 'b'}", "{\"Items\":[]}");
	gives(r, "INSERT INTO flat VALUE {'song': 'c'}", "{\"Items\":[]}");
	assert_int_equal(read_pages(r, "SELECT * FROM flat WHERE song IN "
	    "['a', 'x', 'b', 'c']", 1, &pages), 3);
	assert_int_equal(pages, 3);
}

static void
test_batch(void **state)
{
	struct rig *r = *state;
	const char *got;

	insert(r, "a", "s", 7);
	got = rig_ok(r, "BatchExecuteStatement", "{\"Statements\":["
	    "{\"Statement\":\"SELECT year FROM music" KEY "\"},"
	    "{\"Statement\":\"SELECT * FROM music WHERE artist = 'a'\"},"
	    "{\"Statement\":\"SLECT\"},"
	    "{\"Statement\":\"SELECT * FROM none WHERE a = 'a'\"},"
	    "{\"Statement\":\"SELECT * FROM music" KEY " AND year = 8\"},"
	    "{\"Statement\":\"SELECT * FROM music.byYear" KEY "\"}],"
	    "\"ReturnConsumedCapacity\":\"TOTAL\"}");
	assert_string_equal(got, "{\"Responses\":["
	    "{\"TableName\":\"music\",\"Item\":{\"year\":7}},"
	    "{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Select "
	    "statements within BatchExecuteStatement must specify the primary "
	    "key in the where clause.\"}},"
	    "{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Statement "
	    "wasn't well formed, can't be processed: Expected data "
	    "manipulation\"}},"
	    "{\"Error\":{\"Code\":\"ResourceNotFound\",\"Message\":"
	    "\"Requested resource not found\"}},"
	    "{\"TableName\":\"music\"},"
	    "{\"Error\":{\"Code\":\"ValidationError\",\"Message\":\"Select "
	    "statements within BatchExecuteStatement must specify the primary "
	    "key in the where clause.\"}}],"
	    "\"ConsumedCapacity\":[{\"TableName\":\"music\","
	    "\"CapacityUnits\":1.0}]}");
	got = rig_ok(r, "BatchExecuteStatement", "{\"Statements\":["
	    "{\"Statement\":\"INSERT INTO music VALUE {'artist': 'n', "
	    "'song': '1'}\"},"
	    "{\"Statement\":\"INSERT INTO music VALUE {'artist': 'a', "
	    "'song': 's'}\"},"
	    "{\"Statement\":\"UPDATE music SET year = 8 WHERE artist = 'x' AND "
	    "song = 'y'\"},"
	    "{\"Statement\":\"DELETE FROM music WHERE artist = 'q' AND song "
	    "= 'q' RETURNING ALL OLD *\"}]}");
	assert_string_equal(got, "{\"Responses\":["
	    "{\"TableName\":\"music\"},"
	    "{\"Error\":{\"Code\":\"DuplicateItem\",\"Message\":\"Duplicate "
	    "primary key exists in table\"},\"TableName\":\"music\"},"
	    "{\"Error\":{\"Code\":\"ConditionalCheckFailed\",\"Message\":"
	    "\"The conditional request failed\"},\"TableName\":\"music\"},"
	    "{\"TableName\":\"music\"}]}");
	got = rig_ok(r, "BatchExecuteStatement", "{\"Statements\":["
	    "{\"Statement\":\"UPDATE music SET x = 1" KEY " AND year = 9\","
	    "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"},"
	    "{\"Statement\":\"DELETE FROM music WHERE artist = 'n' AND song = "
	    "'1' RETURNING ALL OLD *\"}]}");
	assert_string_equal(got, "{\"Responses\":["
	    "{\"Error\":{\"Code\":\"ConditionalCheckFailed\",\"Message\":"
	    "\"The conditional request failed\",\"Item\":{\"artist\":\"a\","
	    "\"song\":\"s\",\"year\":7}},\"TableName\":\"music\"},"
	    "{\"TableName\":\"music\",\"Item\":{\"artist\":\"n\","
	    "\"song\":\"1\"}}]}");
	rig_call(r, "BatchExecuteStatement", "{\"Statements\":["
	    "{\"Statement\":\"SELECT * FROM music" KEY "\"},"
	    "{\"Statement\":\"DELETE FROM music" KEY "\"}]}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	rig_call(r, "BatchExecuteStatement", "{\"Statements\":["
	    "{\"Statement\":\"UPDATE music SET x = 1" KEY "\"},"
	    "{\"Statement\":\"DELETE FROM music" KEY "\"}]}");
	assert_int_equal(r->status, FAULT_VALIDATION);
	assert_non_null(strstr(buf_str(&r->out), "duplicates"));
	rig_call(r, "BatchExecuteStatement", "{\"Statements\":[]}");
	assert_int_equal(r->status, FAULT_VALIDATION);
}

static void
test_transaction(void **state)
{
	struct rig *r = *state;
	const char *got;

	insert(r, "a", "s", 7);
	got = rig_ok(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"INSERT INTO music VALUE {'artist': 't', "
	    "'song': '1'}\"},"
	    "{\"Statement\":\"EXISTS(SELECT * FROM music" KEY
	    " AND year = 7)\"}],\"ReturnConsumedCapacity\":\"TOTAL\"}");
	assert_string_equal(got, "{\"Responses\":[{},{}],"
	    "\"ConsumedCapacity\":[{\"TableName\":\"music\","
	    "\"CapacityUnits\":4.0,\"WriteCapacityUnits\":4.0}]}");
	got = rig_call(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"UPDATE music SET x = 1" KEY "\"},"
	    "{\"Statement\":\"INSERT INTO music VALUE {'artist': 't', "
	    "'song': '1'}\"},"
	    "{\"Statement\":\"EXISTS(SELECT * FROM music WHERE artist = 'z' "
	    "AND song = 'z' AND x IS MISSING)\"}]}");
	assert_int_equal(r->status, FAULT_CANCELED);
	assert_non_null(strstr(got,
	    "[None, DuplicateItem, ConditionalCheckFailed]"));
	got = rig_ok(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"SELECT year, x FROM music" KEY "\"},"
	    "{\"Statement\":\"SELECT * FROM music WHERE artist = 'no' AND song "
	    "= 'no'\"}]}");
	assert_string_equal(got, "{\"Responses\":[{\"Item\":{\"year\":7}},"
	    "{}]}");
	got = rig_call(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"SELECT * FROM music" KEY "\"},"
	    "{\"Statement\":\"SELECT * FROM music WHERE artist = 'x'\"}]}");
	assert_non_null(strstr(got, "Validation failed in "
	    "TransactStatements[1]: Select statements within "
	    "ExecuteTransaction must specify the primary key"));
	got = rig_call(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"SELECT * FROM music.byYear" KEY "\"}]}");
	assert_non_null(strstr(got, "Reads on indices are not supported"));
	got = rig_call(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"DELETE FROM music" KEY
	    " RETURNING ALL OLD *\"}]}");
	assert_non_null(strstr(got, "RETURNING clause is not supported in "
	    "ExecuteTransaction."));
	got = rig_call(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"DELETE FROM music" KEY "\"},"
	    "{\"Statement\":\"SELECT * FROM music" KEY "\"}]}");
	assert_non_null(strstr(got, "does not support both read and write"));
	got = rig_call(r, "ExecuteTransaction", "{\"TransactStatements\":["
	    "{\"Statement\":\"DELETE FROM music" KEY "\"},"
	    "{\"Statement\":\"UPDATE music SET x = 1" KEY "\"}]}");
	assert_non_null(strstr(got, "multiple operations on one item"));
}

static void
test_token(void **state)
{
	struct rig *r = *state;
	int i;

	insert(r, "a", "s", 0);
	for (i = 0; i < 3; i++)
		rig_ok(r, "ExecuteTransaction", "{\"ClientRequestToken\":"
		    "\"once\",\"TransactStatements\":[{\"Statement\":"
		    "\"UPDATE music SET year = year + ?" KEY "\","
		    "\"Parameters\":[1]}]}");
	gives(r, "SELECT year FROM music" KEY, "{\"Items\":[{\"year\":1}]}");
	rig_call(r, "ExecuteTransaction", "{\"ClientRequestToken\":"
	    "\"once\",\"TransactStatements\":[{\"Statement\":"
	    "\"UPDATE music SET year = year + ?" KEY "\","
	    "\"Parameters\":[2]}]}");
	assert_int_equal(r->status, FAULT_TOKEN_MISMATCH);
}

/* --- grants ---------------------------------------------------------------------------- */

static int
call_as(struct rig *r, const struct token *t, const char *name,
    const char *body)
{
	const struct operation_info *info = operation_named(name,
	    strlen(name));
	struct op op;

	buf_reset(&r->out);
	op_init(&op, r->store, &r->out, rig_done, r);
	r->over = false;
	if (op_read(&op, (int)info->op, true, body, strlen(body), t) == 0) {
		op_run(&op, &r->view);
		pthread_mutex_lock(&r->lock);
		while (!r->over)
			pthread_cond_wait(&r->wake, &r->lock);
		pthread_mutex_unlock(&r->lock);
	}
	r->status = op.status;
	op_release(&op);
	return r->status;
}

#define ONE(statement) "{\"Statement\":\"" statement "\"}"
#define ALL(statement) "{\"TransactStatements\":[" ONE(statement) "]}"
#define BATCH(statement) "{\"Statements\":[" ONE(statement) "]}"

static void
test_grants(void **state)
{
	static const struct text select = {"dynamodb:PartiQLSelect", 22};
	static const struct text table = {"table/music", 11}, own = {"a", 1};
	struct rig *r = *state;
	struct grant g = {.actions = &select, .nactions = 1,
	    .resources = &table, .nresources = 1};
	const struct token t = {.function = {"f", 1}, .grants = &g,
	    .ngrants = 1};

	insert(r, "a", "s", 7);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music")), 0);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music" KEY)), 0);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music.byYear")), FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music.byYear WHERE year = 7")), FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM other")), FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("DELETE FROM music" KEY)), FAULT_DENIED);
	assert_non_null(strstr(buf_str(&r->out), "dynamodb:PartiQLDelete"));
	assert_int_equal(call_as(r, &t, "ExecuteTransaction",
	    ALL("DELETE FROM music" KEY)), FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "BatchExecuteStatement",
	    BATCH("DELETE FROM music" KEY)), 0);
	assert_non_null(strstr(buf_str(&r->out), "\"Code\":\"AccessDenied\""));
	assert_int_equal(call_as(r, &t, "GetItem", "{\"TableName\":\"music\","
	    "\"Key\":{\"artist\":\"a\",\"song\":\"s\"}}"), FAULT_DENIED);

	g.keys = &own;
	g.nkeys = 1;
	g.by_key = true;
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music" KEY)), 0);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music WHERE artist = 'a'")), 0);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music WHERE artist = 'b'")), FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music WHERE artist = 'b' AND song = 's'")),
	    FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music")), FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music WHERE artist IN ['a']")), 0);
	assert_int_equal(call_as(r, &t, "ExecuteStatement",
	    ONE("SELECT * FROM music WHERE artist IN ['a', 'b']")),
	    FAULT_DENIED);
	assert_int_equal(call_as(r, &t, "ExecuteTransaction",
	    ALL("SELECT * FROM music WHERE artist = 'b' AND song = 's'")),
	    FAULT_DENIED);
	gives(r, "SELECT year FROM music" KEY, "{\"Items\":[{\"year\":7}]}");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_insert), TEST(test_select), TEST(test_nested),
		TEST(test_update), TEST(test_delete), TEST(test_parameters),
		TEST(test_pages), TEST(test_pages_of_single_items),
		TEST(test_batch), TEST(test_transaction),
		TEST(test_token), TEST(test_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
