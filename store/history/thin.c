/*
 * The gathering of thin.h.  Runs in the checkpoint's thread between
 * checkpoints.  Old packs go only when the new ones and the refs to them are
 * synced; a crash before leaves packs twice, which the next gathering mends.
 */
#include "thin.h"

#include "history_message.h"
#include "pack_merge.h"
#include "thin_emit.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 64 * 1024 };

static bool
is_doomed(const struct history *h, const char *pack)
{
	size_t i;

	for (i = 0; i < h->ndoomed; i++)
		if (strcmp(h->doomed[i].name, pack) == 0)
			return true;
	return false;
}

int
thin_doom(struct history *h, const char *pack, struct err *e)
{
	struct doomed *d = realloc(h->doomed, (h->ndoomed + 1) * sizeof *d);

	if (!d)
		return err_set(e, ENOMEM, "no memory to list packs");
	h->doomed = d;
	d += h->ndoomed++;
	memcpy(d->name, pack, sizeof d->name);
	d->since_ms = h->now_ms;
	return 0;
}

/* What was made just now, maybe a second time, is no longer to go. */
static void
spare(struct history *h, const struct pack_out *out)
{
	size_t i, n = 0;

	for (i = 0; i < h->ndoomed; i++)
		if (!pack_out_made(out, h->doomed[i].name,
		    strlen(h->doomed[i].name)))
			h->doomed[n++] = h->doomed[i];
	h->ndoomed = n;
}

/* --- what is gathered --------------------------------------------------------------------- */

struct gathering {
	const struct thin_span *span;
	bool all;			/* other packs, too */
	struct history_progress progress;
	struct pack_set set;		/* as it was before */
};

static bool
is_in(const struct gathering *g, const struct pack_file *f)
{
	const struct thin_span *span = g->span;

	if (g->all || !f->own)
		return g->all;
	return f->span.level == THIN_LEVEL_CHAIN ||
	    (f->span.from >= span->after && f->span.to > span->after &&
	    f->span.to <= span->upto);
}

static void
close_sources(struct pack_sources *s)
{
	while (s->n > 0)
		pack_source_close(&s->list[--s->n]);
	free(s->list);
}

/* A pack that can't be read so, for it is too large, is read as others are. */
static int
open_sources(struct history *h, const struct gathering *g,
    struct pack_sources *s, struct err *e)
{
	struct err ignored;
	size_t i;

	s->list = calloc(g->set.n + 1, sizeof *s->list);
	if (!s->list)
		return err_set(e, ENOMEM, "no memory to list packs");
	for (i = 0; i < g->set.n; i++) {
		const struct pack_file *f = &g->set.files[i];

		if (!is_in(g, f))
			continue;
		if (pack_source_open(&s->list[s->n], h->pack_fd, f->name,
		    &ignored))
			pack_source_close(&s->list[s->n]);
		else
			s->n++;
	}
	return 0;
}

/* --- what stays of the span ------------------------------------------------------------ */

/* The note of a commit's message ("Bothy-Note: ..."), malloc'ed, or NULL. */
static char *
read_note(struct history_view *v, const git_oid *id)
{
	static const char TRAILER[] = "\nBothy-Note: ";
	struct err ignored;
	git_odb_object *o;
	const char *at;
	char *note = NULL;

	if (history_object(v, id, GIT_OBJECT_COMMIT, &o, &ignored))
		return NULL;
	at = strstr(git_odb_object_data(o), TRAILER);
	if (at) {
		at += sizeof TRAILER - 1;
		note = strndup(at, strcspn(at, "\n"));
	}
	git_odb_object_free(o);
	return note;
}

/* It tells of the commits that went, too. */
static int
new_message(struct history_view *v, struct chain_commit *x,
    const struct message *m, struct err *e)
{
	char *note = read_note(v, &x->id);
	struct buf b;
	int r;

	buf_init(&b, MESSAGE_BYTES);
	r = message_finish(m, note, x->position, &b, e);
	free(note);
	if (!r) {
		free(x->message);
		x->message = buf_take(&b);
	}
	buf_release(&b);
	return r;
}

static int
emit_one(struct history_view *v, struct emit *em, struct chain *c, size_t at,
    struct err *e)
{
	struct chain_commit *x = &c->c[at];
	const struct chain_commit *before = chain_before(c, at);
	bool gap = at > 0 && !c->c[at - 1].keep;
	struct message m;
	int r;

	message_init(&m);
	r = emit_state(em, &x->tree, before ? &before->tree : NULL,
	    gap ? &m : NULL, e);
	if (!r && gap)
		r = new_message(v, x, &m, e);
	message_release(&m);
	return r;
}

static int
emit_span(struct history *h, const struct gathering *g, struct chain *c,
    struct pack_out *out, struct err *e)
{
	const struct thin_span *span = g->span;
	struct pack_sources from = {NULL, 0};
	struct emit *em = open_sources(h, g, &from, e)
	    ? NULL
	    : emit_new(&h->own, &from, out, &g->progress, e);
	size_t i;
	int r = em ? 0 : -1;

