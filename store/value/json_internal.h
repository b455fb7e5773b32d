/*
 * What json, typed and plain share and nobody else needs.
 */
#ifndef VALUE_JSON_INTERNAL_H
#define VALUE_JSON_INTERNAL_H

#include "json.h"

/* The arena is full. Always -1. */
int json_fail_memory(struct json *j);

#endif
