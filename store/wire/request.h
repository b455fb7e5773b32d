/*
 * Requests: the JSON body of an operation as a struct, checked as DynamoDB
 * checks it, in its order and with its messages, as far as that can be done
 * without knowing the table.  Expressions stay text (expr/expr.h).
 *
 * Everything lies in the arena or borrows from the body.  A text that is
 * absent has p == NULL, a value or list is NULL, a number is 0 unless told.
 */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include "operation.h"
#include "store/base/buf.h"
#include "store/expr/legacy.h"
#include "store/value/value.h"

#include <stdint.h>

enum {
	REQUEST_BATCH_GET_MAX = 100,
	REQUEST_BATCH_WRITE_MAX = 25,
	REQUEST_TRANSACT_MAX = 100,
	REQUEST_STATEMENT_MAX = 8192,	/* bytes of PartiQL */
	REQUEST_STATEMENTS_MAX = 25,	/* in a batch */
	REQUEST_ARENA_MAX = 256 * 1024 * 1024	/* what decoding may take */
};

enum choice { CHOICE_ABSENT, CHOICE_NO, CHOICE_YES };

enum return_values {
	RETURN_NONE, RETURN_ALL_OLD, RETURN_UPDATED_OLD, RETURN_ALL_NEW,
	RETURN_UPDATED_NEW
};

enum return_capacity { CAPACITY_NONE, CAPACITY_TOTAL, CAPACITY_INDEXES };

enum return_metrics { METRICS_NONE, METRICS_SIZE };

/* ConditionalOperator; AND if absent. */
enum joint { JOINT_ABSENT, JOINT_AND, JOINT_OR };

enum select {
	SELECT_ABSENT, SELECT_ALL_ATTRIBUTES, SELECT_ALL_PROJECTED,
	SELECT_SPECIFIC, SELECT_COUNT
};

enum item_kind {
	ITEM_GET, ITEM_PUT, ITEM_UPDATE, ITEM_DELETE, ITEM_CHECK
};

/* QueryFilter, ScanFilter, KeyConditions or Expected. */
struct conditions {
	struct legacy_condition *list;	/* NULL if absent */
	size_t count;
};

/*
 * Expressions that have been read already, from a PartiQL statement: they
 * stand for the texts, and are never beside them.
 */
struct request_trees {
	const struct expr *keys;	/* of a query */
	const struct expr *condition;	/* or filter; NULL: none */
	const struct expr_update *update;
	const struct expr_projection *projection;
};

/* One item's operation: alone, or a part of a batch or transaction. */
struct item_request {
	enum item_kind kind;
	struct text table;		/* TableName: a name, never an ARN */
	const struct value *key;	/* all but ITEM_PUT */
	const struct value *item;	/* ITEM_PUT */
	struct text condition, update, projection;
	const struct value *names;	/* ExpressionAttributeNames: S in M */
	const struct value *values;	/* ExpressionAttributeValues */
	enum choice consistent;
	enum return_values returns;
	enum return_values on_failure;	/* RETURN_NONE or RETURN_ALL_OLD */
	/* The parameters of before expressions; never beside them. */
	struct conditions expected;
	enum joint joint;
	struct legacy_update *updates;	/* AttributeUpdates */
	size_t nupdates;
	const struct text *to_get;	/* AttributesToGet */
	size_t nto_get;
	/* Of a statement: */
	const struct request_trees *trees;	/* or NULL */
	bool insert;			/* ITEM_PUT: nothing may be there */
};

/* The items of one table in a batch; they share what projects and names. */
struct item_group {
	struct text table;
	struct item_request *items;
	size_t count;
};

struct read_request {			/* Query, Scan */
	struct text table, index;
	enum choice consistent;
	enum choice forward;		/* ScanIndexForward */
	uint32_t limit;			/* 0: none */
	enum select select;
	const struct value *start;	/* ExclusiveStartKey */
	struct text key_condition, filter, projection;
	const struct value *names, *values;
	uint32_t segment, segments;	/* segments 0: not in parallel */
	bool has_segment;
	struct conditions key_conditions;	/* KeyConditions */
	struct conditions conditions;	/* QueryFilter, ScanFilter */
	enum joint joint;
	const struct text *to_get;
	size_t nto_get;
	const struct request_trees *trees;	/* of a statement, or NULL */
};

