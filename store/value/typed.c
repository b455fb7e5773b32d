/*
 * Typed JSON -> values, as typed.h describes it.  Recursion is as deep as
 * lists and maps may be.
 */
#include "typed.h"

#include "fault.h"
#include "json_internal.h"
#include "parts.h"
#include "pile.h"

#include <string.h>

#define INVALID "One or more parameter values were invalid: "

struct reader {
	struct json *j;
	struct pile pile;
};

/* --- errors --------------------------------------------------------------- */

static int
fail_value(struct reader *r, const struct json_token *t, const char *text)
{
	return json_fail(r->j, t->start, FAULT_VALIDATION, "%s", text);
}

/* A token of another type than `type`, which is one of Java's. */
static int
fail_type(struct reader *r, const struct json_token *t, const char *type)
{
	static const char *const words[] = {[JSON_NULL] = "NULL_VALUE",
	    [JSON_FALSE] = "FALSE_VALUE", [JSON_TRUE] = "TRUE_VALUE",
	    [JSON_NUMBER] = "NUMBER_VALUE", [JSON_STRING] = "STRING_VALUE"};
	const char *word;
	size_t i;

	if (t->type == JSON_OBJECT)
		return json_fail(r->j, t->start, FAULT_SERIALIZATION,
		    "Start of structure or map found where not expected");
	if (t->type == JSON_LIST)
		return json_fail(r->j, t->start, FAULT_SERIALIZATION,
		    "Unrecognized collection type class java.lang.%s", type);
	word = words[t->type];
	for (i = 0; t->type == JSON_NUMBER && i < t->text.n; i++)
		if (strchr(".eE", t->text.p[i]))
			word = "DECIMAL_VALUE";
	return json_fail(r->j, t->start, FAULT_SERIALIZATION,
	    "%s cannot be converted to %s", word, type);
}

/* A token where a list or a map should begin. */
static int
fail_shape(struct reader *r, const struct json_token *t)
{
	return json_fail(r->j, t->start, FAULT_SERIALIZATION, "%s",
	    t->type == JSON_OBJECT ?
	    "Start of structure or map found where not expected" :
	    t->type == JSON_LIST ? "Unrecognized collection type "
	    "java.util.Map<java.lang.String, "
	    "com.amazonaws.dynamodb.v20120810.AttributeValue>" :
	    "Unexpected field type");
}

/* The set as it was written: its members lie on the pile. */
static int
fail_twice(struct reader *r, const struct json_token *t, size_t mark,
    enum value_type type)
{
	struct buf list;
	size_t i;

	if (type == VALUE_NS)
		return fail_value(r, t, "Input collection contains duplicates");
	buf_init(&list, sizeof r->j->err->text);
	for (i = mark; i < r->pile.count; i++)
		buf_printf(&list, "%s%.*s", i > mark ? ", " : "",
		    (int)r->pile.members[i].name.n,
		    r->pile.members[i].name.p);
	json_fail(r->j, t->start, FAULT_VALIDATION, INVALID
	    "Input collection [%s]%s contains duplicates.",
	    buf_ok(&list) ? buf_str(&list) : "...",
	    type == VALUE_BS ? "of type BS" : "");
	buf_release(&list);
	return -1;
}

/* --- scalars -------------------------------------------------------------- */

static int
fail_base64(struct reader *r, const struct json_token *t)
{
	const char *odd = t->text.p;
	size_t n = t->text.n, i;

	if (n % 4)
		return json_fail(r->j, t->start, FAULT_SERIALIZATION,
		    "Base64 encoded length is expected a multiple of 4 bytes "
		    "but found: %zu", n);
	for (i = 0; i < n; i++, odd++)
		if (!strchr("+/=", *odd) && !(*odd >= '0' && *odd <= '9') &&
		    !((*odd | 0x20) >= 'a' && (*odd | 0x20) <= 'z'))
			return json_fail(r->j, t->start, FAULT_SERIALIZATION,
			    "Invalid Base64 character: '%c'", *odd);
	return json_fail(r->j, t->start, FAULT_SERIALIZATION,
	    "Invalid last non-pad Base64 character dectected");
}

