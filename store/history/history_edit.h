/*
 * Trees, edited: sorted changes applied to a tree, of which only the touched
 * directories are read and written.
 */
#ifndef HISTORY_HISTORY_EDIT_H
#define HISTORY_HISTORY_EDIT_H

#include "history_internal.h"
#include "history_message.h"
#include "history_sort.h"

struct edit {
	struct history_view *view;
	struct pack_out *out;
	struct sort *changes;		/* rewound */
	struct message *message;	/* is told of each table; or NULL */
	uint64_t changed;		/* documents that differ now */

	/* Inside. */
	struct sort_record at;		/* the next change, if `more` */
	int more;
	char last[HISTORY_PATH_MAX + 1];	/* the change before */
	char path[HISTORY_PATH_MAX + 2];	/* of the directory at work */
	struct message_counts counts;	/* of the table at work */
};

/*
 * Applies the changes to the tree `old` (NULL: an empty one).  New trees go to
 * the pack; *root is the result, an empty tree's id if nothing is left.
 */
int edit_tree(struct edit *ed, const git_oid *old, git_oid *root,
    struct err *e);

#endif
