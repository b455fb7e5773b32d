/*
 * RestoreTableFromBackup, RestoreTableToPointInTime: a new table as another
 * one was.
 *
 * The table is made, closed and empty, before the reply; filling it goes on
 * behind (op_later.h), while DescribeTable tells CREATING.  A daemon that
 * leaves first drops it again; where it was killed the next one does.  As with
 * DynamoDB, stream, expiry, tags and recovery aren't taken over.
 */
#include "backup.h"
#include "store/op/op_later.h"
#include "restore.h"
#include "store/op/tables/unfilled.h"
#include "store/op/op_wait.h"

#include "store/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MORE_MAX = 2048,
	STATE_MAX = 80,
	SMALL_ITEMS = 1000		/* done before the reply */
};

struct restoring {
	struct op_later later;		/* first */
	char source[TABLE_NAME_MAX + 1], target[TABLE_NAME_MAX + 1];
	char state[STATE_MAX];		/* for past_find() */
	uint64_t id;			/* of the table that is made */
	const atomic_bool *stop;
};

/* What a request asks for, and what came of it. */
struct order {
	struct op *op;
	struct restoring *work;
	struct table *table;		/* as it is to be made */
	char from[BACKUP_ARN];		/* SourceBackupArn, or "" */
	char of[OP_TABLE_ARN];		/* SourceTableArn */
	int64_t at_ms;			/* of the state */
	bool small;			/* it isn't worth a wait */
};

/* --- behind the reply ------------------------------------------------------- */

/* Both states as they are to be compared, and the change. */
static int
fill(struct op *op, const struct restoring *w, struct err *e)
{
	struct restore x = {.op = op,
	    .nothing = {.store = op->store, .until_ms = INT64_MAX}};
	struct restore_table t = {.restore = &x, .id = w->id, .closed = true};
	int rc;

	if (past_find(op->store, w->state, &x.target, e) < 0 ||
	    past_find(op->store, NULL, &x.present, e) < 0)
		return -1;
	snprintf(t.name, sizeof t.name, "%s", w->target);
	map_init(&t.present.changed);
	rc = past_open(&x.target, w->source, &t.target, e);
	if (rc == 0)
		rc = past_open(&x.present, w->target, &t.present, e);
	if (rc == 0)
		rc = op_restore_do(&t, e);
	op_restore_close(&t);
	return rc;
}

static enum op_stop
see_whether_to_stop(struct op *op)
{
	const struct restoring *w = op->arg;

	return atomic_load(w->stop) ? OP_LEAVING : OP_GO_ON;
}

/* What can't be filled isn't kept. */
static void
run_later(struct op_later *l, const atomic_bool *stop)
{
	struct restoring *w = (struct restoring *)(void *)l;
	struct buf none;
	struct op op;
	struct err e;
	int rc;

	w->stop = stop;
	buf_init(&none, 1);
	op_init(&op, l->store, &none, NULL, w);
	op.stop = see_whether_to_stop;
	store_history_lock(l->store);
	rc = fill(&op, w, &e);
	store_history_unlock(l->store);
	if (rc < 0)
		op_unfilled_drop(l->store, w->id, &e);
	if (op.catalog)
		store_catalog_release(l->store, op.catalog);
	op_release(&op);
	buf_release(&none);
	free(w);
}

/* --- the table that is to be ------------------------------------------------ */

static const struct index_request *
wanted(const struct table_request *q, const struct table_index *ix)
{
	const struct index_request *list = ix->global ? q->globals : q->locals;
	size_t n = ix->global ? q->nglobals : q->nlocals, i;

	for (i = 0; i < n; i++)
		if (strlen(ix->name) == list[i].name.n &&
		    memcmp(ix->name, list[i].name.p, list[i].name.n) == 0)
			return &list[i];
	return NULL;
}

/* An override may leave indexes out, and change nothing else of them. */
static int
override_indexes(const struct request *r, struct table *t, struct err *e)
{
	const struct index_request *one;
	size_t i, kept = 0, found[2] = {0, 0};

	for (i = 0; i < t->nindexes; i++) {
		bool global = t->indexes[i].global;

		if (!(global ? r->transfer.has_globals
		             : r->transfer.has_locals)) {
			t->indexes[kept++] = t->indexes[i];
			continue;
		}
		one = wanted(&r->table, &t->indexes[i]);
		if (!one) {
			free(t->indexes[i].nonkey);
			continue;
		}
		found[global]++;
		if (one->throughput.reads)
			t->indexes[i].units = (struct table_units){
			    one->throughput.reads, one->throughput.writes};
		t->indexes[kept++] = t->indexes[i];
	}
	t->nindexes = kept;
	if ((r->transfer.has_globals && found[1] != r->table.nglobals) ||
	    (r->transfer.has_locals && found[0] != r->table.nlocals))
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values were invalid: an index to be restored has to be "
		    "one that the table had");
	return 0;
}