/* The text of S, N or B, or of a member of their sets. */
static int
take_text(struct reader *r, const struct json_token *t, enum value_type type,
    struct value *out)
{
	int rc;

	if (t->type != JSON_STRING) {
		if (type != VALUE_B || t->type == JSON_OBJECT)
			return fail_type(r, t, "String");
		return json_fail(r->j, t->start, FAULT_SERIALIZATION, "%s",
		    t->type == JSON_LIST ?
		    "Unrecognized collection type class java.nio.ByteBuffer" :
		    "only base-64-encoded strings are convertible to bytes");
	}
	if (type == VALUE_N)
		return part_number(r->j, t, out);
	if (type == VALUE_B) {
		rc = part_binary(r->j, t, out);
		return rc > 0 ? fail_base64(r, t) : rc;
	}
	*out = (struct value){.type = type, .text = t->text};
	return 0;
}

static int
take_truth(struct reader *r, const struct json_token *t, struct value *out)
{
	int truth = json_truth(t);

	if (truth < 0 && t->type == JSON_STRING)
		return json_fail(r->j, t->start, FAULT_SERIALIZATION,
		    "Unexpected token received from parser");
	if (truth < 0)
		return fail_type(r, t, "Boolean");
	out->truth = truth > 0;
	if (out->type == VALUE_NULL && !out->truth)
		return fail_value(r, t, INVALID "Null attribute value types "
		    "must have the value of true");
	return 0;
}

/* --- lists, maps, sets ---------------------------------------------------- */

static int take_value(struct reader *r, const struct json_token *t,
    unsigned depth, struct value *out);

static int
check_depth(struct reader *r, const struct json_token *t, unsigned depth)
{
	if (depth <= VALUE_DEPTH_MAX)
		return 0;
	return fail_value(r, t, "Nesting Levels have exceeded supported "
	    "limits: Attributes in the item have nested levels beyond "
	    "supported limit");
}

static int
push(struct reader *r, const struct text *name, const struct value *v)
{
	return pile_push(&r->pile, name, v) < 0 ? json_fail_memory(r->j) : 0;
}

/* `depth` is that of the map itself; the item's is 1. */
static int
take_map(struct reader *r, const struct json_token *start, unsigned depth,
    struct value *out)
{
	size_t mark = r->pile.count;
	struct json_token t, name;
	struct text twice;
	struct value v;
	int rc;

	if (start->type != JSON_OBJECT)
		return fail_shape(r, start);
	if (check_depth(r, start, depth) < 0)
		return -1;
	for (;;) {
		if (json_next(r->j, &name) < 0)
			return -1;
		if (name.type == JSON_CLOSE)
			break;
		if (json_next(r->j, &t) < 0 ||
		    take_value(r, &t, depth, &v) < 0 ||
		    push(r, &name.text, &v) < 0)
			return -1;
	}
	*out = (struct value){.type = VALUE_M};
	rc = pile_take(&r->pile, mark, out, &twice);
	if (rc < 0)
		return json_fail_memory(r->j);
	if (rc > 0)
		return json_fail(r->j, start->start, FAULT_VALIDATION,
		    "the name \"%.*s\" is there twice",
		    (int)(twice.n < 255 ? twice.n : 255), twice.p);
	return 0;
}

static int
take_list(struct reader *r, const struct json_token *start, unsigned depth,
    struct value *out)
{
	size_t mark = r->pile.count;
	struct json_token t;
	struct value v;

