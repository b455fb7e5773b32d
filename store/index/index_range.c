/*
 * Reading a range of the index in order, items themselves or through a
 * secondary index.
 */
#include "index_internal.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct index_cursor {
	struct index_view *view;
	const struct table_index *ix;	/* NULL: the items */
	struct key_range range;
	bool backward, started;
	struct index_walk walk;
	char *base;			/* key of an entry's item */
	size_t base_room;
};

struct index_cursor *
index_cursor_open(struct index_view *v, const struct table_index *ix,
    const struct key_range *r, bool backward, struct err *e)
{
	struct index_cursor *c = calloc(1, sizeof *c);
	struct index_tree items = index_tree_of(v, DB_ITEMS);
	int rc = c ? index_walk_open(&c->walk, &items) : ENOMEM;

	if (rc) {
		free(c);
		index_fail(v->index, rc, "open a cursor", e);
		return NULL;
	}
	c->view = v;
	c->ix = ix;
	c->range = *r;
	c->backward = backward;
	return c;
}

void
index_cursor_close(struct index_cursor *c)
{
	if (!c)
		return;
	index_walk_close(&c->walk);
	free(c->base);
	free(c);
}

static int
step(struct index_cursor *c, struct text *key, MDB_val *value)
{
	bool first = !c->started;

	c->started = true;
	if (c->backward)
		return first ?
		    index_walk_before(&c->walk, &c->range.high, key, value) :
		    index_walk_previous(&c->walk, key, value);
	return first ? index_walk_seek(&c->walk, &c->range.low, key, value) :
	    index_walk_next(&c->walk, key, value);
}

static bool
is_past(const struct index_cursor *c, const struct text *key)
{
	return c->backward ? text_compare(key, &c->range.low) < 0 :
	    text_compare(key, &c->range.high) >= 0;
}

/* The item that an entry refers to. */
static int
follow(struct index_cursor *c, const MDB_val *value, struct index_entry *out,
    struct err *e)
{
	size_t at = value->mv_size == 4 ? index_load32(value->mv_data) : 0;
	char *more;
	int r;

	if (at == 0 || at > out->key.n)
		return err_set(e, FAULT_INTERNAL,
		    "index: an entry of %s is damaged", c->ix->name);
	if (c->base_room < out->key.n) {
		more = realloc(c->base, 2 * out->key.n);
		if (!more)
			return err_set(e, ENOMEM, "index: no memory to read");
		c->base = more;
		c->base_room = 2 * out->key.n;
	}
	out->base = key_base(&out->key, at, c->base);
	r = index_get(c->view, &out->base, &out->record, e);
	if (r == 0)
		return err_set(e, FAULT_INTERNAL,
		    "index: %s holds an item that is not there", c->ix->name);
	return r;
}

int
index_cursor_next(struct index_cursor *c, struct index_entry *out,
    struct err *e)
{
	MDB_val value;
	int rc = step(c, &out->key, &value);

	if (rc == MDB_NOTFOUND || (rc == 0 && is_past(c, &out->key)))
		return 0;
	if (rc)
		return index_fail(c->view->index, rc, "read a range", e);
	if (c->ix)
		return follow(c, &value, out, e);
	out->base = out->key;
	return index_read_record(&value, &out->record, e) < 0 ? -1 : 1;
}
