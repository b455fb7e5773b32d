/*
 * The journal's coming and going, its marks, and what it tells of itself.
 * Part of bothy-store.  How it is found after a crash is in journal_recover.c,
 * writing in journal_write.c, reading in journal_read.c.
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- coming and going --------------------------------------------------- */

/* journal/, made if it isn't there: its descriptor, or -1 and the error. */
static int
open_directory(int store_fd, bool read_only, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(store_fd, "journal", flags);

	if (fd < 0 && errno == ENOENT && !read_only) {
		if (mkdirat(store_fd, "journal", 0700) < 0 && errno != EEXIST)
			return err_sys(e, "cannot make journal/");
		fd = openat(store_fd, "journal", flags);
	}
	if (fd < 0)
		return err_sys(e, "cannot open journal/");
	if (!read_only && fsync(store_fd) < 0) {
		err_sys(e, "cannot sync the store's directory");
		io_close(&fd);
		return -1;
	}
	return fd;
}

int
journal_open(int store_fd, const struct journal_options *o,
    struct journal **out, struct err *e)
{
	struct journal *j = calloc(1, sizeof *j);

	if (j == NULL)
		return err_set(e, ENOMEM, "no memory for the journal");
	j->read_only = o->read_only;
	j->segment_bytes = o->segment_bytes ? o->segment_bytes
					    : JOURNAL_SEGMENT_BYTES;
	j->active.fd = j->next.fd = j->mark_file.fd = -1;
	buf_init(&j->batch, (size_t)segment_line_bytes(JOURNAL_LINE_MAX));
	pthread_mutex_init(&j->lock, NULL);
	pthread_mutex_init(&j->next_lock, NULL);
	pthread_mutex_init(&j->mark_lock, NULL);
	j->dir_fd = open_directory(store_fd, j->read_only, e);
	if (j->dir_fd < 0 || journal_recover(j, o->begin, e) < 0) {
		journal_close(j);
		return -1;
	}
	*out = j;
	return 0;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	io_close(&j->active.fd);
	io_close(&j->next.fd);
	mark_close(&j->mark_file);
	io_close(&j->dir_fd);
	pthread_mutex_destroy(&j->lock);
	pthread_mutex_destroy(&j->next_lock);
	pthread_mutex_destroy(&j->mark_lock);
	buf_release(&j->batch);
	free(j->segments);
	free(j);
}

const struct err *
journal_damage(const struct journal *j)
{
	return j->damage.text[0] ? &j->damage : NULL;
}

/* --- the table of segments ---------------------------------------------- */

size_t
journal_find(const struct journal *j, uint64_t position)
{
	size_t low = 0, high = j->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (j->segments[middle].base <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : j->count;
}

int
journal_reserve_segment(struct journal *j)
{
	size_t room = j->room ? 2 * j->room : 16;
	struct segment *more;

	if (j->count < j->room)
		return 0;
	more = realloc(j->segments, room * sizeof *more);
	if (more == NULL)
		return -1;
	j->segments = more;
	j->room = room;
	return 0;
}

int
journal_append_segment(struct journal *j, const struct segment *s)
{
	if (journal_reserve_segment(j) < 0)
		return -1;
	j->segments[j->count++] = *s;
	return 0;
}

/* The caller's locks are taken on what it calls const. */
static struct journal *
lock(const struct journal *j)
{
	struct journal *mine = (struct journal *)(uintptr_t)j;

	pthread_mutex_lock(&mine->lock);
	return mine;
}

/* --- what it tells ------------------------------------------------------ */

uint64_t
journal_end(const struct journal *j)
{
	return atomic_load(&j->end);
}

uint64_t
journal_begin(const struct journal *j)
{
	struct journal *mine = lock(j);
	uint64_t begin = j->count ? j->segments[0].base : atomic_load(&j->end);

	pthread_mutex_unlock(&mine->lock);
	return begin;
}

uint64_t
journal_boundary(const struct journal *j, uint64_t position)
{
	struct journal *mine = lock(j);
	size_t i = journal_find(j, position);
	uint64_t next;

	i = i < j->count ? i + 1 : 0;
	next = i < j->count ? j->segments[i].base : atomic_load(&j->end);
	pthread_mutex_unlock(&mine->lock);
	return next;
}

uint64_t
journal_room(const struct journal *j)
{
	struct journal *mine = lock(j);
	uint64_t room = 0;

	if (j->active.fd >= 0)
		room += j->active.bytes - j->active_used;
	if (j->next.fd >= 0)
		room += j->next.bytes;
	pthread_mutex_unlock(&mine->lock);
	return room;
}

void
journal_stat(const struct journal *j, struct journal_stat *s)
{
	struct journal *mine;
	size_t i;

	*s = (struct journal_stat){.begin = journal_begin(j),
	    .failed = atomic_load(&j->failed)};
	mine = lock(j);
	for (i = 0; i < j->count; i++)
		s->disk_bytes += j->segments[i].bytes;
	s->segments = (uint32_t)j->count;
	if (j->next.fd >= 0) {
		s->segments++;
		s->disk_bytes += j->next.bytes;
	}
	s->end = atomic_load(&j->end);
	pthread_mutex_unlock(&mine->lock);
}

/* --- marks -------------------------------------------------------------- */

void
journal_marks(const struct journal *j, struct mark *m)
{
	struct journal *mine = lock(j);

	*m = j->marks;
	pthread_mutex_unlock(&mine->lock);
}

static bool
goes_on(const struct mark_point *from, const struct mark_point *to,
    uint64_t end)
{
	return to->position >= from->position && to->position <= end;
}

int
journal_set_marks(struct journal *j, const struct mark *m, struct err *e)
{
	const struct mark *old = &j->mark_file.mark;
	uint64_t end = journal_end(j);
	int r = -1;

	if (j->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the journal is open read-only");
	pthread_mutex_lock(&j->mark_lock);
	if (!goes_on(&old->redo, &m->redo, end) ||
	    !goes_on(&old->feed, &m->feed, end) ||
	    !goes_on(&old->pitr, &m->pitr, end)) {
		err_set(e, EINVAL, "a mark of the journal would go back, or "
		    "beyond its end at %" PRIu64, end);
	} else if (mark_write(&j->mark_file, m, e) == 0) {
		pthread_mutex_lock(&j->lock);
		j->marks = *m;
		pthread_mutex_unlock(&j->lock);
		r = 0;
	}
	pthread_mutex_unlock(&j->mark_lock);
	return r;
}

/*
 * Takes the first segment out of the table if all of it lies below the marks:
 * its number, or 0.  The active one stays.
 */
static uint32_t
take_released(struct journal *j)
{
	uint64_t least = mark_least(&j->marks);
	uint32_t number;

	if (planted(PLANT_RELEASED_EARLY))
		least = j->marks.redo.position;
	if (j->count < 2 || j->segments[1].base > least)
		return 0;
	number = j->segments[0].number;
	j->count--;
	memmove(j->segments, j->segments + 1, j->count * sizeof *j->segments);
	return number;
}

int
journal_release(struct journal *j, struct err *e)
{
	char name[SEGMENT_NAME_SIZE];
	uint32_t number;

	if (j->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the journal is open read-only");
	for (;;) {
		pthread_mutex_lock(&j->lock);
		number = take_released(j);
		pthread_mutex_unlock(&j->lock);
		if (number == 0)
			return 0;
		segment_name(name, number);
		if (unlinkat(j->dir_fd, name, 0) < 0 && errno != ENOENT)
			return err_sys(e, "cannot remove journal/%s", name);
	}
}
