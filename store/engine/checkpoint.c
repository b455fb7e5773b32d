/*
 * The checkpoint thread: from time to time the state at one position of the
 * journal becomes a commit of the history, then the files up to there are
 * synced, then the redo mark moves, then segments that nobody needs go.
 *
 * All is read from one snapshot of the index, whose position P is a boundary
 * of units.  What changed is read from the journal since the last commit; a
 * document that changed several times is told once, at its newest line; of one
 * that is gone each line tells it, so that nothing has to be remembered.
 */
#include "store_internal.h"

#include "store/base/clock.h"
#include "store/base/plant.h"
#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 1000,
	SHARE = 5,			/* of a core: a fifth */
	PERIOD_MOST_MS = 60000,
	UNIT_ROOM = 512 << 20,
	AHEAD = 512,			/* lines of the journal read at once */
	AHEAD_BYTES = 4 << 20,
	PLAIN_MAX = 8 << 20,
	FILES_WAIT_MS = 1000,
	FLAT_MAX = 1000,		/* documents of a table without... */
	ONE_MAX = 100000		/* ... and with one directory between */
};

/* A table as the snapshot knows it. */
struct laid {
	struct table *table;
	unsigned level;			/* of its documents in the history */
	bool anew;			/* all of it is told: the level grew */
	bool told;			/* its own file is */
	struct laid *next;
};

struct checkpoint {
	struct store *s;
	struct index_view *view;
	uint64_t from, to;
	struct laid *tables;
	/* what history_commit pulls */
	uint64_t at;			/* in the journal */
	struct buf lines;		/* read ahead, one behind the other */
	struct ahead {
		uint64_t position;
		size_t begin, len;
	} ahead[AHEAD];
	size_t nahead, used;
	struct unit unit;		/* of one of them, at `from` */
	size_t change;
	struct arena arena;		/* of the unit */
	struct arena item_arena;
	struct laid *whole;		/* the table that is told anew */
	int stage;
	struct index_cursor *cursor;
	char path[PATH_MAX_BYTES];
	struct buf plain;
};

/* --- tables of the snapshot -------------------------------------------------- */

/* <table>/.fanout of the history: level, and the table's number. */
static int
read_fanout(const char *text, uint64_t id)
{
	char *end;
	long level = strtol(text, &end, 10);

	return *end == ' ' && strtoull(end, NULL, 10) == id ? (int)level : -1;
}

static unsigned
level_for(uint64_t documents)
{
	return documents <= FLAT_MAX ? 0 : documents <= ONE_MAX ? 1 : 2;
}

/*
 * The level that the history's newest commit has for the table; -1: none, or
 * of another table of that name, which is gone since.  *any: of either.
 */
static int
level_in_history(struct checkpoint *c, const char *dir, uint64_t id,
    bool *any)
{
	char path[PATH_MAX_BYTES];
	const char *const one[1] = {path};
	struct history_commit tip;
	struct err e;
	int level = -1;

	snprintf(path, sizeof path, "%s/.fanout", dir);
	buf_reset(&c->plain);
	*any = history_tip(c->s->history, &tip, &e) == 1 &&
	    history_get(c->s->history, &tip.id,
	        (struct history_paths){one, 1}, &c->plain, &e) == 1;
	if (*any)
		level = read_fanout(buf_str(&c->plain), id);
	buf_reset(&c->plain);
	return level;
}

static int
take_table(void *arg, const struct text *name, const struct text *note,
    struct err *e)
{
	struct checkpoint *c = arg;
	struct laid *l = calloc(1, sizeof *l);
	char dir[PATH_NAME_MAX + 1];
	struct index_counts n;
	int before;
	bool any;

