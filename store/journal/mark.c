/*
 * The marks' file, as mark.h describes it.
 */
#include "mark.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define MARK_NAME "mark"
#define MARK_NEW "mark.new"

enum {
	CRC_AT = 8,
	CHECKED_FROM = 16,
	FILE_BYTES = MARK_SLOTS_APART + MARK_SLOT
};

uint64_t
mark_least(const struct mark *m)
{
	uint64_t least = m->redo.position;

	if (m->feed.position < least)
		least = m->feed.position;
	return m->pitr.position < least ? m->pitr.position : least;
}

/* --- one slot ----------------------------------------------------------- */

/*
 * A slot is one line of JSON, filled up with spaces to MARK_SLOT bytes:
 *
 *	{"crc":"0123abcd","sequence":7,"redo":4096,"redoAt":1700000000000,
 *	"feed":0,"feedAt":0,"pitr":0,"pitrAt":0,"commit":"..."}
 *
 * (on one line).  The CRC-32, as zlib's, covers the bytes from 16 to the end
 * of the slot.  The mark with the greater sequence stands.
 */
static void
encode(char slot[MARK_SLOT], const struct mark *m, uint64_t sequence)
{
	char crc[9];
	int n = snprintf(slot, MARK_SLOT,
	    "{\"crc\":\"00000000\",\"sequence\":%" PRIu64
	    ",\"redo\":%" PRIu64 ",\"redoAt\":%" PRId64
	    ",\"feed\":%" PRIu64 ",\"feedAt\":%" PRId64
	    ",\"pitr\":%" PRIu64 ",\"pitrAt\":%" PRId64
	    ",\"commit\":\"%.*s\"}",
	    sequence, m->redo.position, m->redo.at_ms, m->feed.position,
	    m->feed.at_ms, m->pitr.position, m->pitr.at_ms,
	    MARK_COMMIT_SIZE - 1, m->commit);

	memset(slot + n, ' ', (size_t)(MARK_SLOT - n));
	slot[MARK_SLOT - 1] = '\n';
	(void)snprintf(crc, sizeof crc, "%08lx",
	    crc32_z(0, (unsigned char *)slot + CHECKED_FROM,
		MARK_SLOT - CHECKED_FROM));
	memcpy(slot + CRC_AT, crc, 8);
}

/* True if the slot holds a mark: it reads as one and writes back the same. */
static bool
decode(const char slot[MARK_SLOT], struct mark *m, uint64_t *sequence)
{
	char text[MARK_SLOT + 1], again[MARK_SLOT];

	memcpy(text, slot, MARK_SLOT);
	text[MARK_SLOT] = '\0';
	*m = (struct mark){0};
	if (sscanf(text,
		"{\"crc\":\"%*8[0-9a-f]\",\"sequence\":%" SCNu64
		",\"redo\":%" SCNu64 ",\"redoAt\":%" SCNd64
		",\"feed\":%" SCNu64 ",\"feedAt\":%" SCNd64
		",\"pitr\":%" SCNu64 ",\"pitrAt\":%" SCNd64
		",\"commit\":\"%64[0-9a-f]",
		sequence, &m->redo.position, &m->redo.at_ms,
		&m->feed.position, &m->feed.at_ms, &m->pitr.position,
		&m->pitr.at_ms, m->commit) < 7)
		return false;
	encode(again, m, *sequence);
	return memcmp(slot, again, MARK_SLOT) == 0;
}

/* Where the mark of a sequence lies. */
static off_t
slot_at(uint64_t sequence)
{
	if (planted(PLANT_MARK_ONE_SLOT))
		return 0;
	return sequence % 2 ? MARK_SLOTS_APART : 0;
}

/* --- the file ----------------------------------------------------------- */

/* The better slot of a file's bytes: its sequence, 0 if there is none. */
static uint64_t
choose(const struct buf *b, struct mark *m)
{
	struct mark found;
	uint64_t best = 0, sequence;
	size_t at;

	for (at = 0; at + MARK_SLOT <= b->len; at += MARK_SLOTS_APART) {
		if (decode(b->data + at, &found, &sequence) &&
		    sequence > best) {
			best = sequence;
			*m = found;
		}
	}
	return best;
}

