/*
 * JSON of the store's for people: indented, as a row of a table, or as lines
 * of names and values.  No number is read, so no digit is lost.
 */
#ifndef CLI_STORETEXT_H
#define CLI_STORETEXT_H

#include "grid.h"

#include "store/value/json.h"

#include <stdbool.h>

enum { STORETEXT_CELL = 40 };	/* characters of a cell */

/* The indented text of a value, with a newline, on stdout. */
void storetext_json(const struct text *raw);

/* The value in one line, with a newline, on stdout. */
void storetext_line(const struct text *raw);

/*
 * Sets a cell to a value (NULL: none): short integers as numbers, texts as they
 * are, the rest as JSON; what is longer than STORETEXT_CELL ends in "...".
 */
void storetext_cell(struct storegrid *g, size_t column,
    const struct json_node *n);

/* The first 10 digits of a commit's id, if there is one. */
void storetext_commit(struct storegrid *g, size_t column,
    const struct json_node *object);

/* Seconds since 1970 as "2026-11-22 10:20:30.123"; `out` has 32 bytes. */
void storetext_time(const struct json_node *n, char *out);

/* Bytes as "12.3 MB"; `out` has 32 bytes. */
void storetext_bytes(double n, char *out);

/*
 * An object, a line a member: "BacklogBytes" is "backlog bytes", lists of
 * objects are tables.  What is false, empty or "" is left out.
 */
void storetext_show(const struct json_node *object);

/* The text or raw bytes of a member, or "" if there is none. */
struct text storetext_member(const struct json_node *object,
    const char *name);

/* A member that is an integer, or 0. */
long long storetext_integer(const struct json_node *object,
    const char *name);

/* Escape sequences if stdout is a terminal that may be coloured, else "". */
struct storecolors {
	const char *added, *removed, *head, *dim, *end;
};
struct storecolors storetext_colors(void);

/* Prints text on stdout; control bytes but newline and tab become "?". */
void storetext_put(const char *p, size_t n);

#endif
