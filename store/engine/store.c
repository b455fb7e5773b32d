/*
 * Opening and closing a store: the directory and its lock, the parts in their
 * order, the threads on top.  Runs in bothy-store, and in `bothy store` on a
 * store that no daemon has.
 *
 *   format       "bothy-store 1", and the store's id
 *   lock         held while a process has the store
 *   journal/     the truth (journal.h)
 *   index/       for speed; may be removed when nobody has the store
 *   data/        the documents (files.h)
 *   spare/ conflicts/
 *   history.git/ the memory (history.h)
 */
#include "store_internal.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/index/stamp.h"
#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	RENDER_ROOM = 64 << 20,
	RESERVE_BYTES = 256 << 20,	/* backlog, a pack, a segment */
	RESERVE_INODES = 12000,
	DRAIN_MS = 10000,
	DRAIN_LOOK_MS = 200
};

/* --- the directory ------------------------------------------------------------- */

static int
read_id(struct store *s, const char *hex)
{
	unsigned byte;
	size_t i;

	for (i = 0; i < STORE_ID_SIZE; i++) {
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return -1;
		s->id[i] = (unsigned char)byte;
	}
	return 0;
}

static int
make_format(struct store *s, const char *path, struct err *e)
{
	char text[128];
	size_t n, i;

	if (getrandom(s->id, sizeof s->id, 0) != sizeof s->id)
		return err_sys(e, "cannot make an id");
	n = (size_t)snprintf(text, sizeof text, "bothy-store %d\nid ",
	    STORE_FORMAT);
	for (i = 0; i < sizeof s->id; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%02x",
		    s->id[i]);
	text[n++] = '\n';
	return io_replace_file(path, text, n, 0600, e);
}

/* What the directory is: 0, and the store's id; made if it isn't there. */
static int
check_format(struct store *s, struct err *e)
{
	char path[PATH_MAX];
	struct buf b;
	int version, rc = -1;

	snprintf(path, sizeof path, "%s/format", s->dir);
	buf_init(&b, 4096);
	if (io_read_file(AT_FDCWD, path, &b, e) < 0) {
		if (e->code == ENOENT && s->options.read_only)
			err_set(e, FAULT_NOT_FOUND, "%s: no store is there",
			    s->dir);
		else if (e->code == ENOENT)
			rc = make_format(s, path, e);
	} else if (sscanf(buf_str(&b), "bothy-store %d\nid ", &version) != 1 ||
	    !strstr(buf_str(&b), "\nid ") ||
	    read_id(s, strstr(buf_str(&b), "\nid ") + 4) < 0)
		err_set(e, EINVAL, "%s: not written by bothy-store", path);
	else if (version != STORE_FORMAT)
		err_set(e, EINVAL, "%s: the store has format %d, this is "
		    "bothy-store for format %d; use the one that wrote it, or "
		    "export there and import here", path, version,
		    STORE_FORMAT);
	else
		rc = 0;
	buf_release(&b);
	return rc;
}

static int
open_dir(struct store *s, const char *dir, struct err *e)
{
	char path[PATH_MAX];

	if (!s->options.read_only && io_mkdirs(dir, 0700, e) < 0)
		return -1;
	if (!realpath(dir, path))
		return err_sys(e, "%s", dir);
	if (strlen(path) >= sizeof s->dir)
		return err_set(e, ENAMETOOLONG, "%s: too long", dir);
	snprintf(s->dir, sizeof s->dir, "%s", path);
	if (settings_load(s->dir, &s->settings, e) < 0 &&
	    !s->options.read_only)
		return -1;
	if (!s->options.force && !s->settings.any_place &&
	    stamp_check_place(s->dir, e) < 0)
		return -1;
	s->dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0)
		return err_sys(e, "%s", s->dir);
	s->lock_fd = openat(s->dir_fd, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		return err_sys(e, "%s/lock", s->dir);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, FAULT_BUSY, "%s: another process has the "
		    "store", s->dir);
	if (faccessat(s->dir_fd, "from", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, FAULT_IN_USE, "%s: a store was to be made "
		    "of a mirror here, and is not whole: do it again "
		    "(bothy-store --from, bothy store create --from)", s->dir);
	return check_format(s, e);
}

/* --- files -------------------------------------------------------------------------- */

/* Typed bytes to what the file holds; a table's own begin with a space. */
static int
render(void *arg, const char *table, const void *p, size_t n, struct buf *out,
    struct err *e)
{
	struct arena a;
	struct value item;
	int rc = 0;

