/*
 * Restore: one document, one table or all tables as they were at a commit, a
 * backup, a position or a moment, in place or into another table.
 *
 * First the states are compared, and what differs is hashed: that is the
 * preview.  With DryRun it is the answer; else, if a Preview was given, it has
 * to be the same one.  Then each table is changed, in one unit if it fits.
 */
#include "restore.h"
#include "store/op/op_wait.h"

#include "store/base/hash.h"

#include <stdio.h>
#include <string.h>

enum { RESTORE_LIMIT = 20, ITEM_ROOM = 64 << 20 };

/* --- the sides ----------------------------------------------------------- */

static bool
same_key(const struct table *a, const struct table *b)
{
	const struct key_schema *k = &a->key, *l = &b->key;

	return strcmp(k->hash[0].name, l->hash[0].name) == 0 &&
	    k->hash[0].type == l->hash[0].type && k->nrange == l->nrange &&
	    (!k->nrange || (strcmp(k->range[0].name, l->range[0].name) == 0 &&
	                       k->range[0].type == l->range[0].type));
}

static int
check_sides(const struct restore *x, const char *name,
    const struct restore_table *t, struct err *e)
{
	if (!t->target.table)
		return err_set(e, FAULT_NOT_FOUND, "there was no table %s then",
		    name);
	if (t->target.table->restoring)
		return err_set(e, FAULT_VALIDATION, "%s was closed then, amid "
		    "a restore that was cut off", name);
	if (x->into && t->id)
		return err_set(e, FAULT_IN_USE, "Table already exists: %s",
		    x->into);
	if (x->only && !t->id)
		return err_set(e, FAULT_NOT_FOUND, "Requested resource not "
		    "found: Table: %s not found", name);
	if (t->id && t->present.table &&
	    !same_key(t->target.table, t->present.table))
		return err_set(e, FAULT_VALIDATION, "%s had another key then; "
		    "restore it Into a new table", name);
	return 0;
}

int
op_restore_open(const struct restore *x, const char *name,
    struct restore_table *out, struct err *e)
{
	struct catalog *c = store_catalog_hold(x->op->store);
	const struct table *now;
	int rc;

	*out = (struct restore_table){.restore = x};
	snprintf(out->name, sizeof out->name, "%s", x->into ? x->into : name);
	now = catalog_named(c, out->name, strlen(out->name));
	out->id = now ? now->id : 0;
	out->closed = now && now->restoring;
	store_catalog_release(x->op->store, c);
	map_init(&out->present.changed);
	rc = past_open(&x->target, name, &out->target, e);
	if (rc == 0)
		rc = past_open(out->id ? &x->present : &x->nothing,
		    out->name, &out->present, e);
	return rc == 0 ? check_sides(x, name, out, e) : -1;
}

void
op_restore_close(struct restore_table *t)
{
	past_close(&t->target);
	past_close(&t->present);
}

/* --- the preview --------------------------------------------------------- */

struct preview {
	struct restore *restore;
	struct restore_table *table;	/* that is looked at */
	struct hash *hash;
	unsigned char deltas[HASH_SIZE];	/* of the table, in no order */
	struct reply *reply;		/* of a dry run; else NULL */
	struct arena arena;		/* of a document */
	uint32_t left;			/* to be shown */
	uint64_t done;
};

static void
hash_text(struct hash *h, const char *p, size_t n)
{
	char size[24];
	int len = snprintf(size, sizeof size, "%zu:", p ? n + 1 : 0);

	hash_add(h, size, (size_t)len);
	if (p)
		hash_add(h, p, n);
}

static int
show_delta(struct preview *p, const struct past_delta *d, struct err *e)
{
	struct reply *r = p->reply;
	int rc = 0;

	p->left--;
	reply_object(r, NULL);
	reply_string(r, "TableName", p->table->name);
	reply_string(r, "File", d->name->text);
	if (d->old.p)
		rc = op_write_plain(r, "Old", &p->arena, d->old.p, d->old.n,
		    e);
	if (rc == 0 && d->new.p)
		rc = op_write_plain(r, "New", &p->arena, d->new.p, d->new.n,
		    e);
	reply_close(r);
	return rc;
}

