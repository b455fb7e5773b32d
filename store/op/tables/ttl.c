/*
 * UpdateTimeToLive, DescribeTimeToLive.  It may be changed at any time, where
 * DynamoDB asks for an hour between two changes.
 */
#include "table.h"

#include <stdio.h>
#include <string.h>

static int
run_ttl(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	const struct table *old = op_table_now(c, &q->name, e);
	bool on = q->ttl_enabled == CHOICE_YES;
	struct table *t;

	if (!old)
		return -1;
	if (!on && !*old->ttl)
		return err_set(e, FAULT_VALIDATION, "TimeToLive is already "
		    "disabled");
	if (*old->ttl && (strlen(old->ttl) != q->ttl.n ||
	                     memcmp(old->ttl, q->ttl.p, q->ttl.n) != 0))
		return err_set(e, FAULT_VALIDATION, "TimeToLive is active on "
		    "a different AttributeName: current AttributeName is %s",
		    old->ttl);
	if (on && *old->ttl)
		return err_set(e, FAULT_VALIDATION, "TimeToLive is already "
		    "enabled");
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	snprintf(t->ttl, sizeof t->ttl, "%.*s", on ? (int)q->ttl.n : 0,
	    q->ttl.p);
	t->ttl_filling = on;
	return op_table_settle(op, c, t, e);
}

static void
answer_ttl(struct op *op)
{
	const struct table_request *q = &op->request.table;
	struct reply r;

	op_table_drop(op);
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
	op_table_submit(op, run_ttl, answer_ttl);
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
