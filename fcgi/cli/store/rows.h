/*
 * Documents as they come, for people: the rows of one table, whose columns are
 * their attributes; or a line of JSON for each.
 */
#ifndef CLI_STOREROWS_H
#define CLI_STOREROWS_H

#include "grid.h"
#include "words.h"

enum { STOREROWS_COLUMNS = 8 };

struct storerows {
	bool json;
	bool more;		/* set by who leaves some out */
	bool cut;		/* set by who could not read all */
	struct storegrid *grid;
	struct text columns[STOREROWS_COLUMNS];	/* malloc'ed */
	const char *titles[STOREROWS_COLUMNS + 1];
	size_t count;
	bool wide;		/* there are attributes without a column */
};

/* The key's attributes come first; `s` stays where it is. */
void storerows_init(struct storerows *s, bool json,
    const struct storewords *t);

/* One document, a node of a reply; it is printed at once if it is a line. */
void storerows_add(struct storerows *s, const struct json_node *document);

/* Prints the table, and says what is not in it; releases. */
void storerows_end(struct storerows *s);

#endif
