/*
 * The table of operations: DynamoDB's, its streams', and Bothy's own.
 *
 * A number stands for the same operation for ever; it is what a frame carries.
 */
#ifndef WIRE_OPERATION_H
#define WIRE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

enum operation {
	OP_NONE,

	OP_GET_ITEM = 1, OP_PUT_ITEM, OP_UPDATE_ITEM, OP_DELETE_ITEM,
	OP_QUERY, OP_SCAN, OP_BATCH_GET_ITEM, OP_BATCH_WRITE_ITEM,
	OP_TRANSACT_GET_ITEMS, OP_TRANSACT_WRITE_ITEMS,
	OP_EXECUTE_STATEMENT = 11, OP_BATCH_EXECUTE_STATEMENT,
	OP_EXECUTE_TRANSACTION,

	OP_CREATE_TABLE = 32, OP_UPDATE_TABLE, OP_DELETE_TABLE,
	OP_DESCRIBE_TABLE, OP_LIST_TABLES, OP_UPDATE_TIME_TO_LIVE,
	OP_DESCRIBE_TIME_TO_LIVE, OP_TAG_RESOURCE, OP_UNTAG_RESOURCE,
	OP_LIST_TAGS, OP_DESCRIBE_LIMITS, OP_DESCRIBE_ENDPOINTS,
	OP_UPDATE_CONTINUOUS_BACKUPS, OP_DESCRIBE_CONTINUOUS_BACKUPS,
	OP_CREATE_BACKUP, OP_LIST_BACKUPS, OP_DESCRIBE_BACKUP,
	OP_DELETE_BACKUP, OP_RESTORE_FROM_BACKUP, OP_RESTORE_TO_MOMENT,
	OP_EXPORT_TABLE, OP_DESCRIBE_EXPORT, OP_LIST_EXPORTS, OP_IMPORT_TABLE,
	OP_DESCRIBE_IMPORT, OP_LIST_IMPORTS,

	OP_LIST_STREAMS = 64, OP_DESCRIBE_STREAM, OP_GET_SHARD_ITERATOR,
	OP_GET_RECORDS,

	OP_STAT = 96, OP_PATH, OP_LOG, OP_DIFF, OP_BLAME, OP_SHOW,
	OP_CHECKPOINT, OP_BACKUP, OP_BACKUPS, OP_RESTORE, OP_FORGET, OP_ADOPT,
	OP_CHECK, OP_REINDEX, OP_IMPORT, OP_EXPORT, OP_MIRROR, OP_STOP,
	OP_DECLARE, OP_MERGE,

	OP_END
};

enum operation_class {
	OP_READ,	/* answered from one snapshot; safe to repeat */
	OP_WRITE,	/* changes documents: goes through the writer */
	OP_ADMIN	/* changes tables, history or the daemon */
};

enum operation_family {
	OP_FAMILY_DATA,		/* X-Amz-Target: DynamoDB_20120810.<name> */
	OP_FAMILY_STREAMS,	/* DynamoDBStreams_20120810.<name> */
	OP_FAMILY_BOTHY		/* over the socket alone */
};

struct operation_info {
	enum operation op;
	const char *name;		/* "GetItem" */
	const char *action;		/* "dynamodb:GetItem", "bothy:Log" */
	enum operation_class class;
	enum operation_family family;
	bool repeatable;		/* doing it twice is as doing it once */
};

/* NULL if there is none. */
const struct operation_info *operation_info(int number);
const struct operation_info *operation_named(const char *name, size_t n);

#endif
