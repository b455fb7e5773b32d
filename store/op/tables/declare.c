/*
 * Declare: the tables are to be as deploy.yaml has them.  One that is missing
 * is made; of one that is there indexes, ttl, stream and history follow, and
 * throughput and protection where they are named.  A key never changes, and no
 * table is dropped: what a file doesn't name stays.
 * One job a table, one after the other; then the store's settings.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_ROOM = 64 * 1024 };

struct declaration {
	size_t at;		/* of the definitions */
	size_t made, changed;
	bool set;		/* the settings were others */
	bool one_made, one_changed;	/* by the job that runs */
};

static bool
same_parts(const struct key_part *a, const struct key_part *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(a[i].name, b[i].name) != 0 || a[i].type != b[i].type)
			return false;
	return true;
}

static bool
same_key(const struct key_schema *a, const struct key_schema *b)
{
	return a->nhash == b->nhash && a->nrange == b->nrange &&
	    same_parts(a->hash, b->hash, a->nhash) &&
	    same_parts(a->range, b->range, a->nrange);
}

static bool
same_index(const struct table_index *a, const struct table_index *b)
{
	size_t i;

	if (a->global != b->global || a->projection != b->projection ||
	    a->nnonkey != b->nnonkey || !same_key(&a->key, &b->key))
		return false;
	for (i = 0; i < a->nnonkey; i++)
		if (strcmp(a->nonkey[i], b->nonkey[i]) != 0)
			return false;
	return true;
}

/* What is provisioned as it is, or as it is declared: true if that differs. */
static bool
keep_units(struct table_units *declared, const struct table_units *was)
{
	if (declared->reads == 0)
		*declared = *was;
	return declared->reads != was->reads || declared->writes != was->writes;
}

/*
 * The indexes of `t` get their numbers: those that are there keep theirs, the
 * others are filled.  0, 1 if any is new or gone, -1: one would change.
 */
static int
number_indexes(struct table *t, const struct table *old, struct err *e)
{
	const struct table_index *was;
	bool differs = false;
	size_t i, kept = 0;

	t->next_index = old->next_index;
	for (i = 0; i < t->nindexes; i++) {
		struct table_index *ix = &t->indexes[i];

		was = table_index_named(old, ix->name, strlen(ix->name));
		if (was && !same_index(was, ix))
			return err_set(e, FAULT_VALIDATION, "table %s: index "
			    "%s is there with another key or projection; give "
			    "the new one another name", t->name, ix->name);
		ix->id = was ? was->id : t->next_index++;
		ix->filling = was ? was->filling : true;
		if (was) {
			differs |= keep_units(&ix->units, &was->units);
			ix->most = was->most;
			ix->warm = was->warm;
		}
		kept += was != NULL;
	}
	return differs || kept != t->nindexes || kept != old->nindexes;
}

/* Throughput and protection are what is declared, and else what they were. */
static int
merge_terms(struct table *t, const struct table *old, struct err *e)
{
	struct table_units units = t->terms.units;
	bool provisioned = t->terms.provisioned, differs;

	if (table_terms_copy(&t->terms, &old->terms) < 0)
		return op_no_memory(e);
	differs = (provisioned && !old->terms.provisioned) ||
	    (t->protected && !old->protected);
	t->protected = t->protected || old->protected;
	if (provisioned) {
		t->terms.provisioned = true;
		t->terms.units = units;
		differs |= keep_units(&t->terms.units, &old->terms.units);
	}
	return differs;
}

/* Takes over what is not declared; true if anything differs. */
static int
merge(struct table *t, const struct table *old, int64_t now_ms,
    struct err *e)
{
	enum stream_view view = t->stream;
	int differs, terms;

	if (!same_key(&t->key, &old->key))
		return err_set(e, FAULT_VALIDATION, "table %s is there with "
		    "another key; a key can't change: give the new table "
		    "another name, or drop the old one", t->name);
	differs = number_indexes(t, old, e);
	if (differs < 0)
		return -1;
	t->id = old->id;
	t->created_ms = old->created_ms;
	t->restoring = old->restoring;
	t->unfilled = old->unfilled;
	t->more = old->more ? strdup(old->more) : NULL;
	if (old->more && !t->more)
		return op_no_memory(e);
	t->stream = old->stream;
	t->stream_since_ms = old->stream_since_ms;
	t->stream_from = old->stream_from;
	t->stream_was = old->stream_was;
	t->stream_until_ms = old->stream_until_ms;
	t->stream_was_since_ms = old->stream_was_since_ms;
	t->stream_was_from = old->stream_was_from;
	t->ttl_filling = old->ttl_filling;
	terms = merge_terms(t, old, e);
	if (terms < 0)
		return -1;
	if (strcmp(t->ttl, old->ttl) != 0) {
		t->ttl_filling = *t->ttl != '\0';
		differs = 1;
	}
	if (view != old->stream) {
		op_table_stream(t, view, now_ms);
		differs = 1;
	}
	return differs || terms || t->history != old->history;
}

static int
make(struct table *t, struct commit *c, struct err *e)
{
	size_t i;

	if (commit_catalog(c)->count >= CATALOG_TABLES_MAX)
		return err_set(e, FAULT_LIMIT, "there can be %d tables at "
		    "most", CATALOG_TABLES_MAX);
	for (i = 0; i < t->nindexes; i++)
		t->indexes[i].id = (uint32_t)i + 1;
	t->next_index = (uint32_t)t->nindexes + 1;
	t->created_ms = commit_now_ms(c);
	if (t->stream != STREAM_OFF)
		t->stream_since_ms = t->created_ms;
	return commit_table_id(c, &t->id, e);
}

static int
run(struct commit_job *job, struct commit *c, struct err *e)
{
	struct op *op = op_of(job);
	struct declaration *d = op->plan;
	const struct text *text = &op->request.store.definitions[d->at];
	struct table *t = table_read(text->p, text->n, e);
	const struct table *old;
	int differs;

	d->one_made = d->one_changed = false;
	if (!t)
		return -1;
	old = catalog_named(commit_catalog(c), t->name, strlen(t->name));
	differs = old ? merge(t, old, commit_now_ms(c), e) : make(t, c, e);
	if (differs < 0 || (old && !differs)) {
		table_free(t);
		return differs < 0 ? -1 : 0;
	}
	d->one_made = !old;
	d->one_changed = old != NULL;
	commit_table(c, t);
	return 0;
}

static void next(struct op *op);

static void
answer(struct op *op)
{
	struct declaration *d = op->plan;

	d->made += d->one_made;
	d->changed += d->one_changed;
	d->at++;
	next(op);
}

static int
set(struct op *op, struct declaration *d, struct err *e)
{
	const struct text *settings = &op->request.store.settings;
	int rc = settings->p
	    ? store_set(op->store, settings->p, settings->n, e)
	    : 0;

	d->set = rc > 0;
	return rc;
}

static void
next(struct op *op)
{
	struct declaration *d = op->plan;
	struct reply r;
	struct err e;

	if (d->at < op->request.store.ndefinitions) {
		op_submit(op, run, answer, NULL, TABLE_ROOM);
		return;
	}
	if (set(op, d, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	reply_integer(&r, "Made", (int64_t)d->made);
	reply_integer(&r, "Changed", (int64_t)d->changed);
	reply_bool(&r, "Set", d->set);
	op_close(op, &r);
}

void
op_declare(struct op *op, struct store_view *v)
{
	struct err e;

	(void)v;
	op->plan = arena_array(&op->arena, 1, sizeof(struct declaration));
	if (op->plan) {
		next(op);
		return;
	}
	op_no_memory(&e);
	op_fail(op, &e);
}
