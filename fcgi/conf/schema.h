/*
 * The JSON Schema of deploy.yaml (draft 2020-12), for editors, made from the
 * table of keys.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include "store/base/buf.h"

/* Appends the schema as JSON text with a newline at its end. */
void schema_write(struct buf *out);

#endif
