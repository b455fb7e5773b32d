/*
 * A table's description as it is read, before it is checked; between
 * request_table.c and request_keys.c.
 */
#ifndef WIRE_REQUEST_TABLE_H
#define WIRE_REQUEST_TABLE_H

#include "request_internal.h"

enum { REQUEST_KEY_PARTS = 4 };		/* in either half of an index's key */

struct raw_projection {
	struct text type;
	const struct text *nonkey;
	size_t nnonkey;
};

struct raw_index {
	struct text name;
	const struct key_element *key;
	size_t nkey;
	const struct raw_projection *projection;
	const struct throughput *throughput;
};

struct raw_change {			/* one of the three */
	const struct raw_index *create, *update, *delete;
};

struct raw_stream {
	enum choice enabled;
	struct text view;
};

struct raw_encrypted {
	enum choice enabled;
};

struct raw_ttl {
	struct text attribute;
	enum choice enabled;
};

struct raw_table {
	struct text name, billing, class;
	const struct attribute_definition *attributes;
	size_t nattributes;
	const struct key_element *key;
	size_t nkey;
	const struct raw_index *locals;
	size_t nlocals;
	const struct raw_index *globals;
	size_t nglobals;
	const struct raw_change *changes;
	size_t nchanges;
	const struct throughput *throughput;
	const struct raw_stream *stream;
	const struct raw_encrypted *encrypted;
	const struct raw_ttl *ttl;
	const struct tag *tags;
	size_t ntags;
	enum choice protected, history;
};

/* What CreateTable and UpdateTable ask of it. 0, or -1 and d->err. */
int request_check_create(struct decoder *d, const struct raw_table *t);
int request_check_update(struct decoder *d, const struct raw_table *t);

#endif