	for (i = c->n; i-- > 0 && !r;) {
		const struct chain_commit *x = &c->c[i];

		if (x->keep && x->position > span->after &&
		    x->position <= span->upto)
			r = emit_one(&h->own, em, c, i, e);
	}
	emit_free(em);
	close_sources(&from);
	return r;
}

/* --- publishing -------------------------------------------------------------------------- */

/* The two writers of a gathering: the states' objects, and the commits. */
struct outputs {
	struct pack_out *states, *commits;
};

static int
publish_packs(struct history *h, const struct thin_span *span,
    struct outputs *o, struct err *e)
{
	const struct history_commit *tip = &h->tip.public;
	struct pack_span states = { span->after, span->upto, span->time_s,
		span->level };
	struct pack_span commits = { 0, tip->position, tip->time_ms / 1000,
		THIN_LEVEL_CHAIN };
	uint64_t objects, bytes;

	if (pack_out_publish(o->states, &states, &objects, &bytes, e))
		return -1;
	history_count_bytes(h, (int64_t)bytes);
	if (pack_out_publish(o->commits, &commits, &objects, &bytes, e))
		return -1;
	history_count_bytes(h, (int64_t)bytes);
	return 0;
}

static bool
is_new(const struct outputs *o, const struct pack_file *f)
{
	size_t n = strlen(f->name);

	return pack_out_made(o->states, f->name, n) ||
	    pack_out_made(o->commits, f->name, n);
}

/* The set was read before the new packs were there; one may be made again. */
static int
supersede(struct history *h, const struct gathering *g,
    const struct outputs *o, struct err *e)
{
	const struct pack_set *set = &g->set;
	size_t i;

	spare(h, o->states);
	spare(h, o->commits);
	for (i = 0; i < set->n; i++) {
		const struct pack_file *f = &set->files[i];

		if (is_in(g, f) && !is_new(o, f) &&
		    !is_doomed(h, f->name) && thin_doom(h, f->name, e))
			return -1;
	}
	return 0;
}

static void
count_kept(struct history *h, const struct chain *c)
{
	size_t i;

	pthread_mutex_lock(&h->mutex);
	h->commits = 0;
	h->first_ms = 0;
	for (i = 0; i < c->n; i++)
		if (c->c[i].keep && h->commits++ == 0)
			h->first_ms = c->c[i].time_s * 1000;
	pthread_mutex_unlock(&h->mutex);
}

static int
gather(struct history *h, struct gathering *g, struct chain *c, struct err *e)
{
	struct outputs o = { NULL, NULL };
	int r = pack_set_read(h->pack_fd, &g->set, e);

	if (!r) {
		o.states = pack_out_new(h->pack_fd, e);
		o.commits = pack_out_new(h->pack_fd, e);
	}
	if (!o.states || !o.commits || emit_span(h, g, c, o.states, e) ||
	    chain_write(&h->own, c, o.commits, e) ||
	    publish_packs(h, g->span, &o, e) || chain_publish(h, c, e) ||
	    supersede(h, g, &o, e))
		r = -1;
	else
		count_kept(h, c);
	pack_out_free(o.states);
	pack_out_free(o.commits);
	pack_set_release(&g->set);
	return r;
}

int
thin_gather(struct history *h, const struct thin_span *span,
    struct chain *chain, struct err *e)
{
	struct gathering g = { .span = span };

	chain_keep(chain, span->after, span->upto, span->step_s);
	return gather(h, &g, chain, e);
}

int
thin_all(struct history *h, struct chain *chain,
    const struct history_progress *progress, struct err *e)
{
	const struct history_commit *tip = &h->tip.public;
	struct thin_span span = { 0, tip->position, 0,
		THIN_LEVEL_ALL, tip->time_ms / 1000 };

	struct gathering g = { .span = &span, .all = true,
		.progress = *progress };

	return gather(h, &g, chain, e);
}

/* --- merging -------------------------------------------------------------------------------- */

int
thin_merge(struct history *h, const struct pack_file *packs, size_t n,
    unsigned level, struct err *e)
{
	struct pack_out *out = pack_out_new(h->pack_fd, e);
	struct pack_span span = packs[0].span;
	uint64_t objects, bytes;
	size_t i;
	int r = out ? 0 : -1;

	for (i = 0; i < n && !r; i++) {
		const struct pack_span *s = &packs[i].span;

		span.from = s->from < span.from ? s->from : span.from;
		span.to = s->to > span.to ? s->to : span.to;
		span.time_s = s->time_s > span.time_s ? s->time_s :
		    span.time_s;
		r = atomic_load(&h->hurried) ?
		    err_set(e, FAULT_ENDED, "the store is closing") :
		    pack_copy(h->pack_fd, packs[i].name, h->own.odb, out, e);
	}
	span.level = level;
	if (!r)
		r = pack_out_publish(out, &span, &objects, &bytes, e);
	if (!r) {
		history_count_bytes(h, (int64_t)bytes);
		spare(h, out);
	}
	for (i = 0; i < n && !r; i++)
		if (!pack_out_made(out, packs[i].name, strlen(packs[i].name)))
			r = thin_doom(h, packs[i].name, e);
	pack_out_free(out);
	return r;
}
