/*
 * bothy store query, scan, ls: documents in order, in pages that nobody sees.
 */
#include "cmd.h"
#include "expr.h"
#include "rows.h"

#include <stdio.h>
#include <string.h>

enum { TABLE_LIMIT = 100 };

struct options {
	const char *from, *to, *begins, *index, *filter, *limit;
	bool reverse;
};

/* A reading that goes from page to page. */
struct reading {
	struct storelink *l;
	const struct options *o;
	struct storewords t;
	bool keys_only;
	long long limit, shown;		/* limit 0: none */
	struct storerows rows;
	int nwords;			/* of the key: 0 for a scan */
	char **words;			/* partition key, then sort key */
};

/* --- conditions on keys ------------------------------------------------- */

static int
put_value(struct storeexpr *x, const struct storepart *part, const char *word,
    struct buf *out, struct err *e)
{
	struct buf json;
	struct reply r;
	int rc;

	buf_init(&json, 64 * 1024);
	reply_open(&r, &json, NULL, false);
	rc = storewords_word(&r, "v", part, word, e);
	reply_close_all(&r);
	if (rc == 0)		/* without {"v": and } */
		storeexpr_value(x, json.data + 5, json.len - 6, out);
	buf_release(&json);
	return rc;
}

/* AND name OPERATOR value */
static int
put_compare(struct storeexpr *x, const struct storepart *part,
    const char *operator, const char *word, struct buf *out, struct err *e)
{
	if (out->len)
		buf_puts(out, " AND ");
	storeexpr_name(x, &part->name, out);
	buf_printf(out, " %s ", operator);
	return put_value(x, part, word, out, e);
}

static int
put_begins(struct storeexpr *x, const struct storepart *part,
    const char *word, struct buf *out, struct err *e)
{
	buf_puts(out, " AND begins_with(");
	storeexpr_name(x, &part->name, out);
	buf_puts(out, ", ");
	if (put_value(x, part, word, out, e) < 0)
		return -1;
	buf_putc(out, ')');
	return 0;
}

static int
put_range(struct storeexpr *x, const struct options *o,
    const struct storepart *part, struct buf *out, struct err *e)
{
	if (o->begins)
		return put_begins(x, part, o->begins, out, e);
	if (!o->to)
		return o->from ? put_compare(x, part, ">=", o->from, out, e) :
		    0;
	if (!o->from)
		return put_compare(x, part, "<=", o->to, out, e);
	if (put_compare(x, part, "BETWEEN", o->from, out, e) < 0)
		return -1;
	buf_puts(out, " AND ");
	return put_value(x, part, o->to, out, e);
}

/* The words are the partition key, then the sort key or its first parts. */
static int
put_key_condition(const struct reading *g, struct storeexpr *x,
    struct buf *out, struct err *e)
{
	const struct storekey *k = &g->t.order;
	bool ranged = g->o->from || g->o->to || g->o->begins;
	size_t n = (size_t)g->nwords, i, nrange;
	char usage[256];

	storewords_usage(k, usage);
	if (n < k->nhash || n > k->nhash + k->nrange)
		return err_set(e, 0, "a query of %s wants %s; the sort key may "
		    "be left out", g->t.name, usage);
	nrange = n - k->nhash;
	if (ranged && nrange == k->nrange)
		return err_set(e, 0, k->nrange ? "--from, --to and --begins "
		    "are for the sort key, which is given" : "%s has no sort "
		    "key for --from, --to or --begins", g->t.name);
	for (i = 0; i < k->nhash; i++)
		if (put_compare(x, &k->hash[i], "=", g->words[i], out, e) < 0)
			return -1;
	for (i = 0; i < nrange; i++)
		if (put_compare(x, &k->range[i], "=", g->words[k->nhash + i],
		        out, e) < 0)
			return -1;
	return ranged ? put_range(x, g->o, &k->range[nrange], out, e) : 0;
}

/* --- requests ----------------------------------------------------------- */

static void
put_projection(const struct reading *g, struct storeexpr *x,
    struct reply *r)
{
	const struct storekey *k = &g->t.key;
	struct buf text;
	size_t i;

	buf_init(&text, 4096);
	for (i = 0; i < k->nhash + k->nrange; i++) {
		if (i)
			buf_puts(&text, ", ");
		storeexpr_name(x, i < k->nhash ? &k->hash[i].name :
		    &k->range[i - k->nhash].name, &text);
	}
	reply_text(r, "ProjectionExpression", buf_str(&text), text.len);
	buf_release(&text);
}

static int
put_request(const struct reading *g, struct storeexpr *x, struct reply *r,
    struct err *e)
{
	struct buf keys;
	int rc = 0;

	reply_string(r, "TableName", g->t.name);
	if (g->o->index)
		reply_string(r, "IndexName", g->o->index);
	if (g->nwords) {
		buf_init(&keys, 64 * 1024);
		rc = put_key_condition(g, x, &keys, e);
		reply_text(r, "KeyConditionExpression", buf_str(&keys),
		    keys.len);
		buf_release(&keys);
		reply_bool(r, "ScanIndexForward", !g->o->reverse);
	}
	if (rc == 0 && g->o->filter)
		rc = storeexpr_write(x, r, "FilterExpression", g->o->filter, e);
	if (g->keys_only)
		put_projection(g, x, r);
	else if (g->limit && !g->o->filter)
		reply_integer(r, "Limit", g->limit - g->shown + 1);
	return rc;
}