	(void)name;
	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	l->next = c->tables;
	c->tables = l;
	l->table = table_read(note->p, note->n, e);
	if (!l->table ||
	    index_counts(c->view, l->table->id, 0, &n, e) < 0)
		return -1;
	path_table(l->table->name, dir);
	before = level_in_history(c, dir, l->table->id, &any);
	if (!l->table->history) {
		l->anew = any;		/* what was there goes */
		return 0;
	}
	l->level = level_for(n.items);
	if (before > (int)l->level)
		l->level = (unsigned)before;
	l->anew = before != (int)l->level;
	return 0;
}

static struct laid *
laid_of(struct checkpoint *c, uint64_t id)
{
	struct laid *l;

	for (l = c->tables; l && l->table->id != id; l = l->next)
		;
	return l;
}

/* --- what history_commit pulls ------------------------------------------------- */

static int
path_of(struct checkpoint *c, const struct laid *l, const struct value *item,
    struct err *e)
{
	char dir[PATH_NAME_MAX + 1];
	struct path_key key;
	struct path_name name;

	if (path_key_of(l->table, item, &key) < 0 ||
	    path_name(&key, &name) < 0 || path_table(l->table->name, dir) < 0)
		return err_set(e, FAULT_INTERNAL, "%s: a document without a "
		    "key", l->table->name);
	path_write(c->path, dir, l->level, &name);
	return 0;
}

/* The document as its file has it, into *out. */
static int
tell_item(struct checkpoint *c, const struct laid *l,
    const struct text *bytes, struct history_change *out, struct err *e)
{
	struct value item;

	arena_reset(&c->item_arena);
	if (typed_read_item(&c->item_arena, bytes->p, bytes->n, &item, e) < 0)
		return -1;
	buf_reset(&c->plain);
	if (path_of(c, l, &item, e) < 0)
		return -1;
	if (plain_write(&c->plain, &item) < 0 || !buf_ok(&c->plain))
		return err_set(e, ENOMEM, "out of memory");
	*out = (struct history_change){c->path, c->plain.data, c->plain.len};
	return 1;
}

/* A table that is told anew: what was, its settings, then each document. */
static int
next_of_table(struct checkpoint *c, struct history_change *out, struct err *e)
{
	struct laid *l = c->whole;
	char dir[PATH_NAME_MAX + 1];
	struct index_entry entry;
	struct key_range all;
	int rc;

	path_table(l->table->name, dir);
	buf_reset(&c->plain);
	switch (c->stage++) {
	case 0:
		snprintf(c->path, sizeof c->path, "%s/", dir);
		*out = (struct history_change){c->path, NULL, 0};
		return 1;
	case 1:
		if (!l->table->history)
			return 0;
		snprintf(c->path, sizeof c->path, "%s/.fanout", dir);
		buf_printf(&c->plain, "%u %" PRIu64 "\n", l->level,
		    l->table->id);
		*out = (struct history_change){c->path, c->plain.data,
		    c->plain.len};
		return 1;
	case 2:
		snprintf(c->path, sizeof c->path, "%s/" PATH_TABLE_FILE, dir);
		table_write(l->table, &c->plain);
		buf_putc(&c->plain, '\n');
		*out = (struct history_change){c->path, c->plain.data,
		    c->plain.len};
		l->told = true;
		return 1;
	case 3:
		arena_reset(&c->arena);
		if (key_range_scan(&c->arena, l->table, NULL, 0, 1, &all, e) <
		    0)
			return -1;
		c->cursor = index_cursor_open(c->view, NULL, &all, false, e);
		if (!c->cursor)
			return -1;
		break;
	}
	rc = index_cursor_next(c->cursor, &entry, e);
	if (rc > 0)
		return tell_item(c, l, &entry.record.item, out, e);
	index_cursor_close(c->cursor);
	c->cursor = NULL;
	return rc;
}