	if (start->type != JSON_LIST)
		return fail_shape(r, start);
	if (check_depth(r, start, depth) < 0)
		return -1;
	for (;;) {
		if (json_next(r->j, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			break;
		if (take_value(r, &t, depth, &v) < 0 ||
		    push(r, NULL, &v) < 0)
			return -1;
	}
	if (pile_take(&r->pile, mark, out, NULL) < 0)
		return json_fail_memory(r->j);
	return 0;
}

/* Members wait under their own text, should one of them be there twice. */
static int
take_set(struct reader *r, const struct json_token *start, struct value *out)
{
	static const enum value_type of[] = {[VALUE_SS] = VALUE_S,
	    [VALUE_NS] = VALUE_N, [VALUE_BS] = VALUE_B};
	size_t mark = r->pile.count;
	struct json_token t;
	struct text twice;
	struct value v;
	int rc;

	if (start->type != JSON_LIST)
		return fail_shape(r, start);
	for (;;) {
		if (json_next(r->j, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			break;
		if (take_text(r, &t, of[out->type], &v) < 0 ||
		    push(r, &t.text, &v) < 0)
			return -1;
	}
	if (r->pile.count == mark)
		return fail_value(r, start, out->type == VALUE_SS ?
		    INVALID "An string set  may not be empty" :
		    out->type == VALUE_NS ?
		    INVALID "An number set  may not be empty" :
		    INVALID "Binary sets should not be empty");
	rc = pile_take(&r->pile, mark, out, &twice);
	if (rc < 0)
		return json_fail_memory(r->j);
	return rc > 0 ? fail_twice(r, start, mark, out->type) : 0;
}

/* --- values --------------------------------------------------------------- */

/* What stands behind the name of a type; `depth` is that of what it is in. */
static int
take_typed(struct reader *r, enum value_type type, const struct json_token *t,
    unsigned depth, struct value *out)
{
	*out = (struct value){.type = type};
	switch (type) {
	case VALUE_S:
	case VALUE_N:
	case VALUE_B:
		return take_text(r, t, type, out);
	case VALUE_BOOL:
	case VALUE_NULL:
		return take_truth(r, t, out);
	case VALUE_M:
		return take_map(r, t, depth + 1, out);
	case VALUE_L:
		return take_list(r, t, depth + 1, out);
	default:
		return take_set(r, t, out);
	}
}

static int
take_value(struct reader *r, const struct json_token *start, unsigned depth,
    struct value *out)
{
	enum value_type type, found = VALUE_TYPES;
	struct json_token name, t;
	bool several = false;

	if (start->type != JSON_OBJECT && start->type != JSON_NULL)
		return json_fail(r->j, start->start, FAULT_SERIALIZATION,
		    "%s", start->type == JSON_LIST ?
		    "Unrecognized collection type class "
		    "com.amazonaws.dynamodb.v20120810.AttributeValue" :
		    "Unexpected value type in payload");
	while (start->type == JSON_OBJECT) {
		if (json_next(r->j, &name) < 0)
			return -1;
		if (name.type == JSON_CLOSE)
			break;
		if (json_next(r->j, &t) < 0)
			return -1;
		type = value_type_parse(name.text.p, name.text.n);
		if (type == VALUE_TYPES || t.type == JSON_NULL) {
			if (json_skip(r->j, &t, NULL) < 0)
				return -1;
			continue;
		}
		several |= found != VALUE_TYPES;
		found = type;
		if (take_typed(r, type, &t, depth, out) < 0)
			return -1;
	}
	if (several)
		return fail_value(r, start, "Supplied AttributeValue has more "
		    "than one datatypes set, must contain exactly one of the "
		    "supported datatypes");
	if (found == VALUE_TYPES)
		return fail_value(r, start, "Supplied AttributeValue is "
		    "empty, must contain exactly one of the supported "
		    "datatypes");
	return 0;
}

int
typed_take(struct json *j, const struct json_token *t, struct value *out)
{
	struct reader r = {.j = j};

	pile_init(&r.pile, j->arena);
	return take_value(&r, t, 1, out);
}

int
typed_take_item(struct json *j, const struct json_token *t, struct value *out)
{
	struct reader r = {.j = j};

	pile_init(&r.pile, j->arena);
	return take_map(&r, t, 1, out);
}

int
typed_read(struct arena *a, const char *p, size_t n, struct value *out,
    struct err *e)
{
	return json_take_whole(a, p, n, typed_take, out, e);
}

int
typed_read_item(struct arena *a, const char *p, size_t n, struct value *out,
    struct err *e)
{
	return json_take_whole(a, p, n, typed_take_item, out, e);
}
