/*
 * What the operations on exports and those on imports have in common, for
 * transfer.h: one is begun, unless its token says that it was before, one is
 * described, all are listed.
 */
#include "transfer.h"
#include "store/op/tables/unfilled.h"

#include <stdio.h>
#include <string.h>

/* --- beginning ------------------------------------------------------------ */

/* A new one, or that which has the token already: 0, or -1 and *e. */
static int
begin(struct op *op, const struct transfer_ways *w, struct transfer **t,
    bool *again, struct err *e)
{
	int rc = op_transfer_by_token(op, w->kind, w->only_running, t, e);
	struct err ignored;

	*again = rc > 0;
	if (rc < 0)
		return -1;
	if (*again)
		return w->is_same(op, *t) ? 0 : err_set(e, w->conflict,
		    "Duplicate request detected with conflicting parameters");
	if (op_unfilled_check(op, e) < 0)
		return -1;
	*t = op_transfer_new(op, w->kind, e);
	if (!*t || w->begin(op, *t, e) < 0)
		return -1;
	/* far more than may be under way: the oldest are long over */
	(void)op_record_thin(op->store, w->kind, TRANSFERS_KEPT, &ignored);
	return 0;
}

void
op_transfer_begin(struct op *op, const struct transfer_ways *w)
{
	struct transfer *t = NULL;
	struct reply r;
	struct err e;
	bool again;
	int rc = begin(op, w, &t, &again, &e);

	if (rc < 0) {
		op_transfer_free(t);
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	reply_object(&r, w->one);
	w->describe(&r, t);
	reply_close(&r);
	if (again)
		op_transfer_free(t);
	else {
		t->later.run = w->run;
		op->later = &t->later;
	}
	op_close(op, &r);
}

/* --- telling -------------------------------------------------------------- */

void
op_transfer_describe(struct op *op, const struct transfer_ways *w)
{
	const struct text *arn = &op->request.transfer.arn;
	const struct json_node *record = NULL;
	struct transfer *t = NULL;
	char id[RECORD_ID];
	struct reply r;
	struct err e;
	int rc = 0;

	if (op_record_of_arn(arn, w->kind, id))
		rc = op_record_get(op->store, w->kind, id, &op->arena,
		    &record, &e);
	if (rc > 0)
		rc = op_record_is_of(record, &op->request.transfer.source, &e);
	if (rc == 0)
		err_set(&e, w->missing, "%s: %.*s", w->missing_text,
		    (int)(arn->n < 300 ? arn->n : 300), arn->p);
	else if (rc > 0)
		t = op_transfer_read(op->store, w->kind, id, record, &e);
	if (!t) {
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	reply_object(&r, w->one);
	w->describe(&r, t);
	reply_close(&r);
	op_transfer_free(t);
	op_close(op, &r);
}

struct listing {
	struct op *op;
	const struct transfer_ways *ways;
	struct reply reply;
	uint32_t left;
	char last[RECORD_ID];
};

static int
list_one(void *ctx, const char *id, const struct json_node *record,
    struct err *e)
{
	struct listing *l = ctx;
	const struct text *of = &l->op->request.transfer.source;
	struct transfer *t =
	    op_transfer_read(l->op->store, l->ways->kind, id, record, e);
	const char *name;
	int rc = 0;

	if (!t)
		return -1;
	name = t->table->name;
	if (of->p && (strlen(name) != of->n ||
	                 memcmp(name, of->p, of->n) != 0))
		rc = 0;
	else if (!l->left)
		rc = 1;
	else {
		l->left--;
		snprintf(l->last, sizeof l->last, "%s", id);
		reply_object(&l->reply, NULL);
		l->ways->summarise(&l->reply, t);
		reply_close(&l->reply);
	}
	op_transfer_free(t);
	return rc;
}

/* A NextToken is the id that a page ended with. */
void
op_transfer_list(struct op *op, const struct transfer_ways *w)
{
	const struct transfer_request *q = &op->request.transfer;
	struct listing l = {.op = op, .ways = w,
	    .left = q->limit ? q->limit : w->page};
	char start[RECORD_ID] = "", arn[TRANSFER_ARN];
	struct text whole = {arn, 0};
	struct err e;
	int rc = 0;

	if (q->start.p) {
		whole.n = (size_t)snprintf(arn, sizeof arn, OP_ARN
		    "table/any/%s/%.*s", w->kind,
		    (int)(q->start.n < RECORD_ID ? q->start.n : RECORD_ID),
		    q->start.p);
		if (!op_record_of_arn(&whole, w->kind, start))
			rc = err_set(&e, FAULT_VALIDATION,
			    "Invalid NextToken");
	}
	op_open(op, &l.reply);
	reply_list(&l.reply, w->list);
	if (rc == 0)
		rc = op_record_each(op->store, w->kind, start, true, list_one,
		    &l, &e);
	reply_close(&l.reply);
	if (rc > 0)
		reply_string(&l.reply, "NextToken", l.last);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &l.reply);
}
