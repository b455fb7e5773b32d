/*
 * Two trees side by side: what one path was and is, where they differ.
 */
#ifndef HISTORY_TREE_PAIR_H
#define HISTORY_TREE_PAIR_H

#include "history_internal.h"
#include "tree.h"

enum { PAIR_OLD, PAIR_NEW };

struct tree_pair {
	git_odb_object *o[2];		/* NULL: there is none */
	struct tree_at at[2];
	struct tree_entry entry[2];
	int more[2];			/* entry[] is the next one */
	bool used[2];			/* it was given, and is to be passed */
};

/* Either may be NULL.  0 or -1 with *e; close in either case. */
int pair_open(struct history_view *v, struct tree_pair *p,
    const git_oid *old, const git_oid *new, struct err *e);
void pair_close(struct tree_pair *p);

/*
 * The next name that differs, in order: both sides, or one and NULL.  A file
 * and a directory of one name come one after the other.  1, 0, -1 with *e.
 */
int pair_next(struct tree_pair *p, const struct tree_entry **old,
    const struct tree_entry **new, struct err *e);

/* The id of an entry, put into *id; NULL for none. */
const git_oid *pair_id(const struct tree_entry *entry, git_oid *id);

#endif