enum key_role { ROLE_HASH, ROLE_RANGE };

struct key_element {			/* of a KeySchema */
	struct text name;
	enum key_role role;
};

struct attribute_definition {
	struct text name;
	enum value_type type;		/* S, N or B */
};

struct throughput {
	uint64_t reads, writes;		/* 0: not given */
	bool no_reads, no_writes;	/* -1: no limit (OnDemandThroughput) */
};

enum index_change { INDEX_KEEP, INDEX_CREATE, INDEX_UPDATE, INDEX_DELETE };

struct index_request {
	enum index_change change;	/* UpdateTable; else INDEX_CREATE */
	struct text name;
	const struct key_element *key;
	size_t nkey;
	struct text projection;		/* ALL, KEYS_ONLY or INCLUDE */
	const struct text *nonkey;
	size_t nnonkey;
	struct throughput throughput;	/* ProvisionedThroughput, */
	struct throughput most;		/* OnDemandThroughput, */
	struct throughput warm;		/* WarmThroughput */
};

struct tag {
	struct text key, value;
};

/* Every operation on a table as a whole, of which each takes a part. */
struct table_request {
	struct text name;
	const struct attribute_definition *attributes;
	size_t nattributes;
	const struct key_element *key;
	size_t nkey;
	const struct index_request *locals, *globals;
	size_t nlocals, nglobals;
	struct text billing;		/* PROVISIONED or PAY_PER_REQUEST */
	struct throughput throughput;	/* ProvisionedThroughput, */
	struct throughput most;		/* OnDemandThroughput, */
	struct throughput warm;		/* WarmThroughput */
	enum choice stream;		/* StreamEnabled */
	struct text stream_view;	/* StreamViewType */
	enum choice encrypted;		/* SSESpecification.Enabled */
	enum choice protected;		/* DeletionProtectionEnabled */
	struct text class;		/* TableClass */
	const struct tag *tags;
	size_t ntags;
	const struct text *tag_keys;	/* UntagResource */
	size_t ntag_keys;
	enum choice pitr;		/* PointInTimeRecoveryEnabled */
	uint32_t pitr_days;		/* RecoveryPeriodInDays */
	enum choice history;		/* Bothy's: History */
	struct text ttl;		/* TimeToLiveSpecification */
	enum choice ttl_enabled;
	struct text start;		/* ListTables: Exclusive... */
	uint32_t limit;			/* ListTables */
};

enum file_format {
	FORMAT_ABSENT, FORMAT_DYNAMODB_JSON, FORMAT_ION, FORMAT_CSV
};
enum compression {
	COMPRESSION_ABSENT, COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD
};

/*
 * Tags, backups, exports and imports, of which each takes a part.  What table
 * is to be made of one is beside it, as a struct table_request.
 */
struct transfer_request {
	struct text source;		/* the table that it is about */
	struct text arn;		/* BackupArn, ExportArn, ... as given */
	struct text name;		/* BackupName */
	struct text type;		/* BackupType, ExportType */
	int64_t from_ms, until_ms;	/* TimeRange...Bound; 0: none */
	bool has_at;
	int64_t at_ms;			/* RestoreDateTime, ExportTime */
	enum choice latest;		/* UseLatestRestorableTime */
	bool has_locals, has_globals;	/* ...SecondaryIndexOverride */
	struct text bucket, prefix;	/* S3Bucket, S3Prefix, S3KeyPrefix */
	enum file_format format;
	enum compression compression;
	struct text delimiter;		/* of CSV */
	const struct text *header;
	size_t nheader;
	struct text start;		/* NextToken, ExclusiveStartBackupArn */
	uint32_t limit;
};

