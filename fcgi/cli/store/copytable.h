/*
 * One table's way from a store to another, for storecopy.c: both speak the
 * frames of bothy-store, whatever is behind them.
 */
#ifndef CLI_STORECOPYTABLE_H
#define CLI_STORECOPYTABLE_H

#include "bar.h"

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/client/client.h"

struct copy_side {
	struct client *client;
	unsigned flags;			/* of its calls */
	const char *name;
};

struct copy {
	struct copy_side from, into;
	char marks[4096];	/* a directory: how far each table is */
	bool again;		/* from the beginning */
	struct storebar *bar;
	/* of the table at hand */
	uint64_t count, all;
	bool resumed;
	/* its own */
	struct buf body, reply;
	struct arena arena;
};

struct copy_names {
	char **names;
	size_t count;
};

int copy_begin(struct copy *k, struct err *e);
void copy_end(struct copy *k);

/* All tables of the side that is read: 0 or -1. */
int copy_list(struct copy *k, struct copy_names *out, struct err *e);
void copy_names_release(struct copy_names *n);

/* Made if it isn't there, then item by item: 0, or -1 and *e. */
int copy_table(struct copy *k, const char *name, struct err *e);

#endif
