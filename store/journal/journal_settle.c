/*
 * The journal made good at the start, after it was found sound: part of
 * bothy-store, before it serves.
 *
 * Lines of the newest segment, and the marks, may have been read from memory
 * that no disk has: of a daemon that was killed before its sync, or whose sync
 * failed.  A sync of the same file proves nothing then.  So both are written
 * anew into other files, synced, and renamed.  Full segments are on the disk:
 * no line goes into the next one before.
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TAIL_NEW "tail.new"

/*
 * 1 if all lines lie below the redo mark and nothing else is in the file, 0 if
 * not, -1 with errno.
 */
static int
is_settled(const struct journal *j, int fd, const struct segment *s,
    uint64_t used)
{
	if (planted(PLANT_TAIL_IN_PLACE))
		return fdatasync(fd) == 0 ? 1 : -1;
	if (atomic_load(&j->end) != j->marks.redo.position)
		return 0;
	if (planted(PLANT_TORN_TAIL_KEPT))
		return 1;
	return segment_blank(fd, used, s->bytes);
}

static int
copy(int from_fd, int to_fd, uint64_t bytes)
{
	char piece[64 << 10];
	uint64_t at;
	ssize_t k;

	for (at = 0; at < bytes; at += (uint64_t)k) {
		k = pread(from_fd, piece, bytes - at < sizeof piece
			? (size_t)(bytes - at) : sizeof piece, (off_t)at);
		if (k < 0 && errno == EINTR) {
			k = 0;
			continue;
		}
		if (k == 0)
			errno = EIO;
		if (k <= 0 || journal_write_at(to_fd, piece, (size_t)k, at) < 0)
			return -1;
	}
	return 0;
}

/*
 * Fills the new file: allocated like a segment, or where the disk is too full
 * for that, as long as its lines.  Then what lies behind the lines of the old
 * one makes room, too.
 */
static int
fill(const struct journal *j, int from_fd, int fd, uint64_t used,
    uint64_t *bytes)
{
	*bytes = used < j->segment_bytes ? j->segment_bytes : used;
	if (journal_allocate(fd, *bytes) < 0) {
		if ((errno != ENOSPC && errno != EDQUOT) ||
		    ftruncate(fd, 0) < 0 ||
		    ftruncate(from_fd, (off_t)used) < 0)
			return -1;
		*bytes = used;
	}
	if (copy(from_fd, fd, used) < 0)
		return -1;
	return planted(PLANT_TAIL_UNSYNCED) ||
	    planted(PLANT_RENAME_BEFORE_SYNC) ? 0 : fsync(fd);
}

/* The newest segment's lines in a new file under its name; its descriptor. */
static int
rewrite(const struct journal *j, int from_fd, const char *name, uint64_t used,
    uint64_t *bytes)
{
	int fd = openat(j->dir_fd, TAIL_NEW,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -1;
	if (fill(j, from_fd, fd, used, bytes) < 0 ||
	    renameat(j->dir_fd, TAIL_NEW, j->dir_fd, name) < 0 ||
	    (planted(PLANT_RENAME_BEFORE_SYNC) && fsync(fd) < 0))
		io_close(&fd);
	return fd;
}

/* Makes the newest segment the active one. */
static int
settle_tail(struct journal *j, struct err *e)
{
	struct segment *s = &j->segments[j->count - 1];
	uint64_t used = atomic_load(&j->end) - s->base;
	char name[SEGMENT_NAME_SIZE];
	int old_fd, fd, settled;

	segment_name(name, s->number);
	old_fd = openat(j->dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (old_fd < 0)
		return err_sys(e, "cannot open journal/%s", name);
	settled = is_settled(j, old_fd, s, used);
	if (settled > 0) {
		fd = old_fd;
	} else {
		fd = settled < 0 ? -1
				 : rewrite(j, old_fd, name, used, &s->bytes);
		if (fd < 0) {
			err_sys(e, "cannot write journal/%s anew", name);
			(void)journal_no_room(e);
		}
		io_close(&old_fd);
	}
	j->active = (struct segment_file){.fd = fd, .number = s->number,
	    .bytes = s->bytes};
	j->active_used = used;
	return fd < 0 ? -1 : 0;
}

static int
remove_file(const struct journal *j, const char *name, struct err *e)
{
	if (unlinkat(j->dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove journal/%s", name);
	return 0;
}

/* Removes the files from `i` to before `end`. */
static int
remove_files(const struct journal *j, const struct found *f, size_t i,
    size_t end, struct err *e)
{
	char name[SEGMENT_NAME_SIZE];

	for (; i < end; i++) {
		segment_name(name, f->files[i].s.number);
		if (remove_file(j, name, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * What holds no line goes first, prepared segments and torn begins: on a full
 * disk that is the room for the rest.  Segments that the marks let go are
 * removed only once the marks are on the disk.
 */
int
journal_settle(struct journal *j, const struct found *f, struct err *e)
{
	bool any = f->newest < f->count;

	if (remove_files(j, f, any ? f->newest + 1 : 0, f->count, e) < 0 ||
	    remove_file(j, TAIL_NEW, e) < 0)
		return -1;
	if (mark_create(&j->mark_file, j->dir_fd, &j->marks, e) < 0) {
		(void)journal_no_room(e);
		return -1;
	}
	if (j->count && settle_tail(j, e) < 0)
		return -1;
	if (any && remove_files(j, f, 0, f->first, e) < 0)
		return -1;
	if (!planted(PLANT_RENAME_UNSYNCED) && fsync(j->dir_fd) < 0)
		return err_sys(e, "cannot sync journal/");
	return 0;
}
