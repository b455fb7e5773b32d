/*
 * The one table of operations, for operation.h.  Linked into everything that
 * speaks with the store.
 */
#include "operation.h"

#include <string.h>

#define DATA(op, name, class, repeatable) \
	[op] = {op, name, "dynamodb:" name, class, OP_FAMILY_DATA, repeatable}
/* PartiQLSelect, ...: which, the statement says. */
#define STATEMENTS(op, name) \
	[op] = {op, name, "dynamodb:PartiQL*", OP_WRITE, OP_FAMILY_DATA, false}
#define STREAMS(op, name) \
	[op] = {op, name, "dynamodb:" name, OP_READ, OP_FAMILY_STREAMS, true}
#define BOTHY(op, name, class, repeatable) \
	[op] = {op, name, "bothy:" name, class, OP_FAMILY_BOTHY, repeatable}

static const struct operation_info table[OP_END] = {
	DATA(OP_GET_ITEM, "GetItem", OP_READ, true),
	DATA(OP_PUT_ITEM, "PutItem", OP_WRITE, false),
	DATA(OP_UPDATE_ITEM, "UpdateItem", OP_WRITE, false),
	DATA(OP_DELETE_ITEM, "DeleteItem", OP_WRITE, false),
	DATA(OP_QUERY, "Query", OP_READ, true),
	DATA(OP_SCAN, "Scan", OP_READ, true),
	DATA(OP_BATCH_GET_ITEM, "BatchGetItem", OP_READ, true),
	DATA(OP_BATCH_WRITE_ITEM, "BatchWriteItem", OP_WRITE, false),
	DATA(OP_TRANSACT_GET_ITEMS, "TransactGetItems", OP_READ, true),
	DATA(OP_TRANSACT_WRITE_ITEMS, "TransactWriteItems", OP_WRITE, false),
	STATEMENTS(OP_EXECUTE_STATEMENT, "ExecuteStatement"),
	STATEMENTS(OP_BATCH_EXECUTE_STATEMENT, "BatchExecuteStatement"),
	STATEMENTS(OP_EXECUTE_TRANSACTION, "ExecuteTransaction"),

	DATA(OP_CREATE_TABLE, "CreateTable", OP_ADMIN, false),
	DATA(OP_UPDATE_TABLE, "UpdateTable", OP_ADMIN, false),
	DATA(OP_DELETE_TABLE, "DeleteTable", OP_ADMIN, false),
	DATA(OP_DESCRIBE_TABLE, "DescribeTable", OP_READ, true),
	DATA(OP_LIST_TABLES, "ListTables", OP_READ, true),
	DATA(OP_UPDATE_TIME_TO_LIVE, "UpdateTimeToLive", OP_ADMIN, false),
	DATA(OP_DESCRIBE_TIME_TO_LIVE, "DescribeTimeToLive", OP_READ, true),
	DATA(OP_TAG_RESOURCE, "TagResource", OP_ADMIN, true),
	DATA(OP_UNTAG_RESOURCE, "UntagResource", OP_ADMIN, true),
	DATA(OP_LIST_TAGS, "ListTagsOfResource", OP_READ, true),
	DATA(OP_DESCRIBE_LIMITS, "DescribeLimits", OP_READ, true),
	DATA(OP_DESCRIBE_ENDPOINTS, "DescribeEndpoints", OP_READ, true),
	DATA(OP_UPDATE_CONTINUOUS_BACKUPS, "UpdateContinuousBackups",
	    OP_ADMIN, true),
	DATA(OP_DESCRIBE_CONTINUOUS_BACKUPS, "DescribeContinuousBackups",
	    OP_READ, true),
	DATA(OP_CREATE_BACKUP, "CreateBackup", OP_ADMIN, false),
	DATA(OP_LIST_BACKUPS, "ListBackups", OP_READ, true),
	DATA(OP_DESCRIBE_BACKUP, "DescribeBackup", OP_READ, true),
	DATA(OP_DELETE_BACKUP, "DeleteBackup", OP_ADMIN, false),
	DATA(OP_RESTORE_FROM_BACKUP, "RestoreTableFromBackup", OP_ADMIN,
	    false),
	DATA(OP_RESTORE_TO_MOMENT, "RestoreTableToPointInTime", OP_ADMIN,
	    false),
	DATA(OP_EXPORT_TABLE, "ExportTableToPointInTime", OP_ADMIN, false),
	DATA(OP_DESCRIBE_EXPORT, "DescribeExport", OP_READ, true),
	DATA(OP_LIST_EXPORTS, "ListExports", OP_READ, true),
	DATA(OP_IMPORT_TABLE, "ImportTable", OP_ADMIN, false),
	DATA(OP_DESCRIBE_IMPORT, "DescribeImport", OP_READ, true),
	DATA(OP_LIST_IMPORTS, "ListImports", OP_READ, true),

	STREAMS(OP_LIST_STREAMS, "ListStreams"),
	STREAMS(OP_DESCRIBE_STREAM, "DescribeStream"),
	STREAMS(OP_GET_SHARD_ITERATOR, "GetShardIterator"),
	STREAMS(OP_GET_RECORDS, "GetRecords"),

	BOTHY(OP_STAT, "Stat", OP_READ, true),
	BOTHY(OP_PATH, "Path", OP_READ, true),
	BOTHY(OP_LOG, "Log", OP_READ, true),
	BOTHY(OP_DIFF, "Diff", OP_READ, true),
	BOTHY(OP_BLAME, "Blame", OP_READ, true),
	BOTHY(OP_SHOW, "Show", OP_READ, true),
	BOTHY(OP_CHECKPOINT, "Checkpoint", OP_ADMIN, true),
	BOTHY(OP_BACKUP, "Backup", OP_ADMIN, false),
	BOTHY(OP_BACKUPS, "Backups", OP_READ, true),
	BOTHY(OP_RESTORE, "Restore", OP_ADMIN, false),
	BOTHY(OP_FORGET, "Forget", OP_ADMIN, true),
	BOTHY(OP_ADOPT, "Adopt", OP_ADMIN, false),
	BOTHY(OP_CHECK, "Check", OP_ADMIN, true),
	BOTHY(OP_REINDEX, "Reindex", OP_ADMIN, true),
	BOTHY(OP_IMPORT, "Import", OP_ADMIN, false),
	BOTHY(OP_EXPORT, "Export", OP_ADMIN, false),
	BOTHY(OP_MIRROR, "Mirror", OP_ADMIN, true),
	BOTHY(OP_STOP, "Stop", OP_ADMIN, false),
	BOTHY(OP_DECLARE, "Declare", OP_ADMIN, true),
	BOTHY(OP_MERGE, "Merge", OP_ADMIN, true),
};

const struct operation_info *
operation_info(int number)
{
	if (number <= OP_NONE || number >= OP_END || !table[number].name)
		return NULL;
	return &table[number];
}

const struct operation_info *
operation_named(const char *name, size_t n)
{
	int i;

	for (i = OP_NONE + 1; i < OP_END; i++)
		if (table[i].name && strlen(table[i].name) == n &&
		    memcmp(table[i].name, name, n) == 0)
			return &table[i];
	return NULL;
}
