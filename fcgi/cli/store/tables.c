/*
 * bothy store tables: what tables there are, with keys and indexes.
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

enum { TABLE, KEY, INDEXES, TTL, STREAM, DOCUMENTS, SIZE };

static const char *const titles[] = {
    [TABLE] = "TABLE", [KEY] = "KEY", [INDEXES] = "INDEXES", [TTL] = "TTL",
    [STREAM] = "STREAM", [DOCUMENTS] = "DOCUMENTS", [SIZE] = "SIZE",
    [SIZE + 1] = NULL};

/* "room, at" of a table or index. */
static void
put_key(const struct json_node *of, struct buf *out)
{
	const struct json_node *schema = json_member(of, "KeySchema"), *n;
	struct text name;

	for (n = schema ? schema->first : NULL; n; n = n->next) {
		if (n != schema->first)
			buf_puts(out, ", ");
		name = storetext_member(n, "AttributeName");
		buf_add(out, name.p, name.n);
	}
}

/* "byAuthor (author, at)", each of them. */
static void
put_indexes(const struct json_node *list, struct buf *out)
{
	const struct json_node *n;
	struct text name;

	for (n = list ? list->first : NULL; n; n = n->next) {
		if (out->len)
			buf_puts(out, "; ");
		name = storetext_member(n, "IndexName");
		buf_add(out, name.p, name.n);
		buf_puts(out, " (");
		put_key(n, out);
		buf_puts(out, ")");
	}
}

static void
set(struct storegrid *g, size_t column, const struct text *t)
{
	if (t->n)
		storegrid_text(g, column, t->p, t->n);
}

static void
put_row(struct storegrid *g, const struct json_node *table)
{
	struct text name = storetext_member(table, "TableName");
	struct text view = storetext_member(json_member(table,
	    "StreamSpecification"), "StreamViewType");
	struct buf text;
	char size[32];

	storegrid_row(g);
	buf_init(&text, 64 * 1024);
	set(g, TABLE, &name);
	put_key(table, &text);
	storegrid_string(g, KEY, buf_str(&text));
	buf_reset(&text);
	put_indexes(json_member(table, "LocalSecondaryIndexes"), &text);
	put_indexes(json_member(table, "GlobalSecondaryIndexes"), &text);
	set(g, INDEXES, &(struct text){buf_str(&text), text.len});
	set(g, STREAM, &view);
	storegrid_integer(g, DOCUMENTS,
	    storetext_integer(table, "ItemCount"));
	storetext_bytes((double)storetext_integer(table, "TableSizeBytes"),
	    size);
	storegrid_string(g, SIZE, size);
	buf_release(&text);
}

/* The attribute that says when a document expires, if there is one. */
static void
put_ttl(struct storelink *l, const struct text *table, struct storegrid *g)
{
	const struct json_node *n;
	struct text attribute;
	struct reply r;
	struct err e;

	storelink_begin(l, &r);
	reply_text(&r, "TableName", table->p, table->n);
	n = storelink_call(l, OP_DESCRIBE_TIME_TO_LIVE, 0, &r, &e);
	attribute = storetext_member(json_member(n,
	    "TimeToLiveDescription"), "AttributeName");
	set(g, TTL, &attribute);
}

/* One table's row, or as JSON what DescribeTable says of it. */
static int
put_table(struct storelink *l, const struct text *name, struct storegrid *g,
    struct buf *json, struct err *e)
{
	const struct json_node *n;
	struct reply r;

	storelink_begin(l, &r);
	reply_text(&r, "TableName", name->p, name->n);
	n = storelink_call(l, OP_DESCRIBE_TABLE, 0, &r, e);
	if (!n)
		return -1;
	n = json_member(n, "Table");
	if (l->cli->json) {
		buf_puts(json, json->len > 1 ? "," : "");
		buf_add(json, n->raw.p, n->raw.n);
		return 0;
	}
	put_row(g, n);
	put_ttl(l, name, g);
	return 0;
}

/* A page of names, which live as long as the link; *last: where it ended. */
static const struct json_node *
list_names(struct storelink *l, struct text *last, struct err *e)
{
	const struct json_node *n;
	struct reply r;
	char *copy;

	storelink_begin(l, &r);
	if (last->n)
		reply_text(&r, "ExclusiveStartTableName", last->p, last->n);
	if (!storelink_call(l, OP_LIST_TABLES, 0, &r, e))
		return NULL;
	copy = arena_copy(&l->arena, l->reply.data, l->reply.len);
	n = copy ? json_read(&l->arena, copy, l->reply.len, 3, e) : NULL;
	if (n)
		*last = storetext_member(n, "LastEvaluatedTableName");
	return json_member(n, "TableNames");
}

static int
put_all(struct storelink *l, struct storegrid *g, struct buf *json,
    struct err *e)
{
	const struct json_node *n;
	struct text last = {"", 0};

	do {
		n = list_names(l, &last, e);
		if (!n)
			return -1;
		for (n = n->first; n; n = n->next)
			if (put_table(l, &n->text, g, json, e) < 0)
				return -1;
	} while (last.n);
	return 0;
}

static void
print(const struct storelink *l, const struct storegrid *g, struct buf *json)
{
	if (l->cli->json) {
		buf_putc(json, ']');
		storetext_json(&(struct text){buf_str(json), json->len});
	} else if (storegrid_rows(g))
		storegrid_print(g);
	else
		puts("the store has no table; declare some in deploy.yaml "
		    "(resources.tables)");
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct storegrid *g;
	struct storelink l;
	struct buf json;
	struct err e;
	int code = storelink_open(c, &l);

	(void)values;
	(void)argc;
	(void)argv;
	if (code != CLI_OK)
		return code;
	storelink_declare(&l);		/* what it has to say is said */
	buf_init(&json, FRAME_REPLY_MAX);
	buf_putc(&json, '[');
	g = storegrid_new(titles);
	if (!g)
		code = CLI_FAILED;
	else if (put_all(&l, g, &json, &e) < 0)
		code = storelink_fail(&e);
	else
		print(&l, g, &json);
	storegrid_free(g);
	buf_release(&json);
	storelink_close(&l);
	return code;
}

const struct command command_store_tables = {
	.name = "store tables",
	.chapter = "documents",
	.arguments = "",
	.summary = "list tables, their keys and indexes",
	.help =
	    "Lists the tables with their keys, indexes and sizes; with "
	    "--json, as DescribeTable tells them. Tables of deploy.yaml "
	    "that the store hasn't yet are made.",
	.tables = true,
	.run = run,
};
