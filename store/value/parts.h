/*
 * Bytes as a JSON string of base64, which typed and plain both write.
 */
#ifndef VALUE_BASE64_WRITE_H
#define VALUE_BASE64_WRITE_H

#include "store/base/buf.h"
#include "value.h"

/* Appends it with its quotes. 0 or -1 as buf_add(). */
int base64_write(struct buf *b, const struct text *bytes);

#endif
