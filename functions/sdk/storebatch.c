/*
 * Many documents at once, as many calls as it takes.  Runs in a function's
 * process.
 */
#include "store.h"

#include <string.h>
#include <time.h>

enum { GET_MAX = 100, WRITE_MAX = 25, PAUSE_MOST_MS = 200 };

/* Sends it, then what was left over, until nothing is. */
static int
send_all(struct store *s, enum operation op, const char *left_name,
    int (*take)(void *ctx, json_t *reply), void *ctx)
{
	const char *body = s->body.data;
	unsigned flags = op == OP_BATCH_WRITE_ITEM ? store_write_flags(s) : 0;
	struct timespec pause = {0, 1000000};
	json_t *reply, *left;
	int rc;

	for (;;) {
		reply = store_call(s, op, flags, body, s->body.len);
		if (!reply)
			return -1;
		rc = take ? take(ctx, reply) : 0;
		left = json_object_get(reply, left_name);
		if (rc < 0 || json_object_size(left) == 0) {
			json_decref(reply);
			return rc;
		}
		buf_reset(&s->body);
		buf_puts(&s->body, "{\"RequestItems\":");
		store_encode(&s->body, left);
		buf_putc(&s->body, '}');
		json_decref(reply);
		if (!buf_ok(&s->body))
			return store_fail(s, "the batch is too long");
		body = s->body.data;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < PAUSE_MOST_MS * 1000000L)
			pause.tv_nsec *= 2;
	}
}

static void
begin(struct buf *b, const char *table)
{
	buf_reset(b);
	buf_puts(b, "{\"RequestItems\":{");
	buf_json(b, table, strlen(table));
	buf_putc(b, ':');
}

/* --- reading -------------------------------------------------------------- */

struct got {
	const char *table;
	json_t *docs;
};

static int
take_docs(void *ctx, json_t *reply)
{
	const struct got *got = ctx;
	json_t *docs = json_object_get(json_object_get(reply, "Responses"),
	    got->table);

	return docs ? json_array_extend(got->docs, docs) : 0;
}

static int
get_some(struct store *s, struct got *got, const json_t *keys, size_t from,
    size_t to)
{
	struct buf *b = &s->body;
	size_t i;

	begin(b, got->table);
	buf_puts(b, "{\"ConsistentRead\":true,\"Keys\":[");
	for (i = from; i < to; i++) {
		if (i > from)
			buf_putc(b, ',');
		if (store_encode(b, json_array_get(keys, i)) < 0)
			b->failed = true;
	}
	buf_puts(b, "]}}}");
	if (!buf_ok(b))
		return store_fail(s, "the keys are too long or nested too "
		    "deep");
	return send_all(s, OP_BATCH_GET_ITEM, "UnprocessedKeys", take_docs,
	    got);
}

json_t *
bothy_batch_get(struct bothy_req *req, const char *table, const json_t *keys)
{
	struct store *s = store_of(req);
	size_t n = json_array_size(keys), i, to;
	struct got got = {table, NULL};

	if (!s)
		return NULL;
	got.docs = bothy_keep(req, json_array());
	if (!got.docs) {
		request_no_memory(req);
		return NULL;
	}
	for (i = 0; i < n; i = to) {
		to = n - i > GET_MAX ? i + GET_MAX : n;
		if (get_some(s, &got, keys, i, to) < 0)
			return NULL;
	}
	return got.docs;
}

/* --- writing -------------------------------------------------------------- */

/* The i-th write: of the puts, then of the deletes. */
static void
add_write(struct buf *b, const json_t *puts, const json_t *deletes, size_t i)
{
	size_t nputs = json_array_size(puts);

	buf_puts(b, i < nputs ? "{\"PutRequest\":{\"Item\":" :
	    "{\"DeleteRequest\":{\"Key\":");
	if (store_encode(b, i < nputs ? json_array_get(puts, i) :
	    json_array_get(deletes, i - nputs)) < 0)
		b->failed = true;
	buf_puts(b, "}}");
}

int
bothy_batch_write(struct bothy_req *req, const char *table,
    const json_t *puts, const json_t *deletes)
{
	size_t n = json_array_size(puts) + json_array_size(deletes), i, to;
	struct store *s = store_of(req);
	struct buf *b;

	if (!s)
		return -1;
	b = &s->body;
	for (i = 0; i < n;) {
		to = n - i > WRITE_MAX ? i + WRITE_MAX : n;
		begin(b, table);
		buf_putc(b, '[');
		for (; i < to; i++) {
			add_write(b, puts, deletes, i);
			buf_putc(b, i + 1 < to ? ',' : ']');
		}
		buf_puts(b, "}}");
		if (!buf_ok(b))
			return store_fail(s, "the documents are too long or "
			    "nested too deep");
		if (send_all(s, OP_BATCH_WRITE_ITEM, "UnprocessedItems", NULL,
		    NULL) < 0)
			return -1;
	}
	return 0;
}
