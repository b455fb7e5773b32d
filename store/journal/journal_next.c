/*
 * The segments to come: made, allocated and on the disk before a line needs
 * them, and filled with zeros while there is time; and what is left over of the
 * full ones given back.  Part of bothy-store, called from any of its threads.
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	PIECE = 256 << 10,	/* of `next`, filled at once */
	AHEAD = 4,		/* `next` is seen to when `active` is full to
				 * one part in so many, or so many bytes of */
	RAW = 256 << 10		/* lines went where it has no zeros */
};

/* --- blocks ------------------------------------------------------------- */

/* Zeros, from `at` to `end`. */
static int
fill(int fd, uint64_t at, uint64_t end)
{
	static const char zeros[64 << 10];
	size_t n;

	for (; at < end; at += n) {
		n = end - at < sizeof zeros ? (size_t)(end - at)
					    : sizeof zeros;
		if (journal_write_at(fd, zeros, n, at) < 0)
			return -1;
	}
	return 0;
}

int
journal_allocate(int fd, uint64_t bytes)
{
	int r;

	do
		r = fallocate(fd, 0, 0, (off_t)bytes);
	while (r < 0 && errno == EINTR);
	if (r < 0 && errno == EOPNOTSUPP)
		return fill(fd, 0, bytes);
	return r;
}

int
journal_no_room(struct err *e)
{
	if (e->code == ENOSPC || e->code == EDQUOT)
		e->code = FAULT_NO_ROOM;
	return -1;
}

/* --- the next segment --------------------------------------------------- */

/*
 * The directory's sync: one that failed may have lost a name that the next
 * would say is there, so it stops the journal.
 */
static int
sync_directory(struct journal *j)
{
	if (planted(PLANT_NO_DIRECTORY_SYNC) || fsync(j->dir_fd) == 0)
		return 0;
	atomic_store(&j->failed, errno ? errno : EIO);
	return -1;
}

/* Makes the file of a segment, on the disk with its name. */
static int
make_file(struct journal *j, struct segment_file *f, struct err *e)
{
	char name[SEGMENT_NAME_SIZE];

	segment_name(name, f->number);
	f->fd = openat(j->dir_fd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0) {
		err_sys(e, "cannot make journal/%s", name);
		return journal_no_room(e);
	}
	if (journal_allocate(f->fd, f->bytes) == 0 && fsync(f->fd) == 0 &&
	    sync_directory(j) == 0)
		return 0;
	err_sys(e, "cannot make journal/%s", name);
	(void)unlinkat(j->dir_fd, name, 0);
	io_close(&f->fd);
	return journal_no_room(e);
}

/* Makes the empty `next` longer, for a line that is longer than a segment. */
static int
lengthen(const struct segment_file *f, struct err *e)
{
	if (journal_allocate(f->fd, f->bytes) == 0 && fsync(f->fd) == 0)
		return 0;
	err_sys(e, "cannot lengthen a segment of the journal");
	return journal_no_room(e);
}

/* With `next_lock` held. */
static int
make_next(struct journal *j, uint64_t bytes, struct err *e)
{
	struct segment_file f;
	int r = 0;

	pthread_mutex_lock(&j->lock);
	f = j->next;
	if (f.fd < 0)
		f = (struct segment_file){.fd = -1, .bytes = j->segment_bytes,
		    .number = j->number + 1};
	if (journal_reserve_segment(j) < 0)
		r = err_set(e, ENOMEM, "no memory for the journal");
	pthread_mutex_unlock(&j->lock);
	if (r == 0 && (f.fd < 0 || f.bytes < bytes)) {
		if (f.bytes < bytes)
			f.bytes = bytes;
		r = f.fd < 0 ? make_file(j, &f, e) : lengthen(&f, e);
		pthread_mutex_lock(&j->lock);
		if (r == 0)
			j->next = f;
		pthread_mutex_unlock(&j->lock);
	}
	return r;
}

int
journal_make_next(struct journal *j, uint64_t bytes, struct err *e)
{
	int r;

	pthread_mutex_lock(&j->next_lock);
	r = make_next(j, bytes, e);
	pthread_mutex_unlock(&j->next_lock);
	return r;
}

int
journal_take_next(struct journal *j, uint64_t bytes, struct err *e)
{
	int r;

	pthread_mutex_lock(&j->next_lock);
	r = make_next(j, bytes, e);
	if (r == 0)
		atomic_store(&j->to_next, true);
	pthread_mutex_unlock(&j->next_lock);
	return r;
}

