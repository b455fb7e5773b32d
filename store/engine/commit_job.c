/*
 * What a job does in its run(), as commit.h has it: it reads through the open
 * batch, and says what is to change.  Runs in the thread that writes; writes
 * nothing itself.
 */
#include "commit_internal.h"

#include "store/value/fault.h"
#include "store/value/typed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES_FIRST = 4 };

struct index_view *
commit_view(struct commit *c)
{
	return c->view;
}

const struct catalog *
commit_catalog(struct commit *c)
{
	return c->catalog;
}

int64_t
commit_now_ms(struct commit *c)
{
	return c->now_ms;
}

int
commit_get(struct commit *c, const struct text *key, struct commit_old *old,
    struct err *e)
{
	struct index_record r;
	int rc = index_get(c->view, key, &r, e);
	char *copy;

	*old = (struct commit_old){.item.type = VALUE_M};
	if (rc <= 0)
		return rc;
	copy = arena_copy(c->job->arena, r.item.p, r.item.n);
	if (!copy)
		return err_set(e, FAULT_LIMIT, "the request takes too much "
		    "memory");
	old->there = true;
	old->bytes = (struct text){copy, r.item.n};
	return typed_read_item(c->job->arena, copy, r.item.n, &old->item, e);
}

/* Room for one more change: its index, or -1. */
static int
add(struct commit *c, const struct table *t, const struct text *key,
    const struct commit_old *old, struct change *change, struct err *e)
{
	struct commit_job *j = c->job;
	struct unit *u = &j->unit;
	size_t room = j->room ? 2 * j->room : CHANGES_FIRST;
	struct change *changes;
	struct applied *olds;
	struct value *before = NULL;

	if (old->there) {
		before = arena_alloc(j->arena, sizeof *before);
		if (!before)
			return err_set(e, FAULT_LIMIT, "the request takes too "
			    "much memory");
		*before = old->item;	/* the caller's may be on its stack */
	}
	if (u->count == j->room) {
		changes = arena_array(j->arena, room, sizeof *changes);
		olds = arena_array(j->arena, room, sizeof *olds);
		if (!changes || !olds)
			return err_set(e, FAULT_LIMIT, "the request takes too "
			    "much memory");
		if (u->count) {
			memcpy(changes, u->changes, u->count * sizeof *changes);
			memcpy(olds, c->olds, u->count * sizeof *olds);
		}
		u->changes = changes;
		c->olds = olds;
		j->room = room;
	}
	change->table_id = t->id;
	if (old->there && t->stream != STREAM_OFF)
		change->old = old->bytes;
	u->changes[u->count] = *change;
	c->olds[u->count++] = (struct applied){t, *key, before};
	return 0;
}

int
commit_put(struct commit *c, const struct table *t, const struct text *key,
    const struct commit_old *old, const struct value *item, struct err *e)
{
	struct change change = {.item = *item, .key.type = VALUE_M};
	struct buf b;
	char *copy;

	buf_init(&b, VALUE_ITEM_MAX * 8);
	typed_write_item(&b, item);
	copy = buf_ok(&b) ? arena_copy(c->job->arena, b.data, b.len) : NULL;
	change.bytes = (struct text){copy, b.len};
	buf_release(&b);
	if (!copy)
		return err_set(e, FAULT_LIMIT, "the request takes too much "
		    "memory");
	return add(c, t, key, old, &change, e);
}

int
commit_delete(struct commit *c, const struct table *t,
    const struct text *key, const struct value *members,
    const struct commit_old *old, struct err *e)
{
	struct change change = {.key = *members, .item.type = VALUE_M};

	return add(c, t, key, old, &change, e);
}

void
commit_token(struct commit *c, const struct text *token,
    const struct text *hash)
{
	c->job->unit.token = *token;
	c->job->unit.token_hash = *hash;
}

int
commit_token_find(struct commit *c, const struct text *token,
    struct text *hash, struct err *e)
{
	char name[8 + UNIT_TOKEN_MAX + 1];
	struct text n = {name, 0}, note;
	const char *space;
	int rc;

	n.n = (size_t)snprintf(name, sizeof name, "token/%.*s", (int)token->n,
	    token->p);
	rc = index_note_get(c->view, &n, &note, e);
	if (rc <= 0)
		return rc;
	space = memchr(note.p, ' ', note.n);
	if (!space || c->now_ms - strtoll(note.p, NULL, 10) > STORE_TOKEN_MS)
		return 0;
	hash->n = (size_t)(note.p + note.n - space - 1);
	hash->p = arena_copy(c->job->arena, space + 1, hash->n);
	return hash->p ? 1 : err_set(e, FAULT_LIMIT, "out of memory");
}

void
commit_by_ttl(struct commit *c)
{
	c->job->unit.by_ttl = true;
}

void
commit_table(struct commit *c, struct table *t)
{
	const struct table *old = catalog_id(c->catalog, t->id);

	if (t->stream != STREAM_OFF &&
	    (!old || old->stream_since_ms != t->stream_since_ms))
		t->stream_from = (int64_t)journal_end(c->s->journal);
	c->job->unit.kind = UNIT_TABLE;
	table_free(c->job->table);
	c->job->table = t;
}

void
commit_drop(struct commit *c, uint64_t table_id)
{
	c->job->unit.kind = UNIT_DROP;
	c->job->unit.table_id = table_id;
}

void
commit_touched(struct commit *c)
{
	c->touched = true;
}

int
commit_each_earlier(struct commit *c,
    int (*each)(void *arg, const struct unit *u, struct err *e), void *arg,
    struct err *e)
{
	const struct commit_job *j;
	int rc = 0;

	for (j = c->jobs; rc == 0 && j != c->job; j = j->next)
		if (!j->failed)
			rc = each(arg, &j->unit, e);
	return rc;
}

int
commit_table_id(struct commit *c, uint64_t *id, struct err *e)
{
	static const struct text NAME = {"next table", 10};
	struct text note;
	char text[24];
	int rc = index_note_get(c->view, &NAME, &note, e);

	if (rc < 0)
		return -1;
	snprintf(text, sizeof text, "%.*s", rc ? (int)note.n : 1,
	    rc ? note.p : "1");
	*id = strtoull(text, NULL, 10);
	return 0;
}
