/*
 * Which indexes of a table are full is a truth of the index alone: what fills
 * one is not in the journal.  So it is kept there, in notes that are written
 * with the entries themselves, and the table's own word is held against them
 * at each start.
 *
 *   filled/<table>/<index>   all items are in it; index 0 is the expiry
 *   fill/<table>/<index>     how far it was filled (keeper.c)
 *   drop/<table>/<index>     its entries are to be removed (keeper.c)
 */
#include "store_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EXPIRY = 0 };

struct text
apply_note(char room[APPLY_NOTE], const char *kind, uint64_t table,
    uint32_t index)
{
	int n = snprintf(room, APPLY_NOTE, "%s/%016" PRIx64 "/%" PRIu32, kind,
	    table, index);

	return (struct text){room, (size_t)n};
}

static int
put(struct index_view *batch, const char *kind, const struct table *t,
    uint32_t index, struct err *e)
{
	char room[APPLY_NOTE];
	struct text name = apply_note(room, kind, t->id, index);

	return index_note_put(batch, &name, &(struct text){"", 0}, e);
}

static int
forget(struct index_view *batch, const char *kind, const struct table *t,
    uint32_t index, struct err *e)
{
	char room[APPLY_NOTE];
	struct text name = apply_note(room, kind, t->id, index);

	return index_note_delete(batch, &name, e) < 0 ? -1 : 0;
}

static const struct table_index *
with_id(const struct table *t, uint32_t id)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].id == id)
			return &t->indexes[i];
	return NULL;
}

/* One that is new: it is full if the table is, too, or nothing was there. */
static int
begin(struct index_view *batch, const struct table *t, uint32_t id,
    bool filling, struct err *e)
{
	return filling ? forget(batch, "filled", t, id, e)
	               : put(batch, "filled", t, id, e);
}

static int
end(struct index_view *batch, const struct table *t, uint32_t id,
    struct err *e)
{
	if (forget(batch, "fill", t, id, e) < 0 ||
	    forget(batch, "filled", t, id, e) < 0)
		return -1;
	return id == EXPIRY ? 0 : put(batch, "drop", t, id, e);
}

static int
follow_expiry(struct index_view *batch, const struct table *old,
    const struct table *t, struct err *e)
{
	bool was = old && *old->ttl, same = was && strcmp(old->ttl, t->ttl) == 0;

	if (was && !same && end(batch, t, EXPIRY, e) < 0)
		return -1;
	if (!*t->ttl || same)
		return 0;
	return begin(batch, t, EXPIRY, t->ttl_filling, e);
}

int
apply_indexes(struct index_view *batch, const struct table *old,
    const struct table *t, struct err *e)
{
	size_t i;

	for (i = 0; old && i < old->nindexes; i++)
		if (!with_id(t, old->indexes[i].id) &&
		    end(batch, t, old->indexes[i].id, e) < 0)
			return -1;
	for (i = 0; i < t->nindexes; i++)
		if ((!old || !with_id(old, t->indexes[i].id)) &&
		    begin(batch, t, t->indexes[i].id, t->indexes[i].filling,
		        e) < 0)
			return -1;
	return follow_expiry(batch, old, t, e);
}

int
apply_filled(struct index_view *batch, const struct table *t, uint32_t id,
    struct err *e)
{
	return put(batch, "filled", t, id, e);
}

/* --- at a start ------------------------------------------------------------------ */

static int
is_filled(struct index_view *v, const struct table *t, uint32_t id,
    struct err *e)
{
	char room[APPLY_NOTE];
	struct text name = apply_note(room, "filled", t->id, id), note;

	return index_note_get(v, &name, &note, e);
}

/* A copy that says what is true, if the table says more; else NULL. */
static int
correct(struct index_view *v, const struct table *t, struct table **out,
    struct err *e)
{
	struct table *copy = table_copy(t);
	bool wrong = false;
	size_t i;
	int rc = 0;

	*out = NULL;
	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	for (i = 0; rc == 0 && i < t->nindexes; i++) {
		int full = is_filled(v, t, t->indexes[i].id, e);

		if (full < 0)
			rc = -1;
		else if (!full && !t->indexes[i].filling)
			wrong = copy->indexes[i].filling = true;
	}
	if (rc == 0 && *t->ttl && !t->ttl_filling) {
		int full = is_filled(v, t, EXPIRY, e);

		if (full < 0)
			rc = -1;
		else if (!full)
			wrong = copy->ttl_filling = true;
	}
	if (rc < 0 || !wrong) {
		table_free(copy);
		copy = NULL;
	}
	*out = copy;
	return rc;
}

int
apply_verify_filled(struct store *s, struct err *e)
{
	struct index_view *v = index_view_new(s->index, e);
	struct catalog *c = catalog_hold(&s->catalog);
	struct table *t;
	size_t i;
	int rc = -1;

	if (v && index_read_begin(v, e) == 0) {
		for (rc = 0, i = 0; rc == 0 && i < c->count; i++) {
			rc = correct(v, c->entries[i].table, &t, e);
			if (rc == 0 && t)
				rc = catalog_put(&s->catalog, t, e);
		}
		index_read_end(v);
	}
	catalog_release(&s->catalog, c);
	index_view_free(v);
	return rc;
}
