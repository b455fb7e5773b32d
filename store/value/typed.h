/*
 * Typed JSON: attribute values as DynamoDB's protocol writes them,
 * {"S":"x"}, {"M":{"a":{"N":"1"}}}; an item is a map without its {"M":...}.
 *
 * Reading checks what DynamoDB checks in a value, with its texts: one type,
 * numbers, base64 (RFC 4648 4, padded), no empty set, none with a member twice,
 * VALUE_DEPTH_MAX; and ours: no name twice.  Empty texts are fine, as are
 * unknown types and null beside the one that counts; sizes are for the caller.
 * Errors, with line and column: FAULT_VALIDATION; FAULT_SERIALIZATION for what
 * is no JSON or of another type; FAULT_LIMIT where the arena is full.
 *
 * Writing is canonical, one text for one value: names in order, numbers in
 * normal form, sets in order, no spaces.
 */
#ifndef VALUE_TYPED_H
#define VALUE_TYPED_H

#include "json.h"
#include "store/base/buf.h"

/* A whole text -> a value or an item.  Strings borrow from `p`. 0 or -1. */
int typed_read(struct arena *a, const char *p, size_t n, struct value *out,
    struct err *e);
int typed_read_item(struct arena *a, const char *p, size_t n,
    struct value *out, struct err *e);

/* The same where a reader stands: the value that begins with token `t`. */
int typed_take(struct json *j, const struct json_token *t, struct value *out);
int typed_take_item(struct json *j, const struct json_token *t,
    struct value *out);

/* Appends canonical typed JSON. 0, or -1 as buf_add(). */
int typed_write(struct buf *b, const struct value *v);
int typed_write_item(struct buf *b, const struct value *item);

#endif
