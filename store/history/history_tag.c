/*
 * Backups (tags) and states that are held for a restore.  Written in the
 * checkpoint's thread only.
 */
#include "history_read.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>

enum { REF_SIZE = HISTORY_TAG_MAX + 32 };

static int
writable(const struct history *h, struct err *e)
{
	return h->read_only ? err_set(e, FAULT_READ_ONLY,
	    "the history is open for reading only") : 0;
}

/* --- backups -------------------------------------------------------------------- */

static bool
good_tag(const char *name)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char ref[REF_SIZE];
	size_t n = strlen(name);
	int64_t time_ms;

	if (n == 0 || n > HISTORY_TAG_MAX || strspn(name, LETTERS) != n ||
	    strchr("._-", name[0]))
		return false;
	snprintf(ref, sizeof ref, HISTORY_TAGS "%s", name);
	return git_reference_is_valid_name(ref) && !history_is_id(name) &&
	    !history_read_time(name, &time_ms);
}

static int
tag_ref(const char *name, char *ref, struct err *e)
{
	if (!good_tag(name))
		return err_set(e, FAULT_VALIDATION, "not a name of a backup:"
		    " %.100s (letters, digits, '.', '_', '-')", name);
	snprintf(ref, REF_SIZE, HISTORY_TAGS "%s", name);
	return 0;
}

int
history_tag(struct history *h, const char *name,
    const struct history_id *commit, struct err *e)
{
	char ref[REF_SIZE];
	struct history_raw raw;
	git_oid id, there;
	int r;

	if (writable(h, e) || tag_ref(name, ref, e) ||
	    history_id_get(commit, &id, e) ||
	    history_read_commit(&h->own, &id, &raw, e))
		return -1;
	r = history_ref_read(&h->own, ref, &there, e);
	if (r > 0)
		return err_set(e, FAULT_IN_USE,
		    "there is a backup called %s already", name);
	return r < 0 ? -1 : history_ref_write(h, ref, &id, e);
}

int
history_untag(struct history *h, const char *name, struct err *e)
{
	char ref[REF_SIZE];
	git_oid there;
	int r;

	if (writable(h, e) || tag_ref(name, ref, e))
		return -1;
	r = history_ref_read(&h->own, ref, &there, e);
	if (r == 0)
		return err_set(e, FAULT_NOT_FOUND,
		    "there is no backup called %s", name);
	return r < 0 ? -1 : history_ref_remove(h, ref, e);
}

struct tags {
	struct history_view *view;
	history_tag_fn *fn;
	void *ctx;
};

/* A tag of something else, pushed by somebody, is passed over. */
static int
tell_tag(void *ctx, const char *name, const git_oid *id)
{
	const struct tags *t = ctx;
	struct history_raw raw;
	struct err ignored;

	if (history_read_commit(t->view, id, &raw, &ignored))
		return 0;
	return t->fn(t->ctx, name + strlen(HISTORY_TAGS), &raw.public);
}

int
history_tags(struct history *h, history_tag_fn *fn, void *ctx, struct err *e)
{
	struct history_view v;
	struct tags t = { &v, fn, ctx };
	int r;

	if (history_view_open(h, &v, e))
		return -1;
	r = history_refs(&v, HISTORY_TAGS, tell_tag, &t, e);
	history_view_close(&v);
	return r;
}

/* --- holds ---------------------------------------------------------------------- */

static void
held_ref(const struct history_id *held, char *ref)
{
	snprintf(ref, REF_SIZE, HISTORY_HELD "%s", held->hex);
}

/* A commit without a parent, unlike any other: no rewriting reaches it. */
static int
make_held(struct history *h, const struct history_raw *raw, git_oid *id,
    struct err *e)
{
	const struct history_commit *tip = &h->tip.public;
	struct pack_span span = { tip->position, tip->position,
		tip->time_ms / 1000, 0 };
	struct pack_out *out = pack_out_new(h->pack_fd, e);
	uint64_t objects, bytes;
	char message[128];
	struct buf b;
	int r = -1;

	if (!out)
		return -1;
	buf_init(&b, 4096);
	snprintf(message, sizeof message, "held, number %u at %lld\n\n"
	    "Bothy-Position: %llu\n", ++h->holds,
	    (long long)clock_wall_ms(),
	    (unsigned long long)raw->public.position);
	if (!history_commit_bytes(&raw->tree, NULL, raw->public.time_ms / 1000,
	    message, &b, e) &&
	    !pack_out_add(out, GIT_OBJECT_COMMIT, b.data, b.len, id, e) &&
	    !pack_out_publish(out, &span, &objects, &bytes, e)) {
		history_count_bytes(h, (int64_t)bytes);
		r = 0;
	}
	buf_release(&b);
	pack_out_free(out);
	return r;
}

int
history_hold(struct history *h, const struct history_id *commit,
    struct history_id *held, struct err *e)
{
	char ref[REF_SIZE];
	struct history_raw raw;
	git_oid id;

	if (writable(h, e) || history_id_get(commit, &id, e) ||
	    history_read_commit(&h->own, &id, &raw, e) ||
	    make_held(h, &raw, &id, e))
		return -1;
	history_id_set(held, &id);
	held_ref(held, ref);
	return history_ref_write(h, ref, &id, e);
}

int
history_release(struct history *h, const struct history_id *held,
    struct err *e)
{
	char ref[REF_SIZE];
	git_oid id;

	if (writable(h, e) || history_id_get(held, &id, e))
		return -1;
	held_ref(held, ref);
	return history_ref_remove(h, ref, e);
}
