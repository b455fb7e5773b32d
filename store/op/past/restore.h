/*
 * A restore, between restore.c (what it will change), restore_do.c (the
 * change of one table in one unit of the journal), restore_long.c (in many)
 * and restore_table.c (the table made, closed and opened).
 */
#ifndef OP_OP_RESTORE_H
#define OP_OP_RESTORE_H

#include "document.h"

enum {
	RESTORE_UNIT = 8 << 20,		/* bytes that one unit takes */
	RESTORE_PIECE = 2 << 20,	/* of a longer one's many */
	RESTORE_ITEM_ROOM = 4096
};

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
	bool closed;			/* a restore before was cut off */
	uint64_t added, removed, changed;
	uint64_t bytes;			/* of old and new documents */
};

int op_restore_open(const struct restore *x, const char *name,
    struct restore_table *out, struct err *e);
void op_restore_close(struct restore_table *t);

/*
 * Makes the table what it was: 0, or -1 and it is as before (or, where the
 * change takes many units, closed).
 */
int op_restore_do(struct restore_table *t, struct err *e);

/* --- its parts ------------------------------------------------------------ */

/* A document as it is to be. */
struct restore_item {
	struct value fresh;		/* count 0: gone */
	struct value members;		/* its Key */
};

struct restore_work {
	struct restore_table *table;
	const struct table *schema;	/* where the documents go */
	struct arena arena;
	struct map items;		/* by name: struct restore_item * */
	size_t bytes;
	uint64_t done;
};

/* A past_delta_fn that adds to the work's items. */
int op_restore_take(void *work, const struct past_delta *d, struct err *e);

/* Within the writer: all items of the work as they are to be. */
int op_restore_set(struct restore_work *w, struct commit *c,
    const struct table *t, struct err *e);

/*
 * Within the writer: what was written since the states were compared.  It is
 * an error where a preview was shown.
 */
int op_restore_late(struct restore_table *t, struct commit *c,
    struct past *p, struct past_table *late, struct err *e);

/* In many units, while nobody sees the table. */
int op_restore_long(struct restore_work *w, struct err *e);

/* The table as it was then, without documents. */
int op_restore_make(struct restore_table *t, bool closed, struct err *e);

/* Nobody reads it or writes to it from now on; and again. */
int op_restore_shut(struct restore_table *t, struct err *e);
int op_restore_reopen(struct restore_table *t, struct err *e);

/* The table of now, held in op->catalog; NULL with an error. */
const struct table *op_restore_schema(struct restore_table *t,
    struct err *e);

#endif