int
mark_read(int journal_fd, struct mark *m, struct err *e)
{
	struct buf b;
	int fd, r = -1;

	fd = openat(journal_fd, MARK_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "cannot open journal/" MARK_NAME);
	buf_init(&b, FILE_BYTES);
	if (io_read_fd(fd, "journal/" MARK_NAME, &b, e) == 0) {
		if (choose(&b, m))
			r = 1;
		else
			err_set(e, EUCLEAN, "journal/" MARK_NAME " holds no "
			    "mark that can be read: restore the store from a "
			    "backup or its history, or open it read-only");
	}
	buf_release(&b);
	io_close(&fd);
	return r;
}

static int
write_at(int fd, const char *p, size_t n, off_t at)
{
	ssize_t k;

	while (n) {
		k = pwrite(fd, p, n, at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		p += k;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

/* A whole file with the mark in its first slot, synced. */
static int
fill(int fd, const struct mark *m)
{
	char bytes[FILE_BYTES];

	memset(bytes, ' ', sizeof bytes);
	encode(bytes + slot_at(2), m, 2);
	return write_at(fd, bytes, sizeof bytes, 0) < 0 ? -1 : fsync(fd);
}

static int
make_anew(struct mark_file *f, int journal_fd, const struct mark *m)
{
	int fd = openat(journal_fd, MARK_NEW,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || fill(fd, m) < 0 ||
	    renameat(journal_fd, MARK_NEW, journal_fd, MARK_NAME) < 0 ||
	    fsync(journal_fd) < 0) {
		io_close(&fd);
		return -1;
	}
	*f = (struct mark_file){.fd = fd, .sequence = 2, .mark = *m};
	return 0;
}

/*
 * Into both slots of the file that is there, the older one first: its blocks
 * are its own, however full the disk is.
 */
static int
write_over(struct mark_file *f, int journal_fd, const struct mark *m)
{
	int fd = openat(journal_fd, MARK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	uint64_t sequence = 0, end;
	char slot[MARK_SLOT];
	struct mark before;
	struct err ignored;
	struct buf b;

	buf_init(&b, FILE_BYTES);
	if (fd >= 0 && io_read_fd(fd, MARK_NAME, &b, &ignored) == 0 &&
	    b.len == FILE_BYTES)
		sequence = choose(&b, &before);
	buf_release(&b);
	end = sequence + 2;
	while (sequence && sequence < end) {
		encode(slot, m, ++sequence);
		if (write_at(fd, slot, sizeof slot, slot_at(sequence)) < 0 ||
		    fdatasync(fd) < 0)
			sequence = 0;
	}
	if (!sequence) {
		io_close(&fd);
		return -1;
	}
	*f = (struct mark_file){.fd = fd, .sequence = sequence, .mark = *m};
	return 0;
}

int
mark_create(struct mark_file *f, int journal_fd, const struct mark *m,
    struct err *e)
{
	*f = (struct mark_file){.fd = -1};
	if (make_anew(f, journal_fd, m) == 0)
		return 0;
	err_sys(e, "cannot write journal/" MARK_NAME);
	if (e->code != ENOSPC && e->code != EDQUOT)
		return -1;
	(void)unlinkat(journal_fd, MARK_NEW, 0);
	return write_over(f, journal_fd, m);
}

int
mark_write(struct mark_file *f, const struct mark *m, struct err *e)
{
	uint64_t sequence = f->sequence + 1;
	char slot[MARK_SLOT];

	if (f->failed)
		return err_set(e, FAULT_READ_ONLY, "the marks of the journal "
		    "could not be written before: restart the store");
	encode(slot, m, sequence);
	if (write_at(f->fd, slot, sizeof slot, slot_at(sequence)) < 0 ||
	    (!planted(PLANT_MARK_UNSYNCED) && fdatasync(f->fd) < 0)) {
		f->failed = true;
		err_sys(e, "cannot write journal/" MARK_NAME);
		e->code = FAULT_READ_ONLY;
		return -1;
	}
	f->sequence = sequence;
	f->mark = *m;
	return 0;
}

void
mark_close(struct mark_file *f)
{
	io_close(&f->fd);
}
