/*
 * All that is wrong with a configuration, told at once.
 *
 * A checker adds what it finds and goes on; the reader sees the list sorted
 * by place.  Bounded: after ERRLIST_MAX errors the rest is only counted.
 */
#ifndef CONF_ERRLIST_H
#define CONF_ERRLIST_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stddef.h>
#include <stdio.h>

enum { ERRLIST_MAX = 100 };

struct errlist {
	struct err *items;
	size_t count, room;
	size_t dropped;		/* found, but not kept: checkers may stop */
};

void errlist_init(struct errlist *l);
void errlist_release(struct errlist *l);

/*
 * Adds an error at a place (file "" and line 0 where there is none).  An
 * error with the place and the text of an earlier one is not added again.
 * Always -1, so that a checker can return it.
 */
int errlist_add(struct errlist *l, const char *file, int line, int col,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The same for an error that somebody else has set. */
int errlist_add_err(struct errlist *l, const struct err *e);

/* By file (in the order in which `first` is the first), line and column. */
void errlist_sort(struct errlist *l, const char *first);

/* One "file:line:col: text" a line, and whether there are more. */
void errlist_print(const struct errlist *l, FILE *out);

/* [{"file":,"line":,"col":,"message":}, ...] for bothy check --json. */
void errlist_json(const struct errlist *l, struct buf *out);

#endif
