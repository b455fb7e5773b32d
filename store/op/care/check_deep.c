/*
 * The deep part of a check: secondary indexes against the items, the history
 * against the index, and every line of the journal.
 */
#include "check.h"

#include "store/op/op_wait.h"

#include "store/value/plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PROGRESS = 10000 };

/* --- secondary indexes --------------------------------------------------- */

static int
count_entries(struct check_reader *r, const struct table *t,
    const struct index_entry *entry, uint64_t counts[TABLE_INDEXES_MAX],
    struct err *e)
{
	struct value item;
	struct text key;
	size_t i;
	int rc;

	arena_reset(&r->arena);
	if (typed_read_item(&r->arena, entry->record.item.p,
	        entry->record.item.n, &item, e) < 0)
		return -1;
	for (i = 0; i < t->nindexes; i++) {
		rc = key_entry(&r->arena, t, &t->indexes[i], &item,
		    &entry->base, &key, e);
		if (rc < 0)
			return -1;
		counts[i] += rc > 0;
	}
	return 0;
}

static int
tell_counts(struct check *c, const struct table *t, uint64_t items,
    const uint64_t counts[TABLE_INDEXES_MAX], struct err *e)
{
	struct index_view *v = c->readers[0].view.index;
	struct index_counts n;
	char text[TABLE_NAME_MAX + 128];
	size_t i;

	if (index_counts(v, t->id, 0, &n, e) < 0)
		return -1;
	snprintf(text, sizeof text, "%" PRIu64 " documents are counted, %"
	    PRIu64 " are there", n.items, items);
	if (n.items != items)
		op_check_tell(c, "index", t->name, NULL, text);
	for (i = 0; i < t->nindexes; i++) {
		if (t->indexes[i].filling)
			continue;
		if (index_counts(v, t->id, t->indexes[i].id, &n, e) < 0)
			return -1;
		snprintf(text, sizeof text, "index %s has %" PRIu64
		    " entries, of %" PRIu64, t->indexes[i].name, n.items,
		    counts[i]);
		if (n.items != counts[i])
			op_check_tell(c, "index", t->name, NULL, text);
	}
	return 0;
}

static int
check_counts(struct check *c, const struct table *t, struct err *e)
{
	struct check_reader *r = &c->readers[0];
	uint64_t counts[TABLE_INDEXES_MAX] = {0}, items = 0;
	struct index_cursor *cursor;
	struct index_entry entry;
	struct key_range all;
	int rc;

	if (key_range_scan(&c->arena, t, NULL, 0, 1, &all, e) < 0)
		return -1;
	cursor = index_cursor_open(r->view.index, NULL, &all, false, e);
	if (!cursor)
		return -1;
	while ((rc = index_cursor_next(cursor, &entry, e)) > 0) {
		if (op_stopped(c->op, e))
			rc = -1;
		else
			rc = count_entries(r, t, &entry, counts, e);
		if (rc < 0)
			break;
		if (++items % PROGRESS == 0)
			op_progress(c->op, "index", items, 0);
	}
	index_cursor_close(cursor);
	return rc < 0 ? -1 : tell_counts(c, t, items, counts, e);
}

/* --- the history --------------------------------------------------------- */

struct compared {
	struct check *check;
	const struct table *table;
	uint64_t items;
};

static void
tell_document(struct check *c, const struct table *t, const char *file,
    const char *text)
{
	op_check_tell(c, "history", t->name, file, text);
}

/* A document as the history has it. */
static int
compare_document(void *ctx, const struct past_delta *d, struct err *e)
{
	struct compared *x = ctx;
	struct check_reader *r = &x->check->readers[0];
	struct index_record record;
	struct value item;
	struct text key;
	int rc;

	arena_reset(&r->arena);
	if (op_stopped(x->check->op, e))
		return -1;
	if (++x->items % PROGRESS == 0)
		op_progress(x->check->op, "history", x->items, 0);
	if (plain_read_item(&r->arena, d->new.p, d->new.n, &item, e) < 0 ||
	    key_item(&r->arena, x->table, &item, &key, e) < 0) {
		tell_document(x->check, x->table, d->name->text, e->text);
		return 0;
	}
	rc = index_get(r->view.index, &key, &record, e);
	if (rc < 0)
		return -1;
	if (rc == 0) {
		tell_document(x->check, x->table, d->name->text,
		    "the history has it, the index doesn't");
		return 0;
	}
	if (op_check_render(r, &record.item, e) < 0)
		return -1;
	if (r->plain.len != d->new.n ||
	    memcmp(r->plain.data, d->new.p, d->new.n) != 0)
		tell_document(x->check, x->table, d->name->text,
		    "the history has another text than the index");
	return 0;
}

static int
compare_table(struct check *c, const struct past *now, const struct table *t,
    struct err *e)
{
	const struct past nothing = {.store = c->op->store,
	    .until_ms = INT64_MAX};
	struct past_table none, is = {.past = NULL};
	struct compared x = {c, t, 0};
	struct index_counts n;
	char text[128];
	int rc = past_open(&nothing, t->name, &none, e);

	if (rc == 0)
		rc = past_open(now, t->name, &is, e);
	if (rc == 0)
		rc = past_diff(&none, &is, NULL, compare_document, &x, e);
	past_close(&none);
	past_close(&is);
	if (rc < 0 || index_counts(c->readers[0].view.index, t->id, 0, &n,
	                  e) < 0)
		return -1;
	snprintf(text, sizeof text, "%" PRIu64 " documents are in the "
	    "history, %" PRIu64 " in the index", x.items, n.items);
	if (x.items != n.items)
		tell_document(c, t, NULL, text);
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

static int
check_tables(struct check *c, struct past *now, struct err *e)
{
	const struct text *only = &c->op->request.store.table;
	struct store_view *v = &c->readers[0].view;
	size_t i;
	int rc = index_position(v->index, &now->to, e);

	for (i = 0; rc == 0 && i < v->catalog->count; i++) {
		const struct table *t = v->catalog->entries[i].table;

		if (only->p && (strlen(t->name) != only->n ||
		                   memcmp(t->name, only->p, only->n) != 0))
			continue;
		rc = check_counts(c, t, e);
		if (rc == 0 && t->history)
			rc = compare_table(c, now, t, e);
	}
	return rc;
}

/* 1: it is to end. */
static int
pass_line(void *ctx, const struct journal_line *line)
{
	struct err ignored;

	(void)line;
	return op_stopped(ctx, &ignored);
}

static int
check_journal(struct check *c, struct err *e)
{
	struct journal *j = store_journal(c->op->store);
	struct err why;

	if (journal_read(j, journal_begin(j), pass_line, c->op, NULL, &why) <
	        0 &&
	    why.code != FAULT_TRIMMED)
		op_check_tell(c, "journal", NULL, NULL, why.text);
	return op_stopped(c->op, e) ? -1 : 0;
}

int
op_check_deep(struct check *c, struct err *e)
{
	struct store_view *v = &c->readers[0].view;
	struct past now;
	int rc;

	store_history_lock(c->op->store);
	rc = past_find(c->op->store, NULL, &now, e);
	if (rc == 0)
		rc = store_read_begin(v, e);
	if (rc == 0) {
		rc = check_tables(c, &now, e);
		store_read_end(v);
	}
	store_history_unlock(c->op->store);
	return rc < 0 ? -1 : check_journal(c, e);
}
