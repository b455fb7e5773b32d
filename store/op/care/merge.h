/*
 * A merge of what somebody pushed, between merge_read.c (what differs, as
 * documents of tables) and merge.c (each put or deleted, if it is still
 * what it was).
 */
#ifndef OP_OP_MERGE_H
#define OP_OP_MERGE_H

#include "store/op/past/document.h"
#include "store/op/op_wait.h"

enum {
	MERGE_DOCUMENTS_MAX = 100000,	/* that one push may change */
	MERGE_BYTES_MAX = 256 << 20,	/* that it may take, in all */
	MERGE_FILE_MAX = 8 << 20	/* of a document's text */
};

enum merge_outcome {
	MERGE_REFUSED,			/* told already */
	MERGE_SAME, MERGE_ADDED, MERGE_CHANGED, MERGE_REMOVED,
	MERGE_CONFLICT
};

/* A file that differs.  All of it lies in the merge's arena. */
struct merge_file {
	struct merge_file *next;
	const char *path;		/* below data/ */
	const char *base;		/* its last name */
	struct text before, after;	/* texts; p NULL: not there */
	const char *unfit;		/* why `after` isn't read, or NULL */
	bool twice;			/* pushed in two directories */

	/* once it was read as a document */
	const struct table *table;
	struct value old, fresh;	/* count 0: none */
	struct value members;		/* its Key */
	struct text key;
	enum merge_outcome outcome;
	const char *why;		/* of a conflict */
};

struct merge {
	struct op *op;
	struct history_id tip;
	struct history_commit base;
	struct reply reply;
	struct arena arena;		/* of what follows */
	struct map names;		/* "table/name.json": struct merge_file * */
	struct merge_file *first, **last;
	uint64_t files, refused, conflicts, told;
	uint64_t done[MERGE_CONFLICT + 1];	/* by outcome */
	struct catalog *catalog;
};

/* Tells of one that stays as it is; the kind is a word. */
void op_merge_refuse(struct merge *m, const struct merge_file *f,
    const char *kind, const char *why);

/* All files that differ, and what they are. 0 or -1. */
int op_merge_read(struct merge *m, struct err *e);

#endif
