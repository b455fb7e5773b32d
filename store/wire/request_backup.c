/*
 * Backups of tables and their restores, for request.h.
 */
#include "request_table.h"

#include <string.h>

#define RAW(field) offsetof(struct raw_backup, field)
#define INVALID "One or more parameter values were invalid: "
#define BACKUP_ARN {.name = "BackupArn", .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED, .at = RAW(arn), .min = 37, .max = 1024}

struct raw_backup {
	struct raw_table table;		/* what is to be made */
	struct text source, source_arn, arn, name, type, start;
	int64_t from_ms, until_ms, at_ms;
	bool has_at;
	enum choice latest;
	uint32_t limit;
};

static const struct word type_words[] = {
	{"USER", 1}, {"SYSTEM", 2}, {"AWS_BACKUP", 3}, {"ALL", 4}, {NULL, 0},
};

static const struct param create_params[] = {
	{.name = "TableName", .kind = PARAM_TEXT,
	    .flags = PARAM_REQUIRED | PARAM_PATTERN | PARAM_FIRST | PARAM_ARN,
	    .at = RAW(source), .min = 3, .max = 255},
	{.name = "BackupName", .kind = PARAM_TEXT,
	    .flags = PARAM_REQUIRED | PARAM_PATTERN, .at = RAW(name),
	    .min = 3, .max = 255},
};

static const struct param one_params[] = {
	BACKUP_ARN,
};

static const struct param list_params[] = {
	{.name = "TableName", .kind = PARAM_TEXT,
	    .flags = PARAM_PATTERN | PARAM_ARN, .at = RAW(source),
	    .min = 3, .max = 255},
	{.name = "Limit", .kind = PARAM_INTEGER, .at = RAW(limit), .min = 1,
	    .max = 100},
	{.name = "TimeRangeLowerBound", .kind = PARAM_TIME,
	    .at = RAW(from_ms)},
	{.name = "TimeRangeUpperBound", .kind = PARAM_TIME,
	    .at = RAW(until_ms)},
	{.name = "ExclusiveStartBackupArn", .kind = PARAM_TEXT,
	    .at = RAW(start), .min = 37, .max = 1024},
	{.name = "BackupType", .kind = PARAM_TEXT, .at = RAW(type),
	    .words = type_words},
};

#define TARGET \
	{.name = "TargetTableName", .kind = PARAM_TEXT, \
	    .flags = PARAM_REQUIRED | PARAM_PATTERN, .at = RAW(table.name), \
	    .min = 3, .max = 255}, \
	{.name = "BillingModeOverride", .kind = PARAM_TEXT, \
	    .at = RAW(table.billing), .words = request_billing_words}, \
	{.name = "GlobalSecondaryIndexOverride", .kind = PARAM_STRUCTS, \
	    .at = RAW(table.globals), .of = &request_global_schema}, \
	{.name = "LocalSecondaryIndexOverride", .kind = PARAM_STRUCTS, \
	    .at = RAW(table.locals), .of = &request_local_schema}, \
	{.name = "ProvisionedThroughputOverride", .kind = PARAM_STRUCT, \
	    .at = RAW(table.throughput), .of = &request_throughput_schema}, \
	{.name = "OnDemandThroughputOverride", .kind = PARAM_STRUCT, \
	    .at = RAW(table.most), .of = &request_most_schema}, \
	{.name = "SSESpecificationOverride", .kind = PARAM_STRUCT, \
	    .at = RAW(table.encrypted), .of = &request_encrypted_schema}

static const struct param restore_params[] = {
	TARGET, BACKUP_ARN,
};

static const struct param moment_params[] = {
	TARGET,
	{.name = "SourceTableName", .kind = PARAM_TEXT,
	    .flags = PARAM_PATTERN | PARAM_ARN, .at = RAW(source),
	    .min = 3, .max = 255},
	{.name = "SourceTableArn", .kind = PARAM_TEXT,
	    .at = RAW(source_arn), .min = 1, .max = 1024},
	{.name = "UseLatestRestorableTime", .kind = PARAM_CHOICE,
	    .at = RAW(latest)},
	{.name = "RestoreDateTime", .kind = PARAM_TIME, .at = RAW(at_ms),
	    .has_at = RAW(has_at)},
};

