/*
 * Inside of expr/: document paths in order, so that those that go through one
 * attribute stand together.
 */
#ifndef EXPR_PATH_H
#define EXPR_PATH_H

#include "expr.h"
#include "parse.h"

#include "store/base/buf.h"

/* Step by step, indexes before names, the beginning before the longer. */
int path_compare(const struct expr_path *a, const struct expr_path *b);

/* The same of one step. */
int path_compare_steps(const struct expr_step *a, const struct expr_step *b);

/* Appends "[a, [1], b]". */
void path_print(struct buf *b, const struct expr_path *path);

/* A path, and its place among those that were written. */
struct path_entry {
	struct expr_path path;
	size_t place;
};

/* Puts `n` of them in order, and keeps the mistake if two clash. */
void path_sort(struct parse *p, struct path_entry *entries, size_t n);

#endif