/*
 * In which order differences come depends on how much of the present a
 * checkpoint has taken: what is compared is their set.
 */
static int
hash_delta(struct preview *p, const struct past_delta *d, struct err *e)
{
	struct hash *h = hash_new();
	unsigned char digest[HASH_SIZE];
	size_t i;

	if (!h)
		return op_no_memory(e);
	hash_text(h, d->name->text, strlen(d->name->text));
	hash_text(h, d->old.p, d->old.n);
	hash_text(h, d->new.p, d->new.n);
	hash_take(h, digest);
	for (i = 0; i < sizeof digest; i++)
		p->deltas[i] ^= digest[i];
	return 0;
}

static int
take_delta(void *ctx, const struct past_delta *d, struct err *e)
{
	struct preview *p = ctx;

	p->table->added += !d->old.p;
	p->table->removed += !d->new.p;
	p->table->changed += d->old.p && d->new.p;
	p->table->bytes += d->old.n + d->new.n;
	if (hash_delta(p, d, e) < 0)
		return -1;
	if (p->done % 100 == 0 && op_stopped(p->restore->op, e))
		return -1;
	if (++p->done % 1000 == 0)
		op_progress(p->restore->op, "compare", p->done, 0);
	return p->reply && p->left ? show_delta(p, d, e) : 0;
}

/* What a table's restore changes; it stays open for that. */
static int
preview_table(struct preview *p, const char *name, struct restore_table *t,
    struct err *e)
{
	int rc;

	if (op_restore_open(p->restore, name, t, e) < 0)
		return -1;
	p->table = t;
	memset(p->deltas, 0, sizeof p->deltas);
	hash_text(p->hash, t->name, strlen(t->name));
	hash_text(p->hash, t->id ? "change" : "create", 6);
	rc = past_diff(&t->present, &t->target, p->restore->only, take_delta, p,
	    e);
	hash_add(p->hash, p->deltas, sizeof p->deltas);
	return rc;
}

/* --- which tables -------------------------------------------------------- */

/* Tables of a restore; what was not there then stays as it is. */
struct plan {
	struct restore restore;
	struct restore_table *tables;
	size_t count;
	char into[TABLE_NAME_MAX + 1];
	char digest[HASH_HEX_SIZE];
};

static int
plan_names(struct plan *x, struct map *names, struct err *e)
{
	struct op *op = x->restore.op;
	char name[TABLE_NAME_MAX + 1];

	if (!op->request.store.table.p)
		return past_tables(&x->restore.target, &x->restore.present,
		    names, e);
	op_table_name(&op->request.store.table, name);
	return map_set(names, name, strlen(name), names, NULL) < 0
	    ? op_no_memory(e)
	    : 0;
}

static int
plan_tables(struct plan *x, struct preview *p, const struct map *names,
    struct err *e)
{
	struct op *op = x->restore.op;
	bool all = !op->request.store.table.p;
	size_t i;
	int rc = 0;

	x->tables = arena_array(&op->arena, names->count + 1,
	    sizeof *x->tables);
	if (!x->tables)
		return op_no_memory(e);
	for (i = 0; rc == 0 && i < names->count; i++) {
		struct restore_table *t = &x->tables[x->count];

		rc = preview_table(p, names->entries[i].key, t, e);
		if (rc < 0 && all && e->code == FAULT_NOT_FOUND) {
			op_restore_close(t);
			rc = 0;
		} else
			x->count++;
	}
	return rc;
}

