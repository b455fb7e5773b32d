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

#endif
