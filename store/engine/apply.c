/*
 * What a unit of the journal does to index, catalogue and files: the same code
 * for a write that was just decided and for one that recovery reads again.
 */
#include "store_internal.h"

#include "store/base/clock.h"
#include "store/base/plant.h"
#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REPLAY_UNITS = 512,		/* in one batch of the index */
	REPLAY_BYTES = 8 << 20,
	UNIT_ROOM = 512 << 20,		/* of an arena that reads one */
	ROOM_WAIT_MS = 200,
	BYTES_AT_LEAST = 4096		/* that index_begin wants an item */
};

static struct text
note_name(char room[32], const char *kind, uint64_t id)
{
	int n = snprintf(room, 32, "%s/%016" PRIx64, kind, id);

	return (struct text){room, (size_t)n};
}

/* --- the index --------------------------------------------------------------- */

static int
old_item(struct index_view *batch, struct arena *a, const struct text *key,
    const struct value **out, struct err *e)
{
	struct index_record r;
	struct value *v;
	char *copy;
	int rc = index_get(batch, key, &r, e);

	*out = NULL;
	if (rc <= 0)
		return rc;
	copy = arena_copy(a, r.item.p, r.item.n);
	v = arena_alloc(a, sizeof *v);
	if (!copy || !v)
		return err_set(e, ENOMEM, "out of memory");
	if (typed_read_item(a, copy, r.item.n, v, e) < 0)
		return -1;
	*out = v;
	return 0;
}

static int
apply_change(struct index_view *batch, const struct catalog *catalog,
    struct arena *a, const struct change *c, const struct applied *given,
    uint64_t position, struct err *e)
{
	struct applied found = {0};

	if (!given) {
		found.table = catalog_id(catalog, c->table_id);
		if (!found.table)
			return 0;	/* it was dropped later */
		if (key_item(a, found.table, c->bytes.p ? &c->item : &c->key,
		        &found.key, e) < 0)
			return -1;
		if (index_needs_old(found.table) &&
		    old_item(batch, a, &found.key, &found.old, e) < 0)
			return -1;
		given = &found;
	}
	if (c->bytes.p)
		return index_put(batch, given->table, &given->key, given->old,
		    &c->item, &c->bytes, position, e);
	return index_delete(batch, given->table, &given->key, given->old, e) <
	        0
	    ? -1
	    : 0;
}

static int
apply_token(struct index_view *batch, const struct unit *u, struct err *e)
{
	char name[8 + UNIT_TOKEN_MAX + 1], note[128];
	struct text n = {name, 0}, v = {note, 0};

	n.n = (size_t)snprintf(name, sizeof name, "token/%.*s",
	    (int)u->token.n, u->token.p);
	v.n = (size_t)snprintf(note, sizeof note, "%" PRId64 " %.*s", u->at_ms,
	    (int)u->token_hash.n, u->token_hash.p);
	return index_note_put(batch, &n, &v, e);
}

/* The number of the next table lies above this one's. */
static int
pass_id(struct index_view *batch, uint64_t id, struct err *e)
{
	static const struct text NAME = {"next table", 10};
	struct text note;
	char text[24] = "0";
	int rc = index_note_get(batch, &NAME, &note, e);

	if (rc < 0)
		return -1;
	if (rc > 0)
		snprintf(text, sizeof text, "%.*s", (int)note.n, note.p);
	if (strtoull(text, NULL, 10) > id)
		return 0;
	note.n = (size_t)snprintf(text, sizeof text, "%" PRIu64, id + 1);
	note.p = text;
	return index_note_put(batch, &NAME, &note, e);
}

static int
put_table(struct index_view *batch, const struct unit *u, struct err *e)
{
	struct table *t = table_read(u->table.p, u->table.n, e), *old = NULL;
	char room[32];
	struct text name, note;
	int rc;

	if (!t)
		return -1;
	name = note_name(room, "table", t->id);
	rc = index_note_get(batch, &name, &note, e);
	if (rc > 0) {
		old = table_read(note.p, note.n, e);
		rc = old ? 0 : -1;
	}
	if (rc == 0 && pass_id(batch, t->id, e) == 0 &&
	    apply_indexes(batch, old, t, e) == 0)
		rc = index_note_put(batch, &name, &u->table, e);
	else
		rc = -1;
	table_free(old);
	table_free(t);
	return rc;
}

