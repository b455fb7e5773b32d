/*
 * ExportTableToPointInTime, DescribeExport, ListExports.  The files are
 * written behind the reply (export_write.c).
 */
#include "transfer.h"

#include "store/base/clock.h"
#include "store/engine/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 25 };

/* --- telling ---------------------------------------------------------------- */

static void
describe(struct reply *r, const struct transfer *t)
{
	op_transfer_write(r, t, "ExportArn", "ExportStatus");
	reply_time(r, "ExportTime", t->at_ms);
	reply_string(r, "S3Bucket", t->bucket);
	if (*t->prefix)
		reply_string(r, "S3Prefix", t->prefix);
	reply_string(r, "ExportFormat", "DYNAMODB_JSON");
	if (t->typed)
		reply_string(r, "ExportType", "FULL_EXPORT");
	if (t->status != TRANSFER_DONE)
		return;
	reply_string(r, "ExportManifest", t->manifest);
	reply_integer(r, "ItemCount", (int64_t)t->items);
	reply_integer(r, "BilledSizeBytes", (int64_t)t->bytes);
}

static void
summarise(struct reply *r, const struct transfer *t)
{
	char arn[TRANSFER_ARN];

	op_transfer_arn(t, arn);
	reply_string(r, "ExportArn", arn);
	reply_string(r, "ExportStatus", op_transfer_status(t));
	reply_string(r, "ExportType", "FULL_EXPORT");
}

/* --- beginning -------------------------------------------------------------- */

/* The moment has to lie where the table may be restored to. */
static int
find_moment(struct transfer *t, const struct transfer_request *q,
    struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	char iso[CLOCK_ISO_SIZE];

	if (!t->table->terms.pitr_ms)
		return err_set(e, FAULT_PITR_OFF, "Point in time recovery is "
		    "not enabled for table '%s'", t->table->name);
	if (!q->has_at) {
		snprintf(t->state, sizeof t->state, "@%" PRIu64,
		    journal_end(store_journal(t->later.store)));
		return 0;
	}
	if (t->at_ms > now_ms || t->at_ms < op_pitr_earliest(t->table, now_ms))
		return err_set(e, FAULT_EXPORT_TIME, "Export Time must lie "
		    "between EarliestRestorableDateTime and "
		    "LatestRestorableDateTime of table '%s'", t->table->name);
	clock_iso(t->at_ms, iso);
	snprintf(t->state, sizeof t->state, "%s", iso);
	return 0;
}

static int
begin(struct op *op, struct transfer *t, struct err *e)
{
	const struct text *name = &op->request.transfer.source;
	struct catalog *c = store_catalog_hold(op->store);
	const struct table *now = catalog_named(c, name->p, name->n);

	if (!now)
		err_set(e, FAULT_TABLE_NOT_FOUND, "Table not found: %.*s",
		    (int)name->n, name->p);
	else if (!(t->table = table_copy(now)))
		op_no_memory(e);
	store_catalog_release(op->store, c);
	if (!t->table || find_moment(t, &op->request.transfer, e) < 0)
		return -1;
	return op_transfer_keep(t, e);
}

/* What was asked for before, under the same token. */
static bool
is_same(const struct op *op, const struct transfer *was)
{
	const struct transfer_request *q = &op->request.transfer;
	const char *name = was->table->name;

	return strlen(name) == q->source.n &&
	    memcmp(name, q->source.p, q->source.n) == 0 &&
	    strlen(was->bucket) == q->bucket.n &&
	    memcmp(was->bucket, q->bucket.p, q->bucket.n) == 0 &&
	    strlen(was->prefix) == q->prefix.n &&
	    (!q->prefix.n ||
	        memcmp(was->prefix, q->prefix.p, q->prefix.n) == 0) &&
	    (!q->has_at || was->at_ms == q->at_ms);
}

/* --- the operations --------------------------------------------------------- */

static const struct transfer_ways WAYS = {.kind = "export",
    .missing = FAULT_EXPORT_NOT_FOUND, .missing_text = "Export not found",
    .conflict = FAULT_EXPORT_CONFLICT, .one = "ExportDescription",
    .list = "ExportSummaries", .page = PAGE_MAX, .begin = begin,
    .is_same = is_same, .run = op_export_run, .describe = describe,
    .summarise = summarise};

void
op_export_table(struct op *op, struct store_view *v)
{
	(void)v;
	op_transfer_begin(op, &WAYS);
}

void
op_describe_export(struct op *op, struct store_view *v)
{
	(void)v;
	op_transfer_describe(op, &WAYS);
}

void
op_list_exports(struct op *op, struct store_view *v)
{
	(void)v;
	op_transfer_list(op, &WAYS);
}
