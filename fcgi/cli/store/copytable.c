/*
 * Copying a table, for storecopytable.h.
 *
 * A mark says how far a table is: a file of the directory `marks`, named
 * "<digest of both sides and the table>", with the count of items and the key
 * behind which the next page begins.  It goes when the table is done.
 */
#include "copytable.h"

#include "store/base/hash.h"
#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/value/json.h"
#include "store/wire/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ARENA_MAX = 256 << 20,
	MARK_MAX = 64 * 1024,
	ATTEMPTS = 12,
	PAUSE_FIRST_MS = 50,
	PAUSE_MOST_MS = 5000,
	BATCH = 25,
	PAGE = 1000			/* items, if they aren't a megabyte */
};

int
copy_begin(struct copy *k, struct err *e)
{
	buf_init(&k->body, FRAME_BODY_MAX);
	buf_init(&k->reply, FRAME_REPLY_MAX);
	arena_init(&k->arena, ARENA_MAX);
	return io_mkdirs(k->marks, 0700, e);
}

void
copy_end(struct copy *k)
{
	buf_release(&k->body);
	buf_release(&k->reply);
	arena_release(&k->arena);
	if (*k->marks)
		rmdir(k->marks);	/* if none is left */
}

/* --- calls -------------------------------------------------------------------- */

