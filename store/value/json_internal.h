/*
 * What json, typed and plain share and nobody else needs.
 */
#ifndef VALUE_JSON_INTERNAL_H
#define VALUE_JSON_INTERNAL_H

#include "json.h"

/* Errors where the reader stands; where the arena is full. Always -1. */
int json_fail_here(struct json *j, const char *text);
int json_fail_memory(struct json *j);

/* The string whose opening quote the reader stands at. 0 or -1. */
int json_decode(struct json *j, struct text *t);

/*
 * A whole text as the one value that `take` makes of it, which is called with
 * its first token: 0; or -1 and *e.
 */
typedef int json_take_fn(struct json *j, const struct json_token *t,
    struct value *out);
int json_take_whole(struct arena *a, const char *p, size_t n,
    json_take_fn *take, struct value *out, struct err *e);

#endif