static void
override_terms(const struct table_request *q, struct table_terms *t)
{
	if (op_table_on_demand(&q->billing)) {
		t->provisioned = false;
		t->units = (struct table_units){0, 0};
	} else if (q->throughput.reads) {
		t->provisioned = true;
		t->units = (struct table_units){q->throughput.reads,
		    q->throughput.writes};
	}
	if (q->most.reads || q->most.writes)
		t->most = (struct table_units){q->most.reads, q->most.writes};
	t->on_demand_ms = t->increased_ms = t->decreased_ms = 0;
	t->decreases = 0;
	t->pitr_ms = 0;
	free(t->tags);
	t->tags = NULL;
	t->ntags = 0;
}

static int
tell_source(struct order *o, struct err *e)
{
	struct table *t = o->table;
	struct buf b;

	buf_init(&b, MORE_MAX);
	buf_putc(&b, '{');
	if (*o->from)
		buf_printf(&b, "\"SourceBackupArn\":\"%s\",", o->from);
	buf_printf(&b, "\"SourceTableArn\":\"%s\",\"RestoreDateTime\":"
	    "%lld.%03d}", o->of, (long long)(o->at_ms / 1000),
	    (int)(o->at_ms % 1000));
	free(t->more);
	t->more = buf_take(&b);
	return t->more ? 0 : op_no_memory(e);
}

/* The table as it was, in its new clothes. */
static int
prepare(struct order *o, const struct table *was, struct err *e)
{
	const struct request *r = &o->op->request;
	struct table *t = table_copy(was);
	size_t i;

	if (!t)
		return op_no_memory(e);
	o->table = t;
	snprintf(t->name, sizeof t->name, "%.*s", (int)r->table.name.n,
	    r->table.name.p);
	t->stream = t->stream_was = STREAM_OFF;
	t->stream_since_ms = 0;
	*t->ttl = '\0';
	t->ttl_filling = t->protected = false;
	t->restoring = t->unfilled = true;
	override_terms(&r->table, &t->terms);
	if (override_indexes(r, t, e) < 0)
		return -1;
	for (i = 0; i < t->nindexes; i++) {
		t->indexes[i].filling = false;
		if (!t->terms.provisioned)
			t->indexes[i].units = (struct table_units){0, 0};
		else if (t->indexes[i].global && !t->indexes[i].units.reads)
			t->indexes[i].units = t->terms.units;
	}
	return tell_source(o, e);
}

static int
run_make(struct commit_job *job, struct commit *c, struct err *e)
{
	struct order *o = op_wait_of(job)->ctx;
	struct table *t;

	if (catalog_named(commit_catalog(c), o->table->name,
	        strlen(o->table->name)))
		return err_set(e, FAULT_TABLE_EXISTS, "Table already exists: "
		    "%s", o->table->name);
	if (commit_catalog(c)->count >= CATALOG_TABLES_MAX)
		return err_set(e, FAULT_LIMIT, "Subscriber limit exceeded: "
		    "there can be %d tables at most", CATALOG_TABLES_MAX);
	o->table->created_ms = commit_now_ms(c);
	if (commit_table_id(c, &o->table->id, e) < 0)
		return -1;
	o->work->id = o->table->id;
	t = table_copy(o->table);
	if (!t)
		return op_no_memory(e);
	commit_table(c, t);
	return 0;
}

/* --- the operations --------------------------------------------------------- */

/* Looks at the state, makes the table, and leaves the rest for later. */
static int
begin(struct order *o, struct err *e)
{
	struct op *op = o->op;
	struct restoring *w = o->work;
	struct past_table was;
	struct past p;
	int rc;

	snprintf(w->target, sizeof w->target, "%.*s",
	    (int)op->request.table.name.n, op->request.table.name.p);
	op_table_arn(w->source, o->of);
	store_history_lock(op->store);
	rc = past_find(op->store, w->state, &p, e);
	if (rc == 0) {
		if (!*w->state)
			snprintf(w->state, sizeof w->state, "@%" PRIu64, p.to);
		rc = past_open(&p, w->source, &was, e);
		if (rc == 0 && !was.table)
			rc = err_set(e, FAULT_RESTORE_TIME, "there was no "
			    "table %s then", w->source);
		else if (rc == 0 && was.table->restoring)
			rc = err_set(e, FAULT_RESTORE_TIME, "the table %s was "
			    "being made or restored then", w->source);
		if (rc == 0 && p.nearest)
			o->at_ms = p.commit.time_ms;
		if (rc == 0)
			rc = prepare(o, was.table, e);
		past_close(&was);
	}
	store_history_unlock(op->store);
	return rc == 0 ? op_wait_run(op->store, &op->arena, TABLE_JOB_ROOM,
	    run_make, o, e) : -1;
}

