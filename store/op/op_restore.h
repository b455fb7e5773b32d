/*
 * A restore, between op_restore.c (what it will change) and op_restore_do.c
 * (the change of one table, in one unit of the journal).
 */
#ifndef OP_OP_RESTORE_H
#define OP_OP_RESTORE_H

#include "op_document.h"

struct restore {
	struct op *op;
	struct past target, present;
	struct past nothing;		/* of a table that is to be made */
	const char *into;		/* NULL: in place */
	const struct path_name *only;	/* one document */
	bool strict;			/* a preview was shown: no other change
					   may have come between */
};

/* A table on both sides.  Release it also after a failure. */
struct restore_table {
	const struct restore *restore;
	char name[TABLE_NAME_MAX + 1];	/* where the documents go */
	struct past_table target, present;
	uint64_t id;			/* of the table now; 0: to be made */
	uint64_t added, removed, changed;
};

int op_restore_open(const struct restore *x, const char *name,
    struct restore_table *out, struct err *e);
void op_restore_close(struct restore_table *t);

/* Makes the table what it was: 0, or -1 and it is as before. */
int op_restore_do(struct restore_table *t, struct err *e);

#endif
