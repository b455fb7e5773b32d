/*
 * Tables: made, changed, described, listed, dropped; and their time to live.
 */
#include "op_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_ROOM = 64 * 1024, LIST_MAX = 100 };

/* What a job of this file needs, and its reply. */
struct table_plan {
	struct table *table;		/* as it became; our copy */
	bool gone;
};

/* --- a definition from a request ----------------------------------------------------- */

static void
take_name(char *to, size_t size, const struct text *t)
{
	snprintf(to, size, "%.*s", (int)t->n, t->p);
}

/* The type that AttributeDefinitions give an attribute; request_read checked. */
static enum value_type
defined_type(const struct table_request *q, const struct table *old,
    const struct text *name)
{
	size_t i, k;

	for (i = 0; i < q->nattributes; i++)
		if (text_compare(&q->attributes[i].name, name) == 0)
			return q->attributes[i].type;
	for (i = 0; old && i < old->nindexes; i++)
		for (k = 0; k < old->indexes[i].key.nhash; k++) {
			const struct key_part *p = &old->indexes[i].key.hash[k];

			if (strlen(p->name) == name->n &&
			    memcmp(p->name, name->p, name->n) == 0)
				return p->type;
		}
	for (k = 0; old && k < old->key.nhash + old->key.nrange; k++) {
		const struct key_part *p = k < old->key.nhash
		    ? &old->key.hash[k]
		    : &old->key.range[k - old->key.nhash];

		if (strlen(p->name) == name->n &&
		    memcmp(p->name, name->p, name->n) == 0)
			return p->type;
	}
	return VALUE_TYPES;
}

static int
make_key(const struct table_request *q, const struct table *old,
    const struct key_element *elements, size_t n, struct key_schema *out,
    struct err *e)
{
	size_t i;

	*out = (struct key_schema){0};
	for (i = 0; i < n; i++) {
		struct key_part *p = elements[i].role == ROLE_RANGE
		    ? &out->range[out->nrange++]
		    : &out->hash[out->nhash++];

		take_name(p->name, sizeof p->name, &elements[i].name);
		p->type = defined_type(q, old, &elements[i].name);
		if (p->type == VALUE_TYPES)
			return err_set(e, FAULT_VALIDATION, "One or more "
			    "parameter values were invalid: Some index key "
			    "attributes are not defined in "
			    "AttributeDefinitions. Keys: [%s]", p->name);
	}
	return 0;
}

static int
make_index(const struct table_request *q, const struct table *old,
    const struct index_request *r, struct table_index *ix, struct err *e)
{
	size_t i;

	take_name(ix->name, sizeof ix->name, &r->name);
	if (make_key(q, old, r->key, r->nkey, &ix->key, e) < 0)
		return -1;
	ix->projection = PROJECT_ALL;
	if (r->projection.n == 9)
		ix->projection = PROJECT_KEYS;
	else if (r->projection.n == 7)
		ix->projection = PROJECT_INCLUDE;
	if (!r->nnonkey)
		return 0;
	ix->nonkey = calloc(r->nnonkey, sizeof *ix->nonkey);
	if (!ix->nonkey)
		return op_no_memory(e);
	for (i = 0; i < r->nnonkey; i++)
		take_name(ix->nonkey[i], sizeof ix->nonkey[i], &r->nonkey[i]);
	ix->nnonkey = r->nnonkey;
	return 0;
}

static enum stream_view
stream_view(const struct text *t)
{
	static const char *const NAMES[] = {
	    [STREAM_KEYS] = "KEYS_ONLY",
	    [STREAM_NEW] = "NEW_IMAGE",
	    [STREAM_OLD] = "OLD_IMAGE",
	    [STREAM_BOTH] = "NEW_AND_OLD_IMAGES",
	};
	size_t i;

	for (i = STREAM_KEYS; i <= STREAM_BOTH; i++)
		if (strlen(NAMES[i]) == t->n &&
		    memcmp(NAMES[i], t->p, t->n) == 0)
			return (enum stream_view)i;
	return STREAM_OFF;
}

