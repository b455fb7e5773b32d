/*
 * The chain of thin_chain.h.  Runs in upkeep.
 */
#include "thin_chain.h"

#include "history_read.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 64 * 1024 };

/* --- loading ------------------------------------------------------------------------ */

struct loading {
	struct history_view *view;
	struct chain *chain;
	struct err *err;
};

static int
load_one(void *ctx, const struct history_raw *raw)
{
	const struct loading *l = ctx;
	struct chain *c = l->chain;
	struct chain_commit *x = c->c;

	if (c->n == c->room) {
		size_t room = c->room ? c->room * 2 : 1024;

		x = realloc(x, room * sizeof *x);
		if (!x)
			return err_set(l->err, ENOMEM,
			    "no memory to list the commits");
		c->c = x;
		c->room = room;
	}
	x = &c->c[c->n++];
	memset(x, 0, sizeof *x);
	git_oid_cpy(&x->id, &raw->id);
	git_oid_cpy(&x->tree, &raw->tree);
	x->position = raw->public.position;
	x->time_s = raw->public.time_ms / 1000;
	x->keep = true;
	return 0;
}

static void
reverse(struct chain *c)
{
	size_t i;

	for (i = 0; i < c->n / 2; i++) {
		struct chain_commit swap = c->c[i];

		c->c[i] = c->c[c->n - 1 - i];
		c->c[c->n - 1 - i] = swap;
	}
}

/* The commit of a tag: the very one, or (after a crash) its successor. */
static bool
find(const struct chain *c, const struct history_raw *raw, size_t *at)
{
	size_t i, same = c->n;

	for (i = c->n; i-- > 0;) {
		if (git_oid_equal(&c->c[i].id, &raw->id)) {
			*at = i;
			return true;
		}
		if (c->c[i].position == raw->public.position &&
		    git_oid_equal(&c->c[i].tree, &raw->tree))
			same = i;
	}
	*at = same;
	return same < c->n;
}

static struct chain_tag *
new_tag(const char *name, const git_oid *id, size_t at)
{
	struct chain_tag *t = malloc(sizeof *t);

	if (!t)
		return NULL;
	snprintf(t->ref, sizeof t->ref, "%s", name);
	git_oid_cpy(&t->id, id);
	t->at = at;
	return t;
}

/* A tag of one of the chain's commits. */
static bool
is_ours(const struct loading *l, const char *name, const git_oid *id,
    size_t *at)
{
	struct history_raw raw;
	struct err ignored;

	return strncmp(name, HISTORY_TAGS, strlen(HISTORY_TAGS)) == 0 &&
	    strlen(name) < sizeof l->chain->tags->ref &&
	    !history_read_commit(l->view, id, &raw, &ignored) &&
	    find(l->chain, &raw, at);
}

static int
load_ref(void *ctx, const char *name, const git_oid *id)
{
	const struct loading *l = ctx;
	struct chain *c = l->chain;
	struct chain_tag *t = NULL;
	size_t at;

	if (strcmp(name, HISTORY_MAIN) == 0)
		return 0;
	if (is_ours(l, name, id, &at))
		t = new_tag(name, id, at);
	if (!t) {
		c->foreign = true;
		return 0;
	}
	t->next = c->tags;
	c->tags = t;
	c->c[at].tagged = true;
	return 0;
}

int
chain_load(struct history_view *v, struct chain *c, struct err *e)
{
	struct loading l = { v, c, e };

	memset(c, 0, sizeof *c);
	if (history_walk(v, load_one, &l, e))
		return -1;
	reverse(c);
	return history_refs(v, "refs/", load_ref, &l, e);
}

void
chain_release(struct chain *c)
{
	struct chain_tag *t;
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->c[i].message);
	free(c->c);
	while ((t = c->tags)) {
		c->tags = t->next;
		free(t);
	}
	memset(c, 0, sizeof *c);
}

/* --- thinning ------------------------------------------------------------------------ */

size_t
chain_keep(struct chain *c, uint64_t after, uint64_t upto, int64_t step_s)
{
	const struct chain_commit *newer = NULL;
	size_t i, dropped = 0;

	for (i = c->n; i-- > 0;) {
		struct chain_commit *x = &c->c[i];

		if (x->position <= after || x->position > upto)
			continue;
		x->keep = !newer || x->tagged || !step_s ||
		    x->time_s / step_s != newer->time_s / step_s;
		if (x->keep)
			newer = x;
		else
			dropped++;
	}
	return dropped;
}

const struct chain_commit *
chain_before(const struct chain *c, size_t at)
{
	while (at-- > 0)
		if (c->c[at].keep)
			return &c->c[at];
	return NULL;
}

/* --- writing -------------------------------------------------------------------------- */

/* The message behind the header of a commit's bytes, which end in '\0'. */
static const char *
message_of(git_odb_object *o)
{
	const char *body = strstr(git_odb_object_data(o), "\n\n");

	return body ? body + 2 : "";
}

static int
write_one(struct history_view *v, struct chain_commit *x,
    const git_oid *parent, struct pack_out *out, struct err *e)
{
	git_odb_object *o;
	struct buf bytes;
	int r;

	if (history_object(v, &x->id, GIT_OBJECT_COMMIT, &o, e))
		return -1;
	buf_init(&bytes, MESSAGE_BYTES + 1024);
	r = history_commit_bytes(&x->tree, parent, x->time_s,
	    x->message ? x->message : message_of(o), &bytes, e);
	if (!r)
		r = pack_out_add(out, GIT_OBJECT_COMMIT, bytes.data,
		    bytes.len, &x->new_id, e);
	buf_release(&bytes);
	git_odb_object_free(o);
	return r;
}

int
chain_write(struct history_view *v, struct chain *c, struct pack_out *out,
    struct err *e)
{
	const git_oid *parent = NULL;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (!c->c[i].keep)
			continue;
		if (write_one(v, &c->c[i], parent, out, e))
			return -1;
		parent = &c->c[i].new_id;
	}
	return 0;
}

/* Main goes first: a tag of the old chain is found again by its position. */
int
chain_publish(struct history *h, const struct chain *c, struct err *e)
{
	const struct chain_commit *tip = &c->c[c->n - 1];
	const struct chain_tag *t;

	if (!git_oid_equal(&tip->id, &tip->new_id) &&
	    history_ref_write(h, HISTORY_MAIN, &tip->new_id, e))
		return -1;
	for (t = c->tags; t; t = t->next) {
		const git_oid *now = &c->c[t->at].new_id;

		if (!git_oid_equal(&t->id, now) &&
		    history_ref_write(h, t->ref, now, e))
			return -1;
	}
	return history_tip_read(h, e);
}