/* One page; *last is the key to go on behind, p NULL at the end. */
static int
read_page(struct reading *g, struct text *last, struct err *e)
{
	const struct json_node *n, *items;
	struct storeexpr x;
	struct reply r;
	int rc;

	storelink_begin(g->l, &r);
	storeexpr_init(&x);
	rc = put_request(g, &x, &r, e);
	storeexpr_end(&x, &r);
	storeexpr_release(&x);
	if (rc < 0)
		return -1;
	if (last->p)
		reply_raw(&r, "ExclusiveStartKey", last->p, last->n);
	n = storelink_call(g->l, g->nwords ? OP_QUERY : OP_SCAN, CLIENT_PLAIN,
	    &r, e);
	if (!n)
		return -1;
	items = json_member(n, "Items");
	*last = (struct text){NULL, 0};
	if (json_member(n, "LastEvaluatedKey"))
		*last = json_member(n, "LastEvaluatedKey")->raw;
	for (n = items ? items->first : NULL; n; n = n->next) {
		if (g->limit && g->shown == g->limit) {
			g->rows.more = true;
			*last = (struct text){NULL, 0};
			return 0;
		}
		storerows_add(&g->rows, n);
		g->shown++;
	}
	return 0;
}

static int
read_all(struct reading *g)
{
	struct text last = {NULL, 0};
	struct err e;

	do {
		if (read_page(g, &last, &e) < 0) {
			g->rows.cut = true;
			storerows_end(&g->rows);
			return e.code ? storelink_fail(&e) :
			    cli_fail(&e, CLI_USAGE);
		}
	} while (last.p);
	storerows_end(&g->rows);
	return CLI_OK;
}

/* words[0] is the table. */
static int
run_reading(struct cli *c, const struct options *o, bool keys_only,
    int nwords, char **words)
{
	struct reading g = {.o = o, .keys_only = keys_only,
	    .limit = c->json ? 0 : TABLE_LIMIT, .nwords = nwords - 1,
	    .words = words + 1};
	struct storelink l;
	struct err e;
	int code;

	if (o->limit && storecmd_number("limit", o->limit, 1000000000,
	        &g.limit, &e) < 0)
		return cli_fail(&e, CLI_USAGE);
	code = storelink_open(c, &l);
	if (code != CLI_OK)
		return code;
	g.l = &l;
	code = storewords_open(&l, words[0], o->index, &g.t);
	if (code == CLI_OK) {
		storerows_init(&g.rows, c->json, &g.t);
		code = read_all(&g);
	}
	storelink_close(&l);
	return code;
}

/* --- the commands ------------------------------------------------------- */

#define OPTION(field, kind, value, text) \
	{#field, 0, kind, value, offsetof(struct options, field), text}
#define NO_MORE {NULL, 0, OPT_SWITCH, NULL, 0, NULL}

static const struct opt query_opts[] = {
	OPTION(from, OPT_VALUE, "X", "sort keys from X on, X included"),
	OPTION(to, OPT_VALUE, "Y", "sort keys up to Y, Y included"),
	OPTION(begins, OPT_VALUE, "Z", "sort keys that begin with Z"),
	OPTION(index, OPT_VALUE, "NAME", "by the keys of this index"),
	OPTION(filter, OPT_VALUE, "EXPR",
	    "only what meets this, as in 'likes > 3 AND author = \"ann\"'"),
	OPTION(reverse, OPT_SWITCH, NULL, "the last one first"),
	OPTION(limit, OPT_VALUE, "N",
	    "at most N documents; 0 for all (a table shows 100)"),
	NO_MORE,
};

static int
run_query(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;

	if (o->begins && (o->from || o->to))
		return cli_usage("store query", "--begins can't be with --from "
		    "or --to");
	return run_reading(c, o, false, argc, argv);
}

const struct command command_store_query = {
	.name = "store query",
	.chapter = "documents",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "list the documents of one partition key, in order",
	.help =
	    "Lists the documents of one partition key in the order of "
	    "their sort keys; with --json one document a line.",
	.opts = query_opts,
	.size = sizeof(struct options),
	.least = 2,
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_query,
};

static const struct opt scan_opts[] = {
	OPTION(index, OPT_VALUE, "NAME", "what is in this index"),
	OPTION(filter, OPT_VALUE, "EXPR",
	    "only what meets this, as in 'likes > 3 AND author = \"ann\"'"),
	OPTION(limit, OPT_VALUE, "N",
	    "at most N documents; 0 for all (a table shows 100)"),
	NO_MORE,
};

static int
run_scan(struct cli *c, const void *values, int argc, char **argv)
{
	return run_reading(c, values, false, argc, argv);
}

const struct command command_store_scan = {
	.name = "store scan",
	.chapter = "documents",
	.arguments = "TABLE",
	.summary = "list all documents of a table",
	.help =
	    "Lists the documents of a table, in no order that means "
	    "anything; with --json one document a line.",
	.opts = scan_opts,
	.size = sizeof(struct options),
	.least = 1,
	.most = 1,
	.tables = true,
	.words = "@tables",
	.run = run_scan,
};

static const struct opt ls_opts[] = {
	OPTION(limit, OPT_VALUE, "N",
	    "at most N keys; 0 for all (a table shows 100)"),
	NO_MORE,
};

static int
run_ls(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;

	if (argc == 0 && o->limit)
		return cli_usage("store ls", "--limit is for the keys of a "
		    "table: name one");
	if (argc == 0)
		return command_store_tables.run(c, NULL, argc, argv);
	return run_reading(c, o, true, argc, argv);
}

const struct command command_store_ls = {
	.name = "store ls",
	.chapter = "documents",
	.arguments = "[TABLE [KEY]]",
	.summary = "list tables, or the keys in one",
	.help =
	    "Lists the tables; with a TABLE the keys of its documents; with "
	    "a partition KEY those that have it.",
	.opts = ls_opts,
	.size = sizeof(struct options),
	.most = 9,
	.tables = true,
	.words = "@tables",
	.run = run_ls,
};