static int
plan(struct plan *x, struct reply *shown, struct err *e)
{
	struct op *op = x->restore.op;
	struct preview p = {.restore = &x->restore, .reply = shown};
	struct map names;
	int rc = -1;

	p.left = op->request.store.limit ? op->request.store.limit
	                                 : RESTORE_LIMIT;
	p.hash = hash_new();
	arena_init(&p.arena, ITEM_ROOM);
	map_init(&names);
	if (!p.hash)
		op_no_memory(e);
	else
		rc = plan_names(x, &names, e);
	if (rc == 0)
		rc = plan_tables(x, &p, &names, e);
	if (rc == 0)
		hash_take_hex(p.hash, x->digest);
	else
		hash_free(p.hash);
	map_release(&names);
	arena_release(&p.arena);
	return rc;
}

/* --- the operation ------------------------------------------------------- */

static void
write_tables(struct reply *r, const struct plan *x)
{
	size_t i;

	reply_list(r, "Tables");
	for (i = 0; i < x->count; i++) {
		const struct restore_table *t = &x->tables[i];

		reply_object(r, NULL);
		reply_string(r, "TableName", t->name);
		reply_bool(r, "Created", t->id == 0);
		reply_integer(r, "Added", (int64_t)t->added);
		reply_integer(r, "Removed", (int64_t)t->removed);
		reply_integer(r, "Changed", (int64_t)t->changed);
		reply_close(r);
	}
	reply_close(r);
}

static void
write_from(struct reply *r, const struct plan *x)
{
	reply_object(r, "From");
	op_write_past(r, &x->restore.target);
	reply_close(r);
}

static int
dry_run(struct plan *x, struct reply *r, struct err *e)
{
	op_open(x->restore.op, r);
	write_from(r, x);
	reply_list(r, "Differences");
	if (plan(x, r, e) < 0)
		return -1;
	reply_close(r);
	write_tables(r, x);
	reply_string(r, "Preview", x->digest);
	return 0;
}

static int
check_preview(const struct plan *x, const struct text *given, struct err *e)
{
	if (!given->p || (given->n == strlen(x->digest) &&
	                     memcmp(given->p, x->digest, given->n) == 0))
		return 0;
	return err_set(e, FAULT_CONFLICT, "the restore would not do what the "
	    "preview has shown, for there were writes since; look at another");
}

static int
do_all(struct plan *x, struct reply *r, struct err *e)
{
	struct op *op = x->restore.op;
	size_t i;

	if (plan(x, NULL, e) < 0 ||
	    check_preview(x, &op->request.store.preview, e) < 0)
		return -1;
	for (i = 0; i < x->count; i++) {
		struct restore_table *t = &x->tables[i];

		if (!t->id || t->closed || t->added || t->removed ||
		    t->changed || x->restore.only || !x->restore.strict)
			if (op_restore_do(t, e) < 0)
				return -1;
		op_progress(op, "tables", i + 1, x->count);
	}
	op_open(op, r);
	write_from(r, x);
	write_tables(r, x);
	return 0;
}

static int
restore(struct op *op, const struct document *d, struct reply *r,
    struct err *e)
{
	const struct store_request *q = &op->request.store;
	struct plan x = {.restore = {.op = op, .nothing = {
	    .store = op->store, .until_ms = INT64_MAX}}};
	const char *from;
	size_t i;
	int rc;

	if (d->key)
		x.restore.only = &d->name;
	if (q->into.p) {
		op_table_name(&q->into, x.into);
		x.restore.into = x.into;
	}
	x.restore.strict = q->preview.p != NULL;
	if (op_string(op, &q->from, &from, e) < 0 ||
	    past_find(op->store, from, &x.restore.target, e) < 0 ||
	    past_find(op->store, NULL, &x.restore.present, e) < 0)
		return -1;
	rc = q->dry ? dry_run(&x, r, e) : do_all(&x, r, e);
	for (i = 0; i < x.count; i++)
		op_restore_close(&x.tables[i]);
	return rc;
}

void
op_restore(struct op *op, struct store_view *v)
{
	(void)v;
	op_with_history(op, restore);
}
