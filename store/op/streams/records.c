/*
 * GetShardIterator and GetRecords: the changes of one table, from the lines of
 * the journal.
 */
#include "stream.h"

#include "store/base/clock.h"
#include "store/engine/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	RECORDS_MAX = 1000,
	RECORDS_BYTES = 1 << 20,
	READ_BYTES = 8 << 20,		/* of the journal, by one call */
	UNIT_ROOM = 512 << 20,
	IMAGES_ROOM = 64 << 20
};

/* --- iterators ----------------------------------------------------------- */

static void
write_iterator(struct reply *r, const char *name, const struct stream *st,
    const struct stream_place *p)
{
	char text[STREAM_ITERATOR_MAX];

	snprintf(text, sizeof text, "%s|1|%" PRIu64 "|%" PRIu64 "|%" PRId64,
	    st->arn, p->position, p->nth, clock_wall_ms());
	reply_string(r, name, text);
}

static int
read_iterator(const struct text *t, struct text *arn, struct stream_place *p,
    struct err *e)
{
	const char *bar = memchr(t->p, '|', t->n);
	char text[80];
	int64_t given_ms;
	int end = 0;

	if (bar && t->n - (size_t)(bar - t->p) < sizeof text) {
		*arn = (struct text){t->p, (size_t)(bar - t->p)};
		snprintf(text, sizeof text, "%.*s", (int)(t->n - arn->n), bar);
		if (sscanf(text, "|1|%20" SCNu64 "|%20" SCNu64 "|%20" SCNd64
		        "%n", &p->position, &p->nth, &given_ms, &end) == 3 &&
		    text[end] == '\0') {
			if (clock_wall_ms() - given_ms > STREAM_ITERATOR_MS)
				return err_set(e, FAULT_EXPIRED_ITERATOR,
				    "Iterator expired.  The iterator was "
				    "created more than 15 minutes ago");
			return 0;
		}
	}
	return err_set(e, FAULT_VALIDATION, "Invalid ShardIterator");
}

static int
check_place(struct store *s, const struct stream_place *p, struct err *e)
{
	if (p->position < op_stream_oldest(s))
		return err_set(e, FAULT_TRIMMED, "The operation attempted to "
		    "read past the oldest stream record in a shard.");
	if (p->position > journal_end(store_journal(s)))
		return err_set(e, FAULT_VALIDATION, "Invalid SequenceNumber");
	return 0;
}

static int
find_place(struct store *s, const struct stream *st,
    const struct stream_request *q, struct stream_place *p, struct err *e)
{
	*p = (struct stream_place){0, 0};
	switch (*q->iterator_type.p) {
	case 'T':			/* TRIM_HORIZON */
		p->position = op_stream_first(s, st);
		return 0;
	case 'L':			/* LATEST */
		p->position = journal_end(store_journal(s));
		return 0;
	default:
		if (op_stream_number_read(&q->sequence, p, e) < 0)
			return -1;
		if (q->iterator_type.p[1] == 'F')	/* AFTER_... */
			p->nth++;
		return check_place(s, p, e);
	}
}

void
op_shard_iterator(struct op *op, struct store_view *v)
{
	const struct stream_request *q = &op->request.stream;
	char shard[STREAM_SHARD_MAX];
	struct stream_place p;
	struct stream st;
	struct reply r;
	struct err e;
	int rc = op_stream_find(v->store, &q->arn, &st, &e);

	if (rc == 0) {
		op_stream_shard(&st, shard);
		if (strlen(shard) != q->shard.n ||
		    memcmp(shard, q->shard.p, q->shard.n) != 0)
			rc = err_set(&e, FAULT_NOT_FOUND, "Requested resource "
			    "not found: Shard does not exist");
	}
	if (rc == 0)
		rc = find_place(v->store, &st, q, &p, &e);
	if (rc == 0) {
		op_open(op, &r);
		write_iterator(&r, "ShardIterator", &st, &p);
	}
	op_stream_release(&st);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}

