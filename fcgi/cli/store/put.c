/*
 * bothy store put, rm: writes one document, or removes it.
 */
#include "cmd.h"
#include "expr.h"

#include "store/value/fault.h"
#include "store/value/plain.h"

#include <errno.h>
#include <stdio.h>

enum { DOCUMENT_MAX = 16 * 1024 * 1024 };

struct options {
	const char *condition;
	bool fresh, no_wait;
};

static const struct opt opts[] = {
	{"if", 0, OPT_VALUE, "EXPR", offsetof(struct options, condition),
	    "only if the document that is there meets this, as in "
	    "'version = 3'"},
	{"new", 0, OPT_SWITCH, NULL, offsetof(struct options, fresh),
	    "only if there is none with this key yet"},
	{"no-wait", 0, OPT_SWITCH, NULL, offsetof(struct options, no_wait),
	    "don't wait until its file lies there"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static unsigned
flags(const struct options *o)
{
	return CLIENT_PLAIN | (o->no_wait ? 0 : CLIENT_WAIT_FILE);
}

/* ConditionExpression of --if and --new. */
static int
put_condition(const struct options *o, const struct storewords *t,
    struct reply *r, struct err *e)
{
	const struct text *key = &t->key.hash[0].name;
	struct storeexpr x;
	struct buf text;
	int rc = 0;

	if (!o->condition && !o->fresh)
		return 0;
	storeexpr_init(&x);
	if (o->condition)
		rc = storeexpr_write(&x, r, "ConditionExpression",
		    o->condition, e);
	else {
		buf_init(&text, 4096);
		buf_puts(&text, "attribute_not_exists(");
		storeexpr_name(&x, key, &text);
		buf_putc(&text, ')');
		reply_text(r, "ConditionExpression", buf_str(&text),
		    text.len);
		buf_release(&text);
	}
	storeexpr_end(&x, r);
	storeexpr_release(&x);
	return rc;
}

static int
write_failed(const struct options *o, const struct err *e)
{
	struct err said;

	if (e->code != FAULT_CONDITION)
		return storelink_fail(e);
	err_set(&said, e->code, o->fresh ? "nothing was written: there is a "
	    "document with this key already" : "nothing was written: the "
	    "document doesn't meet --if, or isn't there");
	return storelink_fail(&said);
}

/* --- put ---------------------------------------------------------------- */

/* The document's text, checked so that an error has its line. */
static int
read_document(const char *given, struct buf *text, struct err *e)
{
	const char *file = given && *given != '{' ? given : NULL;
	struct arena a;
	struct value v;
	int rc = 0;

	if (given && *given == '{')
		rc = buf_puts(text, given) < 0 ?
		    err_set(e, EFBIG, "the document is too long") : 0;
	else if (storecmd_read(file, text, e) < 0)
		return -1;
	arena_init(&a, STORELINK_ARENA_MAX);
	if (rc == 0 &&
	    plain_read_item(&a, buf_str(text), text->len, &v, e) < 0) {
		err_at(e, file ? file : given ? "the document" :
		    "standard input", e->line, e->col);
		rc = -1;
	}
	arena_release(&a);
	return rc;
}

static int
put(struct storelink *l, const struct storewords *t, const struct options *o,
    const struct buf *text)
{
	struct reply r;
	struct err e;

	storelink_begin(l, &r);
	reply_string(&r, "TableName", t->name);
	reply_raw(&r, "Item", text->data, text->len);
	if (put_condition(o, t, &r, &e) < 0)
		return cli_fail(&e, CLI_USAGE);
	if (!storelink_call(l, OP_PUT_ITEM, flags(o), &r, &e))
		return write_failed(o, &e);
	return CLI_OK;
}

static int
run_put(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct storelink l;
	struct storewords t;
	struct buf text;
	struct err e;
	int code;

	if (o->condition && o->fresh)
		return cli_usage("store put", "--if and --new can't both be");
	buf_init(&text, DOCUMENT_MAX);
	if (read_document(argc > 1 ? argv[1] : NULL, &text, &e) < 0) {
		buf_release(&text);
		return cli_fail(&e, CLI_FAILED);
	}
	code = storelink_open(c, &l);
	if (code == CLI_OK) {
		code = storewords_open(&l, argv[0], NULL, &t);
		if (code == CLI_OK)
			code = put(&l, &t, o, &text);
		storelink_close(&l);
	}
	buf_release(&text);
	return code;
}

const struct command command_store_put = {
	.name = "store put",
	.chapter = "documents",
	.arguments = "TABLE [JSON | FILE]",
	.summary = "write a document",
	.help =
	    "Writes a document, given as plain JSON on the command line, in "
	    "a file, or on standard input; its key is in it. One that has "
	    "this key already is replaced. When the command ends, its "
	    "file lies there.",
	.opts = opts,
	.size = sizeof(struct options),
	.least = 1,
	.most = 2,
	.words = "@tables",
	.run = run_put,
};

/* --- rm ----------------------------------------------------------------- */

static const struct opt rm_opts[] = {
	{"if", 0, OPT_VALUE, "EXPR", offsetof(struct options, condition),
	    "only if the document meets this, as in 'version = 3'"},
	{"no-wait", 0, OPT_SWITCH, NULL, offsetof(struct options, no_wait),
	    "don't wait until its file is gone"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static int
run_rm(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	const struct json_node *n;
	struct storelink l;
	struct storewords t;
	struct reply r;
	struct err e;
	int code = storecmd_document(c, &l, &t, &r, argc, argv);

	if (code != CLI_OK)
		return code;
	reply_string(&r, "ReturnValues", "ALL_OLD");
	if (put_condition(o, &t, &r, &e) < 0)
		code = cli_fail(&e, CLI_USAGE);
	else if (!(n = storelink_call(&l, OP_DELETE_ITEM, flags(o), &r, &e)))
		code = write_failed(o, &e);
	else if (!json_member(n, "Attributes")) {
		fputs("bothy: there was no such document\n", stderr);
		code = CLI_FAILED;
	}
	storelink_close(&l);
	return code;
}

const struct command command_store_rm = {
	.name = "store rm",
	.chapter = "documents",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "remove a document",
	.help =
	    "Removes a document. The history keeps it: `bothy store "
	    "restore` brings it back, and only `bothy store forget` erases "
	    "it there too.",
	.opts = rm_opts,
	.size = sizeof(struct options),
	.least = 2,
	.most = 9,
	.words = "@tables",
	.run = run_rm,
};