static const struct schema create_schema = SCHEMA("CreateBackupInput",
    struct raw_backup, create_params);
static const struct schema one_schema = SCHEMA("BackupInput",
    struct raw_backup, one_params);
static const struct schema list_schema = SCHEMA("ListBackupsInput",
    struct raw_backup, list_params);
static const struct schema restore_schema =
    SCHEMA("RestoreTableFromBackupInput", struct raw_backup, restore_params);
static const struct schema moment_schema =
    SCHEMA("RestoreTableToPointInTimeInput", struct raw_backup,
    moment_params);

/* --- checks --------------------------------------------------------------- */

static void
take(struct request *r, const struct raw_backup *q)
{
	r->table = (struct table_request){.name = q->table.name};
	r->transfer = (struct transfer_request){.source = q->source,
	    .arn = q->arn, .name = q->name, .type = q->type,
	    .from_ms = q->from_ms, .until_ms = q->until_ms,
	    .has_at = q->has_at, .at_ms = q->at_ms, .latest = q->latest,
	    .has_locals = q->table.locals, .has_globals = q->table.globals,
	    .start = q->start, .limit = q->limit};
}

/* The table of an ARN like ".../table/NAME/backup/ID". */
static int
take_arn(struct decoder *d, struct request *r)
{
	static const char PART[] = "/backup/";
	struct text behind;

	if (request_arn(&r->transfer.arn, &r->transfer.source, &behind) &&
	    behind.n > sizeof PART - 1 &&
	    memcmp(behind.p, PART, sizeof PART - 1) == 0)
		return 0;
	return schema_fail(d, "Invalid Backup ARN");
}

static int
finish_plain(struct decoder *d, struct request *r, void *raw)
{
	const struct raw_backup *q = raw;

	take(r, q);
	if (q->from_ms && q->until_ms && q->from_ms >= q->until_ms)
		return schema_fail(d, INVALID "TimeRangeLowerBound must be "
		    "before TimeRangeUpperBound");
	return 0;
}

static int
finish_one(struct decoder *d, struct request *r, void *raw)
{
	take(r, raw);
	return take_arn(d, r);
}

/* What a restore may set otherwise than it was. */
static int
finish_target(struct decoder *d, struct request *r,
    const struct raw_backup *q)
{
	const struct raw_table *t = &q->table;

	if (request_is(&t->billing, "PAY_PER_REQUEST") && t->throughput)
		return schema_fail(d, INVALID "Neither ReadCapacityUnits nor "
		    "WriteCapacityUnits can be specified when BillingMode is "
		    "PAY_PER_REQUEST");
	if (request_is(&t->billing, "PROVISIONED") && !t->throughput)
		return schema_fail(d, INVALID "ProvisionedThroughput must be "
		    "specified when BillingMode is PROVISIONED");
	if (t->throughput && request_check_units(d, t->throughput) < 0)
		return -1;
	return request_check_lacking(d, t) < 0 ? -1 :
	    request_make_table(d, t, &r->table);
}

static int
finish_restore(struct decoder *d, struct request *r, void *raw)
{
	take(r, raw);
	return take_arn(d, r) < 0 ? -1 : finish_target(d, r, raw);
}

static int
finish_moment(struct decoder *d, struct request *r, void *raw)
{
	const struct raw_backup *q = raw;
	struct text behind;

	take(r, q);
	if (!q->source.p == !q->source_arn.p)
		return schema_fail(d, INVALID "One of SourceTableName and "
		    "SourceTableArn must be specified, and not both");
	if (q->source_arn.p && (!request_arn(&q->source_arn,
	    &r->transfer.source, &behind) || behind.n))
		return schema_fail(d, "Invalid TableArn: Invalid Table ARN");
	if ((q->latest == CHOICE_YES) == q->has_at)
		return schema_fail(d, INVALID "One of RestoreDateTime and "
		    "UseLatestRestorableTime must be specified, and not both");
	return finish_target(d, r, q);
}

const struct form request_create_backup_form = {&create_schema, true,
    finish_plain};
const struct form request_list_backups_form = {&list_schema, true,
    finish_plain};
const struct form request_backup_form = {&one_schema, true, finish_one};
const struct form request_restore_form = {&restore_schema, true,
    finish_restore};
const struct form request_moment_form = {&moment_schema, true,
    finish_moment};