/* --- records ------------------------------------------------------------- */

struct records {
	struct reply reply;
	const struct stream *stream;
	struct stream_place at;		/* the next one */
	uint32_t left;
	size_t bytes;			/* of images that were told */
	uint64_t read;			/* of the journal */
	bool ended;			/* it was turned off */
	struct reply begin;		/* the list, when it was empty */
	size_t begin_at;
	char needle[32];
	struct arena arena;		/* of a line */
	struct arena images;		/* of a change */
	struct err *e;
};

/* A change as its images are. */
struct image {
	const char *event;
	struct value key, new, old;	/* count 0: none */
};

/* 1; 0 if nothing changed; -1. */
static int
read_image(struct records *x, const struct change *c, struct image *m)
{
	const struct table *t = x->stream->table;

	*m = (struct image){.event = "MODIFY", .new = c->item};
	m->old.type = m->key.type = VALUE_M;
	if (!c->bytes.p)
		m->event = "REMOVE";
	else if (!c->old.p)
		m->event = "INSERT";
	if (c->old.p && typed_read_item(&x->images, c->old.p, c->old.n,
	                    &m->old, x->e) < 0)
		return -1;
	if (c->bytes.p && c->old.p && c->bytes.n == c->old.n &&
	    memcmp(c->bytes.p, c->old.p, c->old.n) == 0)
		return 0;
	if (!c->bytes.p) {
		m->key = c->key;
		return 1;
	}
	return key_members(&x->images, t, NULL, &c->item, &m->key, x->e) < 0
	    ? -1
	    : 1;
}

static void
write_images(struct records *x, const struct image *m)
{
	enum stream_view view = x->stream->view;
	struct reply *r = &x->reply;
	size_t size = value_item_size(&m->key);

	reply_item(r, "Keys", &m->key);
	if (m->new.count && (view == STREAM_NEW || view == STREAM_BOTH)) {
		reply_item(r, "NewImage", &m->new);
		size += value_item_size(&m->new);
	}
	if (m->old.count && (view == STREAM_OLD || view == STREAM_BOTH)) {
		reply_item(r, "OldImage", &m->old);
		size += value_item_size(&m->old);
	}
	reply_integer(r, "SizeBytes", (int64_t)size);
	x->bytes += size;
}

static void
write_record(struct records *x, const struct unit *u, const struct image *m,
    const struct stream_place *p)
{
	char number[STREAM_NUMBER_MAX], event[48];
	struct reply *r = &x->reply;

	op_stream_number(p, number);
	snprintf(event, sizeof event, "%08" PRIx32 "%s",
	    (uint32_t)x->stream->table->id, number);
	reply_object(r, NULL);
	reply_string(r, "eventID", event);
	reply_string(r, "eventName", m->event);
	reply_string(r, "eventVersion", "1.1");
	reply_string(r, "eventSource", "aws:dynamodb");
	reply_string(r, "awsRegion", OP_REGION);
	reply_object(r, "dynamodb");
	reply_time(r, "ApproximateCreationDateTime", u->at_ms);
	write_images(x, m);
	reply_string(r, "SequenceNumber", number);
	reply_string(r, "StreamViewType",
	    op_stream_views[x->stream->view]);
	reply_close(r);
	if (u->by_ttl) {
		reply_object(r, "userIdentity");
		reply_string(r, "PrincipalId", "dynamodb.amazonaws.com");
		reply_string(r, "Type", "Service");
		reply_close(r);
	}
	reply_close(r);
}

/* 0; 1: full, and x->at is where to go on; -1. */
static int
take_changes(struct records *x, const struct unit *u, uint64_t position)
{
	struct stream_place p = {position, 0};
	struct image m;
	int rc;

	if (x->at.position == position)
		p.nth = x->at.nth;
	for (; p.nth < u->count; p.nth++) {
		if (u->changes[p.nth].table_id != x->stream->table->id)
			continue;
		if (!x->left || x->bytes >= RECORDS_BYTES) {
			x->at = p;
			return 1;
		}
		arena_reset(&x->images);
		rc = read_image(x, &u->changes[p.nth], &m);
		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		write_record(x, u, &m, &p);
		x->left--;
	}
	return 0;
}