static void
answer(struct order *o, int rc, struct err *e)
{
	static const atomic_bool GO_ON = false;
	struct op *op = o->op;
	struct reply r;

	if (rc == 0 && !o->small)
		rc = op_unfilled_check(op, e);
	if (rc == 0)
		rc = begin(o, e);
	if (rc == 0) {
		if (o->small)
			run_later(&o->work->later, &GO_ON);
		else
			op->later = &o->work->later;
		op_open(op, &r);
		op_table_write(&r, "TableDescription", o->table, NULL,
		    "CREATING");
	} else
		free(o->work);
	table_free(o->table);
	if (rc == 0)
		op_close(op, &r);
	else
		op_fail(op, e);
}

static int
order(struct op *op, struct order *o, struct err *e)
{
	*o = (struct order){.op = op};
	o->work = calloc(1, sizeof *o->work);
	if (!o->work)
		return op_no_memory(e);
	o->work->later = (struct op_later){.run = run_later,
	    .store = op->store};
	return 0;
}

void
op_restore_backup(struct op *op, struct store_view *v)
{
	const struct json_node *record = NULL;
	struct table *t = NULL;
	char id[RECORD_ID];
	struct order o;
	struct err e;
	int rc = order(op, &o, &e);

	(void)v;
	if (rc == 0)
		rc = op_backup_find(op, id, &record, &e);
	if (rc == 0 && !(t = op_record_table(record, &e)))
		rc = -1;
	if (rc == 0) {
		snprintf(o.work->source, sizeof o.work->source, "%s",
		    t->name);
		op_backup_tag(id, o.work->state);
		op_backup_arn(t, id, o.from);
		o.at_ms = op_record_number(record, "created");
		o.small = op_record_number(record, "items") <= SMALL_ITEMS;
	}
	table_free(t);
	answer(&o, rc, &e);
}

/* The moment, which has to lie where the table may be restored to. */
static int
find_moment(struct order *o, const struct table *t, struct err *e)
{
	const struct transfer_request *q = &o->op->request.transfer;
	int64_t now_ms = clock_wall_ms();
	char iso[CLOCK_ISO_SIZE];

	if (!t->terms.pitr_ms)
		return err_set(e, FAULT_PITR_OFF, "Point in time recovery is "
		    "not enabled for table '%s'", t->name);
	o->at_ms = q->has_at ? q->at_ms : now_ms;
	if (o->at_ms > now_ms || o->at_ms < op_pitr_earliest(t, now_ms))
		return err_set(e, FAULT_RESTORE_TIME, "RestoreDateTime must "
		    "lie between EarliestRestorableDateTime and "
		    "LatestRestorableDateTime of table '%s'", t->name);
	if (!q->has_at)
		return 0;	/* all that there is */
	clock_iso(o->at_ms, iso);
	snprintf(o->work->state, sizeof o->work->state, "%s", iso);
	return 0;
}

/* As it is now, which says what to expect of then. */
static bool
is_small(struct store_view *v, const struct table *t)
{
	struct index_counts n = {.items = SMALL_ITEMS + 1};
	struct err ignored;

	index_counts(v->index, t->id, 0, &n, &ignored);
	return n.items <= SMALL_ITEMS;
}

void
op_restore_moment(struct op *op, struct store_view *v)
{
	const struct text *name = &op->request.transfer.source;
	const struct table *t;
	struct order o;
	struct err e;
	int rc = order(op, &o, &e);

	if (rc < 0 || store_read_begin(v, &e) < 0) {
		answer(&o, -1, &e);
		return;
	}
	t = catalog_named(v->catalog, name->p, name->n);
	if (t)
		rc = find_moment(&o, t, &e);
	else
		rc = err_set(&e, FAULT_TABLE_NOT_FOUND, "Table not found: "
		    "%.*s", (int)name->n, name->p);
	if (rc == 0 && t) {
		snprintf(o.work->source, sizeof o.work->source, "%.*s",
		    (int)name->n, name->p);
		o.small = is_small(v, t);
	}
	store_read_end(v);
	answer(&o, rc, &e);
}
