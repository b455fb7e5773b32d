/*
 * The bytes of a git tree, read and written in place: libgit2's treebuilder
 * takes each entry apart and puts it together again, which is dear when one of
 * 65,536 directories changed.
 *
 * An entry is   mode in octal | ' ' | name | '\0' | 20 bytes of id
 * and entries stand in the order of their names, that of a directory as if it
 * ended in '/'.  So all paths in the order of strcmp pass all trees in order.
 */
#ifndef HISTORY_TREE_H
#define HISTORY_TREE_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { TREE_ID_SIZE = 20, TREE_MODE_FILE = 0100644, TREE_MODE_DIR = 040000 };

struct tree_entry {
	unsigned mode;
	bool dir;
	const char *name;		/* len bytes, then '\0'; borrowed */
	size_t len;
	const unsigned char *id;	/* TREE_ID_SIZE bytes; borrowed */
	const char *raw;		/* the entry's own bytes */
	size_t raw_len;
};

/* Where a reader is; {data, data + n} at first. */
struct tree_at {
	const char *p, *end;
};

/* The next entry: 1, 0 at the end, -1 if these bytes are no tree. */
int tree_next(struct tree_at *at, struct tree_entry *entry);

/* The order of entries: <0, 0, >0; a file never equals a directory. */
int tree_compare(const char *a, size_t a_len, bool a_dir, const char *b,
    size_t b_len, bool b_dir);

/* The entry of a name in a whole tree: 1, 0 if there is none, -1 no tree. */
int tree_find(const void *data, size_t n, const char *name, size_t len,
    struct tree_entry *entry);

/* Appends an entry: a file or a directory.  0 or -1. */
int tree_add(struct buf *b, const char *name, size_t len, bool dir,
    const unsigned char *id);

#endif