static struct table *
make_table(const struct table_request *q, struct err *e)
{
	struct table *t = calloc(1, sizeof *t);
	size_t i, n = q->nlocals + q->nglobals;

	if (!t || (n && !(t->indexes = calloc(n, sizeof *t->indexes)))) {
		op_no_memory(e);
		goto fail;
	}
	take_name(t->name, sizeof t->name, &q->name);
	t->history = q->history != CHOICE_NO;
	t->protected = q->protected == CHOICE_YES;
	if (q->stream == CHOICE_YES)
		t->stream = stream_view(&q->stream_view);
	if (q->ttl.p)
		take_name(t->ttl, sizeof t->ttl, &q->ttl);
	if (make_key(q, NULL, q->key, q->nkey, &t->key, e) < 0)
		goto fail;
	for (i = 0; i < n; i++) {
		struct table_index *ix = &t->indexes[t->nindexes++];

		ix->id = (uint32_t)i + 1;
		ix->global = i >= q->nlocals;
		if (make_index(q, NULL, ix->global
		                   ? &q->globals[i - q->nlocals]
		                   : &q->locals[i], ix, e) < 0)
			goto fail;
	}
	t->next_index = (uint32_t)n + 1;
	return t;
fail:
	table_free(t);
	return NULL;
}

/* --- descriptions ------------------------------------------------------------------------- */

static const char *const TYPES[] = {"S", "N", "B"};

static void
write_element(struct reply *r, const struct key_part *p, const char *type)
{
	reply_object(r, NULL);
	reply_string(r, "AttributeName", p->name);
	reply_string(r, "KeyType", type);
	reply_close(r);
}

static void
write_key(struct reply *r, const struct key_schema *k)
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

static void
write_index(struct reply *r, const struct table *t,
    const struct table_index *ix, const struct index_counts *n)
{
	static const char *const KINDS[] = {"ALL", "KEYS_ONLY", "INCLUDE"};
	char arn[3 * TABLE_NAME_MAX];
	size_t i;

	reply_object(r, NULL);
	reply_string(r, "IndexName", ix->name);
	write_key(r, &ix->key);
	reply_object(r, "Projection");
	reply_string(r, "ProjectionType", KINDS[ix->projection]);
	if (ix->projection == PROJECT_INCLUDE) {
		reply_list(r, "NonKeyAttributes");
		for (i = 0; i < ix->nnonkey; i++)
			reply_string(r, NULL, ix->nonkey[i]);
		reply_close(r);
	}
	reply_close(r);
	if (ix->global) {
		reply_string(r, "IndexStatus",
		    ix->filling ? "CREATING" : "ACTIVE");
		if (ix->filling)
			reply_bool(r, "Backfilling", true);
	}
	reply_integer(r, "IndexSizeBytes", (int64_t)n->bytes);
	reply_integer(r, "ItemCount", (int64_t)n->items);
	snprintf(arn, sizeof arn, OP_ARN "table/%s/index/%s", t->name,
	    ix->name);
	reply_string(r, "IndexArn", arn);
	reply_close(r);
}

static void
write_indexes(struct reply *r, const struct table *t, struct index_view *v,
    const char *name, bool global)
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
		write_index(r, t, ix, &n);
	}
	if (open)
		reply_close(r);
}

static void
write_stream(struct reply *r, const struct table *t)
{
	static const char *const VIEWS[] = {[STREAM_KEYS] = "KEYS_ONLY",
	    [STREAM_NEW] = "NEW_IMAGE", [STREAM_OLD] = "OLD_IMAGE",
	    [STREAM_BOTH] = "NEW_AND_OLD_IMAGES"};
	char label[32], arn[2 * TABLE_NAME_MAX];

	if (t->stream == STREAM_OFF)
		return;
	op_stream_label(t, label);
	reply_object(r, "StreamSpecification");
	reply_bool(r, "StreamEnabled", true);
	reply_string(r, "StreamViewType", VIEWS[t->stream]);
	reply_close(r);
	reply_string(r, "LatestStreamLabel", label);
	snprintf(arn, sizeof arn, OP_ARN "table/%s/stream/%s", t->name, label);
	reply_string(r, "LatestStreamArn", arn);
}