/*
 * The stream's own begin and end: of changes that were decided in the same
 * millisecond only the line of the table tells on which side they are.
 */
static int
take_table(struct records *x, const struct unit *u)
{
	const struct table *own = x->stream->table;
	struct table *t = table_read(u->table.p, u->table.n, x->e);
	bool same;

	if (!t)
		return -1;
	same = t->id == own->id &&
	    t->stream_since_ms == own->stream_since_ms;
	if (same && t->stream == STREAM_OFF)
		x->ended = true;
	if (same && u->at_ms == own->stream_since_ms &&
	    t->stream != STREAM_OFF) {
		x->reply = x->begin;
		x->reply.out->len = x->begin_at;
	}
	table_free(t);
	return x->ended;
}

static bool
concerns(const struct records *x, const struct journal_line *l)
{
	static const char TABLE[] = "\"table\":{";

	return memmem(l->payload, l->len, x->needle, strlen(x->needle)) ||
	    memmem(l->payload, l->len, TABLE, sizeof TABLE - 1);
}

static int
take_line(void *ctx, const struct journal_line *l)
{
	struct records *x = ctx;
	struct unit u;
	int rc = 0;

	if (x->read > READ_BYTES)
		return 1;
	x->read += l->len;
	if (concerns(x, l)) {
		arena_reset(&x->arena);
		if (unit_read(&x->arena, l->payload, l->len, &u, x->e) < 0)
			return -2;
		if (u.kind == UNIT_TABLE)
			rc = take_table(x, &u);
		else if (u.kind == UNIT_CHANGES &&
		    u.at_ms >= x->stream->table->stream_since_ms)
			rc = take_changes(x, &u, l->position);
	}
	if (rc == 0)
		x->at = (struct stream_place){l->next, 0};
	return rc < 0 ? -2 : rc;
}

static int
read_records(struct op *op, struct records *x, struct err *e)
{
	struct store *s = op->store;
	uint32_t limit = op->request.stream.limit;
	int rc;

	if (check_place(s, &x->at, e) < 0)
		return -1;
	x->left = limit ? limit : RECORDS_MAX;
	x->e = e;
	snprintf(x->needle, sizeof x->needle, "{\"t\":%" PRIu64 ",",
	    x->stream->table->id);
	arena_init(&x->arena, UNIT_ROOM);
	arena_init(&x->images, IMAGES_ROOM);
	op_open(op, &x->reply);
	reply_list(&x->reply, "Records");
	x->begin = x->reply;
	x->begin_at = op->out->len;
	rc = journal_read(store_journal(s), x->at.position, take_line, x,
	    NULL, e);
	reply_close(&x->reply);
	arena_release(&x->arena);
	arena_release(&x->images);
	if (rc < 0)
		return e->code == EINVAL
		    ? err_set(e, FAULT_VALIDATION, "Invalid ShardIterator")
		    : -1;
	if (!x->ended && (rc || x->stream->on))
		write_iterator(&x->reply, "NextShardIterator", x->stream,
		    &x->at);
	return 0;
}

void
op_get_records(struct op *op, struct store_view *v)
{
	struct records x = {.read = 0};
	struct stream st = {.table = NULL};
	struct text arn;
	struct err e;
	int rc = read_iterator(&op->request.stream.iterator, &arn, &x.at, &e);

	(void)v;
	x.stream = &st;
	if (rc == 0)
		rc = op_stream_find(op->store, &arn, &st, &e);
	if (rc == 0)
		rc = read_records(op, &x, &e);
	op_stream_release(&st);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &x.reply);
}
