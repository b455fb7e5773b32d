/*
 * Streams: which there are, their one shard, and iterators on it.
 *
 * The last one of a table stays readable for a day after it was turned off, if
 * the journal has its changes; its shard is closed.  Another may be on by then.
 */
#include "stream.h"

#include "store/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIST_MAX = 100,
	NTH_MAX = 10000000,
	KEPT_MS = 24 * 60 * 60 * 1000,	/* after it was turned off */
	TABLE_STREAMS = 2
};

const char *const op_stream_views[] = {
	[STREAM_KEYS] = "KEYS_ONLY",
	[STREAM_NEW] = "NEW_IMAGE",
	[STREAM_OLD] = "OLD_IMAGE",
	[STREAM_BOTH] = "NEW_AND_OLD_IMAGES",
};

/* --- names --------------------------------------------------------------- */

static void
write_label(int64_t since_ms, char out[32])
{
	clock_iso(since_ms, out);
	out[23] = '\0';			/* without the zone */
}

void
op_stream_label(const struct table *t, char out[32])
{
	write_label(t->stream_since_ms, out);
}

static void
write_arn(const struct table *t, int64_t since_ms, char out[STREAM_ARN_MAX])
{
	char label[32];

	write_label(since_ms, label);
	snprintf(out, STREAM_ARN_MAX, OP_ARN "table/%s/stream/%s", t->name,
	    label);
}

void
op_stream_shard(const struct stream *st, char out[STREAM_SHARD_MAX])
{
	snprintf(out, STREAM_SHARD_MAX, "shardId-%020" PRId64 "-%08" PRIx32,
	    st->table->stream_since_ms, (uint32_t)st->table->id);
}

void
op_stream_number(const struct stream_place *p, char out[STREAM_NUMBER_MAX])
{
	snprintf(out, STREAM_NUMBER_MAX, "%017" PRIu64 "%07" PRIu64,
	    p->position % 100000000000000000, p->nth % NTH_MAX);
}

int
op_stream_number_read(const struct text *t, struct stream_place *out,
    struct err *e)
{
	char text[STREAM_NUMBER_MAX];
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->p[i] < '0' || t->p[i] > '9')
			break;
	if (t->n != 24 || i < t->n)
		return err_set(e, FAULT_VALIDATION, "Invalid SequenceNumber");
	snprintf(text, sizeof text, "%.24s", t->p);
	out->nth = strtoull(text + 17, NULL, 10);
	text[17] = '\0';
	out->position = strtoull(text, NULL, 10);
	return 0;
}

/* --- which there are ----------------------------------------------------- */

uint64_t
op_stream_oldest(struct store *s)
{
	struct mark m;

	journal_marks(store_journal(s), &m);
	return m.feed.position;
}

/* (A store made of a mirror numbers its journal anew.) */
uint64_t
op_stream_first(struct store *s, const struct stream *st)
{
	uint64_t oldest = op_stream_oldest(s);
	uint64_t from = (uint64_t)st->table->stream_from;

	return from > oldest && from <= journal_end(store_journal(s)) ? from
	                                                              : oldest;
}

/* One of a table: since when, from where, what it shows. */
struct one {
	int64_t since_ms, from;
	enum stream_view view;
	bool on;
};

/* Those of a table, the older one first: how many. */
static size_t
streams_of(const struct table *t, struct one out[TABLE_STREAMS])
{
	size_t n = 0;

	if (t->stream_was != STREAM_OFF &&
	    clock_wall_ms() - t->stream_until_ms < KEPT_MS)
		out[n++] = (struct one){t->stream_was_since_ms,
		    t->stream_was_from, t->stream_was, false};
	if (t->stream != STREAM_OFF)
		out[n++] = (struct one){t->stream_since_ms, t->stream_from,
		    t->stream, true};
	return n;
}

static bool
is_stream(const struct table *t, const struct one *one,
    const struct text *arn)
{
	char own[STREAM_ARN_MAX];

	write_arn(t, one->since_ms, own);
	return strlen(own) == arn->n && memcmp(own, arn->p, arn->n) == 0;
}

/* The stream of a table that has the ARN: true. */
static bool
find_one(const struct table *t, const struct text *arn, struct one *out)
{
	struct one all[TABLE_STREAMS];
	size_t n = t ? streams_of(t, all) : 0, i;

	for (i = 0; i < n; i++)
		if (is_stream(t, &all[i], arn)) {
			*out = all[i];
			return true;
		}
	return false;
}

/* The table of "...:table/NAME/stream/LABEL": 0; or -1, and it is none. */
static int
table_of_arn(const struct text *arn, struct text *name, struct err *e)
{
	static const char HEAD[] = OP_ARN "table/", PART[] = "/stream/";
	const char *part;

	if (arn->n < sizeof HEAD ||
	    memcmp(arn->p, HEAD, sizeof HEAD - 1) != 0)
		return err_set(e, FAULT_VALIDATION, "Invalid StreamArn");
	name->p = arn->p + sizeof HEAD - 1;
	name->n = arn->n - (sizeof HEAD - 1);
	part = memmem(name->p, name->n, PART, sizeof PART - 1);
	if (!part)
		return err_set(e, FAULT_VALIDATION, "Invalid StreamArn");
	name->n = (size_t)(part - name->p);
	return 0;
}

int
op_stream_find(struct store *s, const struct text *arn, struct stream *out,
    struct err *e)
{
	struct catalog *c;
	const struct table *t;
	struct text name = {NULL, 0};
	struct one one;
	int rc = -1;