int
apply_index(struct index_view *batch, const struct catalog *catalog,
    struct arena *a, const struct unit *u, const struct applied *olds,
    uint64_t position, struct err *e)
{
	char room[32];
	struct text name;
	size_t i;
	int rc = 0;

	switch (u->kind) {
	case UNIT_CHANGES:
		for (i = 0; rc == 0 && i < u->count &&
		     !(planted(PLANT_HALF_REDONE) && !olds && i); i++)
			rc = apply_change(batch, catalog, a, &u->changes[i],
			    olds ? &olds[i] : NULL, position, e);
		if (rc == 0 && u->token.p &&
		    !(planted(PLANT_TOKEN_NOT_REDONE) && !olds))
			rc = apply_token(batch, u, e);
		return rc;
	case UNIT_TABLE:
		return put_table(batch, u, e);
	case UNIT_DROP:
		name = note_name(room, "table", u->table_id);
		if (pass_id(batch, u->table_id, e) < 0 ||
		    index_note_delete(batch, &name, e) < 0)
			return -1;
		name = note_name(room, "drop", u->table_id);
		return index_note_put(batch, &name, &(struct text){"", 0}, e);
	}
	return 0;
}

int
apply_table(struct store *s, const struct unit *u, struct err *e)
{
	struct table *t;

	if (u->kind == UNIT_DROP)
		return catalog_remove(&s->catalog, u->table_id, e);
	t = table_read(u->table.p, u->table.n, e);
	return t ? catalog_put(&s->catalog, t, e) : -1;
}

/* --- files ------------------------------------------------------------------- */

static int
change_file(struct store *s, const struct table *t, const struct change *c,
    uint64_t position, int flags, struct filework_ticket *ticket,
    struct err *e)
{
	struct path_key key;

	if (path_key_of(t, c->bytes.p ? &c->item : &c->key, &key) < 0)
		return err_set(e, FAULT_INTERNAL, "%s: a change without a key",
		    t->name);
	if (planted(PLANT_DELETE_NOT_REDONE) && flags && !c->bytes.p)
		return 0;
	return filework_put(s->filework, t->name, &key, position, c->bytes.p,
	    c->bytes.n, flags, ticket, e);
}

/* A table's own file: its bytes are told from an item's by a leading space. */
static int
table_file(struct store *s, const struct unit *u, uint64_t position,
    struct filework_ticket *ticket, struct err *e)
{
	struct table *t = table_read(u->table.p, u->table.n, e);
	struct buf b;
	int rc = -1;

	if (!t)
		return -1;
	buf_init(&b, u->table.n + 16);
	buf_putc(&b, ' ');
	buf_add(&b, u->table.p, u->table.n);
	if (files_table(s->files, t->name, 0, e))
		rc = filework_put(s->filework, t->name, NULL, position, b.data,
		    b.len, FILES_REDO, ticket, e);
	buf_release(&b);
	table_free(t);
	return rc;
}

static int
drop_files(struct store *s, const struct unit *u, uint64_t position,
    struct filework_ticket *ticket, struct err *e)
{
	char name[TABLE_NAME_MAX + 1];

	snprintf(name, sizeof name, "%.*s", (int)u->name.n, u->name.p);
	if (!files_table(s->files, name, 0, e))
		return -1;
	return filework_put(s->filework, name, NULL, position, NULL, 0, 0,
	    ticket, e);
}

bool
apply_wait_room(struct store *s)
{
	struct filework_status w;

	while (!filework_wait_room(s->filework, ROOM_WAIT_MS)) {
		filework_status(s->filework, &w);
		if (w.error)
			return false;
	}
	return true;
}

int
apply_files(struct store *s, const struct catalog *catalog,
    const struct unit *u, uint64_t position, int flags,
    struct filework_ticket *ticket, struct err *e)
{
	const struct table *t;
	size_t i;
	int rc = 0;

	switch (u->kind) {
	case UNIT_CHANGES:
		for (i = 0; rc == 0 && i < u->count; i++) {
			t = catalog_id(catalog, u->changes[i].table_id);
			if (t)
				rc = change_file(s, t, &u->changes[i],
				    position, flags, ticket, e);
		}
		return rc;
	case UNIT_TABLE:
		return table_file(s, u, position, ticket, e);
	case UNIT_DROP:
		return drop_files(s, u, position, ticket, e);
	}
	return 0;
}

/* --- from the journal --------------------------------------------------------- */

struct replay {
	struct store *s;
	struct index_view *batch;	/* NULL: between two */
	struct arena arena;		/* of one unit */
	uint64_t index_from, files_from;
	bool files;
	size_t units, bytes;
	uint64_t applied;		/* up to here, in the open batch */
	struct err *e;
};

static int
replay_commit(struct replay *r)
{
	int rc;

	if (!r->batch)
		return 0;
	rc = index_commit(r->batch, r->applied, r->e);
	r->batch = NULL;
	if (rc == 0)
		atomic_store(&r->s->visible, r->applied);
	return rc;
}

