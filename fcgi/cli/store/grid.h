/*
 * A table for the terminal that is filled cell by cell: table.h for files that
 * read the store's JSON, whose names jansson.h has too.
 */
#ifndef CLI_STOREGRID_H
#define CLI_STOREGRID_H

#include <stddef.h>

enum { STOREGRID_COLUMNS = 12 };

struct storegrid;

/* `titles` end with NULL and live as long as the grid. NULL without memory. */
struct storegrid *storegrid_new(const char *const *titles);
void storegrid_free(struct storegrid *g);	/* NULL is fine */

/* Begins a row; a cell that is not set is shown as "-". */
void storegrid_row(struct storegrid *g);
size_t storegrid_rows(const struct storegrid *g);

/* A cell of the row; columns count from 0. */
void storegrid_text(struct storegrid *g, size_t column, const char *p,
    size_t n);
void storegrid_string(struct storegrid *g, size_t column, const char *s);
void storegrid_integer(struct storegrid *g, size_t column, long long n);

void storegrid_print(const struct storegrid *g);

#endif
