/*
 * A table's description as it is read, before it is checked; between
 * request_table.c and request_keys.c.
 */
#ifndef WIRE_REQUEST_TABLE_H
#define WIRE_REQUEST_TABLE_H

#include "request_internal.h"

enum { REQUEST_KEY_PARTS = 4 };		/* in either half of an index's key */

/* OnDemandThroughput, in which -1 is a number. */
struct raw_most {
	int64_t reads, writes;
	bool has_reads, has_writes;
};

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
	const struct raw_most *most;
	const struct throughput *warm;
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
	struct text type;
	bool key;
};

struct raw_pitr {
	enum choice enabled;
	uint32_t days;
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
	const struct raw_most *most;
	const struct throughput *warm;
	enum choice protected, history;
	/* what no table here can have */
	bool replicas, consistency, policy, witnesses, vectors, sharing;
};

/* From what was read to a request: 0, or -1 and d->err. */
int request_make_table(struct decoder *d, const struct raw_table *raw,
    struct table_request *t);

extern const struct schema request_key_schema, request_attribute_schema,
    request_throughput_schema, request_most_schema, request_local_schema,
    request_global_schema, request_encrypted_schema, request_tag_schema;
extern const struct word request_billing_words[];

/* What CreateTable and UpdateTable ask of it. 0, or -1 and d->err. */
int request_check_create(struct decoder *d, const struct raw_table *t);
int request_check_update(struct decoder *d, const struct raw_table *t);

/* --- request_terms.c: parts of these; 0, or -1 and d->err ----------------- */

bool request_is(const struct text *t, const char *word);
int request_check_units(struct decoder *d, const struct throughput *t);

/*
 * OnDemandThroughput, and WarmThroughput, of a table (`index` NULL) or index
 * that is made; `units` is its ProvisionedThroughput, or NULL.
 */
int request_check_most(struct decoder *d, const struct raw_table *t,
    const struct raw_most *m, const struct text *index);
int request_check_warm(struct decoder *d, const struct raw_table *t,
    const struct throughput *warm, const struct throughput *units,
    const struct text *index);

int request_check_billing(struct decoder *d, const struct raw_table *t);
int request_check_stream(struct decoder *d, const struct raw_table *t);
int request_check_class(struct decoder *d, const struct raw_table *t);

/* What a store of one machine has not: replicas, KMS, policies. */
int request_check_lacking(struct decoder *d, const struct raw_table *t);

/* Of a list of tags, or of keys of tags. */
int request_check_tags(struct decoder *d, const struct tag *tags, size_t n);
int request_check_tag_keys(struct decoder *d, const struct text *keys,
    size_t n);

#endif