/* 1 with a change; 0: it is told elsewhere, or nothing; -1. */
static int
tell_change(struct checkpoint *c, const struct change *change,
    uint64_t position, struct history_change *out, struct err *e)
{
	struct laid *l = laid_of(c, change->table_id);
	struct index_record r;
	struct text key;
	int rc;

	if (!l || !l->table->history || l->anew)
		return 0;
	if (key_item(&c->arena, l->table,
	        change->bytes.p ? &change->item : &change->key, &key, e) < 0)
		return -1;
	rc = index_get(c->view, &key, &r, e);
	if (rc > 0)
		return r.position == position ? tell_item(c, l, &r.item, out, e)
		                              : 0;
	if (rc < 0 || path_of(c, l, change->bytes.p ? &change->item
	                                           : &change->key, e) < 0)
		return -1;
	*out = (struct history_change){c->path, NULL, 0};
	return 1;
}

static int
tell_unit(struct checkpoint *c, struct history_change *out, struct err *e)
{
	char dir[PATH_NAME_MAX + 1], name[TABLE_NAME_MAX + 1];
	const struct unit *u = &c->unit;
	struct laid *l;
	struct table *t;
	uint64_t id;

	if (c->change++)
		return 0;
	if (u->kind == UNIT_DROP) {
		snprintf(name, sizeof name, "%.*s", (int)u->name.n, u->name.p);
		for (l = c->tables; l; l = l->next)
			if (strcmp(l->table->name, name) == 0)
				return 0;	/* told anew */
		path_table(name, dir);
		snprintf(c->path, sizeof c->path, "%s/", dir);
		*out = (struct history_change){c->path, NULL, 0};
		return 1;
	}
	t = table_read(u->table.p, u->table.n, e);
	if (!t)
		return -1;
	id = t->id;
	table_free(t);
	l = laid_of(c, id);
	if (!l || !l->table->history || l->anew || l->told)
		return 0;
	l->told = true;
	path_table(l->table->name, dir);
	snprintf(c->path, sizeof c->path, "%s/" PATH_TABLE_FILE, dir);
	buf_reset(&c->plain);
	table_write(l->table, &c->plain);
	buf_putc(&c->plain, '\n');
	*out = (struct history_change){c->path, c->plain.data, c->plain.len};
	return 1;
}

static int
keep_line(void *arg, const struct journal_line *line)
{
	struct checkpoint *c = arg;

	if (line->position >= c->to)
		return 1;
	c->ahead[c->nahead++] = (struct ahead){line->position, c->lines.len,
	    line->len};
	buf_add(&c->lines, line->payload, line->len);
	c->at = line->next;
	return c->nahead == AHEAD || c->lines.len > AHEAD_BYTES;
}

