/*
 * The emitter of thin_emit.h.  Runs in upkeep, in bounded memory: of a path
 * only the id that was last written for it is kept, in a table that forgets.
 */
#include "thin_emit.h"

#include "pack_delta.h"
#include "tree_pair.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLOTS = 32768,
	TOLD_OBJECTS = 1000,		/* between two words of progress */
	DEPTH_MAX = 12,			/* deltas to read for one object */
	DELTA_LEAST_BYTES = 100		/* of what is worth the attempt */
};

/* The last object that was written for a path. */
struct slot {
	uint64_t path;
	git_oid id;
};

struct emit {
	struct history_view *view;
	struct pack_sources *from;
	struct history_progress progress;
	uint64_t done, all;
	struct pack_out *out;
	struct slot slots[SLOTS];
	struct buf delta;
	struct message_counts counts;	/* of the table at work */
	bool counting;
};

struct emit *
emit_new(struct history_view *v, struct pack_sources *from,
    struct pack_out *out, const struct history_progress *progress,
    struct err *e)
{
	struct emit *em = calloc(1, sizeof *em);
	size_t i;

	if (!em) {
		err_set(e, ENOMEM, "no memory to rewrite history");
		return NULL;
	}
	em->view = v;
	em->from = from;
	em->out = out;
	em->progress = *progress;
	for (i = 0; i < from->n; i++)
		em->all += from->list[i].n;
	buf_init(&em->delta, (size_t)256 * 1024 * 1024);
	return em;
}

void
emit_free(struct emit *em)
{
	if (!em)
		return;
	buf_release(&em->delta);
	free(em);
}

/* FNV-1a, one path below another: a collision only makes a worse delta. */
static uint64_t
path_below(uint64_t path, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		path = (path ^ (unsigned char)name[i]) * 0x100000001b3ULL;
	return (path ^ '/') * 0x100000001b3ULL;
}

/* --- one object ------------------------------------------------------------------ */

/* As a delta: 1, 0 if it is to be written whole, -1. */
static int
emit_delta(struct emit *em, const git_oid *id, git_odb_object *o,
    const git_oid *base_id, struct err *e)
{
	git_object_t type = git_odb_object_type(o);
	struct pack_place base;
	git_odb_object *b;
	int r;

	if (git_odb_object_size(o) < DELTA_LEAST_BYTES ||
	    !pack_out_has(em->out, base_id, &base) || base.depth >= DEPTH_MAX)
		return 0;
	if (git_odb_read(&b, em->view->odb, base_id))
		return 0;
	buf_reset(&em->delta);
	if (git_odb_object_type(b) != type)
		r = -1;
	else if (type == GIT_OBJECT_TREE)
		r = pack_delta_trees(git_odb_object_data(b),
		    git_odb_object_size(b), git_odb_object_data(o),
		    git_odb_object_size(o), &em->delta);
	else
		r = pack_delta_bytes(git_odb_object_data(b),
		    git_odb_object_size(b), git_odb_object_data(o),
		    git_odb_object_size(o), &em->delta);
	git_odb_object_free(b);
	return r ? 0 : pack_out_delta(em->out, em->delta.data, em->delta.len,
	    &base, id, e);
}

static void
note(struct emit *em, uint64_t path, const git_oid *id)
{
	struct slot *s = &em->slots[path % SLOTS];

	s->path = path;
	git_oid_cpy(&s->id, id);
	if (++em->done % TOLD_OBJECTS == 0 && em->progress.fn)
		em->progress.fn(em->progress.ctx, em->done, em->all);
}

static int
emit_object(struct emit *em, uint64_t path, const git_oid *id,
    git_odb_object *o, struct err *e)
{
	const struct slot *s = &em->slots[path % SLOTS];
	struct pack_place there;
	int r = 1;

	if (!pack_out_has(em->out, id, &there)) {
		r = s->path == path ? emit_delta(em, id, o, &s->id, e) : 0;
		if (r == 0)
			r = pack_out_known(em->out, git_odb_object_type(o),
			    git_odb_object_data(o), git_odb_object_size(o),
			    id, e);
	}
	note(em, path, id);
	return r < 0 ? -1 : 0;
}

/* The entry of a pack that has it whole: 1, 0 if there is none, -1. */
static int
copy_entry(struct emit *em, const git_oid *id, git_object_t type,
    struct err *e)
{
	struct pack_source *s;
	size_t i, at;

