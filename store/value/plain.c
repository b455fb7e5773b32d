/*
 * Plain JSON -> values, as plain.h describes it.  Recursion is as deep as
 * lists and maps may be.
 */
#include "plain.h"

#include "fault.h"
#include "json_internal.h"
#include "parts.h"
#include "pile.h"

struct reader {
	struct json *j;
	struct pile pile;
};

static int take_value(struct reader *r, const struct json_token *t,
    unsigned depth, struct value *out);

/* --- errors --------------------------------------------------------------- */

static int
fail(struct reader *r, const struct json_token *t, const char *text)
{
	return json_fail(r->j, t->start, FAULT_VALIDATION, "%s, but this is "
	    "%s", text, json_type_name(t->type));
}

static int
fail_twice(struct reader *r, const struct json_token *t, const char *what,
    const struct text *twice)
{
	return json_fail(r->j, t->start, FAULT_VALIDATION,
	    "%s \"%.*s\" is there twice", what,
	    (int)(twice->n < 255 ? twice->n : 255), twice->p);
}

static int
push(struct reader *r, const struct text *name, const struct value *v)
{
	return pile_push(&r->pile, name, v) < 0 ? json_fail_memory(r->j) : 0;
}

static int
check_depth(struct reader *r, const struct json_token *t, unsigned depth)
{
	if (depth <= VALUE_DEPTH_MAX)
		return 0;
	return json_fail(r->j, t->start, FAULT_VALIDATION, "lists and maps are "
	    "nested more than %d deep, with the document", VALUE_DEPTH_MAX);
}

/* The base64 of a $binary. */
static int
take_binary(struct reader *r, const struct json_token *t, struct value *out)
{
	int rc;

	if (t->type != JSON_STRING)
		return fail(r, t, "a $binary is base64 in a string");
	rc = part_binary(r->j, t, out);
	if (rc > 0)
		return json_fail(r->j, t->start, FAULT_VALIDATION,
		    "a $binary is base64, padded with '='");
	return rc;
}

/* --- lists, maps, sets ---------------------------------------------------- */

/* The members of an object up to its end, whatever their names. */
static int
take_map(struct reader *r, const struct json_token *start, unsigned depth,
    struct value *out)
{
	size_t mark = r->pile.count;
	struct json_token t, name;
	struct text twice;
	struct value v;
	int rc;

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
	return rc > 0 ? fail_twice(r, start, "the name", &twice) : 0;
}

static int
take_list(struct reader *r, const struct json_token *start, unsigned depth,
    struct value *out)
{
	size_t mark = r->pile.count;
	struct json_token t;
	struct value v;

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
	*out = (struct value){.type = VALUE_L};
	if (pile_take(&r->pile, mark, out, NULL) < 0)
		return json_fail_memory(r->j);
	return 0;
}

/* A member of a set, of the kind of those before it. */
static int
take_member(struct reader *r, const struct json_token *t, bool first,
    unsigned depth, enum value_type *kind)
{
	struct value v = {.type = VALUE_NULL};

	if (take_value(r, t, depth, &v) < 0)
		return -1;
	if (v.type != VALUE_S && v.type != VALUE_N && v.type != VALUE_B)
		return fail(r, t, "a $set holds strings, numbers or $binary");
	if (!first && v.type != *kind)
		return json_fail(r->j, t->start, FAULT_VALIDATION,
		    "a $set holds members of one kind");
	*kind = v.type;
	return push(r, NULL, &v);
}

/* The list of a $set. */
static int
take_set(struct reader *r, const struct json_token *start, unsigned depth,
    struct value *out)
{
	static const enum value_type set_of[] = {[VALUE_S] = VALUE_SS,
	    [VALUE_N] = VALUE_NS, [VALUE_B] = VALUE_BS};
	size_t mark = r->pile.count;
	enum value_type kind = VALUE_S;
	struct json_token t;
	struct text twice;
	int rc;

