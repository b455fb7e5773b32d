/*
 * Transactions: writes are told one by one into a body and sent as one, with a
 * token, so that they may be sent again.  Runs in a function's process.
 */
#include "store.h"

#include <stdio.h>
#include <sys/random.h>

enum { TX_MAX = 100, TX_TOKEN_BYTES = 16 };

struct bothy_tx {
	struct store *store;
	struct buf body;	/* the items so far */
	size_t count;
	bool failed, sent;
};

static void
release(void *arg)
{
	struct bothy_tx *tx = arg;

	buf_release(&tx->body);
}

struct bothy_tx *
bothy_transact(struct bothy_req *req)
{
	struct store *s = store_of(req);
	struct bothy_tx *tx;

	if (!s)
		return NULL;
	tx = bag_alloc(&req->bag, sizeof *tx);
	if (!tx) {
		request_no_memory(req);
		return NULL;
	}
	*tx = (struct bothy_tx){.store = s};
	buf_init(&tx->body, s->body.max);
	return request_on_end(req, release, tx) < 0 ? NULL : tx;
}

struct action {
	const char *name;	/* "Put" */
	const char *table;
	const json_t *key, *doc;
	const char *update, *condition;
	const json_t *values;
};

static int
refuse(struct bothy_tx *tx, const char *why)
{
	tx->failed = true;
	return store_fail(tx->store, "%s", why);
}

static int
add(struct bothy_tx *tx, const struct action *a)
{
	struct buf *b;

	if (!tx)
		return -1;
	b = &tx->store->body;
	if (tx->sent)
		return refuse(tx, "this transaction is over");
	if (tx->count == TX_MAX)
		return refuse(tx, "a transaction has at most 100 writes");
	store_body_begin(b, a->table);
	store_body_json(b, "Key", a->key);
	store_body_json(b, "Item", a->doc);
	store_body_text(b, "UpdateExpression", a->update);
	store_body_text(b, "ConditionExpression", a->condition);
	if (store_body_values(tx->store, b, a->values) < 0) {
		tx->failed = true;
		return -1;
	}
	buf_putc(b, '}');
	buf_printf(&tx->body, "%s{\"%s\":", tx->count++ ? "," : "", a->name);
	buf_add(&tx->body, b->data, b->len);
	buf_putc(&tx->body, '}');
	if (!buf_ok(b) || !buf_ok(&tx->body))
		return refuse(tx, "a key or document is missing, too long or "
		    "nested too deep");
	return 0;
}

int
bothy_tx_put(struct bothy_tx *tx, const char *table, const json_t *doc,
    const char *condition, const json_t *values)
{
	return add(tx, &(const struct action){.name = "Put", .table = table,
	    .doc = doc, .condition = condition, .values = values});
}

int
bothy_tx_update(struct bothy_tx *tx, const char *table, const json_t *key,
    const char *update, const char *condition, const json_t *values)
{
	return add(tx, &(const struct action){.name = "Update",
	    .table = table, .key = key, .update = update,
	    .condition = condition, .values = values});
}

int
bothy_tx_delete(struct bothy_tx *tx, const char *table, const json_t *key,
    const char *condition, const json_t *values)
{
	return add(tx, &(const struct action){.name = "Delete",
	    .table = table, .key = key, .condition = condition,
	    .values = values});
}

int
bothy_tx_check(struct bothy_tx *tx, const char *table, const json_t *key,
    const char *condition, const json_t *values)
{
	return add(tx, &(const struct action){.name = "ConditionCheck",
	    .table = table, .key = key, .condition = condition,
	    .values = values});
}

static int
make_token(char *hex)
{
	unsigned char raw[TX_TOKEN_BYTES];
	size_t i;

	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return -1;
	for (i = 0; i < sizeof raw; i++)
		snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

int
bothy_tx_commit(struct bothy_tx *tx)
{
	char token[2 * TX_TOKEN_BYTES + 1];
	json_t *reply;
	struct buf *b;

	if (!tx)
		return -1;
	if (tx->sent || tx->failed)
		return refuse(tx, tx->sent ? "this transaction is over" :
		    "a write of this transaction was refused");
	if (tx->count == 0)
		return refuse(tx, "a transaction needs a write");
	if (make_token(token) < 0)
		return refuse(tx, "there are no random numbers");
	tx->sent = true;
	b = &tx->store->body;
	buf_reset(b);
	buf_printf(b, "{\"ClientRequestToken\":\"%s\",\"TransactItems\":[",
	    token);
	buf_add(b, tx->body.data, tx->body.len);
	buf_puts(b, "]}");
	if (!buf_ok(b))
		return refuse(tx, "the transaction is too long");
	reply = store_call(tx->store, OP_TRANSACT_WRITE_ITEMS,
	    store_write_flags(tx->store) | CLIENT_REPEATABLE, b->data, b->len);
	if (!reply)
		return -1;
	json_decref(reply);
	return 0;
}

/* --- reading -------------------------------------------------------------- */

/* The documents of a reply, null where there is none, as a new reference. */
static json_t *
take_items(const json_t *reply)
{
	const json_t *responses = json_object_get(reply, "Responses");
	size_t n = json_array_size(responses), i;
	json_t *docs = json_array(), *doc;

	for (i = 0; docs && i < n; i++) {
		doc = json_object_get(json_array_get(responses, i), "Item");
		json_array_append_new(docs, doc ? json_incref(doc) :
		    json_null());
	}
	return docs;
}

json_t *
bothy_transact_get(struct bothy_req *req, const json_t *wanted)
{
	struct store *s = store_of(req);
	size_t n = json_array_size(wanted), i;
	json_t *reply, *docs, *want;
	struct buf *b;

	if (!s)
		return NULL;
	b = &s->body;
	buf_reset(b);
	buf_puts(b, "{\"TransactItems\":[");
	for (i = 0; i < n; i++) {
		want = json_array_get(wanted, i);
		buf_puts(b, i ? ",{\"Get\":{\"TableName\":" :
		    "{\"Get\":{\"TableName\":");
		if (store_encode(b, json_object_get(want, "table")) < 0)
			b->failed = true;
		buf_puts(b, ",\"Key\":");
		if (store_encode(b, json_object_get(want, "key")) < 0)
			b->failed = true;
		buf_puts(b, "}}");
	}
	buf_puts(b, "]}");
	if (!buf_ok(b)) {
		store_fail(s, "what is wanted has a table and a key each");
		return NULL;
	}
	reply = store_call(s, OP_TRANSACT_GET_ITEMS, 0, b->data, b->len);
	docs = reply ? take_items(reply) : NULL;
	json_decref(reply);
	return bothy_keep(req, docs);
}
