/*
 * A check, between check.c (files against the index), check_one.c (one
 * document, looked at again) and check_deep.c (index, history, journal).
 *
 * Nothing is ever changed.  Documents are written while the check runs, so
 * what seems wrong is only noted, and looked at again once the files have
 * caught up.
 */
#ifndef OP_OP_CHECK_H
#define OP_OP_CHECK_H

#include "store/op/past/document.h"

#include <pthread.h>

enum {
	CHECK_THREADS = 2,
	CHECK_NOTES_MAX = 100000,
	CHECK_LIMIT = 1000,
	CHECK_ITEM_ROOM = 64 << 20,
	CHECK_PLAIN_MAX = 8 << 20
};

/* What may be wrong with a file. */
struct check_note {
	char *table, *path;
	struct path_name name;		/* of a document */
	struct text key;		/* its key_item(); p NULL: not known */
	bool document;
	const char *why;		/* of what is none */
};

/* One thread's means. */
struct check_reader {
	struct store_view view;
	struct arena arena;
	struct buf plain;
};

struct check {
	struct op *op;
	struct reply reply;
	uint32_t left;			/* problems to be told */
	uint64_t problems;
	struct check_reader readers[CHECK_THREADS];

	pthread_mutex_t lock;		/* of what the scan's threads share */
	struct arena arena;		/* notes */
	struct check_note *notes;
	size_t count, room;
	bool many;			/* more notes than are kept */
	uint64_t documents;
	struct map found;		/* by table: uint64_t *, how many */
};

void op_check_tell(struct check *c, const char *kind, const char *table,
    const char *path, const char *text);

/* Looks at a note again, and tells what is wrong. 0 or -1. */
int op_check_one(struct check *c, const struct check_note *n, struct err *e);

/* A document as its file is to hold it, in r->plain. */
int op_check_render(struct check_reader *r, const struct text *typed,
    struct err *e);

/* Index, history and journal, all of it. */
int op_check_deep(struct check *c, struct err *e);

#endif