	(void)arg;
	(void)table;
	if (n && *(const char *)p == ' ') {
		buf_add(out, (const char *)p + 1, n - 1);
		return buf_putc(out, '\n') < 0 ? err_set(e, ENOMEM, "out of "
		    "memory") : 0;
	}
	arena_init(&a, RENDER_ROOM);
	if (typed_read_item(&a, p, n, &item, e) < 0 ||
	    plain_write(out, &item) < 0)
		rc = err_set(e, ENOMEM, "out of memory");
	arena_release(&a);
	return rc;
}

static int
open_files(struct store *s, struct err *e)
{
	struct files_options o = {.threads = FILES_THREADS,
	    .read_only = s->options.read_only};

	s->files = files_open(s->dir_fd, &o, e);
	return s->files ? 0 : -1;
}

static int
start_filework(struct store *s, struct err *e)
{
	struct filework_options o = {.render = render};
	struct mark m;

	journal_marks(s->journal, &m);
	o.position = m.redo.position;
	s->filework = filework_new(s->files, &o, e);
	return s->filework ? 0 : -1;
}

/*
 * The mark names a commit: a history without one is not that which was here,
 * and what is to come says so.
 */
static int
open_history(struct store *s, struct err *e)
{
	struct history_commit tip;
	struct mark m;
	int rc;

	s->history = history_open(s->dir, s->options.read_only, e);
	if (!s->history)
		return -1;
	journal_marks(s->journal, &m);
	rc = history_tip(s->history, &tip, e);
	s->history_lost = rc == 0 && m.commit[0];
	if (s->history_lost && !s->options.read_only)
		rc = history_begun_anew(s->history, clock_wall_ms(), e);
	return rc < 0 ? -1 : 0;
}

/* --- a start that takes long ------------------------------------------------------------ */

bool
store_start_stopped(const struct store_options *o, struct err *e)
{
	if (!o->stopped || !o->stopped(o->arg))
		return false;
	err_set(e, FAULT_ENDED, "it was told to end before the store was "
	    "open");
	return true;
}

/* --- open and close --------------------------------------------------------------------- */

static void
init(struct store *s, const struct store_options *o)
{
	s->dir_fd = s->lock_fd = -1;
	if (o)
		s->options = *o;
	commit_queue_init(&s->queue);
	settings_init(&s->settings);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->history_lock, NULL);
	pthread_cond_init(&s->changed, NULL);
}

static int
open_parts(struct store *s, const char *dir, struct err *e)
{
	struct journal_options jo = {.read_only = s->options.read_only,
	    .segment_bytes = s->options.segment_bytes};
	bool writes = !s->options.read_only;

	meters_init(&s->meters);
	if (open_dir(s, dir, e) < 0 || catalog_init(&s->catalog, e) < 0)
		return -1;
	room_init(&s->room, s->dir_fd, s->dir);
	room_reserve(&s->room, RESERVE_BYTES, RESERVE_INODES);
	/* Files first: what they clear makes room on a full disk. */
	if (open_files(s, e) < 0 ||
	    journal_open(s->dir_fd, &jo, &s->journal, e) < 0)
		return -1;
	if (open_history(s, e) < 0)
		return -1;
	if (writes && s->options.hook_program &&
	    history_hooks(s->history, s->options.hook_program, e) < 0)
		return -1;
	if (writes && start_filework(s, e) < 0)
		return -1;
	if (recover(s, e) < 0)
		return -1;
	if (!writes)
		return 0;
	s->mirrors = mirrors_open(s->history, s->dir, s->options.push_helper,
	    e);
	if (!s->mirrors || commit_start(s, e) < 0 ||
	    checkpoint_start(s, e) < 0)
		return -1;
	return keeper_start(s, e);
}

struct store *
store_open(const char *dir, const struct store_options *o, struct err *e)
{
	struct store *s = calloc(1, sizeof *s);

	if (!s) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	init(s, o);
	if (open_parts(s, dir, e) == 0)
		return s;
	store_close(s);
	return NULL;
}

/*
 * The index is whole and on the disk: the next start may trust it.  One that
 * could not be synced it may not, even if the machine stays up: what the kernel
 * could not write it forgets sooner or later.
 */
static void
leave_index(struct store *s, bool clean)
{
	bool distrusted = atomic_load(&s->distrusted);
	char path[PATH_MAX];
	struct err e;

	if (!s->index)
		return;
	clean = clean && !s->options.read_only && !distrusted;
	if (clean && index_sync(s->index, &e) < 0) {
		clean = false;
		distrusted = true;
	}
	index_close(s->index);
	snprintf(path, sizeof path, "%s/index", s->dir);
	if (clean)
		stamp_write(path, STAMP_CLEAN, &e);
	else if (distrusted)
		stamp_remove(path, &e);
}

