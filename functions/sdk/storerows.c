/*
 * Query and Scan as an iterator that asks for page after page.  Runs in a
 * function's process.
 */
#include "store.h"

#include "store/base/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bothy_rows {
	struct store *store;
	enum operation op;
	struct buf body;	/* of every page, but for its last members */
	bool limited;
	size_t left;		/* rows, if limited */
	json_t *page;		/* the last reply */
	size_t at;		/* in its Items */
	json_t *start;		/* where the next page begins, or NULL */
	bool asked;		/* for a page at all */
	char *cursor;
};

static void
release(void *arg)
{
	struct bothy_rows *r = arg;

	buf_release(&r->body);
	json_decref(r->page);
	json_decref(r->start);
	free(r->cursor);
}

static struct bothy_rows *
new_rows(struct bothy_req *req, enum operation op)
{
	struct store *s = store_of(req);
	struct bothy_rows *r;

	if (!s)
		return NULL;
	r = bag_alloc(&req->bag, sizeof *r);
	if (!r) {
		request_no_memory(req);
		return NULL;
	}
	*r = (struct bothy_rows){.store = s, .op = op};
	buf_init(&r->body, s->body.max);
	return request_on_end(req, release, r) < 0 ? NULL : r;
}

/* --- cursors: the key in base64url ---------------------------------------- */

static char *
encode_cursor(const json_t *key)
{
	char *text = NULL, *p;
	struct buf b;

	buf_init(&b, 64 * 1024);
	if (store_encode(&b, key) == 0 && buf_ok(&b))
		text = malloc(BASE64_LENGTH(b.len) + 1);
	if (text)
		base64_encode(b.data, b.len, text);
	buf_release(&b);
	for (p = text; p && *p; p++)
		if (*p == '+')
			*p = '-';
		else if (*p == '/')
			*p = '_';
	if (text)
		text[strcspn(text, "=")] = '\0';
	return text;
}

/* The key as a new reference, or NULL: nobody's cursor. */
static json_t *
decode_cursor(const char *cursor)
{
	size_t n = strlen(cursor), padded = (n + 3) / 4 * 4, i;
	char *text = malloc(2 * (padded + 1)), *out;
	json_t *key = NULL;
	ssize_t len;

	if (!text)
		return NULL;
	out = text + padded + 1;
	for (i = 0; i < padded; i++)
		text[i] = i >= n ? '=' : cursor[i] == '-' ? '+' :
		    cursor[i] == '_' ? '/' : cursor[i];
	len = base64_decode(text, padded, out);
	if (len > 0)
		key = json_loadb(out, (size_t)len, 0, NULL);
	free(text);
	if (key && !json_is_object(key)) {
		json_decref(key);
		key = NULL;
	}
	return key;
}

/* --- asking --------------------------------------------------------------- */

static int
apply(struct bothy_rows *r, const struct bothy_how *how)
{
	struct buf *b = &r->body;

	store_body_text(b, "IndexName", how->index);
	store_body_text(b, "FilterExpression", how->filter);
	store_body_text(b, "ProjectionExpression", how->attributes);
	if (how->descending && r->op == OP_QUERY)
		store_body_raw(b, "ScanIndexForward", "false");
	if (how->consistent)
		store_body_raw(b, "ConsistentRead", "true");
	r->limited = how->limit > 0;
	r->left = how->limit;
	if (!how->after)
		return 0;
	r->start = decode_cursor(how->after);
	if (r->start)
		return 0;
	store_fail(r->store, "this is no cursor");
	return request_fail(r->store->req, 400, "this is no cursor");
}

static struct bothy_rows *
make(struct bothy_req *req, enum operation op, const char *table,
    const char *condition, const json_t *values, const struct bothy_how *how)
{
	struct bothy_rows *r = new_rows(req, op);

	if (!r)
		return NULL;
	store_body_begin(&r->body, table);
	store_body_text(&r->body, "KeyConditionExpression", condition);
	if (store_body_values(r->store, &r->body, values) < 0 ||
	    (how && apply(r, how) < 0))
		return NULL;
	if (buf_ok(&r->body))
		return r;
	store_fail(r->store, "the values are too long or nested too deep");
	return NULL;
}

struct bothy_rows *
bothy_find(struct bothy_req *req, const char *table, const char *condition,
    const json_t *values, const struct bothy_how *how)
{
	return make(req, OP_QUERY, table, condition, values, how);
}

struct bothy_rows *
bothy_scan(struct bothy_req *req, const char *table, const json_t *values,
    const struct bothy_how *how)
{
	return make(req, OP_SCAN, table, NULL, values, how);
}

/* The next page: 0, or -1. */
static int
ask(struct bothy_rows *r)
{
	struct buf *b = &r->store->body;
	char limit[24];

	buf_reset(b);
	buf_add(b, r->body.data, r->body.len);
	if (r->limited) {
		snprintf(limit, sizeof limit, "%zu",
		    r->left < 1000000 ? r->left : 1000000);
		store_body_raw(b, "Limit", limit);
	}
	store_body_json(b, "ExclusiveStartKey", r->start);
	buf_putc(b, '}');
	json_decref(r->page);
	json_decref(r->start);
	r->page = r->start = NULL;
	r->at = 0;
	r->asked = true;
	if (!buf_ok(b))
		return store_fail(r->store, "the values are too long");
	r->page = store_call(r->store, r->op, 0, b->data, b->len);
	if (!r->page)
		return -1;
	r->start = json_incref(json_object_get(r->page, "LastEvaluatedKey"));
	return 0;
}

json_t *
bothy_next(struct bothy_rows *r)
{
	json_t *doc;

	if (!r || (r->limited && r->left == 0))
		return NULL;
	while (!(doc = json_array_get(json_object_get(r->page, "Items"),
	    r->at)))
		if ((r->asked && !r->start) || ask(r) < 0)
			return NULL;
	r->at++;
	if (r->limited)
		r->left--;
	return doc;
}

const char *
bothy_cursor(struct bothy_rows *r)
{
	if (!r || !r->start)
		return NULL;
	free(r->cursor);
	return r->cursor = encode_cursor(r->start);
}
