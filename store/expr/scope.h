/*
 * Inside of expr/: what placeholders stand for.
 */
#ifndef EXPR_SCOPE_H
#define EXPR_SCOPE_H

#include "expr.h"

/* The attribute's name that "#n" stands for, marked as used; or NULL. */
const struct text *scope_name(struct expr_scope *s, const char *p, size_t n);

/* The value that ":v" stands for, likewise. */
const struct value *scope_value(struct expr_scope *s, const char *p,
    size_t n);

/* ENOMEM. Always -1. */
int scope_no_memory(struct err *e);

#endif
