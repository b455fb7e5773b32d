/*
 * A checkpoint: the state at one position of the journal becomes a commit of
 * the history, then the files up to there are synced, then the redo mark
 * moves, then segments that nobody needs go.  That order is the promise.
 */
#include "checkpoint_internal.h"
#include "parts.h"

#include "store/base/clock.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILES_WAIT_MS = 1000 };

/* --- marks -------------------------------------------------------------------- */

static int
take_time(void *arg, const struct journal_line *line)
{
	static const char BEGIN[] = "{\"at\":";
	int64_t *at_ms = arg;

	if (line->len > sizeof BEGIN)
		*at_ms = strtoll(line->payload + sizeof BEGIN - 1, NULL, 10);
	return 1;
}

/*
 * Whole segments go from what a mark keeps when the journal is long, or they
 * are older than `window_ms`.
 */
static void
let_go(struct store *s, uint64_t to, struct mark_point *mark, int64_t now_ms,
    int64_t window_ms)
{
	uint64_t most = (uint64_t)store_settings(s).journal_bytes;
	uint64_t next;
	int64_t at_ms;
	struct err ignored;

	while (mark->position < to) {
		next = journal_boundary(s->journal, mark->position);
		at_ms = now_ms;
		if (next > to)
			return;
		journal_read(s->journal, next, take_time, &at_ms, NULL,
		    &ignored);
		if (to - mark->position <= most && now_ms - at_ms <= window_ms)
			return;
		*mark = (struct mark_point){next, at_ms};
	}
}

/* Which marks may move, now that all before `to` is in history and files. */
static int
move_marks(struct store *s, uint64_t to, const struct history_made *made,
    struct err *e)
{
	int64_t now_ms = clock_wall_ms();
	struct settings settings = store_settings(s);
	struct mark m;

	journal_marks(s->journal, &m);
	m.redo = (struct mark_point){to, now_ms};
	snprintf(m.commit, sizeof m.commit, "%s", made->id.hex);
	let_go(s, to, &m.feed, now_ms, settings.feed_ms);
	let_go(s, to, &m.pitr, now_ms, settings.pitr_ms);
	if (journal_set_marks(s->journal, &m, e) < 0)
		return -1;
	return journal_release(s->journal, e);
}

/* The commit: 0, and all before *to is in the history. */
static int
make_commit(struct store *s, uint64_t *to, struct history_made *made,
    struct err *e)
{
	struct history_meta meta = {.time_ms = clock_wall_ms()};
	struct checkpoint c;
	int rc;

	pthread_mutex_lock(&s->history_lock);
	rc = checkpoint_begin(&c, s, e);
	if (rc == 0) {
		meta.position = *to = c.to;
		if (planted(PLANT_CHECKPOINT_AHEAD))
			meta.position = journal_end(s->journal);
		rc = history_commit(s->history, checkpoint_next, &c, &meta, made,
		    e);
	}
	checkpoint_end(&c);
	pthread_mutex_unlock(&s->history_lock);
	return rc;
}

/*
 * What a sync that failed has lost no later one brings back, nor what the file
 * threads were never told of: so no mark moves any more, and the next start
 * writes all files since the last one again.  Which file has lost something
 * nobody knows: it may be the index, which is made anew, too, even if the store
 * is killed before it is closed.
 */
static int
sync_files(struct store *s, struct err *e)
{
	struct err ignored;

	if (atomic_load(&s->files_lost))
		return err_set(e, FAULT_READ_ONLY, "files were lost; the "
		    "store is about to be opened again");
	if (planted(PLANT_FILES_UNSYNCED) || files_sync(s->files, e) == 0)
		return 0;
	if (planted(PLANT_FILES_SYNCED_AGAIN))
		return -1;
	atomic_store(&s->files_lost, true);
	atomic_store(&s->broken, true);
	(void)store_distrust_index(s, &ignored);
	return -1;
}

int
checkpoint_take(struct store *s, struct err *e)
{
	struct history_made made;
	int64_t start_ms = clock_mono_ms();
	uint64_t to = 0;

	if (atomic_load(&s->visible) == 0)
		return 0;	/* nothing was ever written */
	if (make_commit(s, &to, &made, e) < 0)
		return -1;
	mirrors_wake(s->mirrors);
	while (!planted(PLANT_FILES_NOT_AWAITED) &&
	    !filework_wait(s->filework, to, FILES_WAIT_MS)) {
		struct filework_status w;

		filework_status(s->filework, &w);
		if (w.error)
			return err_set(e, w.error, "files wait: %s", w.text);
	}
	if (sync_files(s, e) < 0 || move_marks(s, to, &made, e) < 0)
		return -1;
	pthread_mutex_lock(&s->lock);
	s->checkpoint_ms = clock_mono_ms() - start_ms;
	pthread_mutex_unlock(&s->lock);
	return 0;
}