	for (i = 0; i < em->from->n; i++) {
		s = &em->from->list[i];
		if (!pack_source_find(s, id, &at))
			continue;
		if (pack_source_read(s, at, e))
			return -1;
		if (pack_source_type(s) == (int)type)
			return pack_out_raw(em->out, s->entry.data,
			    s->entry.len, id, e) ? -1 : 1;
	}
	return 0;
}

/*
 * As it lies, unless a later state of the same path was written, against which
 * it may be a delta: 1, 0 if it is to be looked into, -1.
 */
static int
copy_blob(struct emit *em, uint64_t path, const git_oid *id, struct err *e)
{
	struct pack_place there;
	int r = 1;

	if (!pack_out_has(em->out, id, &there)) {
		if (em->slots[path % SLOTS].path == path)
			return 0;
		r = copy_entry(em, id, GIT_OBJECT_BLOB, e);
	}
	if (r > 0)
		note(em, path, id);
	return r;
}

static int
emit_blob(struct emit *em, uint64_t path, const git_oid *id, struct err *e)
{
	git_odb_object *o;
	int r = history_goes_on(em->view, e) ? -1 : copy_blob(em, path, id, e);

	if (r)
		return r < 0 ? -1 : 0;
	if (history_object(em->view, id, GIT_OBJECT_BLOB, &o, e))
		return -1;
	r = emit_object(em, path, id, o, e);
	git_odb_object_free(o);
	return r;
}

/* --- trees ------------------------------------------------------------------------- */

static int emit_tree(struct emit *em, uint64_t path, unsigned depth,
    const git_oid *new, const git_oid *old, struct err *e);

static int
emit_entry(struct emit *em, uint64_t path, unsigned depth,
    const struct tree_entry *old, const struct tree_entry *new, struct err *e)
{
	const struct tree_entry *any = new ? new : old;
	git_oid old_id, new_id;
	const git_oid *a = pair_id(old, &old_id), *b = pair_id(new, &new_id);

	if (depth > HISTORY_DEPTH_MAX)
		return err_set(e, FAULT_LIMIT, "history: a path too long");
	path = path_below(path, any->name, any->len);
	if (any->dir && (b || em->counting))
		return emit_tree(em, path, depth + 1, b, a, e);
	if (any->dir)
		return 0;
	if (b)
		em->counts.written++;
	else
		em->counts.gone++;
	return b ? emit_blob(em, path, b, e) : 0;
}

/* What is below goes first; `new` NULL: all is gone, and only counted. */
static int
emit_tree(struct emit *em, uint64_t path, unsigned depth, const git_oid *new,
    const git_oid *old, struct err *e)
{
	const struct tree_entry *a, *b;
	struct tree_pair p;
	int r = pair_open(em->view, &p, old, new, e);

	while (!r) {
		r = pair_next(&p, &a, &b, e);
		if (r <= 0)
			break;
		r = emit_entry(em, path, depth, a, b, e);
	}
	if (!r && new)
		r = emit_object(em, path, new, p.o[PAIR_NEW], e);
	pair_close(&p);
	return r;
}

/* --- states ------------------------------------------------------------------------ */

/* One of the root's names, which is a table. */
static int
emit_table(struct emit *em, const struct tree_entry *old,
    const struct tree_entry *new, struct message *m, struct err *e)
{
	const struct tree_entry *any = new ? new : old;
	const struct message_counts *c = &em->counts;

	memset(&em->counts, 0, sizeof em->counts);
	if (emit_entry(em, 0, 0, old, new, e))
		return -1;
	if (m && (c->written || c->gone))
		message_table(m, any->name, any->len, c);
	return 0;
}

int
emit_state(struct emit *em, const git_oid *new, const git_oid *old,
    struct message *m, struct err *e)
{
	const struct tree_entry *a, *b;
	struct tree_pair p;
	int r;

	if (old && git_oid_equal(old, new))
		return 0;
	em->counting = m != NULL;
	r = pair_open(em->view, &p, old, new, e);
	while (!r) {
		r = pair_next(&p, &a, &b, e);
		if (r <= 0)
			break;
		r = emit_table(em, a, b, m, e);
	}
	if (!r)
		r = emit_object(em, 0, new, p.o[PAIR_NEW], e);
	pair_close(&p);
	return r;
}