/* --- zeros -------------------------------------------------------------- */

/* With `lock` held: it will be wanted soon, and has blocks never written. */
static bool
wants_zeros(const struct journal *j)
{
	return j->next.fd >= 0 && j->next.written < j->next.bytes &&
	    (j->active_used > j->active.bytes / AHEAD || j->raw > RAW);
}

/*
 * A piece, waited for, so that a sync of lines finds a short queue at the disk;
 * after the last one, the file's sync.  What can't be written stays as it is:
 * only a sync that failed is the end.
 */
static int
write_zeros(struct segment_file *f)
{
	uint64_t at = f->written, end = at + PIECE;

	if (end > f->bytes)
		end = f->bytes;
	f->written = fill(f->fd, at, end) < 0 ? f->bytes : end;
	(void)sync_file_range(f->fd, (off_t)at, (off_t)(end - at),
	    SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	return f->written < f->bytes ? 0 : fdatasync(f->fd);
}

/* One piece: 1; 0 if none is wanted; -1: the disk failed. */
static int
fill_piece(struct journal *j)
{
	struct segment_file f;
	int r;

	pthread_mutex_lock(&j->next_lock);
	pthread_mutex_lock(&j->lock);
	f = j->next;
	r = wants_zeros(j) && !atomic_load(&j->to_next);
	pthread_mutex_unlock(&j->lock);
	if (r && write_zeros(&f) < 0)
		r = -1;
	if (r > 0) {
		pthread_mutex_lock(&j->lock);
		j->next.written = f.written;
		pthread_mutex_unlock(&j->lock);
	}
	pthread_mutex_unlock(&j->next_lock);
	return r;
}

/*
 * Space that fallocate made becomes a file's own when it is written first, and
 * that is metadata: a sync of it waits for the file system's journal, with all
 * that the file threads have in it.  A sync into blocks that were written
 * before is of data alone.  So what a start or a hurried writer finds without
 * zeros is left for the next segment, once that has them.
 */
static int
fill_next(struct journal *j, struct err *e)
{
	int r;

	do
		r = atomic_load(&j->failed) ? 0 : fill_piece(j);
	while (r > 0);
	if (r == 0)
		return 0;
	err_sys(e, "cannot write the next segment of the journal");
	atomic_store(&j->failed, e->code ? e->code : EIO);
	return -1;
}

/* --- what is left over -------------------------------------------------- */

/* A full segment that is longer than its lines: 1 and its true length, or 0. */
static int
find_leftover(struct journal *j, uint32_t *number, uint64_t *bytes)
{
	struct segment *s;
	size_t i;

	for (i = 0; i + 1 < j->count; i++) {
		s = &j->segments[i];
		*bytes = s[1].base - s->base;
		if (s->bytes > *bytes) {
			*number = s->number;
			s->bytes = *bytes;
			return 1;
		}
	}
	return 0;
}

/* Cuts the full segments to their lines.  One that was released is gone. */
static int
trim(struct journal *j, struct err *e)
{
	char name[SEGMENT_NAME_SIZE];
	uint32_t number;
	uint64_t bytes;
	int fd, found, r;

	for (;;) {
		pthread_mutex_lock(&j->lock);
		found = find_leftover(j, &number, &bytes);
		pthread_mutex_unlock(&j->lock);
		if (!found)
			return 0;
		segment_name(name, number);
		fd = openat(j->dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno == ENOENT)
			continue;
		r = fd < 0 ? -1 : ftruncate(fd, (off_t)bytes);
		if (r < 0)
			err_sys(e, "cannot cut journal/%s", name);
		io_close(&fd);
		if (r < 0)
			return -1;
	}
}

int
journal_prepare(struct journal *j, struct err *e)
{
	if (journal_refuse(j, e) < 0 || journal_make_next(j, 0, e) < 0 ||
	    fill_next(j, e) < 0)
		return -1;
	return trim(j, e);
}

bool
journal_wants_segment(const struct journal *j)
{
	struct journal *mine = (struct journal *)(uintptr_t)j;
	bool wants;

	pthread_mutex_lock(&mine->lock);
	wants = j->next.fd < 0 || wants_zeros(j);
	pthread_mutex_unlock(&mine->lock);
	return wants && !j->read_only && atomic_load(&j->failed) == 0;
}
