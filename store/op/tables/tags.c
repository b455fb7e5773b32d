/*
 * TagResource, UntagResource, ListTagsOfResource: tags of tables.
 */
#include "table.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 300 };

/* No ARN of a table, or of one that isn't there. */
static int
refuse(const struct op *op, struct err *e)
{
	const struct text *arn = &op->request.transfer.arn;
	int n = (int)(arn->n < SHOWN_MAX ? arn->n : SHOWN_MAX);

	if (op->request.table.name.p)
		return err_set(e, FAULT_NOT_FOUND, "Requested resource not "
		    "found: ResourcArn: %.*s not found", n, arn->p);
	if (arn->n < 4 || memcmp(arn->p, "arn:", 4) != 0)
		return err_set(e, FAULT_VALIDATION, "Invalid TableArn: ARNs "
		    "must start with 'arn:': %.*s", n, arn->p);
	return err_set(e, FAULT_VALIDATION, "Invalid TableArn: Invalid "
	    "ResourceArn provided as input %.*s", n, arn->p);
}

static const struct table *
tagged(struct op *op, const struct catalog *c, struct err *e)
{
	const struct text *name = &op->request.table.name;
	const struct table *t =
	    name->p ? catalog_named(c, name->p, name->n) : NULL;

	if (!t)
		refuse(op, e);
	return t;
}

/* --- changing -------------------------------------------------------------- */

static void
remove_tag(struct table_terms *t, const struct text *key)
{
	size_t i;

	for (i = 0; i < t->ntags; i++)
		if (strlen(t->tags[i].key) == key->n &&
		    memcmp(t->tags[i].key, key->p, key->n) == 0)
			break;
	if (i == t->ntags)
		return;
	t->ntags--;
	memmove(&t->tags[i], &t->tags[i + 1],
	    (t->ntags - i) * sizeof *t->tags);
}

static int
run_tags(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	const struct table_request *q = &op->request.table;
	const struct table *old = tagged(op, commit_catalog(c), e);
	struct table *t;
	size_t i;

	if (!old)
		return -1;
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	for (i = 0; i < q->ntag_keys; i++)
		remove_tag(&t->terms, &q->tag_keys[i]);
	if (op_table_tag(t, q->tags, q->ntags, e) < 0) {
		table_free(t);
		return -1;
	}
	return op_table_settle(op, c, t, e);
}

static void
answer(struct op *op)
{
	op_table_drop(op);
	op_done(op);
}

void
op_tag_resource(struct op *op, struct store_view *v)
{
	(void)v;
	op_table_submit(op, run_tags, answer);
}

void
op_untag_resource(struct op *op, struct store_view *v)
{
	(void)v;
	op_table_submit(op, run_tags, answer);
}

/* --- telling --------------------------------------------------------------- */

static void
write_tags(struct reply *r, const struct table *t)
{
	const struct table_tag *tag = t->terms.tags;
	size_t i;

	reply_list(r, "Tags");
	for (i = 0; i < t->terms.ntags; i++, tag++) {
		reply_object(r, NULL);
		reply_string(r, "Key", tag->key);
		reply_string(r, "Value", tag->value);
		reply_close(r);
	}
	reply_close(r);
}

/* All fit into one reply, so no NextToken is ever given out. */
void
op_list_tags(struct op *op, struct store_view *v)
{
	struct catalog *c = store_catalog_hold(v->store);
	struct reply r;
	struct err e;
	const struct table *t = tagged(op, c, &e);

	if (t && op->request.transfer.start.p)
		t = err_set(&e, FAULT_VALIDATION, "Invalid NextToken") < 0
		    ? NULL : t;
	if (t) {
		op_open(op, &r);
		write_tags(&r, t);
	}
	store_catalog_release(v->store, c);
	if (t)
		op_close(op, &r);
	else
		op_fail(op, &e);
}
