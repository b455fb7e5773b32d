/*
 * What a table is: its keys, indexes and settings.  Made from a CreateTable
 * request or from deploy.yaml's resources.tables, journaled whole at each
 * change, read by every part of the engine.  Never written to once shared:
 * a change makes a new one under the same id.
 */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "store/base/buf.h"
#include "store/value/value.h"

#include <stdint.h>

enum {
	TABLE_NAME_MAX = 255,		/* 3 to 255 of A-Za-z0-9_.- */
	TABLE_KEY_PARTS = 4,		/* attributes in a key of an index */
	TABLE_LOCAL_MAX = 5,
	TABLE_GLOBAL_MAX = 20,
	TABLE_INDEXES_MAX = TABLE_LOCAL_MAX + TABLE_GLOBAL_MAX,
	TABLE_NONKEY_MAX = 100,		/* projected attributes, of all indexes */
	TABLE_TAGS_MAX = 50,
	TABLE_TAG_KEY_MAX = 4 * 128,	/* bytes of 128 characters */
	TABLE_TAG_VALUE_MAX = 4 * 256
};

struct key_part {
	char name[256];
	enum value_type type;		/* VALUE_S, VALUE_N or VALUE_B */
};

/* A key schema.  Of a table: one hash part, at most one range part. */
struct key_schema {
	struct key_part hash[TABLE_KEY_PARTS], range[TABLE_KEY_PARTS];
	size_t nhash, nrange;
};

enum projection { PROJECT_ALL, PROJECT_KEYS, PROJECT_INCLUDE };

/* Capacity units a second. */
struct table_units {
	uint64_t reads, writes;		/* 0: none were told */
};

struct table_index {
	uint32_t id;			/* within the table; never used again */
	char name[TABLE_NAME_MAX + 1];
	bool global;
	bool filling;			/* queries are refused until it is full */
	struct key_schema key;
	enum projection projection;
	char (*nonkey)[256];		/* PROJECT_INCLUDE */
	size_t nnonkey;
	struct table_units units, most, warm;	/* as of struct table_terms */
};

enum stream_view {
	STREAM_OFF, STREAM_KEYS, STREAM_NEW, STREAM_OLD, STREAM_BOTH
};

struct table_tag {
	char key[TABLE_TAG_KEY_MAX + 1];
	char value[TABLE_TAG_VALUE_MAX + 1];
};

enum table_class {
	TABLE_CLASS_UNTOLD, TABLE_CLASS_STANDARD, TABLE_CLASS_INFREQUENT
};

/* What clients of DynamoDB's say of a table beside its keys. */
struct table_terms {
	bool provisioned;		/* BillingMode; else PAY_PER_REQUEST */
	int64_t on_demand_ms;		/* since then; 0: from the begin, or
					   never */
	struct table_units units;	/* ProvisionedThroughput */
	int64_t increased_ms, decreased_ms;	/* it was; 0: never */
	uint64_t decreases;		/* on the day of the last one */
	struct table_units most;	/* OnDemandThroughput */
	struct table_units warm;	/* WarmThroughput */
	enum table_class class;
	int64_t class_ms;		/* it was changed; 0: never */
	int64_t pitr_ms;		/* point in time recovery is on since */
	uint64_t pitr_days;		/* RecoveryPeriodInDays */
	struct table_tag *tags;
	size_t ntags;
};

struct table {
	uint64_t id;			/* of this table, never used again */
	char name[TABLE_NAME_MAX + 1];
	struct key_schema key;
	struct table_index *indexes;
	size_t nindexes;
	uint32_t next_index;		/* the next index's number */
	char ttl[256];			/* attribute, "" if none */
	bool ttl_filling;		/* older items are not all known to it */
	enum stream_view stream;
	int64_t stream_since_ms;	/* its label */
	int64_t stream_from;		/* no change before it in the journal */
	enum stream_view stream_was;	/* of one that was turned off... */
	int64_t stream_until_ms;	/* ... then; it stays readable a while */
	int64_t stream_was_since_ms, stream_was_from;	/* as of `stream` */
	bool history;			/* documents go into git */
	bool protected;			/* DeletionProtectionEnabled */
	bool restoring;			/* closed until a restore is done */
	bool unfilled;			/* so since it was made: of no use but
					 * to who fills it */
	int64_t created_ms;
	struct table_terms terms;
	char *more;			/* RestoreSummary as JSON, or NULL */
};

/* Heap; `more`, `nonkey` and the tags with it. */
struct table *table_copy(const struct table *t);	/* NULL: no memory */
void table_free(struct table *t);

const struct table_index *table_index_named(const struct table *t,
    const char *name, size_t n);

/* True if the index holds the attribute: a key, or projected. */
bool table_projects(const struct table *t, const struct table_index *ix,
    const char *name, size_t n);

/* The terms of `from`, tags and all, in the place of `to`'s: 0, or ENOMEM. */
int table_terms_copy(struct table_terms *to, const struct table_terms *from);

/* The tag of a key, or NULL. */
const struct table_tag *table_tag_named(const struct table *t,
    const char *key, size_t n);

/*
 * Units a second that reading or writing a table or an index (NULL: itself) is
 * held to; 0: as many as there are.
 */
uint64_t table_limit(const struct table *t, const struct table_index *ix,
    bool write);
bool table_is_limited(const struct table *t);

/*
 * A table as one line of JSON, as the journal and data/<table>/.table.json
 * keep it, and back.
 */
int table_write(const struct table *t, struct buf *out);
struct table *table_read(const char *json, size_t n, struct err *e);

#endif
