/*
 * A request whose documents are plain JSON, told again in typed JSON: by the
 * same tables that read it.  Runs in the daemon.
 */
#include "request_internal.h"

#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <string.h>

struct retype {
	struct json json;
	struct buf *out;
};

static int tell_struct(struct retype *t, const struct schema *s,
    const struct json_token *opened);

static int
tell_raw(struct retype *t, const struct json_token *at)
{
	struct text raw;

	return json_skip(&t->json, at, &raw) < 0
	    ? -1
	    : buf_add(t->out, raw.p, raw.n);
}

static int
tell_value(struct retype *t, const struct json_token *at, bool item)
{
	struct value v;

	if (item)
		return plain_take_item(&t->json, at, &v) < 0
		    ? -1
		    : typed_write_item(t->out, &v);
	return plain_take(&t->json, at, &v) < 0 ? -1
	                                        : typed_write(t->out, &v);
}

/* One of the things that a list or map of this kind holds. */
static int
tell_part(struct retype *t, const struct param *p,
    const struct json_token *at)
{
	switch (p->kind) {
	case PARAM_VALUES:
	case PARAM_BINDS:
		return tell_value(t, at, false);
	case PARAM_ITEMS:
		return tell_value(t, at, true);
	default:
		return at->type == JSON_OBJECT ? tell_struct(t, p->of, at)
		                               : tell_raw(t, at);
	}
}

/* Of a map of lists, one level more. */
static int
tell_list(struct retype *t, const struct param *p,
    const struct json_token *opened)
{
	struct json_token at;
	bool first = true;

	if (opened->type != JSON_LIST)
		return tell_raw(t, opened);
	buf_putc(t->out, '[');
	for (;; first = false) {
		if (json_next(&t->json, &at) < 0)
			return -1;
		if (at.type == JSON_CLOSE)
			return buf_putc(t->out, ']');
		if (!first)
			buf_putc(t->out, ',');
		if (tell_part(t, p, &at) < 0)
			return -1;
	}
}

/* The name of a member, and the begin of its value; 0 behind the last. */
static int
next_member(struct retype *t, bool first, struct text *name,
    struct json_token *at)
{
	if (json_next(&t->json, at) < 0)
		return -1;
	if (at->type == JSON_CLOSE)
		return 0;
	*name = at->text;
	if (!first)
		buf_putc(t->out, ',');
	buf_json(t->out, name->p, name->n);
	buf_putc(t->out, ':');
	return json_next(&t->json, at) < 0 ? -1 : 1;
}

static int
tell_map(struct retype *t, const struct param *p,
    const struct json_token *opened)
{
	struct json_token at;
	struct text name;
	bool first = true;
	int rc;

	if (opened->type != JSON_OBJECT)
		return tell_raw(t, opened);
	buf_putc(t->out, '{');
	for (; (rc = next_member(t, first, &name, &at)) > 0; first = false)
		if ((p->kind == PARAM_MAP_LISTS ? tell_list(t, p, &at)
		                                : tell_part(t, p, &at)) < 0)
			return -1;
	return rc < 0 ? -1 : buf_putc(t->out, '}');
}

static int
tell_param(struct retype *t, const struct param *p,
    const struct json_token *at)
{
	if (at->type == JSON_NULL)
		return tell_raw(t, at);
	switch (p->kind) {
	case PARAM_ITEM:
		return tell_value(t, at, true);
	case PARAM_VALUE:
		return tell_value(t, at, false);
	case PARAM_VALUES:
	case PARAM_ITEMS:
	case PARAM_STRUCTS:
		return tell_list(t, p, at);
	case PARAM_BINDS:
	case PARAM_MAP:
	case PARAM_MAP_LISTS:
		return tell_map(t, p, at);
	case PARAM_STRUCT:
		return tell_part(t, p, at);
	default:
		return tell_raw(t, at);
	}
}

static const struct param *
find(const struct schema *s, const struct text *name)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (strlen(s->params[i].name) == name->n &&
		    memcmp(s->params[i].name, name->p, name->n) == 0)
			return &s->params[i];
	return NULL;
}

/* As deep as the tables are. */
static int
tell_struct(struct retype *t, const struct schema *s,
    const struct json_token *opened)
{
	const struct param *p;
	struct json_token at;
	struct text name;
	bool first = true;
	int rc;

	(void)opened;
	buf_putc(t->out, '{');
	for (; (rc = next_member(t, first, &name, &at)) > 0; first = false) {
		p = find(s, &name);
		if ((p ? tell_param(t, p, &at) : tell_raw(t, &at)) < 0)
			return -1;
	}
	return rc < 0 ? -1 : buf_putc(t->out, '}');
}

int
request_retype(int op, struct arena *a, const char *body, size_t n,
    struct buf *out, struct err *e)
{
	const struct form *form = request_form(op);
	struct retype t = {.out = out};
	struct json_token at;

	json_open(&t.json, a, body, n, e);
	if (json_next(&t.json, &at) < 0)
		return -1;
	if (at.type != JSON_OBJECT)
		return err_set(e, FAULT_SERIALIZATION, "a request is an "
		    "object");
	if (tell_struct(&t, form->schema, &at) < 0 ||
	    json_next(&t.json, &at) < 0) {
		if (!buf_ok(out))
			err_set(e, FAULT_LIMIT, "the request takes too much "
			    "memory");
		return -1;
	}
	return buf_ok(out) ? 0 : err_set(e, FAULT_LIMIT, "the request takes "
	    "too much memory");
}