/* `v` NULL: nothing is counted, as of a table that was just made. */
static void
write_table(struct reply *r, const char *name, const struct table *t,
    struct index_view *v, const char *status)
{
	struct definitions d = {.n = 0};
	struct index_counts n = {0};
	char arn[2 * TABLE_NAME_MAX], id[40];
	struct err ignored;
	size_t i;

	if (v)
		index_counts(v, t->id, 0, &n, &ignored);
	reply_object(r, name);
	reply_list(r, "AttributeDefinitions");
	define_key(r, &d, &t->key);
	for (i = 0; i < t->nindexes; i++)
		define_key(r, &d, &t->indexes[i].key);
	reply_close(r);
	reply_string(r, "TableName", t->name);
	write_key(r, &t->key);
	reply_string(r, "TableStatus", status);
	reply_time(r, "CreationDateTime", t->created_ms);
	reply_integer(r, "TableSizeBytes", (int64_t)n.bytes);
	reply_integer(r, "ItemCount", (int64_t)n.items);
	snprintf(arn, sizeof arn, OP_ARN "table/%s", t->name);
	reply_string(r, "TableArn", arn);
	snprintf(id, sizeof id, "00000000-0000-4000-8000-%012llx",
	    (unsigned long long)t->id);
	reply_string(r, "TableId", id);
	reply_object(r, "BillingModeSummary");
	reply_string(r, "BillingMode", "PAY_PER_REQUEST");
	reply_close(r);
	reply_object(r, "ProvisionedThroughput");
	reply_integer(r, "NumberOfDecreasesToday", 0);
	reply_integer(r, "ReadCapacityUnits", 0);
	reply_integer(r, "WriteCapacityUnits", 0);
	reply_close(r);
	write_indexes(r, t, v, "LocalSecondaryIndexes", false);
	write_indexes(r, t, v, "GlobalSecondaryIndexes", true);
	write_stream(r, t);
	reply_bool(r, "DeletionProtectionEnabled", t->protected);
	reply_close(r);
}

/* --- making --------------------------------------------------------------------------------- */

/* A reply with the table as the job left it. */
static void
answer(struct op *op)
{
	struct table_plan *p = op->plan;
	struct reply r;

	op_open(op, &r);
	write_table(&r, "TableDescription", p->table, NULL,
	    p->gone ? "DELETING" : "ACTIVE");
	table_free(p->table);
	p->table = NULL;
	op_close(op, &r);
}

static void
failed(struct op *op, const struct err *e)
{
	struct table_plan *p = op->plan;

	table_free(p->table);
	p->table = NULL;
	op_fail(op, e);
}

/* Gives the job the table that the plan has made, and keeps a copy. */
static int
settle(struct table_plan *p, struct commit *c, struct table *t,
    struct err *e)
{
	table_free(p->table);
	p->table = table_copy(t);
	if (!p->table) {
		table_free(t);
		return op_no_memory(e);
	}
	commit_table(c, t);
	return 0;
}

static int
run_create(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	struct table *t;

	if (catalog_named(commit_catalog(c), q->name.p, q->name.n))
		return err_set(e, FAULT_IN_USE, "Table already exists: %.*s",
		    (int)q->name.n, q->name.p);
	if (commit_catalog(c)->count >= CATALOG_TABLES_MAX)
		return err_set(e, FAULT_LIMIT, "Subscriber limit exceeded: "
		    "there can be %d tables at most", CATALOG_TABLES_MAX);
	t = make_table(q, e);
	if (!t)
		return -1;
	t->created_ms = commit_now_ms(c);
	t->stream_since_ms = t->stream != STREAM_OFF ? t->created_ms : 0;
	if (commit_table_id(c, &t->id, e) < 0) {
		table_free(t);
		return -1;
	}
	return settle(op->plan, c, t, e);
}

