/*
 * The pairs of tree_pair.h.  Runs wherever two states are compared; equal ids
 * are passed over, so the cost follows the difference.
 */
#include "tree_pair.h"

#include "store/value/fault.h"

#include <string.h>

static int
side_next(struct tree_pair *p, int side, struct err *e)
{
	p->more[side] = tree_next(&p->at[side], &p->entry[side]);
	return p->more[side] < 0 ?
	    err_set(e, FAULT_INTERNAL, "history: a broken tree") : 0;
}

static int
side_open(struct history_view *v, struct tree_pair *p, int side,
    const git_oid *tree, struct err *e)
{
	if (!tree)
		return 0;
	if (history_object(v, tree, GIT_OBJECT_TREE, &p->o[side], e))
		return -1;
	p->at[side].p = git_odb_object_data(p->o[side]);
	p->at[side].end = p->at[side].p + git_odb_object_size(p->o[side]);
	return side_next(p, side, e);
}

int
pair_open(struct history_view *v, struct tree_pair *p, const git_oid *old,
    const git_oid *new, struct err *e)
{
	memset(p, 0, sizeof *p);
	return side_open(v, p, PAIR_OLD, old, e) ||
	    side_open(v, p, PAIR_NEW, new, e) ? -1 : 0;
}

void
pair_close(struct tree_pair *p)
{
	git_odb_object_free(p->o[PAIR_OLD]);
	git_odb_object_free(p->o[PAIR_NEW]);
}

static int
compare(const struct tree_pair *p)
{
	const struct tree_entry *a = &p->entry[PAIR_OLD];
	const struct tree_entry *b = &p->entry[PAIR_NEW];

	if (!p->more[PAIR_OLD])
		return 1;
	if (!p->more[PAIR_NEW])
		return -1;
	return tree_compare(a->name, a->len, a->dir, b->name, b->len, b->dir);
}

static int
pass(struct tree_pair *p, struct err *e)
{
	int side;

	for (side = PAIR_OLD; side <= PAIR_NEW; side++) {
		if (p->used[side] && side_next(p, side, e))
			return -1;
		p->used[side] = false;
	}
	return 0;
}

int
pair_next(struct tree_pair *p, const struct tree_entry **old,
    const struct tree_entry **new, struct err *e)
{
	struct tree_entry *a = &p->entry[PAIR_OLD], *b = &p->entry[PAIR_NEW];

	for (;;) {
		int c;

		if (pass(p, e))
			return -1;
		if (!p->more[PAIR_OLD] && !p->more[PAIR_NEW])
			return 0;
		c = compare(p);
		p->used[PAIR_OLD] = c <= 0;
		p->used[PAIR_NEW] = c >= 0;
		if (c == 0 && memcmp(a->id, b->id, TREE_ID_SIZE) == 0)
			continue;
		*old = c <= 0 ? a : NULL;
		*new = c >= 0 ? b : NULL;
		return 1;
	}
}

const git_oid *
pair_id(const struct tree_entry *entry, git_oid *id)
{
	if (!entry)
		return NULL;
	git_oid_fromraw(id, entry->id);
	return id;
}