	if (start->type != JSON_LIST)
		return fail(r, start, "a $set is a list");
	for (;;) {
		if (json_next(r->j, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			break;
		if (take_member(r, &t, r->pile.count == mark, depth,
		    &kind) < 0)
			return -1;
	}
	if (r->pile.count == mark)
		return json_fail(r->j, start->start, FAULT_VALIDATION,
		    "a $set has a member at least");
	*out = (struct value){.type = set_of[kind]};
	rc = pile_take(&r->pile, mark, out, &twice);
	if (rc < 0)
		return json_fail_memory(r->j);
	return rc > 0 ? fail_twice(r, start, "the member", &twice) : 0;
}

/* --- marks ---------------------------------------------------------------- */

enum mark { MARK_NONE, MARK_BINARY, MARK_SET, MARK_MAP };

static enum mark
mark_named(const struct text *name)
{
	static const struct {
		enum mark mark;
		struct text name;
	} marks[] = {{MARK_BINARY, {"$binary", 7}}, {MARK_SET, {"$set", 4}},
	    {MARK_MAP, {"$map", 4}}};
	size_t i;

	for (i = 0; i < sizeof marks / sizeof *marks; i++)
		if (text_compare(name, &marks[i].name) == 0)
			return marks[i].mark;
	return MARK_NONE;
}

/*
 * Looks ahead from behind the brace of an object: the mark that its only name
 * is, and then the reader stands behind that name; or none, and it stands
 * where it stood.
 */
static int
find_mark(struct json *j, enum mark *mark)
{
	const struct json behind_brace = *j;
	struct json behind_name;
	struct json_token t;

	*mark = MARK_NONE;
	if (json_next(j, &t) < 0)
		return -1;
	if (t.type == JSON_NAME)
		*mark = mark_named(&t.text);
	if (*mark != MARK_NONE) {
		behind_name = *j;
		if (json_next(j, &t) < 0 || json_skip(j, &t, NULL) < 0 ||
		    json_next(j, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE) {
			*j = behind_name;
			return 0;
		}
		*mark = MARK_NONE;
	}
	*j = behind_brace;
	return 0;
}

static int
take_marked(struct reader *r, enum mark mark, unsigned depth,
    struct value *out)
{
	struct json_token t, close;
	int rc;

	if (json_next(r->j, &t) < 0)
		return -1;
	if (mark == MARK_BINARY)
		rc = take_binary(r, &t, out);
	else if (mark == MARK_SET)
		rc = take_set(r, &t, depth, out);
	else if (t.type != JSON_OBJECT)
		rc = fail(r, &t, "a $map is an object");
	else
		rc = take_map(r, &t, depth, out);
	return rc < 0 ? -1 : json_next(r->j, &close);
}

/* `depth` is that of what it would be in as a list or map. */
static int
take_object(struct reader *r, const struct json_token *t, unsigned depth,
    struct value *out)
{
	enum mark mark;

	if (find_mark(r->j, &mark) < 0)
		return -1;
	if (mark == MARK_NONE)
		return take_map(r, t, depth, out);
	return take_marked(r, mark, depth, out);
}

/* --- values --------------------------------------------------------------- */

static int
take_value(struct reader *r, const struct json_token *t, unsigned depth,
    struct value *out)
{
	switch (t->type) {
	case JSON_NULL:
		*out = (struct value){.type = VALUE_NULL, .truth = true};
		return 0;
	case JSON_FALSE:
	case JSON_TRUE:
		*out = (struct value){.type = VALUE_BOOL,
		    .truth = t->type == JSON_TRUE};
		return 0;
	case JSON_NUMBER:
		return part_number(r->j, t, out);
	case JSON_STRING:
		*out = (struct value){.type = VALUE_S, .text = t->text};
		return 0;
	case JSON_LIST:
		return take_list(r, t, depth + 1, out);
	default:
		return take_object(r, t, depth + 1, out);
	}
}

int
plain_take(struct json *j, const struct json_token *t, struct value *out)
{
	struct reader r = {.j = j};

	pile_init(&r.pile, j->arena);
	return take_value(&r, t, 1, out);
}

int
plain_take_item(struct json *j, const struct json_token *t, struct value *out)
{
	struct reader r = {.j = j};

	pile_init(&r.pile, j->arena);
	if (t->type != JSON_OBJECT)
		return fail(&r, t, "a document is an object");
	if (take_value(&r, t, 0, out) < 0)
		return -1;
	if (out->type != VALUE_M)
		return json_fail(j, t->start, FAULT_VALIDATION,
		    "a document is no $binary and no $set");
	return 0;
}

int
plain_read(struct arena *a, const char *p, size_t n, struct value *out,
    struct err *e)
{
	return json_take_whole(a, p, n, plain_take, out, e);
}

int
plain_read_item(struct arena *a, const char *p, size_t n, struct value *out,
    struct err *e)
{
	return json_take_whole(a, p, n, plain_take_item, out, e);
}
