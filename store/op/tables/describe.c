/*
 * Tables told: DescribeTable, ListTables, and what other operations on tables
 * reply.
 */
#include "table.h"

#include "store/base/clock.h"

#include <stdio.h>
#include <string.h>

enum {
	LIST_MAX = 100,
	DAY_MS = 24 * 60 * 60 * 1000,
	WARM_READS = 12000, WARM_WRITES = 4000	/* of any table */
};

static const char *const TYPES[] = {"S", "N", "B"};

static void
write_element(struct reply *r, const struct key_part *p, const char *type)
{
	reply_object(r, NULL);
	reply_string(r, "AttributeName", p->name);
	reply_string(r, "KeyType", type);
	reply_close(r);
}

void
op_table_write_key(struct reply *r, const struct key_schema *k)
{
	size_t i;

	reply_list(r, "KeySchema");
	for (i = 0; i < k->nhash; i++)
		write_element(r, &k->hash[i], "HASH");
	for (i = 0; i < k->nrange; i++)
		write_element(r, &k->range[i], "RANGE");
	reply_close(r);
}

struct definitions {
	const struct key_part *seen[8 + 8 * TABLE_INDEXES_MAX];
	size_t n;
};

static void
define(struct reply *r, struct definitions *d, const struct key_part *p)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->seen[i]->name, p->name) == 0)
			return;
	d->seen[d->n++] = p;
	reply_object(r, NULL);
	reply_string(r, "AttributeName", p->name);
	reply_string(r, "AttributeType", TYPES[p->type]);
	reply_close(r);
}

static void
define_key(struct reply *r, struct definitions *d, const struct key_schema *k)
{
	size_t i;

	for (i = 0; i < k->nhash; i++)
		define(r, d, &k->hash[i]);
	for (i = 0; i < k->nrange; i++)
		define(r, d, &k->range[i]);
}

void
op_table_write_definitions(struct reply *r, const struct table *t)
{
	struct definitions d = {.n = 0};
	size_t i;

	reply_list(r, "AttributeDefinitions");
	define_key(r, &d, &t->key);
	for (i = 0; i < t->nindexes; i++)
		define_key(r, &d, &t->indexes[i].key);
	reply_close(r);
}

void
op_table_write_units(struct reply *r, const struct table_units *u,
    const struct table_terms *terms)
{
	reply_object(r, "ProvisionedThroughput");
	if (terms && terms->increased_ms)
		reply_time(r, "LastIncreaseDateTime", terms->increased_ms);
	if (terms && terms->decreased_ms)
		reply_time(r, "LastDecreaseDateTime", terms->decreased_ms);
	reply_integer(r, "NumberOfDecreasesToday",
	    terms && terms->decreased_ms / DAY_MS == clock_wall_ms() / DAY_MS
	        ? (int64_t)terms->decreases
	        : 0);
	reply_integer(r, "ReadCapacityUnits", (int64_t)u->reads);
	reply_integer(r, "WriteCapacityUnits", (int64_t)u->writes);
	reply_close(r);
}

