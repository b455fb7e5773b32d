/*
 * iam.role.statements -> what the store reads: the grants of a function as one
 * JSON text, in the shape that store/wire/token.h has for statements.
 */
#ifndef CONF_GRANTS_H
#define CONF_GRANTS_H

#include "check.h"

#include <stdbool.h>

/*
 * Sets f->grants from the provider's statements and the function's own; each
 * a list that the table of keys has looked at, or NULL.  What is wrong with
 * the provider's is said for the first function.
 */
void grants_make(struct checker *c, struct conf_function *f,
    struct node *all, struct node *own);

/*
 * Does an action, which may have * and ? in it, stand for an operation?  If
 * not, *near is the action that is nearest, or NULL.
 */
bool grants_action(const char *action, const char **near);

#endif