static int
read_ahead(struct checkpoint *c, struct err *e)
{
	c->nahead = c->used = 0;
	buf_reset(&c->lines);
	if (c->at < c->to &&
	    journal_read(c->s->journal, c->at, keep_line, c, NULL, e) < 0)
		return -1;
	return buf_ok(&c->lines) ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* The next unit of the journal: 1, 0 at the end, -1. */
static int
next_unit(struct checkpoint *c, struct err *e)
{
	const struct ahead *next;

	if (c->used == c->nahead && read_ahead(c, e) < 0)
		return -1;
	if (c->used == c->nahead)
		return 0;
	next = &c->ahead[c->used++];
	c->from = next->position;
	c->change = 0;
	arena_reset(&c->arena);
	return unit_read(&c->arena, c->lines.data + next->begin, next->len,
	           &c->unit, e) < 0
	    ? -1
	    : 1;
}

static int
next_change(void *ctx, struct history_change *out, struct err *e)
{
	struct checkpoint *c = ctx;
	int rc;

	while (c->whole) {
		if (c->whole->anew && (rc = next_of_table(c, out, e)) != 0)
			return rc;
		c->whole = c->whole->next;
		c->stage = 0;
	}
	for (;;) {
		if (c->unit.kind != UNIT_CHANGES &&
		    (rc = tell_unit(c, out, e)) != 0)
			return rc;
		while (c->change < c->unit.count) {
			if (planted(PLANT_CHECKPOINT_IN_UNIT) && c->change &&
			    c->at == c->to && c->used == c->nahead)
				return 0;
			rc = tell_change(c, &c->unit.changes[c->change++],
			    c->from, out, e);
			if (rc)
				return rc;
		}
		rc = next_unit(c, e);
		if (rc <= 0)
			return rc;
	}
}

/* --- one checkpoint -------------------------------------------------------------- */

static int
begin(struct checkpoint *c, struct store *s, struct err *e)
{
	struct history_commit tip = {0};
	int rc;

	*c = (struct checkpoint){.s = s};
	buf_init(&c->lines, JOURNAL_LINE_MAX + AHEAD_BYTES + 1);
	buf_init(&c->plain, PLAIN_MAX);
	arena_init(&c->arena, UNIT_ROOM);
	arena_init(&c->item_arena, UNIT_ROOM);
	c->view = index_view_new(s->index, e);
	if (!c->view || index_read_begin(c->view, e) < 0 ||
	    index_position(c->view, &c->to, e) < 0)
		return -1;
	rc = history_tip(s->history, &tip, e);
	if (rc < 0)
		return -1;
	c->at = c->from = tip.position;
	if (c->at < journal_begin(s->journal))
		c->at = journal_begin(s->journal);
	if (index_note_each(c->view, &(struct text){"table/", 6}, take_table,
	        c, e) != 0)
		return -1;
	c->whole = c->tables;
	return 0;
}

static void
end(struct checkpoint *c)
{
	struct laid *l;

	index_cursor_close(c->cursor);
	if (c->view) {
		index_read_end(c->view);
		index_view_free(c->view);
	}
	while ((l = c->tables)) {
		c->tables = l->next;
		table_free(l->table);
		free(l);
	}
	buf_release(&c->lines);
	buf_release(&c->plain);
	arena_release(&c->arena);
	arena_release(&c->item_arena);
}

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
	rc = begin(&c, s, e);
	if (rc == 0) {
		meta.position = *to = c.to;
		if (planted(PLANT_CHECKPOINT_AHEAD))
			meta.position = journal_end(s->journal);
		rc = history_commit(s->history, next_change, &c, &meta, made,
		    e);
	}
	end(&c);
	pthread_mutex_unlock(&s->history_lock);
	return rc;
}

/*
 * What a sync that failed has lost no later one brings back, nor what the file
 * threads were never told of: so no mark moves any more, and the next start
 * writes all files since the last one again.
 */
static int
sync_files(struct store *s, struct err *e)
{
	if (atomic_load(&s->files_lost))
		return err_set(e, FAULT_READ_ONLY, "files were lost; the "
		    "store is about to be opened again");
	if (planted(PLANT_FILES_UNSYNCED) || files_sync(s->files, e) == 0)
		return 0;
	if (planted(PLANT_FILES_SYNCED_AGAIN))
		return -1;
	atomic_store(&s->files_lost, true);
	atomic_store(&s->broken, true);
	return -1;
}

