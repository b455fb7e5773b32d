/*
 * What a person has to say of a table: its name and a key's parts, each as one
 * word of the command line, whose type the table knows.
 */
#ifndef CLI_STOREWORDS_H
#define CLI_STOREWORDS_H

#include "link.h"

enum { STOREWORDS_PARTS = 4 };

/* An attribute of a key. */
struct storepart {
	struct text name;
	enum value_type type;		/* S, N or B */
};

struct storekey {
	struct storepart hash[STOREWORDS_PARTS], range[STOREWORDS_PARTS];
	size_t nhash, nrange;
};

struct storewords {
	const char *name;
	struct storekey key;		/* of the table */
	struct storekey order;		/* of the index, else as `key` */
};

/*
 * Asks for a table and one of its indexes (NULL: none): CLI_OK, or an exit
 * code with everything said.  It lives as long as the link.
 */
int storewords_open(struct storelink *l, const char *name, const char *index,
    struct storewords *t);

/*
 * Writes a word as the attribute that it is for: a member of `r`, or with
 * `name` under that name.  0, or -1 with the error set.
 */
int storewords_word(struct reply *r, const char *name,
    const struct storepart *part, const char *word, struct err *e);

/* Writes {"Key": ...} of the words, which have to be all. 0 or -1. */
int storewords_key(const struct storewords *t, struct reply *r, int nwords,
    char **words, struct err *e);

/* "ROOM AT", as the command line wants a key; `out` has 256 bytes. */
void storewords_usage(const struct storekey *k, char *out);

#endif
