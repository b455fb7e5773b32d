/*
 * Statements, by the grammar of partiql.h.  Runs in the daemon wherever one is
 * read.
 */
#include "reader.h"

#include <string.h>

/* --- tables ---------------------------------------------------------------------------- */

static bool
is_table_name(const struct text *t)
{
	size_t i;
	char c;

	for (i = 0; i < t->n; i++) {
		c = t->p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		        (c >= '0' && c <= '9') || (c && strchr("-_.", c))))
			return false;
	}
	return t->n >= 3 && t->n <= 255;
}

/* table ["." index] */
int
reader_table(struct reader *r, struct partiql *q)
{
	if (!reader_at(r, SCAN_NAME))
		return reader_fail(r, "Statement wasn't well formed, can't be "
		    "processed: Unexpected from source");
	q->table = r->scan.token.text;
	scan_next(&r->scan);
	if (reader_take(r, SCAN_DOT)) {
		q->index = r->scan.token.text;
		if (reader_expect(r, SCAN_NAME) < 0)
			return -1;
		if (q->index.n == 0)
			return reader_fail(r,
			    "Path component cannot be an empty string");
	}
	if (reader_at(r, SCAN_DOT))
		return reader_fail(r, "A path may contain at most 2 components "
		    "in the FROM clause");
	if (!is_table_name(&q->table))
		return reader_fail(r, "Table name should be within the length "
		    "[3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', "
		    "'.'.");
	if (q->index.p && q->kind != PARTIQL_SELECT)
		return reader_fail(r,
		    "This operation is not supported on an index");
	return 0;
}

/* [WHERE condition] */
int
reader_where(struct reader *r, struct partiql *q)
{
	return reader_take(r, SCAN_WHERE) ? reader_condition(r, &q->where)
	                                  : 0;
}

/* --- each kind --------------------------------------------------------------------------- */

static int
read_exists(struct reader *r, struct partiql *q)
{
	scan_next(&r->scan);
	if (reader_expect(r, SCAN_OPEN) < 0 || reader_select(r, q) < 0 ||
	    reader_expect(r, SCAN_CLOSE) < 0)
		return -1;
	q->kind = PARTIQL_EXISTS;
	if (q->index.p)
		return reader_fail(r, "Operations on indices are not "
		    "supported in transactions");
	return 0;
}

static int
read_insert(struct reader *r, struct partiql *q)
{
	struct value *item = arena_alloc(r->arena, sizeof *item);

	if (!item)
		return reader_no_memory(r);
	q->kind = PARTIQL_INSERT;
	q->item = item;
	scan_next(&r->scan);
	if (!reader_take_word(r, "into"))
		return reader_syntax(r);
	if (reader_table(r, q) < 0)
		return -1;
	if (!reader_take_word(r, "value"))
		return reader_syntax(r);
	if (!reader_at_value(r))
		return reader_syntax(r);
	if (reader_value(r, item) < 0)
		return -1;
	if (item->type != VALUE_M)
		return reader_fail(r, "Unsupported format in item expression. "
		    "Please use struct format {...} to express item values "
		    "for insert statement.");
	if (reader_at(r, SCAN_RETURNING))
		return reader_fail(r, "RETURNING is not supported in INSERT");
	if (value_depth(item) > VALUE_DEPTH_MAX)
		return reader_fail(r, "Nesting Levels have exceeded supported "
		    "limits");
	if (value_item_size(item) > VALUE_ITEM_MAX)
		return reader_fail(r, "Item size has exceeded the maximum "
		    "allowed size");
	return 0;
}

/* [RETURNING (ALL | MODIFIED) (OLD | NEW) "*"] */
static int
read_returning(struct reader *r, struct partiql *q)
{
	bool all, old;

	if (!reader_take(r, SCAN_RETURNING))
		return 0;
	all = reader_take_word(r, "all");
	if (!all && !reader_take_word(r, "modified"))
		return reader_syntax(r);
	old = reader_take_word(r, "old");
	if (!old && !reader_take_word(r, "new"))
		return reader_syntax(r);
	if (!reader_take(r, SCAN_STAR))
		return reader_fail(r, "Expected '*' after ( MODIFIED | ALL ) "
		    "( NEW | OLD ) in RETURNING clause");
	if (reader_at(r, SCAN_COMMA))
		return reader_fail(r, "Invalid syntax with multiple returning "
		    "elements in RETURNING clause");
	if (q->kind == PARTIQL_DELETE && !(all && old))
		return reader_fail(r, "Invalid returning clause: RETURNING %s "
		    "%s *. Only RETURNING ALL OLD * is allowed in DELETE "
		    "statements.", all ? "ALL" : "MODIFIED",
		    old ? "OLD" : "NEW");
	if (all)
		q->returns = old ? RETURN_ALL_OLD : RETURN_ALL_NEW;
	else
		q->returns = old ? RETURN_UPDATED_OLD : RETURN_UPDATED_NEW;
	return 0;
}

static int
read_update(struct reader *r, struct partiql *q)
{
	q->kind = PARTIQL_UPDATE;
	scan_next(&r->scan);
	return reader_table(r, q) < 0 || reader_changes(r, &q->update) < 0 ||
	        reader_where(r, q) < 0
	    ? -1
	    : read_returning(r, q);
}

static int
read_delete(struct reader *r, struct partiql *q)
{
	q->kind = PARTIQL_DELETE;
	scan_next(&r->scan);
	return reader_expect(r, SCAN_FROM) < 0 || reader_table(r, q) < 0 ||
	        reader_where(r, q) < 0
	    ? -1
	    : read_returning(r, q);
}

/* --- any -------------------------------------------------------------------------------- */

static int
read_statement(struct reader *r, struct partiql *q)
{
	switch (r->scan.token.type) {
	case SCAN_SELECT:
		return reader_select(r, q);
	case SCAN_INSERT:
		return read_insert(r, q);
	case SCAN_UPDATE:
		return read_update(r, q);
	case SCAN_DELETE:
		return read_delete(r, q);
	default:
		if (scan_is(&r->scan.token, "exists"))
			return read_exists(r, q);
		return reader_fail(r, "Statement wasn't well formed, can't be "
		    "processed: Expected data manipulation");
	}
}

int
partiql_read(struct partiql *q, struct arena *a, const char *text, size_t n,
    const struct value *parameters, size_t nparameters, struct err *e)
{
	struct reader r = {.arena = a, .parameters = parameters,
	    .nparameters = nparameters, .e = e};

	*q = (struct partiql){.kind = PARTIQL_SELECT};
	scan_open(&r.scan, a, text, n);
	if (read_statement(&r, q) < 0)
		return -1;
	reader_take(&r, SCAN_SEMICOLON);
	if (!reader_at(&r, SCAN_END))
		return reader_syntax(&r);
	if (r.used < nparameters)
		return reader_fail(&r, "Number of parameters in request and "
		    "statement don't match.");
	return 0;
}

const char *
partiql_action(const struct partiql *q)
{
	static const char *const actions[] = {
		[PARTIQL_SELECT] = "dynamodb:PartiQLSelect",
		[PARTIQL_INSERT] = "dynamodb:PartiQLInsert",
		[PARTIQL_UPDATE] = "dynamodb:PartiQLUpdate",
		[PARTIQL_DELETE] = "dynamodb:PartiQLDelete",
		[PARTIQL_EXISTS] = "dynamodb:PartiQLSelect",
	};

	return actions[q->kind];
}

bool
partiql_writes(const struct partiql *q)
{
	return q->kind != PARTIQL_SELECT;
}