static void
write_most(struct reply *r, const struct table_units *most)
{
	if (!most->reads && !most->writes)
		return;
	reply_object(r, "OnDemandThroughput");
	if (most->reads)
		reply_integer(r, "MaxReadRequestUnits", (int64_t)most->reads);
	if (most->writes)
		reply_integer(r, "MaxWriteRequestUnits",
		    (int64_t)most->writes);
	reply_close(r);
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Nothing is warmed here: it is told as it was asked for. */
static void
write_warm(struct reply *r, const struct table_terms *terms,
    const struct table_units *units, const struct table_units *warm)
{
	bool p = terms->provisioned;

	reply_object(r, "WarmThroughput");
	reply_integer(r, "ReadUnitsPerSecond",
	    (int64_t)larger(warm->reads, p ? units->reads : WARM_READS));
	reply_integer(r, "WriteUnitsPerSecond",
	    (int64_t)larger(warm->writes, p ? units->writes : WARM_WRITES));
	reply_string(r, "Status", "ACTIVE");
	reply_close(r);
}

static void
write_global(struct reply *r, const struct table *t,
    const struct table_index *ix, const char *status)
{
	if (ix->filling || strcmp(status, "CREATING") == 0)
		status = "CREATING";
	else
		status = "ACTIVE";
	reply_string(r, "IndexStatus", status);
	if (ix->filling)
		reply_bool(r, "Backfilling", true);
	op_table_write_units(r, &ix->units, NULL);
	write_most(r, &ix->most);
	write_warm(r, &t->terms, &ix->units, &ix->warm);
}

void
op_table_write_projection(struct reply *r, const struct table_index *ix)
{
	static const char *const KINDS[] = {"ALL", "KEYS_ONLY", "INCLUDE"};
	size_t i;

	reply_object(r, "Projection");
	reply_string(r, "ProjectionType", KINDS[ix->projection]);
	if (ix->projection == PROJECT_INCLUDE) {
		reply_list(r, "NonKeyAttributes");
		for (i = 0; i < ix->nnonkey; i++)
			reply_string(r, NULL, ix->nonkey[i]);
		reply_close(r);
	}
	reply_close(r);
}

static void
write_index(struct reply *r, const struct table *t,
    const struct table_index *ix, const struct index_counts *n,
    const char *status)
{
	char arn[3 * TABLE_NAME_MAX];

	reply_object(r, NULL);
	reply_string(r, "IndexName", ix->name);
	op_table_write_key(r, &ix->key);
	op_table_write_projection(r, ix);
	if (ix->global)
		write_global(r, t, ix, status);
	reply_integer(r, "IndexSizeBytes", (int64_t)n->bytes);
	reply_integer(r, "ItemCount", (int64_t)n->items);
	snprintf(arn, sizeof arn, OP_ARN "table/%s/index/%s", t->name,
	    ix->name);
	reply_string(r, "IndexArn", arn);
	reply_close(r);
}

static void
write_indexes(struct reply *r, const struct table *t, struct index_view *v,
    const char *name, bool global, const char *status)
{
	struct index_counts n;
	struct err ignored;
	bool open = false;
	size_t i;

	for (i = 0; i < t->nindexes; i++) {
		const struct table_index *ix = &t->indexes[i];

		if (ix->global != global)
			continue;
		if (!open)
			reply_list(r, name);
		open = true;
		n = (struct index_counts){0};
		if (v)
			index_counts(v, t->id, ix->id, &n, &ignored);
		write_index(r, t, ix, &n, status);
	}
	if (open)
		reply_close(r);
}

void
op_table_write_stream(struct reply *r, const struct table *t,
    const char *name)
{
	static const char *const VIEWS[] = {[STREAM_KEYS] = "KEYS_ONLY",
	    [STREAM_NEW] = "NEW_IMAGE", [STREAM_OLD] = "OLD_IMAGE",
	    [STREAM_BOTH] = "NEW_AND_OLD_IMAGES"};

	if (t->stream == STREAM_OFF)
		return;
	reply_object(r, name);
	reply_bool(r, "StreamEnabled", true);
	reply_string(r, "StreamViewType", VIEWS[t->stream]);
	reply_close(r);
}

static void
write_stream(struct reply *r, const struct table *t)
{
	char label[32], arn[2 * TABLE_NAME_MAX];

	if (t->stream == STREAM_OFF)
		return;
	op_stream_label(t, label);
	op_table_write_stream(r, t, "StreamSpecification");
	reply_string(r, "LatestStreamLabel", label);
	snprintf(arn, sizeof arn, OP_ARN "table/%s/stream/%s", t->name, label);
	reply_string(r, "LatestStreamArn", arn);
}

void
op_table_arn(const char *name, char out[OP_TABLE_ARN])
{
	snprintf(out, OP_TABLE_ARN, OP_ARN "table/%s", name);
}

void
op_table_id(uint64_t id, char out[OP_TABLE_ID])
{
	snprintf(out, OP_TABLE_ID, "00000000-0000-4000-8000-%012llx",
	    (unsigned long long)id);
}

static void
write_terms(struct reply *r, const struct table *t)
{
	static const char *const CLASSES[] = {
	    [TABLE_CLASS_STANDARD] = "STANDARD",
	    [TABLE_CLASS_INFREQUENT] = "STANDARD_INFREQUENT_ACCESS"};
	const struct table_terms *x = &t->terms;

	if (!x->provisioned || x->on_demand_ms) {
		reply_object(r, "BillingModeSummary");
		reply_string(r, "BillingMode",
		    x->provisioned ? "PROVISIONED" : "PAY_PER_REQUEST");
		reply_time(r, "LastUpdateToPayPerRequestDateTime",
		    x->on_demand_ms ? x->on_demand_ms : t->created_ms);
		reply_close(r);
	}
	op_table_write_units(r, &x->units, x);
	write_most(r, &x->most);
	write_warm(r, x, &x->units, &x->warm);
	if (x->class != TABLE_CLASS_UNTOLD) {
		reply_object(r, "TableClassSummary");
		reply_string(r, "TableClass", CLASSES[x->class]);
		if (x->class_ms)
			reply_time(r, "LastUpdateDateTime", x->class_ms);
		reply_close(r);
	}
	reply_bool(r, "DeletionProtectionEnabled", t->protected);
}

/* Where it was restored from, as it was kept, and whether it still is. */
static void
write_restored(struct reply *r, const struct table *t)
{
	struct text all = {t->more, t->more ? strlen(t->more) : 0};
	struct buf b;

	if (all.n < 2)
		return;
	buf_init(&b, all.n + 64);
	buf_add(&b, all.p, all.n - 1);
	buf_printf(&b, ",\"RestoreInProgress\":%s}",
	    t->restoring ? "true" : "false");
	reply_raw(r, "RestoreSummary", b.data, b.len);
	buf_release(&b);
}

static void
write_head(struct reply *r, const struct table *t, struct index_view *v,
    const char *status)
{
	char arn[OP_TABLE_ARN], id[OP_TABLE_ID];
	struct index_counts n = {0};
	struct err ignored;

	if (v)
		index_counts(v, t->id, 0, &n, &ignored);
	op_table_arn(t->name, arn);
	op_table_id(t->id, id);
	reply_string(r, "TableName", t->name);
	reply_string(r, "TableStatus", status);
	reply_integer(r, "TableSizeBytes", (int64_t)n.bytes);
	reply_integer(r, "ItemCount", (int64_t)n.items);
	reply_string(r, "TableArn", arn);
	reply_string(r, "TableId", id);
	write_terms(r, t);
}

void
op_table_write(struct reply *r, const char *name, const struct table *t,
    struct index_view *v, const char *status)
{
	reply_object(r, name);
	op_table_write_definitions(r, t);
	op_table_write_key(r, &t->key);
	write_head(r, t, v, status);
	reply_time(r, "CreationDateTime", t->created_ms);
	write_indexes(r, t, v, "LocalSecondaryIndexes", false, status);
	write_indexes(r, t, v, "GlobalSecondaryIndexes", true, status);
	write_stream(r, t);
	write_restored(r, t);
	reply_close(r);
}

void
op_table_write_gone(struct reply *r, const char *name, const struct table *t)
{
	reply_object(r, name);
	write_head(r, t, NULL, "DELETING");
	write_stream(r, t);
	reply_close(r);
}

/* --- looking ------------------------------------------------------------------------------------- */

void
op_describe_table(struct op *op, struct store_view *v)
{
	const struct text *name = &op->request.table.name;
	const struct table *t;
	struct reply r;
	struct err e;

	if (store_read_begin(v, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	t = catalog_named(v->catalog, name->p, name->n);
	if (t) {
		op_open(op, &r);
		op_table_write(&r, "Table", t, v->index,
		    t->restoring ? "CREATING" : "ACTIVE");
	} else
		err_set(&e, FAULT_NOT_FOUND, "Requested resource not found: "
		    "Table: %.*s not found", (int)name->n, name->p);
	store_read_end(v);
	if (t)
		op_close(op, &r);
	else
		op_fail(op, &e);
}

void
op_list_tables(struct op *op, struct store_view *v)
{
	const struct table_request *q = &op->request.table;
	struct catalog *c = store_catalog_hold(v->store);
	size_t i = 0, n = 0, most = q->limit ? q->limit : LIST_MAX;
	struct reply r;

	if (q->start.p) {
		i = catalog_from(c, q->start.p, q->start.n);
		if (catalog_named(c, q->start.p, q->start.n))
			i++;
	}
	op_open(op, &r);
	reply_list(&r, "TableNames");
	for (; i < c->count && n < most; i++, n++)
		reply_string(&r, NULL, c->entries[i].table->name);
	reply_close(&r);
	if (i < c->count && n)
		reply_string(&r, "LastEvaluatedTableName",
		    c->entries[i - 1].table->name);
	store_catalog_release(v->store, c);
	op_close(op, &r);
}