static void
submit(struct op *op,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void (*answered)(struct op *op))
{
	struct err e;

	op->plan = arena_array(&op->arena, 1, sizeof(struct table_plan));
	if (op->plan)
		op_submit(op, run, answered, failed, TABLE_ROOM);
	else {
		op_no_memory(&e);
		op_fail(op, &e);
	}
}

void
op_create_table(struct op *op, struct store_view *v)
{
	(void)v;
	submit(op, run_create, answer);
}

/* --- changing ------------------------------------------------------------------------------- */

static const struct table *
table_of(struct op *op, struct commit *c, struct err *e)
{
	const struct table_request *q = &op->request.table;
	const struct table *t =
	    catalog_named(commit_catalog(c), q->name.p, q->name.n);

	if (!t)
		err_set(e, FAULT_NOT_FOUND, "Requested resource not found: "
		    "Table: %.*s not found", (int)q->name.n, q->name.p);
	return t;
}

static int
remove_index(struct table *t, const struct text *name, struct err *e)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].global &&
		    strlen(t->indexes[i].name) == name->n &&
		    memcmp(t->indexes[i].name, name->p, name->n) == 0)
			break;
	if (i == t->nindexes)
		return err_set(e, FAULT_NOT_FOUND, "Requested resource not "
		    "found");
	free(t->indexes[i].nonkey);
	t->nindexes--;
	memmove(&t->indexes[i], &t->indexes[i + 1],
	    (t->nindexes - i) * sizeof *t->indexes);
	return 0;
}

static int
add_index(const struct table_request *q, const struct table *old,
    struct table *t, const struct index_request *r, struct err *e)
{
	struct table_index *more;

	if (table_index_named(t, r->name.p, r->name.n))
		return err_set(e, FAULT_VALIDATION, "Attempting to create an "
		    "index which already exists");
	more = realloc(t->indexes, (t->nindexes + 1) * sizeof *more);
	if (!more)
		return op_no_memory(e);
	t->indexes = more;
	more = &t->indexes[t->nindexes];
	*more = (struct table_index){.global = true, .filling = true};
	more->id = t->next_index++;
	t->nindexes++;
	return make_index(q, old, r, more, e);
}

static int
change_stream(const struct table_request *q, struct table *t, int64_t now_ms,
    struct err *e)
{
	if (q->stream == CHOICE_YES && t->stream != STREAM_OFF)
		return err_set(e, FAULT_VALIDATION, "Table already has an "
		    "enabled stream: TableName: %s", t->name);
	if (q->stream == CHOICE_NO && t->stream == STREAM_OFF)
		return err_set(e, FAULT_VALIDATION, "Table has no stream to "
		    "disable: TableName: %s", t->name);
	if (q->stream == CHOICE_NO) {
		t->stream_was = t->stream;
		t->stream_until_ms = now_ms;
		t->stream = STREAM_OFF;
	}
	if (q->stream == CHOICE_YES) {
		t->stream_was = STREAM_OFF;
		t->stream = stream_view(&q->stream_view);
		t->stream_since_ms = now_ms;
	}
	return 0;
}

static int
change_table(struct op *op, const struct table *old, struct table *t,
    int64_t now_ms, struct err *e)
{
	const struct table_request *q = &op->request.table;
	size_t i;
	int rc = 0;

	if (q->protected != CHOICE_ABSENT)
		t->protected = q->protected == CHOICE_YES;
	if (q->history != CHOICE_ABSENT)
		t->history = q->history == CHOICE_YES;
	for (i = 0; rc == 0 && i < q->nglobals; i++)
		if (q->globals[i].change == INDEX_CREATE)
			rc = add_index(q, old, t, &q->globals[i], e);
		else if (q->globals[i].change == INDEX_DELETE)
			rc = remove_index(t, &q->globals[i].name, e);
	return rc ? rc : change_stream(q, t, now_ms, e);
}

