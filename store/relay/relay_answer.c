/*
 * Answers from afar: typed JSON as it came, or with its items as plain JSON.
 * Where items stand is told by the names of what holds them.  Runs in the
 * threads of relayed calls.
 */
#include "relay.h"

#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <string.h>

/* What the value of a member is. */
enum holds {
	HOLDS_OTHER,		/* objects and lists are gone through */
	HOLDS_ITEM,
	HOLDS_ITEMS,		/* a list of them */
	HOLDS_TABLES,		/* of each table a list of items; or other */
	HOLDS_KEYS		/* a list of items, or an item */
};

static const struct {
	const char *name;
	enum holds holds;
} names[] = {
	{"Item", HOLDS_ITEM}, {"Items", HOLDS_ITEMS},
	{"Attributes", HOLDS_ITEM}, {"LastEvaluatedKey", HOLDS_ITEM},
	{"Key", HOLDS_ITEM}, {"Keys", HOLDS_KEYS},
	{"NewImage", HOLDS_ITEM}, {"OldImage", HOLDS_ITEM},
	{"ItemCollectionKey", HOLDS_ITEM}, {"Responses", HOLDS_TABLES},
};

struct teller {
	struct json json;
	struct arena *arena;
	struct buf *out;
	bool plain;
};

static int tell(struct teller *t, const struct json_token *at,
    enum holds holds);

static enum holds
find(const struct text *name)
{
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i].name) == name->n &&
		    memcmp(names[i].name, name->p, name->n) == 0)
			return names[i].holds;
	return HOLDS_OTHER;
}

static int
tell_item(struct teller *t, const struct json_token *at)
{
	struct value item;

	return typed_take_item(&t->json, at, &item) < 0 ||
	        plain_write_line(t->out, &item) < 0
	    ? -1
	    : 0;
}

/* What the members of an object are, or the parts of a list. */
static enum holds
within(enum holds holds, const struct json_token *at, const struct text *name)
{
	if (at->type == JSON_LIST)
		return holds == HOLDS_ITEMS || holds == HOLDS_KEYS
		    ? HOLDS_ITEM
		    : HOLDS_OTHER;
	return holds == HOLDS_TABLES ? HOLDS_ITEMS : find(name);
}

/* An object or list, part by part. */
static int
tell_parts(struct teller *t, const struct json_token *at, enum holds holds)
{
	bool first = true, object = at->type == JSON_OBJECT;
	struct json_token part;
	struct text name = {"", 0};

	buf_putc(t->out, object ? '{' : '[');
	for (;;) {
		if (json_next(&t->json, &part) < 0)
			return -1;
		if (part.type == JSON_CLOSE)
			break;
		if (!first)
			buf_putc(t->out, ',');
		first = false;
		if (object) {
			name = part.text;
			buf_json(t->out, name.p, name.n);
			buf_putc(t->out, ':');
			if (json_next(&t->json, &part) < 0)
				return -1;
		}
		if (tell(t, &part, within(holds, at, &name)) < 0)
			return -1;
	}
	return buf_putc(t->out, object ? '}' : ']');
}

/* The value that begins at the token; as deep as json_next() allows. */
static int
tell(struct teller *t, const struct json_token *at, enum holds holds)
{
	struct text raw;

	if (t->plain && at->type == JSON_OBJECT &&
	    (holds == HOLDS_ITEM || holds == HOLDS_KEYS))
		return tell_item(t, at);
	if (t->plain && (at->type == JSON_OBJECT || at->type == JSON_LIST))
		return tell_parts(t, at, holds);
	if (json_skip(&t->json, at, &raw) < 0)
		return -1;
	return buf_add(t->out, raw.p, raw.n);
}

/* The outermost object, but for what only says the kind of failure. */
static int
tell_all(struct teller *t, struct err *e)
{
	struct json_token at, name;
	bool first = true;

	if (json_next(&t->json, &at) < 0)
		return -1;
	if (at.type != JSON_OBJECT)
		return err_set(e, FAULT_SERIALIZATION, "no object");
	buf_putc(t->out, '{');
	for (;;) {
		if (json_next(&t->json, &name) < 0)
			return -1;
		if (name.type == JSON_CLOSE)
			break;
		if (json_next(&t->json, &at) < 0)
			return -1;
		if (name.text.n == 6 &&
		    memcmp(name.text.p, "__type", 6) == 0) {
			if (json_skip(&t->json, &at, NULL) < 0)
				return -1;
			continue;
		}
		if (!first)
			buf_putc(t->out, ',');
		first = false;
		buf_json(t->out, name.text.p, name.text.n);
		buf_putc(t->out, ':');
		if (tell(t, &at, find(&name.text)) < 0)
			return -1;
	}
	buf_putc(t->out, '}');
	return json_next(&t->json, &at);
}

int
relay_answer(const char *body, size_t n, bool plain, struct arena *a,
    struct buf *out, struct err *e)
{
	struct teller t = {.arena = a, .out = out, .plain = plain};
	size_t mark = out->len;

	json_open(&t.json, a, body, n, e);
	if (tell_all(&t, e) == 0 && buf_ok(out))
		return 0;
	if (!buf_ok(out))
		err_set(e, FAULT_LIMIT, "the reply takes too much memory; ask "
		    "for less, with Limit or a projection");
	out->len = mark;
	return -1;
}
