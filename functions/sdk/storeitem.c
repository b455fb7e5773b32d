/*
 * One document: get, put, update, delete.  Runs in a function's process.
 */
#include "store.h"

/* A call on one document. */
struct ask {
	enum operation op;
	const char *table;
	const json_t *key, *doc;
	const char *update, *condition;
	const json_t *values;
};

/* The reply as a new reference, or NULL. */
static json_t *
ask(struct bothy_req *req, const struct ask *a)
{
	struct store *s = store_of(req);
	struct buf *b;

	if (!s)
		return NULL;
	b = &s->body;
	store_body_begin(b, a->table);
	store_body_json(b, "Key", a->key);
	store_body_json(b, "Item", a->doc);
	store_body_text(b, "UpdateExpression", a->update);
	store_body_text(b, "ConditionExpression", a->condition);
	if (store_body_values(s, b, a->values) < 0)
		return NULL;
	if (a->op == OP_GET_ITEM)
		store_body_raw(b, "ConsistentRead", "true");
	if (a->op == OP_UPDATE_ITEM)
		store_body_text(b, "ReturnValues", "ALL_NEW");
	buf_putc(b, '}');
	if (!buf_ok(b)) {
		store_fail(s, "the key or document is missing, too long or "
		    "nested too deep");
		return NULL;
	}
	return store_call(s, a->op, a->op == OP_GET_ITEM ? 0 :
	    store_write_flags(s), b->data, b->len);
}

/* The member of a reply that the request keeps; NULL if there is none. */
static json_t *
keep_member(struct bothy_req *req, json_t *reply, const char *name)
{
	json_t *value = json_incref(json_object_get(reply, name));

	json_decref(reply);
	return bothy_keep(req, value);
}

static int
done(json_t *reply)
{
	if (!reply)
		return -1;
	json_decref(reply);
	return 0;
}

json_t *
bothy_get(struct bothy_req *req, const char *table, const json_t *key)
{
	const struct ask a = {.op = OP_GET_ITEM, .table = table, .key = key};

	return keep_member(req, ask(req, &a), "Item");
}

int
bothy_put(struct bothy_req *req, const char *table, const json_t *doc)
{
	return bothy_put_if(req, table, doc, NULL, NULL);
}

int
bothy_put_if(struct bothy_req *req, const char *table, const json_t *doc,
    const char *condition, const json_t *values)
{
	const struct ask a = {.op = OP_PUT_ITEM, .table = table, .doc = doc,
	    .condition = condition, .values = values};

	return done(ask(req, &a));
}

json_t *
bothy_update(struct bothy_req *req, const char *table, const json_t *key,
    const char *update, const json_t *values)
{
	return bothy_update_if(req, table, key, update, NULL, values);
}

json_t *
bothy_update_if(struct bothy_req *req, const char *table, const json_t *key,
    const char *update, const char *condition, const json_t *values)
{
	const struct ask a = {.op = OP_UPDATE_ITEM, .table = table,
	    .key = key, .update = update, .condition = condition,
	    .values = values};

	return keep_member(req, ask(req, &a), "Attributes");
}

int
bothy_delete(struct bothy_req *req, const char *table, const json_t *key)
{
	return bothy_delete_if(req, table, key, NULL, NULL);
}

int
bothy_delete_if(struct bothy_req *req, const char *table, const json_t *key,
    const char *condition, const json_t *values)
{
	const struct ask a = {.op = OP_DELETE_ITEM, .table = table,
	    .key = key, .condition = condition, .values = values};

	return done(ask(req, &a));
}
