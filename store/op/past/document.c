/*
 * What the operations on one document's file and history have in common.
 */
#include "document.h"

#include "store/base/clock.h"
#include "store/value/plain.h"

#include <stdio.h>
#include <string.h>

void
op_table_name(const struct text *t, char out[TABLE_NAME_MAX + 1])
{
	snprintf(out, TABLE_NAME_MAX + 1, "%.*s", (int)t->n, t->p);
}

int
op_string(struct op *op, const struct text *t, const char **out,
    struct err *e)
{
	*out = NULL;
	if (!t->p)
		return 0;
	*out = arena_copy(&op->arena, t->p, t->n);
	return *out ? 0 : op_no_memory(e);
}

int
op_document(struct op *op, struct document *d, struct err *e)
{
	const struct store_request *q = &op->request.store;
	struct path_key key;
	char dir[PATH_NAME_MAX + 1];

	*d = (struct document){.key = q->key};
	op_table_name(&q->table, d->table_name);
	op->catalog = store_catalog_hold(op->store);
	d->table = catalog_named(op->catalog, q->table.p, q->table.n);
	if (!d->table)
		d->table = d->gone =
		    past_last_table(op->store, d->table_name, e);
	if (!d->table || key_check(d->table, d->key, e) < 0)
		return -1;
	if (path_key_of(d->table, d->key, &key) < 0 ||
	    path_name(&key, &d->name) < 0 ||
	    path_table(d->table_name, dir) < 0)
		return err_set(e, FAULT_VALIDATION, "The provided key element "
		    "does not match the schema");
	past_paths(dir, &d->name, &d->paths);
	return 0;
}

void
op_document_release(struct document *d)
{
	table_free(d->gone);
	d->gone = NULL;
}

void
op_with_history(struct op *op,
    int (*fn)(struct op *op, const struct document *d, struct reply *r,
        struct err *e))
{
	struct document d = {.table = NULL};
	struct reply r;
	struct err e;
	int rc = 0;

	if (op->request.store.key)
		rc = op_document(op, &d, &e);
	if (rc == 0) {
		store_history_lock(op->store);
		rc = fn(op, &d, &r, &e);
		store_history_unlock(op->store);
	}
	op_document_release(&d);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}

int
op_write_plain(struct reply *r, const char *name, struct arena *a,
    const void *p, size_t n, struct err *e)
{
	struct value item;

	arena_reset(a);
	if (plain_read_item(a, p, n, &item, e) < 0)
		return -1;
	reply_item(r, name, &item);
	return 0;
}

void
op_write_past(struct reply *r, const struct past *p)
{
	if (p->commit.id.hex[0])
		op_write_commit(r, &p->commit);
	if (p->until_ms != INT64_MAX)
		reply_time(r, "Until", p->until_ms);
	else if (p->to > p->commit.position)
		reply_integer(r, "UntilPosition", (int64_t)p->to);
	if (p->nearest)
		reply_bool(r, "Nearest", true);
}
