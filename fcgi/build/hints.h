/*
 * What a compiler's message means here, and what to do about it.
 */
#ifndef BUILD_HINTS_H
#define BUILD_HINTS_H

#include "store/base/buf.h"

/* Appends a line for each known trouble that the messages tell of. */
void hints_add(struct buf *messages, const char *function);

#endif
