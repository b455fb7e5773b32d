/*
 * The start of a store: is the index to be trusted, which tables are there,
 * and what in the journal has not reached index and files yet.
 *
 * A trusted index is brought up to the journal's end.  Another is wiped and
 * made again: from the files, which are right up to the redo mark but for
 * what changed since, and from the journal, which has all of that.
 */
#include "store_internal.h"

#include "store/base/plant.h"
#include "store/index/stamp.h"
#include "store/value/fault.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* --- tables ---------------------------------------------------------------------------- */

static int
load_table(void *arg, const struct text *name, const struct text *note,
    struct err *e)
{
	struct store *s = arg;
	struct unit u = {.kind = UNIT_TABLE, .table = *note};

	(void)name;
	return apply_table(s, &u, e);
}

/* From the notes of a trusted index. */
static int
load_tables(struct store *s, struct err *e)
{
	struct index_view *v = index_view_new(s->index, e);
	uint64_t position;
	int rc = -1;

	if (v && index_read_begin(v, e) == 0) {
		rc = index_position(v, &position, e);
		if (rc == 0)
			rc = index_note_each(v, &(struct text){"table/", 6},
			    load_table, s, e);
		if (rc == 0)
			atomic_store(&s->visible, position);
		index_read_end(v);
	}
	index_view_free(v);
	return rc ? -1 : 0;
}

/* The files are told how many documents each table has. */
static int
tell_files(struct store *s, struct err *e)
{
	struct index_view *v = index_view_new(s->index, e);
	struct catalog *c = catalog_hold(&s->catalog);
	struct index_counts n;
	int rc = -1;
	size_t i;

	if (v && index_read_begin(v, e) == 0) {
		for (rc = 0, i = 0; rc == 0 && i < c->count; i++) {
			const struct table *t = c->entries[i].table;

			rc = index_counts(v, t->id, 0, &n, e);
			if (rc == 0 &&
			    !files_table(s->files, t->name, n.items, e))
				rc = -1;
		}
		index_read_end(v);
	}
	catalog_release(&s->catalog, c);
	index_view_free(v);
	return rc;
}

/* --- the start --------------------------------------------------------------------------- */

static int
stamp_open(struct store *s, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/index", s->dir);
	if (planted(PLANT_STAMP_STAYS_CLEAN))
		return 0;
	return stamp_write(path, STAMP_OPEN, e);
}

/* One that isn't trusted is empty, and has no stamp until it is whole. */
static int
open_index(struct store *s, bool *trusted, struct err *e)
{
	struct index_options o = {.read_only = s->options.read_only};
	char path[PATH_MAX];
	struct err why;

	snprintf(path, sizeof path, "%s/index", s->dir);
	*trusted = stamp_trusted(path, &why);
	if (s->options.read_only) {
		if (!*trusted)
			return err_set(e, FAULT_READ_ONLY, "%s: the index is "
			    "to be made again, which writes: %s", s->dir,
			    why.text);
	} else {
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "%s", path);
		if (!*trusted && index_wipe(path, e) < 0)
			return -1;
	}
	s->index = index_open(path, &o, e);
	if (!s->index && e->code == EUCLEAN && !s->options.read_only) {
		*trusted = false;	/* damaged, or of another version */
		if (index_wipe(path, e) < 0)
			return -1;
		s->index = index_open(path, &o, e);
	}
	if (!s->index)
		return -1;
	return s->options.read_only || !*trusted ? 0 : stamp_open(s, e);
}

int
recover(struct store *s, struct err *e)
{
	struct mark m;
	bool trusted;

	journal_marks(s->journal, &m);
	atomic_store(&s->now_ms, m.redo.at_ms);
	if (open_index(s, &trusted, e) < 0)
		return -1;
	if (trusted && load_tables(s, e) < 0)
		return -1;
	if (atomic_load(&s->visible) > journal_end(s->journal))
		return err_set(e, EUCLEAN, "%s: the index is ahead of the "
		    "journal, which has lost its end; remove %s/index and "
		    "start again", s->dir, s->dir);
	if (!trusted) {
		if (rebuild(s, m.redo.position, e) < 0 ||
		    rebuild_lost(s, m.redo.position, e) < 0 ||
		    apply_memory(s, m.redo.position, e) < 0 ||
		    stamp_open(s, e) < 0)
			return -1;
		atomic_store(&s->visible, m.redo.position);
	}
	if (tell_files(s, e) < 0)
		return -1;
	if (s->options.read_only)
		return 0;
	atomic_store(&s->dropping, true);
	if (apply_journal(s, m.redo.position,
	        !planted(PLANT_FILES_NOT_REDONE), e) < 0)
		return -1;
	return apply_verify_filled(s, e);
}
