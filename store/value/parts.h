/*
 * What typed and plain JSON have in common: numbers, and bytes as base64.
 */
#ifndef VALUE_PARTS_H
#define VALUE_PARTS_H

#include "json.h"
#include "store/base/buf.h"

/*
 * The text of a token as a value of type N, in normal form: borrowed if it is
 * that already.  0; or -1 and an error at the token.
 */
int part_number(struct json *j, const struct json_token *t,
    struct value *out);

/*
 * The text of a token, which is base64, as a value of type B.  0; -1 and an
 * error without memory; or 1 if it is none.
 */
int part_binary(struct json *j, const struct json_token *t,
    struct value *out);

/* Appends bytes as a JSON string of base64. 0 or -1 as buf_add(). */
int part_write_binary(struct buf *b, const struct text *bytes);

#endif
