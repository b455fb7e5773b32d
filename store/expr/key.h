/*
 * Inside of expr/: what a key condition may consist of.
 */
#ifndef EXPR_KEY_H
#define EXPR_KEY_H

#include "expr.h"

/* Refuses what no key could be asked for, whatever the table. */
int key_condition_check(const struct expr *key, struct err *e);

#endif
