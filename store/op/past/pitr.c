/*
 * UpdateContinuousBackups, DescribeContinuousBackups: whether a table may be
 * restored to any moment.
 *
 * The history of a store is there anyway; what is switched on is that these
 * moments are told and taken.  From the time of the switch on, as DynamoDB has
 * it; a table kept without history has none.
 */
#include "store/op/tables/table.h"

#include "store/base/clock.h"

enum { DAYS = 35 };

static const int64_t DAY_MS = 24LL * 60 * 60 * 1000;

int64_t
op_pitr_earliest(const struct table *t, int64_t now_ms)
{
	int64_t limit_ms = now_ms - (int64_t)t->terms.pitr_days * DAY_MS;

	return t->terms.pitr_ms > limit_ms ? t->terms.pitr_ms : limit_ms;
}

static void
write_pitr(struct reply *r, const struct table *t)
{
	bool on = t->terms.pitr_ms != 0;
	int64_t now_ms = clock_wall_ms();

	reply_object(r, "ContinuousBackupsDescription");
	reply_string(r, "ContinuousBackupsStatus",
	    on ? "ENABLED" : "DISABLED");
	reply_object(r, "PointInTimeRecoveryDescription");
	reply_string(r, "PointInTimeRecoveryStatus",
	    on ? "ENABLED" : "DISABLED");
	if (on) {
		reply_integer(r, "RecoveryPeriodInDays",
		    (int64_t)t->terms.pitr_days);
		reply_time(r, "EarliestRestorableDateTime",
		    op_pitr_earliest(t, now_ms));
		reply_time(r, "LatestRestorableDateTime", now_ms);
	}
	reply_close(r);
	reply_close(r);
}

static int
not_found(const struct text *name, struct err *e)
{
	return err_set(e, FAULT_TABLE_NOT_FOUND, "Table not found: %.*s",
	    (int)name->n, name->p);
}

/* --- switching ------------------------------------------------------------- */

static int
run_pitr(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	const struct table *old =
	    catalog_named(commit_catalog(c), q->name.p, q->name.n);
	struct table *t;

	if (!old)
		return not_found(&q->name, e);
	if (q->pitr == CHOICE_YES && !old->history)
		return err_set(e, FAULT_VALIDATION, "%s is kept without "
		    "history (history: off), so it can't be restored to a "
		    "moment; turn its history on first", old->name);
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	if (q->pitr == CHOICE_NO)
		t->terms.pitr_ms = 0;
	else if (!t->terms.pitr_ms)
		t->terms.pitr_ms = commit_now_ms(c);
	t->terms.pitr_days = q->pitr_days ? q->pitr_days : DAYS;
	return op_table_settle(op, c, t, e);
}

static void
answer(struct op *op)
{
	struct table_plan *p = op->plan;
	struct reply r;

	op_open(op, &r);
	write_pitr(&r, p->table);
	op_table_drop(op);
	op_close(op, &r);
}

void
op_update_pitr(struct op *op, struct store_view *v)
{
	(void)v;
	op_table_submit(op, run_pitr, answer);
}

/* --- telling --------------------------------------------------------------- */

void
op_describe_pitr(struct op *op, struct store_view *v)
{
	const struct text *name = &op->request.table.name;
	struct catalog *c = store_catalog_hold(v->store);
	const struct table *t = catalog_named(c, name->p, name->n);
	struct reply r;
	struct err e;

	if (t) {
		op_open(op, &r);
		write_pitr(&r, t);
	} else
		not_found(name, &e);
	store_catalog_release(v->store, c);
	if (t)
		op_close(op, &r);
	else
		op_fail(op, &e);
}
