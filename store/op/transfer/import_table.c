/*
 * ImportTable, DescribeImport, ListImports.  The table is made, closed and
 * empty, before the reply; it is filled behind it (import_fill.c).
 */
#include "transfer.h"
#include "store/op/tables/unfilled.h"
#include "store/op/op_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 25 };

/* --- telling ---------------------------------------------------------------- */

static const char *
format(const struct transfer *t)
{
	return t->format == FORMAT_CSV ? "CSV" : "DYNAMODB_JSON";
}

static void
write_source(struct reply *r, const struct transfer *t)
{
	reply_object(r, "S3BucketSource");
	reply_string(r, "S3Bucket", t->bucket);
	if (*t->prefix)
		reply_string(r, "S3KeyPrefix", t->prefix);
	reply_close(r);
}

static void
write_indexes(struct reply *r, const struct table *t)
{
	size_t i;

	reply_list(r, "GlobalSecondaryIndexes");
	for (i = 0; i < t->nindexes; i++) {
		reply_object(r, NULL);
		reply_string(r, "IndexName", t->indexes[i].name);
		op_table_write_key(r, &t->indexes[i].key);
		op_table_write_projection(r, &t->indexes[i]);
		reply_close(r);
	}
	reply_close(r);
}

static void
write_creation(struct reply *r, const struct table *t)
{
	reply_object(r, "TableCreationParameters");
	reply_string(r, "TableName", t->name);
	op_table_write_definitions(r, t);
	op_table_write_key(r, &t->key);
	reply_string(r, "BillingMode",
	    t->terms.provisioned ? "PROVISIONED" : "PAY_PER_REQUEST");
	if (t->terms.provisioned) {
		reply_object(r, "ProvisionedThroughput");
		reply_integer(r, "ReadCapacityUnits",
		    (int64_t)t->terms.units.reads);
		reply_integer(r, "WriteCapacityUnits",
		    (int64_t)t->terms.units.writes);
		reply_close(r);
	}
	if (t->nindexes)
		write_indexes(r, t);
	reply_close(r);
}

static void
describe(struct reply *r, const struct transfer *t)
{
	op_transfer_write(r, t, "ImportArn", "ImportStatus");
	write_source(r, t);
	reply_string(r, "InputFormat", format(t));
	reply_string(r, "InputCompressionType",
	    t->compression == COMPRESSION_GZIP ? "GZIP" : "NONE");
	write_creation(r, t->table);
	if (t->bytes)
		reply_integer(r, "ProcessedSizeBytes", (int64_t)t->bytes);
	reply_integer(r, "ProcessedItemCount", (int64_t)t->items);
	reply_integer(r, "ImportedItemCount", (int64_t)t->imported);
	reply_integer(r, "ErrorCount", (int64_t)t->errors);
}

static void
summarise(struct reply *r, const struct transfer *t)
{
	char arn[TRANSFER_ARN], table[OP_TABLE_ARN];

	op_transfer_arn(t, arn);
	op_table_arn(t->table->name, table);
	reply_string(r, "ImportArn", arn);
	reply_string(r, "ImportStatus", op_transfer_status(t));
	reply_string(r, "TableArn", table);
	write_source(r, t);
	reply_string(r, "InputFormat", format(t));
	reply_time(r, "StartTime", t->start_ms);
	if (t->status != TRANSFER_RUNNING)
		reply_time(r, "EndTime", t->end_ms);
}

/* --- beginning -------------------------------------------------------------- */

static int
run_make(struct commit_job *job, struct commit *c, struct err *e)
{
	struct transfer *x = op_wait_of(job)->ctx;
	struct table *t = x->table;

	if (catalog_named(commit_catalog(c), t->name, strlen(t->name)))
		return err_set(e, FAULT_IN_USE, "Table already exists: %s",
		    t->name);
	if (commit_catalog(c)->count >= CATALOG_TABLES_MAX)
		return err_set(e, FAULT_LIMIT, "Subscriber limit exceeded: "
		    "there can be %d tables at most", CATALOG_TABLES_MAX);
	t->created_ms = commit_now_ms(c);
	t->restoring = t->unfilled = true;
	if (commit_table_id(c, &t->id, e) < 0)
		return -1;
	t = table_copy(t);
	if (!t)
		return op_no_memory(e);
	commit_table(c, t);
	return 0;
}

static int
begin(struct op *op, struct transfer *t, struct err *e)
{
	struct err ignored;

	t->table = op_table_make(&op->request.table, e);
	if (!t->table || op_wait_run(op->store, &op->arena, TABLE_JOB_ROOM,
	                     run_make, t, e) < 0)
		return -1;
	if (op_transfer_keep(t, e) == 0)
		return 0;
	op_unfilled_drop(op->store, t->table->id, &ignored);
	return -1;
}

/* The same token while the import runs: nothing but the table is looked at. */
static bool
is_same(const struct op *op, const struct transfer *was)
{
	const struct text *name = &op->request.table.name;

	return strlen(was->table->name) == name->n &&
	    memcmp(was->table->name, name->p, name->n) == 0;
}

/* --- the operations --------------------------------------------------------- */

static const struct transfer_ways WAYS = {.kind = "import",
    .missing = FAULT_IMPORT_NOT_FOUND, .missing_text = "Import not found",
    .conflict = FAULT_IMPORT_CONFLICT, .one = "ImportTableDescription",
    .list = "ImportSummaryList", .page = PAGE_MAX, .only_running = true,
    .begin = begin, .is_same = is_same, .run = op_import_run,
    .describe = describe, .summarise = summarise};

void
op_import_table(struct op *op, struct store_view *v)
{
	(void)v;
	op_transfer_begin(op, &WAYS);
}

void
op_describe_import(struct op *op, struct store_view *v)
{
	(void)v;
	op_transfer_describe(op, &WAYS);
}

void
op_list_imports(struct op *op, struct store_view *v)
{
	(void)v;
	op_transfer_list(op, &WAYS);
}
