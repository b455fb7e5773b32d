/*
 * Values in a statement.  Runs in the daemon wherever one is read.
 *
 *	value  = string | ["+" | "-"] number | TRUE | FALSE | NULL | "?" | list
 *	         | map | set
 *	list   = "[" [value *("," value)] "]"
 *	map    = "{" [string ":" value *("," string ":" value)] "}"
 *	set    = "<<" value *("," value) ">>"
 */
#include "reader.h"

#include "store/value/number.h"
#include "store/value/pile.h"

static int read_value(struct reader *r, struct pile *pile, struct value *out);

/* --- scalars -------------------------------------------------------------------- */

static int
read_number(struct reader *r, struct value *out)
{
	bool minus = reader_take(r, SCAN_MINUS);
	struct number n;
	struct text t;

	if (!minus)
		reader_take(r, SCAN_PLUS);
	t = r->scan.token.text;
	if (reader_expect(r, SCAN_NUMBER) < 0 ||
	    number_read(&n, t.p, t.n, r->e) < 0)
		return -1;
	if (minus)
		n.sign = -n.sign;
	return number_value(&n, r->arena, out) < 0 ? reader_no_memory(r) : 0;
}

static int
read_parameter(struct reader *r, struct value *out)
{
	if (r->used == r->nparameters)
		return reader_fail(r, "Number of parameters in request and "
		    "statement don't match.");
	*out = r->parameters[r->used++];
	scan_next(&r->scan);
	return 0;
}

/* --- lists, maps and sets -------------------------------------------------------- */

/* [string ":"] value, onto the pile. */
static int
read_member(struct reader *r, struct pile *pile, bool named)
{
	struct text name = r->scan.token.text;
	struct value v;

	if (named && (reader_expect(r, SCAN_STRING) < 0 ||
	                 reader_expect(r, SCAN_COLON) < 0))
		return -1;
	if (read_value(r, pile, &v) < 0)
		return -1;
	if (pile_push(pile, named ? &name : NULL, &v) < 0)
		return reader_no_memory(r);
	return 0;
}

static int
read_members(struct reader *r, struct pile *pile, bool named,
    enum scan_type close)
{
	if (reader_enter(r) < 0)
		return -1;
	scan_next(&r->scan);
	if (!reader_at(r, close)) {
		do {
			if (read_member(r, pile, named) < 0)
				return -1;
		} while (reader_take(r, SCAN_COMMA));
	}
	reader_leave(r);
	return reader_expect(r, close);
}

/* What lies on the pile from `mark` on becomes *out. */
static int
take(struct reader *r, struct pile *pile, size_t mark, struct value *out)
{
	struct text twice;
	int rc = pile_take(pile, mark, out, &twice);

	if (rc < 0)
		return reader_no_memory(r);
	if (rc == 0)
		return 0;
	if (out->type == VALUE_M)
		return reader_fail(r, "Duplicate keys in tuple. Key: %.*s",
		    twice.n < 255 ? (int)twice.n : 255, twice.p);
	return reader_fail(r, "One or more parameter values were invalid: "
	    "Input collection contains duplicates");
}

/* The type of a set of what lies on the pile from `mark` on. */
static int
set_type(struct reader *r, const struct pile *pile, size_t mark,
    enum value_type *out)
{
	enum value_type type;
	size_t i;

	if (pile->count == mark)
		return reader_fail(r, "Empty bags are not supported");
	type = pile->members[mark].value.type;
	for (i = mark; i < pile->count; i++)
		if (pile->members[i].value.type != type)
			type = VALUE_TYPES;
	if (type != VALUE_S && type != VALUE_N && type != VALUE_B)
		return reader_fail(r, "Unsupported data type in Bag. DynamoDB "
		    "only supports either numbers or strings in bags");
	*out = type == VALUE_S ? VALUE_SS : type == VALUE_N ? VALUE_NS
	                                                     : VALUE_BS;
	return 0;
}

static int
read_list(struct reader *r, struct pile *pile, struct value *out)
{
	size_t mark = pile->count;

	*out = (struct value){.type = VALUE_L};
	return read_members(r, pile, false, SCAN_UNLIST) < 0
	    ? -1
	    : take(r, pile, mark, out);
}

static int
read_map(struct reader *r, struct pile *pile, struct value *out)
{
	size_t mark = pile->count;

	*out = (struct value){.type = VALUE_M};
	return read_members(r, pile, true, SCAN_UNMAP) < 0
	    ? -1
	    : take(r, pile, mark, out);
}

static int
read_set(struct reader *r, struct pile *pile, struct value *out)
{
	size_t mark = pile->count;

	*out = (struct value){.type = VALUE_SS};
	return read_members(r, pile, false, SCAN_UNSET) < 0 ||
	        set_type(r, pile, mark, &out->type) < 0
	    ? -1
	    : take(r, pile, mark, out);
}

/* --- any --------------------------------------------------------------------------- */

bool
reader_at_value(const struct reader *r)
{
	switch (r->scan.token.type) {
	case SCAN_STRING:
	case SCAN_NUMBER:
	case SCAN_PLUS:
	case SCAN_MINUS:
	case SCAN_TRUE:
	case SCAN_FALSE:
	case SCAN_NULL:
	case SCAN_PARAMETER:
	case SCAN_LIST:
	case SCAN_MAP:
	case SCAN_SET:
		return true;
	default:
		return false;
	}
}

static int
read_value(struct reader *r, struct pile *pile, struct value *out)
{
	const struct scan_token t = r->scan.token;

	switch (t.type) {
	case SCAN_STRING:
		*out = (struct value){.type = VALUE_S, .text = t.text};
		break;
	case SCAN_TRUE:
	case SCAN_FALSE:
		*out = (struct value){.type = VALUE_BOOL,
		    .truth = t.type == SCAN_TRUE};
		break;
	case SCAN_NULL:
		*out = (struct value){.type = VALUE_NULL, .truth = true};
		break;
	case SCAN_NUMBER:
	case SCAN_PLUS:
	case SCAN_MINUS:
		return read_number(r, out);
	case SCAN_PARAMETER:
		return read_parameter(r, out);
	case SCAN_LIST:
		return read_list(r, pile, out);
	case SCAN_MAP:
		return read_map(r, pile, out);
	case SCAN_SET:
		return read_set(r, pile, out);
	default:
		return reader_syntax(r);
	}
	scan_next(&r->scan);
	return 0;
}

int
reader_value(struct reader *r, struct value *out)
{
	struct pile pile;

	pile_init(&pile, r->arena);
	return read_value(r, &pile, out);
}
