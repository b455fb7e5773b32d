/*
 * The changes of an UPDATE.  Runs in the daemon wherever a statement is read.
 *
 *	change  = SET assign *("," assign) | REMOVE path *("," path)
 *	assign  = path "=" sum
 *	sum     = term [("+" | "-") term]
 *	term    = value | path | list_append "(" term "," term ")"
 *	        | (set_add | set_delete) "(" path "," value ")"
 */
#include "reader.h"

#include "store/expr/make.h"

#include <string.h>

#define KIND "SET clause"

/* What was read so far, in the order written. */
struct changes {
	struct expr_change *list;
	size_t count, room;
};

static int
add_change(struct reader *r, struct changes *c, const struct expr_change *one)
{
	size_t room = c->room ? 2 * c->room : 8;
	struct expr_change *list;

	if (c->count == c->room) {
		list = arena_array(r->arena, room, sizeof *list);
		if (!list)
			return reader_no_memory(r);
		if (c->count)
			memcpy(list, c->list, c->count * sizeof *list);
		c->list = list;
		c->room = room;
	}
	c->list[c->count++] = *one;
	return 0;
}

static bool
same_path(const struct expr_path *a, const struct expr_path *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (a->steps[i].indexed != b->steps[i].indexed ||
		    a->steps[i].index != b->steps[i].index ||
		    text_compare(&a->steps[i].name, &b->steps[i].name) != 0)
			return false;
	return a->count == b->count;
}

/* (path, set) of SET_ADD or SET_DELETE, as a change of its own. */
static int
read_set_call(struct reader *r, const char *name, struct expr_change *c)
{
	struct expr_path path;

	if (reader_expect(r, SCAN_OPEN) < 0 || reader_path(r, &path) < 0)
		return -1;
	if (!same_path(&path, &c->path))
		return reader_fail(r, "The first argument to SET_%s must equal "
		    "the assignment value", name);
	if (!reader_take(r, SCAN_COMMA))
		return reader_fail(r, "SET_%s must have exactly two arguments",
		    name);
	if (reader_leaf(r, &c->operand) < 0)
		return -1;
	if (c->operand->op != EXPR_VALUE ||
	    c->operand->value.type < VALUE_SS ||
	    c->operand->value.type > VALUE_BS)
		return reader_fail(r, "The second argument to SET_%s must be a "
		    "value with type SET", name);
	if (reader_at(r, SCAN_COMMA))
		return reader_fail(r, "SET_%s must have exactly two arguments",
		    name);
	return reader_expect(r, SCAN_CLOSE);
}

static int read_term(struct reader *r, const struct expr **out);

static int
read_append(struct reader *r, const struct expr **out)
{
	const struct expr *args[2];

	if (reader_enter(r) < 0 || reader_expect(r, SCAN_OPEN) < 0 ||
	    read_term(r, &args[0]) < 0 || reader_expect(r, SCAN_COMMA) < 0 ||
	    read_term(r, &args[1]) < 0 || reader_expect(r, SCAN_CLOSE) < 0)
		return -1;
	reader_leave(r);
	return expr_make(r->arena, KIND, EXPR_LIST_APPEND, args, 2,
	    out, r->e);
}

static int
read_term(struct reader *r, const struct expr **out)
{
	const struct scan_token t = r->scan.token;

	if (t.type != SCAN_NAME || r->scan.after.type != SCAN_OPEN)
		return reader_leaf(r, out);
	if (!scan_is(&t, "list_append"))
		return reader_fail(r, "Unrecognized function: %.*s",
		    t.n < 64 ? (int)t.n : 64, t.p);
	scan_next(&r->scan);
	return read_append(r, out);
}

static int
read_sum(struct reader *r, const struct expr **out)
{
	enum expr_op op = EXPR_PLUS;
	const struct expr *args[2];

	if (read_term(r, &args[0]) < 0)
		return -1;
	*out = args[0];
	if (reader_at(r, SCAN_MINUS))
		op = EXPR_MINUS;
	else if (!reader_at(r, SCAN_PLUS))
		return 0;
	scan_next(&r->scan);
	return read_term(r, &args[1]) < 0
	    ? -1
	    : expr_make(r->arena, KIND, op, args, 2, out, r->e);
}

/* path "=" sum */
static int
read_assignment(struct reader *r, struct expr_change *c)
{
	if (reader_path(r, &c->path) < 0 || reader_expect(r, SCAN_EQ) < 0)
		return -1;
	c->action = EXPR_SET;
	if (r->scan.after.type != SCAN_OPEN)
		return read_sum(r, &c->operand);
	if (reader_take_word(r, "set_add")) {
		c->action = EXPR_ADD;
		return read_set_call(r, "ADD", c);
	}
	if (reader_take_word(r, "set_delete")) {
		c->action = EXPR_DELETE;
		return read_set_call(r, "DELETE", c);
	}
	return read_sum(r, &c->operand);
}

static int
read_changes(struct reader *r, struct changes *out)
{
	struct expr_change c;
	bool set;

	while ((set = reader_take(r, SCAN_ASSIGN)) ||
	    reader_take(r, SCAN_REMOVE)) {
		do {
			c = (struct expr_change){.action = EXPR_REMOVE};
			if ((set ? read_assignment(r, &c)
			         : reader_path(r, &c.path)) < 0 ||
			    add_change(r, out, &c) < 0)
				return -1;
		} while (reader_take(r, SCAN_COMMA));
	}
	return out->count ? 0 : reader_syntax(r);
}

int
reader_changes(struct reader *r, const struct expr_update **out)
{
	struct changes c = {0};

	return read_changes(r, &c) < 0
	    ? -1
	    : expr_make_update(r->arena, KIND, c.list, c.count, out, r->e);
}
