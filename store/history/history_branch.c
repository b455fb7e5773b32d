/*
 * Branches that others push: documents edited elsewhere, to be merged into the
 * store by the engine.  Read in any thread, removed in the checkpoint's.
 */
#include "history_internal.h"

#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>

enum {
	NAME_MAX_BYTES = 200,
	COMMITS_MAX = 10000		/* of theirs, above one of ours */
};

struct imports {
	struct history_view *view;
	history_import_fn *fn;
	void *ctx;
};

/*
 * Ours are the commits with a position.  (Who forges one says only what their
 * own edits are to be compared with.)
 */
static void
find_base(struct history_view *v, const git_oid *tip,
    struct history_commit *base)
{
	struct history_raw raw;
	struct err ignored;
	git_oid id;
	unsigned i;

	memset(base, 0, sizeof *base);
	git_oid_cpy(&id, tip);
	for (i = 0; i < COMMITS_MAX; i++) {
		if (history_read_commit(v, &id, &raw, &ignored))
			return;
		if (raw.public.position) {
			*base = raw.public;
			return;
		}
		if (!raw.has_parent)
			return;
		git_oid_cpy(&id, &raw.parent);
	}
}

static int
tell_import(void *ctx, const char *ref, const git_oid *id)
{
	const struct imports *i = ctx;
	struct history_import import;

	import.name = ref + strlen(HISTORY_IMPORTS);
	history_id_set(&import.tip, id);
	find_base(i->view, id, &import.base);
	return i->fn(i->ctx, &import);
}

int
history_imports(struct history *h, history_import_fn *fn, void *ctx,
    struct err *e)
{
	struct history_view v;
	struct imports i = { &v, fn, ctx };
	int r;

	if (history_view_open(h, &v, e))
		return -1;
	r = history_refs(&v, HISTORY_IMPORTS, tell_import, &i, e);
	history_view_close(&v);
	return r;
}

int
history_import_done(struct history *h, const char *name, struct err *e)
{
	char ref[NAME_MAX_BYTES + sizeof HISTORY_IMPORTS];
	git_oid id;
	int r;

	if (h->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the history is open for reading only");
	if (strlen(name) > NAME_MAX_BYTES)
		return err_set(e, FAULT_VALIDATION, "a name too long");
	snprintf(ref, sizeof ref, HISTORY_IMPORTS "%s", name);
	r = history_ref_read(&h->own, ref, &id, e);
	if (r == 0)
		return err_set(e, FAULT_NOT_FOUND,
		    "there is no import called %s", name);
	return r < 0 ? -1 : history_ref_remove(h, ref, e);
}