struct stream_filter {			/* ShardFilter: CHILD_SHARDS of one */
	struct text type, shard;
};

struct stream_request {
	struct text table;		/* ListStreams: TableName */
	struct text arn, shard;		/* StreamArn, ShardId */
	struct text start;		/* ExclusiveStart... */
	const struct stream_filter *filter;	/* NULL: all shards */
	struct text iterator_type, sequence, iterator;
	uint32_t limit;
};

/* ExecuteStatement, or a part of a batch or transaction. */
struct statement_request {
	struct text statement;
	const struct value *parameters;
	size_t nparameters;
	enum choice consistent;
	enum return_values on_failure;
};

/* Bothy's own operations, of which each takes a part. */
struct store_request {
	struct text table;		/* TableName */
	const struct value *key;	/* Key */
	struct text name;		/* Name: of a backup, a remote, a file */
	struct text from, to;		/* commits, backups or times */
	struct text into;		/* Into: another table */
	struct text path, format;	/* Path, Format */
	struct text preview;		/* Preview: what Restore was shown */
	const struct text *definitions;	/* Tables: each for table_read() */
	size_t ndefinitions;
	struct text settings;		/* Settings: for store_set() */
	uint32_t limit;
	bool dry;			/* DryRun */
	bool deep;			/* Deep */
	bool whole;			/* Whole: all or nothing */
};

struct request {
	const struct operation_info *info;
	bool plain;			/* documents in plain JSON */
	const char *refusal;	/* the whole text of an error that is cut */
	bool arns;		/* something is named by its ARN */
	enum return_capacity capacity;	/* ReturnConsumedCapacity */
	enum return_metrics metrics;	/* ReturnItemCollectionMetrics */
	struct text token;		/* ClientRequestToken */
	union {
		struct item_request item;	/* Get-, PutItem, ... */
		struct {			/* BatchGet-, WriteItem */
			struct item_group *groups;
			size_t ngroups;
		};
		struct {			/* TransactGet-, WriteItems */
			struct item_request *items;
			size_t nitems;
		};
		struct {			/* Execute..., Batch... */
			struct statement_request *statements;
			size_t nstatements;
			struct text next;	/* NextToken */
			uint32_t limit;
		};
		struct read_request read;
		struct {
			struct table_request table;
			struct transfer_request transfer;
		};
		struct stream_request stream;
		struct store_request store;
	};
};

/*
 * Decodes and checks the body of `op`.  0; or -1 and *e: FAULT_SERIALIZATION
 * (no JSON, or a parameter of another type), FAULT_VALIDATION,
 * FAULT_UNKNOWN_OPERATION, FAULT_LIMIT (the arena is full).  `plain` says in
 * which JSON documents come.
 */
int request_read(struct request *r, int op, bool plain, struct arena *a,
    const char *body, size_t n, struct err *e);

/*
 * The table of "arn:aws:dynamodb:REGION:ACCOUNT:table/NAME", and what stands
 * behind it, as "/backup/ID"; false if it is no such ARN.
 */
bool request_arn(const struct text *arn, struct text *table,
    struct text *behind);

/*
 * Appends the body of `op`, whose documents are plain JSON, with the same in
 * typed JSON: 0; or -1 and *e, FAULT_SERIALIZATION, FAULT_VALIDATION or
 * FAULT_LIMIT.
 */
int request_retype(int op, struct arena *a, const char *body, size_t n,
    struct buf *out, struct err *e);

/* Something that a request wants to do, as grants see it. */
struct access {
	const char *action;		/* "dynamodb:PutItem" */
	struct text table, index;	/* p NULL: no table */
	struct text stream;		/* its label; p NULL: none */
	const struct value *key;	/* has the partition key; or NULL */
};

/*
 * The i-th thing that `r` wants, from 0; false behind the last.  A batch or
 * transaction wants one for each of its items.  What statements want isn't
 * known before they are read.
 */
bool request_access(const struct request *r, size_t i, struct access *out);

#endif