/* Files get what they lack, if they can have it: the journal has it, too. */
static void
drain_files(struct filework *w, int most_ms)
{
	struct filework_status status;
	int ms;

	for (ms = 0; ms < most_ms && !filework_drain(w, DRAIN_LOOK_MS);
	     ms += DRAIN_LOOK_MS) {
		filework_status(w, &status);
		if (status.error)
			return;
	}
}

void
store_close(struct store *s)
{
	bool clean;

	if (!s)
		return;
	clean = s->writer_runs;
	keeper_stop(s);
	atomic_store(&s->hurried, true);
	if (s->filework)
		filework_leave(s->filework);
	commit_stop(s);
	if (s->filework)
		drain_files(s->filework, clean ? DRAIN_MS : 0);
	checkpoint_stop(s);
	mirrors_close(s->mirrors);
	filework_free(s->filework);
	history_close(s->history);
	files_close(s->files);
	leave_index(s, clean);
	journal_close(s->journal);
	catalog_destroy(&s->catalog);
	meters_release(&s->meters);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->history_lock);
	pthread_mutex_destroy(&s->lock);
	settings_release(&s->settings);
	commit_queue_destroy(&s->queue);
	io_close(&s->lock_fd);
	io_close(&s->dir_fd);
	free(s);
}

bool
store_broken(struct store *s)
{
	return atomic_load(&s->broken);
}

const unsigned char *
store_id(const struct store *s)
{
	return s->id;
}

/* --- views ----------------------------------------------------------------------------------- */

int
store_view_init(struct store_view *v, struct store *s, struct err *e)
{
	*v = (struct store_view){.store = s};
	v->index = index_view_new(s->index, e);
	return v->index ? 0 : -1;
}

void
store_view_release(struct store_view *v)
{
	index_view_free(v->index);
}

/*
 * The catalogue is taken first: a table that is there may have lost documents
 * since, but none is read whose table is not known.
 */
int
store_read_begin(struct store_view *v, struct err *e)
{
	v->catalog = catalog_hold(&v->store->catalog);
	if (index_read_begin(v->index, e) == 0)
		return 0;
	catalog_release(&v->store->catalog, v->catalog);
	return -1;
}

void
store_read_end(struct store_view *v)
{
	index_read_end(v->index);
	catalog_release(&v->store->catalog, v->catalog);
}

struct catalog *
store_catalog_hold(struct store *s)
{
	return catalog_hold(&s->catalog);
}

void
store_catalog_release(struct store *s, struct catalog *c)
{
	catalog_release(&s->catalog, c);
}

struct mirrors *
store_mirrors(struct store *s)
{
	return s->mirrors;
}

/* --- figures --------------------------------------------------------------------------------- */

void
store_stat(struct store *s, struct store_stat *out)
{
	struct history_stat h = {0};
	struct filework_status w = {0};
	struct index_room room = {0};
	struct files_status f;
	struct journal_stat j;
	struct catalog *c;
	struct mark m;
	struct err e;

	*out = (struct store_stat){0};
	c = catalog_hold(&s->catalog);
	out->tables = c->count;
	catalog_release(&s->catalog, c);
	journal_stat(s->journal, &j);
	journal_marks(s->journal, &m);
	files_status(s->files, &f);
	if (s->filework)
		filework_status(s->filework, &w);
	history_stat(s->history, &h, &e);
	index_room(s->index, &room, &e);
	out->journal_begin = j.begin;
	out->journal_end = j.end;
	out->journal_bytes = j.disk_bytes;
	out->redo = m.redo.position;
	out->redo_at_ms = m.redo.at_ms;
	out->feed = m.feed.position;
	out->pitr = m.pitr.position;
	out->applied = w.applied;
	out->backlog_documents = w.documents;
	out->backlog_bytes = w.bytes;
	out->commits = h.commits;
	out->packs = h.packs;
	out->history_bytes = h.bytes;
	out->history_day_bytes = h.day_bytes;
	out->history_since_ms = h.since_ms;
	out->history_anew_ms = h.anew_ms;
	out->history_lost = s->history_lost;
	out->index_bytes = room.used_bytes;
	out->edited = f.edited;
	out->batches = atomic_load(&s->batches);
	out->brought = s->brought;
	pthread_mutex_lock(&s->lock);
	out->checkpoint_ms = s->checkpoint_ms;
	snprintf(out->trouble, sizeof out->trouble, "%s",
	    s->trouble[0] ? s->trouble : s->checkpoint_error.text);
	pthread_mutex_unlock(&s->lock);
	if (j.failed)
		snprintf(out->trouble, sizeof out->trouble, "a write to the "
		    "journal failed (%s): nothing is written until the store "
		    "is opened again", strerror(j.failed));
	else if (w.error)
		snprintf(out->trouble, sizeof out->trouble, "%s", w.text);
}
