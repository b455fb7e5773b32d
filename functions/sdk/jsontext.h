/*
 * Jansson's values as text.
 */
#ifndef SDK_JSONTEXT_H
#define SDK_JSONTEXT_H

#include "store/base/buf.h"

#include <jansson.h>

/*
 * Appends a value, which may be nested `depth` deep.  0; or -1 for one that is
 * nested deeper, NULL in it, or without memory.
 */
int jsontext_write(struct buf *b, const json_t *json, int depth);

/* The same value: Jansson's iterators ask for one that may be written to. */
json_t *jsontext_iterable(const json_t *json);

#endif
