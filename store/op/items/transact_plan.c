/*
 * Transactions before they run: what they ask for, checked, and why one is
 * canceled.
 *
 * What is wrong with a request is told of the whole.  What its table finds
 * wrong with the keys of an item is the reason of that item, the first such
 * alone, and none is looked at further; but a key that is empty is told of the
 * whole again.
 */
#include "transact.h"

#include <string.h>

enum { PAYLOAD_BYTES = 4 << 20 };

void
op_transact_reason(struct op *op, struct transaction *t, size_t i,
    const struct err *e)
{
	struct item_plan *p = &t->plans[i];
	struct cancel_reason *r = &t->reasons[i];

	r->fault = e->code;
	r->text = arena_copy(&op->arena, e->text, strlen(e->text));
	if (p->failed && p->request->on_failure == RETURN_ALL_OLD &&
	    p->old.there) {
		r->item = p->old.bytes.p;
		r->nitem = p->old.bytes.n;
	}
}

void
op_transact_fail(struct op *op, const struct transaction *t,
    const struct err *e)
{
	if (e->code != FAULT_CANCELED) {
		op_fail(op, e);
		return;
	}
	op->out->len = op->out_at;
	reply_canceled(op->out, &op->arena, op->plain, t->reasons, t->count);
	op->status = FAULT_CANCELED;
	op_end(op);
}

/* --- keys that are empty ---------------------------------------------------------- */

static bool
is_empty(const struct value *item, const struct key_part *part)
{
	const struct value *v = value_member(item, part->name,
	    strlen(part->name));

	return v && v->type == part->type && v->type != VALUE_N &&
	    v->text.n == 0;
}

static bool
has_empty_part(const struct key_schema *s, const struct value *item)
{
	size_t i;

	for (i = 0; i < s->nhash; i++)
		if (is_empty(item, &s->hash[i]))
			return true;
	for (i = 0; i < s->nrange; i++)
		if (is_empty(item, &s->range[i]))
			return true;
	return false;
}

bool
op_transact_is_whole(const struct item_plan *p, const struct err *e)
{
	const struct item_request *r = p->request;
	const struct value *item = r->item ? r->item : &p->fresh;
	size_t i;

	if ((e->code != FAULT_CONDITION && e->code != FAULT_VALIDATION &&
	        e->code != FAULT_DUPLICATE) ||
	    !p->table || has_empty_part(&p->table->key, r->item ? r->item
	                                                        : r->key))
		return true;
	for (i = 0; i < p->table->nindexes; i++)
		if (has_empty_part(&p->table->indexes[i].key, item))
			return true;
	return false;
}

/* --- planning --------------------------------------------------------------------- */

/* Bytes that the request brings for an item. */
static size_t
payload(const struct item_request *r)
{
	return value_item_size(r->item ? r->item : r->key) +
	    (r->values ? value_item_size(r->values) : 0) + r->condition.n +
	    r->update.n;
}

static int
check_payload(const struct request *q, struct err *e)
{
	size_t i, bytes = 0;

	for (i = 0; i < q->nitems; i++)
		bytes += payload(&q->items[i]);
	return bytes <= PAYLOAD_BYTES ? 0 : err_set(e, FAULT_VALIDATION,
	    "Transaction payload size cannot exceed 4 MB");
}

int
op_transact_plan(struct op *op, const struct catalog *c,
    struct transaction *t, struct err *e)
{
	struct request *q = &op->request;
	bool canceled = false;
	size_t i;

	t->count = q->nitems;
	t->plans = arena_array(&op->arena, t->count, sizeof *t->plans);
	t->reasons = arena_array(&op->arena, t->count, sizeof *t->reasons);
	t->used = arena_array(&op->arena, t->count, sizeof *t->used);
	if (!t->plans || !t->reasons || !t->used)
		return op_no_memory(e);
	for (i = 0; i < t->count; i++) {
		struct item_plan *p = &t->plans[i];

		if (op_plan_item(&op->arena, c, &q->items[i], p, e) < 0) {
			if (op_transact_is_whole(p, e))
				return -1;
			if (!canceled)
				op_transact_reason(op, t, i, e);
			canceled = true;
		} else if (op_planned(t->plans, i, &p->key))
			return err_set(e, FAULT_VALIDATION, "Transaction "
			    "request cannot include multiple operations on "
			    "one item");
	}
	if (canceled)
		return err_set(e, FAULT_CANCELED, "canceled");
	return check_payload(q, e);
}
