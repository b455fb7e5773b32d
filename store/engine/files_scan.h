/*
 * All documents as they lie in files: for an index that is made again, and
 * for `bothy store check`.  Part of bothy-store; reads only.
 */
#ifndef ENGINE_FILES_SCAN_H
#define ENGINE_FILES_SCAN_H

#include "files.h"

/* Borrowed until the call is over. */
struct files_found {
	const char *table;	/* "" where only a hash of its name is known */
	const char *path;	/* below data/ */
	const char *name;	/* the last part of it */
	const char *p;		/* what it holds; NULL: it can't be read */
	size_t n;
	struct files_stat st;
	enum files_state state;
};

/* Calls `each` for each table's own file, in no order.  0, or -1 and *e. */
int files_scan_tables(struct files *f,
    int (*each)(void *arg, const char *dir, const char *p, size_t n,
        struct err *e),
    void *arg, struct err *e);

/*
 * Calls `each` for whatever lies below the tables' directories and may be a
 * document: its name ends in .json and does not begin with a point.
 */
int files_scan(struct files *f,
    int (*each)(void *arg, const struct files_found *x, struct err *e),
    void *arg, struct err *e);

#endif
