/*
 * What changed since the last checkpoint, as history_commit pulls it.
 *
 * All is read from one snapshot of the index, whose position P is a boundary
 * of units.  What changed is read from the journal since the last commit; a
 * document that changed several times is told once, at its newest line; of one
 * that is gone each line tells it, so that nothing has to be remembered.
 */
#include "checkpoint_internal.h"

#include "store/base/plant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	UNIT_ROOM = 512 << 20,
	AHEAD_BYTES = 4 << 20,		/* of the journal, read at once */
	PLAIN_MAX = 8 << 20
};

/* 1 with a change; 0: it is told elsewhere, or nothing; -1. */
static int
tell_change(struct checkpoint *c, const struct change *change,
    uint64_t position, struct history_change *out, struct err *e)
{
	struct laid *l = checkpoint_table(c, change->table_id);
	struct index_record r;
	struct text key;
	int rc;

	if (!l || !l->table->history || l->anew)
		return 0;
	if (key_item(&c->arena, l->table,
	        change->bytes.p ? &change->item : &change->key, &key, e) < 0)
		return -1;
	rc = index_get(c->view, &key, &r, e);
	if (rc > 0)
		return r.position == position
		    ? checkpoint_tell_item(c, l, &r.item, out, e)
		    : 0;
	if (rc < 0 ||
	    checkpoint_path(c, l,
	        change->bytes.p ? &change->item : &change->key, e) < 0)
		return -1;
	*out = (struct history_change){c->path, NULL, 0};
	return 1;
}

static int
tell_unit(struct checkpoint *c, struct history_change *out, struct err *e)
{
	char dir[PATH_NAME_MAX + 1], name[TABLE_NAME_MAX + 1];
	const struct unit *u = &c->unit;
	struct laid *l;
	struct table *t;
	uint64_t id;

	if (c->change++)
		return 0;
	if (u->kind == UNIT_DROP) {
		snprintf(name, sizeof name, "%.*s", (int)u->name.n, u->name.p);
		for (l = c->tables; l; l = l->next)
			if (strcmp(l->table->name, name) == 0)
				return 0;	/* told anew */
		path_table(name, dir);
		snprintf(c->path, sizeof c->path, "%s/", dir);
		*out = (struct history_change){c->path, NULL, 0};
		return 1;
	}
	t = table_read(u->table.p, u->table.n, e);
	if (!t)
		return -1;
	id = t->id;
	table_free(t);
	l = checkpoint_table(c, id);
	if (!l || !l->table->history || l->anew || l->told)
		return 0;
	checkpoint_tell_table(c, l, out);
	return 1;
}

static int
keep_line(void *arg, const struct journal_line *line)
{
	struct checkpoint *c = arg;

	if (line->position >= c->to)
		return 1;
	c->ahead[c->nahead++] = (struct ahead){line->position, c->lines.len,
	    line->len};
	buf_add(&c->lines, line->payload, line->len);
	c->at = line->next;
	return c->nahead == CHECKPOINT_AHEAD || c->lines.len > AHEAD_BYTES;
}

static int
read_ahead(struct checkpoint *c, struct err *e)
{
	c->nahead = c->used = 0;
	buf_reset(&c->lines);
	if (c->at < c->to &&
	    journal_read(c->s->journal, c->at, keep_line, c, NULL, e) < 0)
		return -1;
	return buf_ok(&c->lines) ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* The next unit of the journal: 1, 0 at the end, -1. */
static int
next_unit(struct checkpoint *c, struct err *e)
{
	const struct ahead *next;

	if (c->used == c->nahead && read_ahead(c, e) < 0)
		return -1;
	if (c->used == c->nahead)
		return 0;
	next = &c->ahead[c->used++];
	c->from = next->position;
	c->change = 0;
	arena_reset(&c->arena);
	return unit_read(&c->arena, c->lines.data + next->begin, next->len,
	           &c->unit, e) < 0
	    ? -1
	    : 1;
}

int
checkpoint_next(void *ctx, struct history_change *out, struct err *e)
{
	struct checkpoint *c = ctx;
	int rc;

	while (c->whole) {
		if (c->whole->anew &&
		    (rc = checkpoint_next_of_table(c, out, e)) != 0)
			return rc;
		c->whole = c->whole->next;
		c->stage = 0;
	}
	for (;;) {
		if (c->unit.kind != UNIT_CHANGES &&
		    (rc = tell_unit(c, out, e)) != 0)
			return rc;
		while (c->change < c->unit.count) {
			if (planted(PLANT_CHECKPOINT_IN_UNIT) && c->change &&
			    c->at == c->to && c->used == c->nahead)
				return 0;
			rc = tell_change(c, &c->unit.changes[c->change++],
			    c->from, out, e);
			if (rc)
				return rc;
		}
		rc = next_unit(c, e);
		if (rc <= 0)
			return rc;
	}
}

/* --- coming and going ---------------------------------------------------------- */

int
checkpoint_begin(struct checkpoint *c, struct store *s, struct err *e)
{
	struct history_commit tip = {0};
	int rc;

	*c = (struct checkpoint){.s = s};
	buf_init(&c->lines, JOURNAL_LINE_MAX + AHEAD_BYTES + 1);
	buf_init(&c->plain, PLAIN_MAX);
	arena_init(&c->arena, UNIT_ROOM);
	arena_init(&c->item_arena, UNIT_ROOM);
	c->view = index_view_new(s->index, e);
	if (!c->view || index_read_begin(c->view, e) < 0 ||
	    index_position(c->view, &c->to, e) < 0)
		return -1;
	rc = history_tip(s->history, &tip, e);
	if (rc < 0)
		return -1;
	c->at = c->from = tip.position;
	if (c->at < journal_begin(s->journal))
		c->at = journal_begin(s->journal);
	if (checkpoint_take_tables(c, e) < 0)
		return -1;
	c->whole = c->tables;
	return 0;
}

void
checkpoint_end(struct checkpoint *c)
{
	struct laid *l;

	index_cursor_close(c->cursor);
	if (c->view) {
		index_read_end(c->view);
		index_view_free(c->view);
	}
	while ((l = c->tables)) {
		c->tables = l->next;
		table_free(l->table);
		free(l);
	}
	buf_release(&c->lines);
	buf_release(&c->plain);
	arena_release(&c->arena);
	arena_release(&c->item_arena);
}