	*out = (struct stream){.on = false};
	if (table_of_arn(arn, &name, e) < 0)
		return -1;
	c = store_catalog_hold(s);
	t = catalog_named(c, name.p, name.n);
	if (!find_one(t, arn, &one))
		err_set(e, FAULT_NOT_FOUND, "Requested resource not found: "
		    "Stream: %.*s not found", (int)arn->n, arn->p);
	else if (!(out->table = table_copy(t)))
		op_no_memory(e);
	else {
		out->table->stream_since_ms = one.since_ms;
		out->table->stream_from = one.from;
		out->on = one.on;
		out->view = one.view;
		write_arn(t, one.since_ms, out->arn);
		rc = 0;
	}
	store_catalog_release(s, c);
	return rc;
}

void
op_stream_release(struct stream *st)
{
	table_free(st->table);
	st->table = NULL;
}

/* Of two names, by their bytes. */
static int
order(const char *name, const struct text *other)
{
	const struct text t = {name, strlen(name)};

	return text_compare(&t, other);
}

/* --- ListStreams --------------------------------------------------------- */

struct list {
	const struct stream_request *q;
	struct reply reply;
	struct text start, label;	/* behind that one; or all */
	uint32_t left;
	char last[STREAM_ARN_MAX];
};

static bool
is_wanted(const struct list *l, const struct table *t, const char *label)
{
	int where;

	if (l->q->table.p && order(t->name, &l->q->table) != 0)
		return false;
	if (!l->start.p)
		return true;
	where = order(t->name, &l->start);
	return where > 0 || (where == 0 && order(label, &l->label) > 0);
}

/* False: there is no more room. */
static bool
list_table(struct list *l, const struct table *t)
{
	struct one all[TABLE_STREAMS];
	size_t n = streams_of(t, all), i;
	char label[32], arn[STREAM_ARN_MAX];

	for (i = 0; i < n; i++) {
		write_label(all[i].since_ms, label);
		if (!is_wanted(l, t, label))
			continue;
		if (!l->left)
			return false;
		l->left--;
		write_arn(t, all[i].since_ms, arn);
		snprintf(l->last, sizeof l->last, "%s", arn);
		reply_object(&l->reply, NULL);
		reply_string(&l->reply, "StreamArn", arn);
		reply_string(&l->reply, "StreamLabel", label);
		reply_string(&l->reply, "TableName", t->name);
		reply_close(&l->reply);
	}
	return true;
}

void
op_list_streams(struct op *op, struct store_view *v)
{
	const struct stream_request *q = &op->request.stream;
	struct list l = {.q = q, .left = q->limit ? q->limit : LIST_MAX};
	struct catalog *c;
	struct err e;
	size_t i;

	if (q->start.p && table_of_arn(&q->start, &l.start, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	if (q->start.p) {
		l.label.p = l.start.p + l.start.n + strlen("/stream/");
		l.label.n = (size_t)(q->start.p + q->start.n - l.label.p);
	}
	c = store_catalog_hold(v->store);
	op_open(op, &l.reply);
	reply_list(&l.reply, "Streams");
	for (i = 0; i < c->count; i++)
		if (!list_table(&l, c->entries[i].table))
			break;
	reply_close(&l.reply);
	if (i < c->count)
		reply_string(&l.reply, "LastEvaluatedStreamArn", l.last);
	store_catalog_release(v->store, c);
	op_close(op, &l.reply);
}

/* --- DescribeStream ------------------------------------------------------ */

static void
write_key(struct reply *r, const struct table *t)
{
	size_t i;

	reply_list(r, "KeySchema");
	for (i = 0; i < 1 + t->key.nrange; i++) {
		reply_object(r, NULL);
		reply_string(r, "AttributeName",
		    i ? t->key.range[0].name : t->key.hash[0].name);
		reply_string(r, "KeyType", i ? "RANGE" : "HASH");
		reply_close(r);
	}
	reply_close(r);
}

static void
write_shard(struct reply *r, struct store *s, const struct stream *st)
{
	struct stream_place first = {op_stream_first(s, st), 0};
	struct stream_place last = {journal_end(store_journal(s)), 0};
	char shard[STREAM_SHARD_MAX], number[STREAM_NUMBER_MAX];

	op_stream_shard(st, shard);
	op_stream_number(&first, number);
	reply_object(r, NULL);
	reply_string(r, "ShardId", shard);
	reply_object(r, "SequenceNumberRange");
	reply_string(r, "StartingSequenceNumber", number);
	if (!st->on) {
		op_stream_number(&last, number);
		reply_string(r, "EndingSequenceNumber", number);
	}
	reply_close(r);
	reply_close(r);
}

/* `childless`: only shards that come of another, and none does. */
static void
write_stream(struct reply *r, struct store *s, const struct stream *st,
    const struct text *start, bool childless)
{
	char label[32], shard[STREAM_SHARD_MAX];

	op_stream_label(st->table, label);
	op_stream_shard(st, shard);
	reply_object(r, "StreamDescription");
	reply_string(r, "StreamArn", st->arn);
	reply_string(r, "StreamLabel", label);
	reply_string(r, "StreamStatus", st->on ? "ENABLED" : "DISABLED");
	reply_string(r, "StreamViewType", op_stream_views[st->view]);
	reply_time(r, "CreationRequestDateTime", st->table->stream_since_ms);
	reply_string(r, "TableName", st->table->name);
	write_key(r, st->table);
	reply_list(r, "Shards");
	if (!childless && (!start->p || order(shard, start) > 0))
		write_shard(r, s, st);
	reply_close(r);
	reply_close(r);
}

void
op_describe_stream(struct op *op, struct store_view *v)
{
	const struct stream_request *q = &op->request.stream;
	struct stream st;
	struct reply r;
	struct err e;
	int rc = op_stream_find(v->store, &q->arn, &st, &e);

	if (rc == 0) {
		op_open(op, &r);
		write_stream(&r, v->store, &st, &q->start, q->filter != NULL);
	}
	op_stream_release(&st);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}