static int
take(struct store *s, struct err *e)
{
	struct history_made made;
	int64_t start_ms = clock_mono_ms();
	uint64_t to;

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

/* --- the thread -------------------------------------------------------------------- */

/*
 * Under the lock.  As long as it takes to use no more than a share of a core,
 * and of the day.
 */
static int64_t
period(struct store *s)
{
	int64_t ms = s->options.checkpoint_ms ? s->options.checkpoint_ms
	                                      : s->settings.checkpoint_ms;
	uint64_t most = (uint64_t)s->settings.day_bytes;
	int64_t most_ms = ms > PERIOD_MOST_MS ? ms : PERIOD_MOST_MS;
	struct history_stat h;
	struct err e;

	if (s->checkpoint_ms * SHARE > ms)
		ms = s->checkpoint_ms * SHARE;
	if (history_stat(s->history, &h, &e) == 0 && h.day_bytes > most)
		ms *= (int64_t)(h.day_bytes / most) + 1;
	return ms < most_ms ? ms : most_ms;
}

/* Under the lock: until it is time, somebody asks, or the end. */
static void
wait_for_turn(struct store *s, uint64_t last)
{
	int64_t from_ms = clock_mono_ms(), due_ms;
	struct timespec until;

	while (!s->ending && s->checkpoints_asked == s->checkpoints_done) {
		bool timed = s->options.checkpoint_ms >= 0 &&
		    atomic_load(&s->visible) != last;
		int rc;

		due_ms = timed ? from_ms + period(s)
		               : clock_mono_ms() + LOOK_MS;
		until = (struct timespec){due_ms / 1000,
		    due_ms % 1000 * 1000000};
		rc = pthread_cond_clockwait(&s->changed, &s->lock,
		    CLOCK_MONOTONIC, &until);
		if (rc == ETIMEDOUT && timed)
			return;
	}
}

static void
tidy(struct store *s)
{
	const struct settings settings = store_settings(s);
	const struct history_upkeep upkeep = {.now_ms = clock_wall_ms(),
	    .all_ms = settings.all_ms, .minutes_ms = settings.minutes_ms,
	    .hours_ms = settings.hours_ms,
	    .linger_ms = mirrors_any(s->mirrors) ? MIRRORS_LINGER_MS : 0};
	struct err ignored;

	pthread_mutex_lock(&s->history_lock);
	history_tidy(s->history, &upkeep, &ignored);
	pthread_mutex_unlock(&s->history_lock);
}

static void *
checkpoint_main(void *arg)
{
	struct store *s = arg;
	uint64_t last = 0, asked, seen;
	struct err e;
	int rc;

	pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		wait_for_turn(s, last);
		if (s->ending)
			break;
		asked = s->checkpoints_asked;
		pthread_mutex_unlock(&s->lock);
		seen = atomic_load(&s->visible);
		rc = take(s, &e);
		if (rc == 0) {
			last = seen;
			tidy(s);
		}
		pthread_mutex_lock(&s->lock);
		s->checkpoint_error = rc < 0 ? e : (struct err){0};
		s->checkpoints_done = asked;
		pthread_cond_broadcast(&s->changed);
	}
	s->checkpoints_done = s->checkpoints_asked;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
store_checkpoint(struct store *s, const char *tag, struct err *e)
{
	struct history_commit tip;
	uint64_t mine;
	int rc = 0;

	if (s->options.read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the store was opened read-only");
	pthread_mutex_lock(&s->lock);
	mine = ++s->checkpoints_asked;
	pthread_cond_broadcast(&s->changed);
	while (s->checkpoints_done < mine && !s->ending)
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->ending)
		rc = err_set(e, FAULT_LEAVING, "the store is closing");
	else if (s->checkpoint_error.text[0]) {
		*e = s->checkpoint_error;
		rc = -1;
	}
	pthread_mutex_unlock(&s->lock);
	if (rc < 0 || !tag)
		return rc;
	pthread_mutex_lock(&s->history_lock);
	rc = history_tip(s->history, &tip, e);
	if (rc > 0)
		rc = history_tag(s->history, tag, &tip.id, e);
	else if (rc == 0)
		rc = err_set(e, FAULT_NOT_FOUND, "there is nothing to back up "
		    "yet");
	pthread_mutex_unlock(&s->history_lock);
	if (rc == 0)
		mirrors_wake(s->mirrors);
	return rc;
}

int
checkpoint_start(struct store *s, struct err *e)
{
	int rc = pthread_create(&s->checkpointer, NULL, checkpoint_main, s);

	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	s->checkpointer_runs = true;
	return 0;
}

/* The last one is taken by who stops, when nothing is written any more. */
void
checkpoint_stop(struct store *s)
{
	struct err e;

	if (!s->checkpointer_runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->checkpointer, NULL);
	s->checkpointer_runs = false;
	history_hurry(s->history, false);
	take(s, &e);
}