static void
wait_ms(int ms)
{
	const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

static bool
will_pass(const struct err *e)
{
	return e->code == FAULT_BUSY || e->code == FAULT_THROUGHPUT ||
	    e->code == FAULT_UNKNOWN_OUTCOME || e->code == FAULT_LIMIT;
}

/* The reply, `levels` deep, with its bytes in the arena. */
static const struct json_node *
read_reply(struct copy *k, unsigned levels, struct err *e)
{
	const char *p = arena_copy(&k->arena, k->reply.data, k->reply.len);

	if (p)
		return json_read(&k->arena, p, k->reply.len, levels, e);
	err_set(e, ENOMEM, "no memory");
	return NULL;
}

/*
 * Asks what is in `body`, and again where that may help: all that is asked may
 * be repeated.  NULL and *e.
 */
static const struct json_node *
ask(struct copy *k, const struct copy_side *s, enum operation op,
    unsigned levels, struct err *e)
{
	int pause_ms = PAUSE_FIRST_MS, i;

	if (!buf_ok(&k->body)) {
		err_set(e, E2BIG, "a request would be too long");
		return NULL;
	}
	for (i = 0; i < ATTEMPTS; i++) {
		if (client_call(s->client, op, s->flags | CLIENT_REPEATABLE,
		        k->body.data, k->body.len, &k->reply, e) == 0)
			return read_reply(k, levels, e);
		if (!will_pass(e))
			return NULL;
		wait_ms(pause_ms);
		pause_ms = 2 * pause_ms < PAUSE_MOST_MS ? 2 * pause_ms
		                                        : PAUSE_MOST_MS;
	}
	return NULL;
}

static const struct json_node *
ask_table(struct copy *k, const struct copy_side *s, enum operation op,
    const char *name, struct err *e)
{
	buf_reset(&k->body);
	buf_puts(&k->body, "{\"TableName\":");
	buf_json(&k->body, name, strlen(name));
	buf_putc(&k->body, '}');
	return ask(k, s, op, 4, e);
}

/* --- which tables ----------------------------------------------------------------- */

void
copy_names_release(struct copy_names *n)
{
	while (n->count)
		free(n->names[--n->count]);
	free(n->names);
}

static int
add_names(struct copy_names *out, const struct json_node *list, struct err *e)
{
	const struct json_node *n;
	char **more;

	for (n = list ? list->first : NULL; n; n = n->next) {
		more = realloc(out->names, (out->count + 1) * sizeof *more);
		if (!more)
			return err_set(e, ENOMEM, "no memory");
		out->names = more;
		more[out->count] = strndup(n->text.p, n->text.n);
		if (!more[out->count])
			return err_set(e, ENOMEM, "no memory");
		out->count++;
	}
	return 0;
}

int
copy_list(struct copy *k, struct copy_names *out, struct err *e)
{
	const struct json_node *n, *last = NULL;
	int rc;

	*out = (struct copy_names){NULL, 0};
	do {
		buf_reset(&k->body);
		buf_putc(&k->body, '{');
		if (last) {
			buf_puts(&k->body, "\"ExclusiveStartTableName\":");
			buf_json(&k->body, last->text.p, last->text.n);
		}
		buf_putc(&k->body, '}');
		arena_reset(&k->arena);
		n = ask(k, &k->from, OP_LIST_TABLES, 3, e);
		rc = n ? add_names(out, json_member(n, "TableNames"), e) : -1;
		last = json_member(n, "LastEvaluatedTableName");
	} while (rc == 0 && last);
	if (rc < 0)
		copy_names_release(out);
	return rc;
}

/* --- a table that is missing ---------------------------------------------------------- */

static void
add_raw(struct buf *b, const char *name, const struct json_node *n)
{
	if (!n)
		return;
	buf_printf(b, ",\"%s\":", name);
	buf_add(b, n->raw.p, n->raw.n);
}

static void
add_indexes(struct buf *b, const char *name, const struct json_node *list)
{
	const struct json_node *n;

	if (!list || !list->first)
		return;
	buf_printf(b, ",\"%s\":[", name);
	for (n = list->first; n; n = n->next) {
		const struct json_node *called = json_member(n, "IndexName");

		buf_puts(b, n == list->first ? "" : ",");
		buf_puts(b, "{\"IndexName\":");
		buf_json(b, called ? called->text.p : "",
		    called ? called->text.n : 0);
		add_raw(b, "KeySchema", json_member(n, "KeySchema"));
		add_raw(b, "Projection", json_member(n, "Projection"));
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
}

/* CreateTable, of what DescribeTable told. */
static void
write_table(struct buf *b, const char *name, const struct json_node *t)
{
	buf_reset(b);
	buf_puts(b, "{\"TableName\":");
	buf_json(b, name, strlen(name));
	buf_puts(b, ",\"BillingMode\":\"PAY_PER_REQUEST\"");
	add_raw(b, "AttributeDefinitions",
	    json_member(t, "AttributeDefinitions"));
	add_raw(b, "KeySchema", json_member(t, "KeySchema"));
	add_indexes(b, "GlobalSecondaryIndexes",
	    json_member(t, "GlobalSecondaryIndexes"));
	add_indexes(b, "LocalSecondaryIndexes",
	    json_member(t, "LocalSecondaryIndexes"));
	add_raw(b, "StreamSpecification",
	    json_member(t, "StreamSpecification"));
	buf_putc(b, '}');
}

static bool
is_active(const struct json_node *described)
{
	const struct json_node *s = json_member(
	    json_member(described, "Table"), "TableStatus");

	return s && s->text.n == 6 && memcmp(s->text.p, "ACTIVE", 6) == 0;
}

static int
wait_until_active(struct copy *k, const char *name, struct err *e)
{
	const struct json_node *n;
	int i;

	for (i = 0; i < 600; i++) {
		n = ask_table(k, &k->into, OP_DESCRIBE_TABLE, name, e);
		if (!n)
			return -1;
		if (is_active(n))
			return 0;
		wait_ms(500);
	}
	return err_set(e, FAULT_BUSY, "%s: table %s does not become active",
	    k->into.name, name);
}

/* When items expire; a far side may know nothing of that. */
static void
copy_ttl(struct copy *k, const char *name)
{
	const struct json_node *n, *on, *attribute;
	struct err ignored;

	n = ask_table(k, &k->from, OP_DESCRIBE_TIME_TO_LIVE, name, &ignored);
	n = json_member(n, "TimeToLiveDescription");
	on = json_member(n, "TimeToLiveStatus");
	attribute = json_member(n, "AttributeName");
	if (!on || !attribute || on->text.n != 7 ||
	    memcmp(on->text.p, "ENABLED", 7) != 0)
		return;
	buf_reset(&k->body);
	buf_puts(&k->body, "{\"TableName\":");
	buf_json(&k->body, name, strlen(name));
	buf_puts(&k->body, ",\"TimeToLiveSpecification\":{\"Enabled\":true,"
	    "\"AttributeName\":");
	buf_json(&k->body, attribute->text.p, attribute->text.n);
	buf_puts(&k->body, "}}");
	if (!ask(k, &k->into, OP_UPDATE_TIME_TO_LIVE, 2, &ignored))
		fprintf(stderr, "bothy: %s: items of %s will not expire: %s\n",
		    k->into.name, name, ignored.text[0] ? ignored.text :
		    fault_name(ignored.code));
}

static int
make_table(struct copy *k, const char *name, struct err *e)
{
	const struct json_node *from, *items;

	from = json_member(ask_table(k, &k->from, OP_DESCRIBE_TABLE, name, e),
	    "Table");
	if (!from)
		return -1;
	items = json_member(from, "ItemCount");
	k->all = items ? strtoull(items->text.p, NULL, 10) : 0;
	if (ask_table(k, &k->into, OP_DESCRIBE_TABLE, name, e))
		return 0;
	if (e->code != FAULT_NOT_FOUND)
		return -1;
	write_table(&k->body, name, from);
	if (!ask(k, &k->into, OP_CREATE_TABLE, 1, e) &&
	    e->code != FAULT_IN_USE)
		return -1;
	if (wait_until_active(k, name, e) < 0)
		return -1;
	copy_ttl(k, name);
	return 0;
}

/* --- marks --------------------------------------------------------------------------------- */

static int
mark_path(const struct copy *k, const char *name, char *out, size_t size)
{
	char hex[HASH_HEX_SIZE];
	struct hash *h = hash_new();

	if (!h)
		return -1;
	hash_add(h, k->from.name, strlen(k->from.name) + 1);
	hash_add(h, k->into.name, strlen(k->into.name) + 1);
	hash_add(h, name, strlen(name));
	hash_take_hex(h, hex);
	return snprintf(out, size, "%s/%.32s", k->marks, hex) < (int)size
	    ? 0
	    : -1;
}

/* "COUNT KEY" of an earlier one into `key`, which stays empty without. */
static void
read_mark(struct copy *k, const char *path, struct buf *key)
{
	struct err ignored;
	const char *space;
	struct buf b;

	k->count = 0;
	k->resumed = false;
	buf_init(&b, MARK_MAX);
	if (!k->again && io_read_file(AT_FDCWD, path, &b, &ignored) == 0 &&
	    (space = strchr(buf_str(&b), ' '))) {
		k->count = strtoull(b.data, NULL, 10);
		buf_puts(key, space + 1);
		k->resumed = true;
	}
	buf_release(&b);
}

static int
write_mark(const struct copy *k, const char *path,
    const struct json_node *last, struct err *e)
{
	struct buf b;
	int rc;

	if (!last) {
		unlink(path);
		return 0;
	}
	buf_init(&b, MARK_MAX);
	buf_printf(&b, "%" PRIu64 " ", k->count);
	buf_add(&b, last->raw.p, last->raw.n);
	rc = buf_ok(&b) ? io_replace_file(path, b.data, b.len, 0600, e)
	                : err_set(e, ENOMEM, "no memory");
	buf_release(&b);
	return rc;
}

/* --- items ------------------------------------------------------------------------------------ */

/* Sends what is in `body`, and again what wasn't taken, until all is. */
static int
send_batch(struct copy *k, const char *name, struct err *e)
{
	const struct json_node *n, *left;
	int pause_ms = PAUSE_FIRST_MS, i;

	for (i = 0; i < ATTEMPTS; i++) {
		n = ask(k, &k->into, OP_BATCH_WRITE_ITEM, 2, e);
		if (!n)
			return -1;
		left = json_member(n, "UnprocessedItems");
		if (!left || !left->raw.n ||
		    memchr(left->raw.p, '[', left->raw.n) == NULL)
			return 0;
		buf_reset(&k->body);
		buf_puts(&k->body, "{\"RequestItems\":");
		buf_add(&k->body, left->raw.p, left->raw.n);
		buf_putc(&k->body, '}');
		wait_ms(pause_ms);
		pause_ms *= 2;
	}
	return err_set(e, FAULT_THROUGHPUT, "%s takes no more items of %s",
	    k->into.name, name);
}

/* The next BATCH items of the list; *n goes on. */
static int
copy_batch(struct copy *k, const char *name, const struct json_node **n,
    struct err *e)
{
	const struct json_node *item = *n;
	int i;

	buf_reset(&k->body);
	buf_puts(&k->body, "{\"RequestItems\":{");
	buf_json(&k->body, name, strlen(name));
	buf_puts(&k->body, ":[");
	for (i = 0; item && i < BATCH; i++, item = item->next) {
		buf_puts(&k->body, i ? "," : "");
		buf_puts(&k->body, "{\"PutRequest\":{\"Item\":");
		buf_add(&k->body, item->raw.p, item->raw.n);
		buf_puts(&k->body, "}}");
	}
	buf_puts(&k->body, "]}}");
	*n = item;
	k->count += (uint64_t)i;
	return send_batch(k, name, e);
}

/* The page behind `key`, which becomes the next one's. */
static int
copy_page(struct copy *k, const char *name, const char *mark,
    struct buf *key, struct err *e)
{
	const struct json_node *n, *item, *last;

	buf_reset(&k->body);
	buf_puts(&k->body, "{\"TableName\":");
	buf_json(&k->body, name, strlen(name));
	buf_printf(&k->body, ",\"ConsistentRead\":true,\"Limit\":%d", PAGE);
	if (key->len)
		buf_printf(&k->body, ",\"ExclusiveStartKey\":%s",
		    buf_str(key));
	buf_putc(&k->body, '}');
	arena_reset(&k->arena);
	n = ask(k, &k->from, OP_SCAN, 2, e);
	if (!n)
		return -1;
	last = json_member(n, "LastEvaluatedKey");
	item = json_member(n, "Items");
	for (item = item ? item->first : NULL; item;)
		if (copy_batch(k, name, &item, e) < 0)
			return -1;
	storebar_show(k->bar, "items", k->count,
	    k->count < k->all ? k->all : 0);
	buf_reset(key);
	if (last)
		buf_add(key, last->raw.p, last->raw.n);
	return write_mark(k, mark, last, e);
}

int
copy_table(struct copy *k, const char *name, struct err *e)
{
	char mark[sizeof k->marks + 64];
	struct buf key;
	int rc;

	arena_reset(&k->arena);
	if (make_table(k, name, e) < 0)
		return -1;
	if (mark_path(k, name, mark, sizeof mark) < 0)
		return err_set(e, ENOMEM, "no memory");
	buf_init(&key, MARK_MAX);
	read_mark(k, mark, &key);
	do
		rc = copy_page(k, name, mark, &key, e);
	while (rc == 0 && key.len);
	buf_release(&key);
	return rc;
}
