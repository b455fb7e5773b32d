/*
 * A checkpoint's commit.  Runs in the checkpoint's thread, beside writers that
 * it never waits for.  The order is the promise: pack and index synced, their
 * directory, then the branch.
 */
#include "history_edit.h"

#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MESSAGE_BYTES = 32 * 1024 };

/* --- the changes ------------------------------------------------------------------ */

static bool
good_name(const char *p, size_t n)
{
	if (n == 0 || n > 255)
		return false;
	if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
		return false;
	return !(n >= 4 && (strncasecmp(p, ".git", 4) == 0 ||
	    strncasecmp(p, "git~", 4) == 0));
}

static int
check_path(const struct history_change *c, struct err *e)
{
	const char *p = c->path;
	size_t left = strnlen(p, HISTORY_PATH_MAX + 1), depth = 0, n;

	if (left > HISTORY_PATH_MAX)
		return err_set(e, FAULT_VALIDATION, "a path of over %d bytes",
		    HISTORY_PATH_MAX);
	for (;;) {
		n = strcspn(p, "/");
		if (!good_name(p, n) || ++depth > HISTORY_DEPTH_MAX)
			return err_set(e, FAULT_VALIDATION,
			    "not a path of a document: %.200s", c->path);
		if (!p[n] || (!p[n + 1] && !c->bytes))
			return 0;
		p += n + 1;
	}
}

/* Blobs go to the pack as they come; what is sorted is small. */
static int
take_changes(struct edit *ed, history_next *next, void *ctx, struct err *e)
{
	struct history_change c;
	git_oid id;
	int r;

	while ((r = next(ctx, &c, e)) > 0) {
		if (check_path(&c, e))
			return -1;
		if (c.bytes && pack_out_add(ed->out, GIT_OBJECT_BLOB, c.bytes,
		    c.n, &id, e))
			return -1;
		if (sort_add(ed->changes, c.path, c.bytes ? &id : NULL, e))
			return -1;
	}
	return r < 0 ? -1 : sort_rewind(ed->changes, e);
}

/* --- the commit ---------------------------------------------------------------- */

struct plan {
	const struct history_meta *meta;
	const struct history_raw *tip;	/* NULL: there is none */
	struct history_raw new;
};

static int
add_commit(struct edit *ed, struct plan *p, struct err *e)
{
	struct buf message, bytes;
	int64_t time_s = p->meta->time_ms / 1000;
	int r = -1;

	if (p->tip && time_s < p->tip->public.time_ms / 1000)
		time_s = p->tip->public.time_ms / 1000;
	buf_init(&message, MESSAGE_BYTES);
	buf_init(&bytes, MESSAGE_BYTES + 1024);
	if (message_finish(ed->message, p->meta->note, p->meta->position,
	    &message, e) || history_commit_bytes(&p->new.tree,
	    p->tip ? &p->tip->id : NULL, time_s, buf_str(&message), &bytes, e))
		goto out;
	r = pack_out_add(ed->out, GIT_OBJECT_COMMIT, bytes.data, bytes.len,
	    &p->new.id, e);
	p->new.public.position = p->meta->position;
	p->new.public.time_ms = time_s * 1000;
	history_id_set(&p->new.public.id, &p->new.id);
	snprintf(p->new.public.subject, sizeof p->new.public.subject, "%.*s",
	    (int)strcspn(buf_str(&message), "\n"), buf_str(&message));
	if (p->tip) {
		p->new.has_parent = true;
		git_oid_cpy(&p->new.parent, &p->tip->id);
	}
out:
	buf_release(&message);
	buf_release(&bytes);
	return r;
}

static bool
changes_nothing(const struct plan *p)
{
	return p->tip && !p->meta->note &&
	    p->meta->position == p->tip->public.position &&
	    git_oid_equal(&p->new.tree, &p->tip->tree);
}

/* From here on it lasts. */
static int
publish(struct history *h, struct edit *ed, struct plan *p,
    struct history_made *made, struct err *e)
{
	struct pack_span span = { p->tip ? p->tip->public.position : 0,
		p->meta->position, p->new.public.time_ms / 1000, 0 };

	if (pack_out_publish(ed->out, &span, &made->objects, &made->bytes, e))
		return -1;
	history_count_bytes(h, (int64_t)made->bytes);
	h->since_tidy++;
	if (history_ref_write(h, HISTORY_MAIN, &p->new.id, e))
		return -1;
	history_tip_set(h, &p->new);
	pthread_mutex_lock(&h->mutex);
	if (h->commits >= 0 && h->commits++ == 0)
		h->first_ms = p->new.public.time_ms;
	pthread_mutex_unlock(&h->mutex);
	return 0;
}

static int
commit(struct history *h, struct edit *ed, struct plan *p,
    struct history_made *made, struct err *e)
{
	bool from_old = p->tip && !p->meta->whole;

	if (edit_tree(ed, from_old ? &p->tip->tree : NULL, &p->new.tree, e))
		return -1;
	memset(made, 0, sizeof *made);
	made->changes = ed->changed;
	if (changes_nothing(p)) {
		made->id = p->tip->public.id;
		return 0;
	}
	if (add_commit(ed, p, e) || publish(h, ed, p, made, e))
		return -1;
	made->id = p->new.public.id;
	return 0;
}

static int
check_meta(struct history *h, const struct history_meta *m, struct err *e)
{
	if (h->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the history is open for reading only");
	if (m->position == 0 ||
	    (h->has_tip && m->position < h->tip.public.position))
		return err_set(e, FAULT_INTERNAL,
		    "a checkpoint at %llu, behind the history's at %llu",
		    (unsigned long long)m->position,
		    (unsigned long long)h->tip.public.position);
	return 0;
}

int
history_commit(struct history *h, history_next *next, void *ctx,
    const struct history_meta *m, struct history_made *made, struct err *e)
{
	struct sort changes;
	struct message message;
	struct plan plan;
	struct edit ed;
	int r = -1;

	if (check_meta(h, m, e))
		return -1;
	memset(&plan, 0, sizeof plan);
	plan.meta = m;
	plan.tip = h->has_tip ? &h->tip : NULL;
	memset(&ed, 0, sizeof ed);
	sort_init(&changes, h->dir_fd);
	message_init(&message);
	ed.view = &h->own;
	ed.changes = &changes;
	ed.message = &message;
	ed.out = pack_out_new(h->pack_fd, e);
	if (ed.out && !take_changes(&ed, next, ctx, e))
		r = commit(h, &ed, &plan, made, e);
	pack_out_free(ed.out);
	message_release(&message);
	sort_release(&changes);
	return r;
}