static int
run_update(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table *old = table_of(op, c, e);
	struct table *t;

	if (!old)
		return -1;
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	if (change_table(op, old, t, commit_now_ms(c), e) < 0) {
		table_free(t);
		return -1;
	}
	return settle(op->plan, c, t, e);
}

void
op_update_table(struct op *op, struct store_view *v)
{
	(void)v;
	submit(op, run_update, answer);
}

/* --- dropping --------------------------------------------------------------------------------- */

static int
run_delete(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct table_plan *p = op->plan;
	const struct table *t = table_of(op, c, e);

	if (!t)
		return -1;
	if (t->protected)
		return err_set(e, FAULT_VALIDATION, "Resource cannot be "
		    "deleted as it is currently protected against deletion. "
		    "Disable deletion protection first.");
	table_free(p->table);
	p->table = table_copy(t);
	if (!p->table)
		return op_no_memory(e);
	p->gone = true;
	commit_drop(c, t->id);
	return 0;
}

void
op_delete_table(struct op *op, struct store_view *v)
{
	(void)v;
	submit(op, run_delete, answer);
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
		write_table(&r, "Table", t, v->index,
		    t->restoring ? "UPDATING" : "ACTIVE");
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

/* --- time to live ------------------------------------------------------------------------------------ */

static int
run_ttl(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	const struct table *old = table_of(op, c, e);
	bool on = q->ttl_enabled == CHOICE_YES;
	struct table *t;

	if (!old)
		return -1;
	if (on == (*old->ttl != '\0'))
		return err_set(e, FAULT_VALIDATION, "TimeToLive is already "
		    "%s", on ? "enabled" : "disabled");
	if (!on && (strlen(old->ttl) != q->ttl.n ||
	               memcmp(old->ttl, q->ttl.p, q->ttl.n) != 0))
		return err_set(e, FAULT_VALIDATION, "TimeToLive is active on "
		    "a different AttributeName: current AttributeName is %s",
		    old->ttl);
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	take_name(t->ttl, sizeof t->ttl, on ? &q->ttl : &(struct text){"", 0});
	t->ttl_filling = on;
	return settle(op->plan, c, t, e);
}

static void
answer_ttl(struct op *op)
{
	const struct table_request *q = &op->request.table;
	struct table_plan *p = op->plan;
	struct reply r;

	table_free(p->table);
	p->table = NULL;
	op_open(op, &r);
	reply_object(&r, "TimeToLiveSpecification");
	reply_text(&r, "AttributeName", q->ttl.p, q->ttl.n);
	reply_bool(&r, "Enabled", q->ttl_enabled == CHOICE_YES);
	reply_close(&r);
	op_close(op, &r);
}

void
op_update_ttl(struct op *op, struct store_view *v)
{
	(void)v;
	submit(op, run_ttl, answer_ttl);
}

void
op_describe_ttl(struct op *op, struct store_view *v)
{
	const struct text *name = &op->request.table.name;
	struct catalog *c = store_catalog_hold(v->store);
	const struct table *t = catalog_named(c, name->p, name->n);
	struct reply r;
	struct err e;

	if (!t) {
		store_catalog_release(v->store, c);
		err_set(&e, FAULT_NOT_FOUND, "Requested resource not found: "
		    "Table: %.*s not found", (int)name->n, name->p);
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	reply_object(&r, "TimeToLiveDescription");
	reply_string(&r, "TimeToLiveStatus", *t->ttl ? "ENABLED" : "DISABLED");
	if (*t->ttl)
		reply_string(&r, "AttributeName", t->ttl);
	reply_close(&r);
	store_catalog_release(v->store, c);
	op_close(op, &r);
}
