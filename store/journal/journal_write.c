/*
 * Writing the journal: the open batch and its sync.  Part of bothy-store,
 * where one thread does both.  A write or sync that failed is never tried
 * again.
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BATCH_KEPT = 4 << 20 };	/* a longer batch's memory is given back */

/* --- the open batch ----------------------------------------------------- */

int
journal_refuse(const struct journal *j, struct err *e)
{
	int failed = atomic_load(&j->failed);

	if (j->read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the journal is open read-only");
	if (failed)
		return err_set(e, FAULT_READ_ONLY, "the journal could not be "
		    "written (%s): the store is read-only until it is "
		    "started again", strerror(failed));
	return 0;
}

/* The payload's length; -1 and the error if it is none. */
static int64_t
measure(const struct iovec *iov, size_t niov, struct err *e)
{
	uint64_t len = 0;
	size_t i;

	for (i = 0; i < niov; i++) {
		if (iov[i].iov_len > JOURNAL_LINE_MAX - len)
			return err_set(e, FAULT_LIMIT, "a change is longer "
			    "than %d bytes", JOURNAL_LINE_MAX);
		if (iov[i].iov_len &&
		    memchr(iov[i].iov_base, '\n', iov[i].iov_len))
			return err_set(e, EINVAL,
			    "a line of the journal has a newline in it");
		len += iov[i].iov_len;
	}
	if (len == 0)
		return err_set(e, EINVAL, "a line of the journal is empty");
	return (int64_t)len;
}

/*
 * True if lines go where no zeros are, and there is a segment that has them: a
 * sync is quicker there (journal_next.c).
 */
static bool
is_better_off(struct journal *j, uint64_t bytes)
{
	bool better;

	if (j->batch.len || j->active.written == j->active.bytes)
		return false;
	pthread_mutex_lock(&j->lock);
	better = j->next.fd >= 0 && j->next.written == j->next.bytes &&
	    bytes <= j->next.bytes;
	pthread_mutex_unlock(&j->lock);
	return better;
}

/* Finds a place for a batch that has grown to `bytes`: 0, or -1. */
static int
place(struct journal *j, uint64_t bytes, struct err *e)
{
	if (!j->to_next && j->active.fd >= 0 &&
	    bytes <= j->active.bytes - j->active_used &&
	    !is_better_off(j, bytes))
		return 0;
	if (j->batch.len && bytes > j->segment_bytes)
		return err_set(e, FAULT_BUSY, "the open batch of the journal "
		    "is full");
	return journal_take_next(j, bytes, e);
}

int
journal_add(struct journal *j, const struct iovec *iov, size_t niov,
    uint64_t *next, struct err *e)
{
	uint64_t end = atomic_load(&j->end);
	size_t before = j->batch.len;
	int64_t len;

	if (journal_refuse(j, e) < 0)
		return -1;
	len = measure(iov, niov, e);
	if (len < 0)
		return -1;
	if (before + segment_line_bytes((size_t)len) > j->batch.max)
		return err_set(e, FAULT_BUSY, "the open batch of the journal "
		    "is full");
	if (place(j, before + segment_line_bytes((size_t)len), e) < 0)
		return -1;
	if (segment_add(&j->batch, end + before, (uint32_t)before, iov,
		niov) < 0) {
		j->batch.failed = false;
		j->to_next = j->to_next && before;
		return err_set(e, ENOMEM, "no memory for the journal");
	}
	if (next)
		*next = end + j->batch.len;
	return 0;
}

void
journal_drop(struct journal *j, uint64_t position)
{
	j->batch.len = (size_t)(position - atomic_load(&j->end));
	if (j->batch.len == 0)
		j->to_next = false;
}

/* --- sync --------------------------------------------------------------- */

int
journal_write_at(int fd, const void *p, size_t n, uint64_t at)
{
	const char *s = p;
	ssize_t k;

	while (n) {
		k = pwrite(fd, s, n, (off_t)at);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		s += k;
		at += (uint64_t)k;
		n -= (size_t)k;
	}
	return 0;
}

/* One fdatasync; what it says is final. */
static int
sync_data(int fd)
{
	if (planted(PLANT_ACK_BEFORE_SYNC))
		return 0;
	if (fdatasync(fd) == 0)
		return 0;
	return planted(PLANT_SYNC_AGAIN) ? fdatasync(fd) : -1;
}

static int
stop(struct journal *j, struct err *e)
{
	atomic_store(&j->failed, errno ? errno : EIO);
	return journal_refuse(j, e);
}

/* The batch lies on the disk: shows it, and moves on into `next` if need be. */
static void
publish(struct journal *j)
{
	struct segment_file full = {.fd = -1};
	uint64_t end = atomic_load(&j->end);

	pthread_mutex_lock(&j->lock);
	if (j->to_next) {
		full = j->active;
		j->active = j->next;
		j->active_used = j->raw = 0;
		j->number = j->active.number;
		j->next = (struct segment_file){.fd = -1};
		(void)journal_append_segment(j, &(struct segment){
		    .number = j->active.number, .base = end,
		    .bytes = j->active.bytes});
	}
	j->active_used += j->batch.len;
	if (j->active_used > j->active.written)
		j->raw += j->batch.len;
	atomic_store(&j->end, end + j->batch.len);
	pthread_mutex_unlock(&j->lock);
	io_close(&full.fd);
}

static int
batch_fd(const struct journal *j)
{
	return j->to_next ? j->next.fd : j->active.fd;
}

static uint64_t
batch_at(const struct journal *j)
{
	return j->to_next ? 0 : j->active_used;
}

static int
write_batch(struct journal *j)
{
	return journal_write_at(batch_fd(j), j->batch.data, j->batch.len,
	    batch_at(j));
}

void
journal_send(struct journal *j)
{
	struct err e;

	if (journal_refuse(j, &e) < 0 || j->batch.len == 0 ||
	    planted(PLANT_SYNC_BEFORE_WRITE))
		return;
	if (write_batch(j) < 0 || io_send_off(batch_fd(j), (off_t)batch_at(j),
	    (off_t)j->batch.len) < 0) {
		stop(j, &e);
		return;
	}
	j->sent = true;
}

int
journal_sync(struct journal *j, struct err *e)
{
	int fd = batch_fd(j);
	bool sent = j->sent;

	j->sent = false;
	if (journal_refuse(j, e) < 0)
		return -1;
	if (j->batch.len == 0)
		return 0;
	if ((planted(PLANT_SYNC_BEFORE_WRITE) && sync_data(fd) < 0) ||
	    (!sent && write_batch(j) < 0) ||
	    (!planted(PLANT_SYNC_BEFORE_WRITE) && sync_data(fd) < 0))
		return stop(j, e);
	publish(j);
	if (j->batch.room > BATCH_KEPT)
		buf_release(&j->batch);
	else
		buf_reset(&j->batch);
	j->to_next = false;
	return 0;
}