static int
replay_unit(struct replay *r, const struct journal_line *line,
    const struct unit *u)
{
	struct catalog *catalog;
	int rc = 0;

	if (line->position >= r->index_from) {
		if (!r->batch)
			r->batch = index_begin(r->s->index, REPLAY_BYTES +
			    line->len + BYTES_AT_LEAST * REPLAY_UNITS, r->e);
		if (!r->batch)
			return -1;
		catalog = catalog_hold(&r->s->catalog);
		rc = apply_index(r->batch, catalog, &r->arena, u, NULL,
		    line->position, r->e);
		catalog_release(&r->s->catalog, catalog);
		r->applied = line->next;
	}
	if (rc == 0 && r->files && line->position >= r->files_from) {
		apply_wait_room(r->s);
		catalog = catalog_hold(&r->s->catalog);
		rc = apply_files(r->s, catalog, u, line->position, FILES_REDO,
		    NULL, r->e);
		catalog_release(&r->s->catalog, catalog);
		filework_reach(r->s->filework, line->next);
	}
	if (rc == 0 && u->kind != UNIT_CHANGES &&
	    line->position >= r->index_from)
		rc = apply_table(r->s, u, r->e);
	return rc;
}

static int
replay_line(void *ctx, const struct journal_line *line)
{
	struct replay *r = ctx;
	struct unit u;

	arena_reset(&r->arena);
	if (unit_read(&r->arena, line->payload, line->len, &u, r->e) < 0)
		return -2;
	if (atomic_load(&r->s->now_ms) < u.at_ms)
		atomic_store(&r->s->now_ms, u.at_ms);
	if (replay_unit(r, line, &u) < 0)
		return -2;
	r->bytes += line->len;
	if (++r->units < REPLAY_UNITS && r->bytes < REPLAY_BYTES)
		return 0;
	r->units = r->bytes = 0;
	return store_start_stopped(&r->s->options, r->e) ||
	        replay_commit(r) < 0
	    ? -2
	    : 0;
}

/* --- what only the index remembers ---------------------------------------------- */

struct memory {
	struct index_view *batch;
	struct arena arena;
	uint64_t until;
	int64_t after_ms;		/* older tokens may be forgotten */
	struct err *e;
};

static int
remember(struct memory *m, const struct unit *u)
{
	struct table *t;
	int rc = 0;

	if (u->kind == UNIT_DROP)
		return pass_id(m->batch, u->table_id, m->e);
	if (u->kind == UNIT_TABLE) {
		t = table_read(u->table.p, u->table.n, m->e);
		rc = t ? pass_id(m->batch, t->id, m->e) : -1;
		table_free(t);
	} else if (u->token.p && u->at_ms >= m->after_ms)
		rc = apply_token(m->batch, u, m->e);
	return rc;
}

static int
remember_line(void *ctx, const struct journal_line *line)
{
	struct memory *m = ctx;
	struct unit u;

	if (line->position >= m->until)
		return 1;
	if (!unit_tells_more(line->payload, line->len))
		return 0;
	arena_reset(&m->arena);
	if (unit_read(&m->arena, line->payload, line->len, &u, m->e) < 0 ||
	    remember(m, &u) < 0)
		return -2;
	return 0;
}

int
apply_memory(struct store *s, uint64_t until, struct err *e)
{
	struct memory m = {.until = until, .e = e,
	    .after_ms = clock_wall_ms() - STORE_TOKEN_MS};
	int rc;

	m.batch = index_begin(s->index, REPLAY_BYTES, e);
	if (!m.batch)
		return -1;
	arena_init(&m.arena, UNIT_ROOM);
	rc = journal_read(s->journal, journal_begin(s->journal), remember_line,
	    &m, NULL, e);
	arena_release(&m.arena);
	if (rc >= 0)
		return index_commit(m.batch, until, e);
	index_abort(m.batch);
	return -1;
}

/* --- the journal, again ---------------------------------------------------------- */

int
apply_journal(struct store *s, uint64_t redo, bool files, struct err *e)
{
	struct replay r = {.s = s, .files = files, .files_from = redo, .e = e};
	uint64_t from;
	int rc;

	r.index_from = planted(PLANT_INDEX_NOT_REDONE)
	    ? journal_end(s->journal)
	    : atomic_load(&s->visible);
	from = files && redo < r.index_from ? redo : r.index_from;
	arena_init(&r.arena, UNIT_ROOM);
	rc = journal_read(s->journal, from, replay_line, &r, NULL, e);
	if (rc == 0)
		rc = replay_commit(&r);
	else if (r.batch)
		index_abort(r.batch);
	arena_release(&r.arena);
	return rc ? -1 : 0;
}
