/*
 * What a key may do, between the options of `bothy key` and the statements
 * that the store reads.
 */
#ifndef CLI_KEYTEXT_H
#define CLI_KEYTEXT_H

#include "options.h"

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/value/value.h"

#include <stdint.h>

enum { KEYTEXT_MAX = 64 * 1024 };

struct keytext_options {
	struct opt_list allow, deny, tables;
	const char *lifetime, *import;
};

/* Appends the statements as JSON: 0, or -1 with the error set. */
int keytext_grants(const struct keytext_options *o, struct buf *out,
    struct err *e);

/* Appends them for a person: "dynamodb:* on every table". */
void keytext_show(const struct text *grants, struct buf *out);

/* "15m", "12h", "7d": 0, or -1 with the error set. */
int keytext_seconds(const char *text, int64_t *seconds, struct err *e);

#endif
