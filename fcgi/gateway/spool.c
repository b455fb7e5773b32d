/*
 * A request's body (spool.h): memory first, then a file without a name.
 */
#include "spool.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A body on its way. */
struct body {
	const struct spool_source *from;
	int64_t length;		/* -1: up to the end */
	uint64_t max;
	uint64_t got;
	size_t kept;		/* bytes in memory that are not in fd yet */
	int fd;			/* -1: all in memory so far */
	bool sealable;		/* fd is a memfd */
};

void
spool_init(struct spool *s, int scratch_fd)
{
	s->scratch_fd = scratch_fd;
	s->memory = NULL;
	s->reason = NULL;
}

void
spool_release(struct spool *s)
{
	free(s->memory);
	s->memory = NULL;
}

static int
refuse(struct spool *s, int status, const char *reason)
{
	s->reason = reason;
	return status;
}

static int
refuse_errno(struct spool *s)
{
	if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		return refuse(s, 507, "no room for the request body");
	return refuse(s, 500, "the request body could not be kept");
}

static int
open_memory(struct body *b)
{
	b->fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	b->sealable = b->fd >= 0;
	return b->fd < 0 ? -1 : 0;
}

static int
open_file(const struct spool *s, struct body *b)
{
	if (s->scratch_fd < 0)
		return open_memory(b);
	b->fd = openat(s->scratch_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
	    0600);
	if (b->fd >= 0)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT || errno == EMFILE ||
	    errno == ENFILE)
		return -1;
	/* No such file there, or the directory is gone. */
	return open_memory(b);
}

/* Moves what is in memory to the descriptor. */
static int
drain(struct spool *s, struct body *b)
{
	if (io_write_all(b->fd, s->memory, b->kept) < 0)
		return -1;
	b->kept = 0;
	return 0;
}

/*
 * Fills the memory as far as the body goes.  0 if there may be more, 1 at
 * the end, or the status to answer.
 */
static int
fill(struct spool *s, struct body *b)
{
	size_t want;
	ssize_t n;

	while (b->kept < SPOOL_MEMORY) {
		want = SPOOL_MEMORY - b->kept;
		if (b->length >= 0) {
			if (b->got == (uint64_t)b->length)
				return 1;
			if (want > (uint64_t)b->length - b->got)
				want = (size_t)((uint64_t)b->length - b->got);
		}
		n = b->from->read(b->from->ctx, s->memory + b->kept, want);
		if (n < 0)
			return refuse(s, 400, "the request body broke off");
		if (n == 0 && b->length >= 0)
			return refuse(s, 400, "the request body is shorter "
			                      "than its Content-Length");
		if (n == 0)
			return 1;
		b->kept += (size_t)n;
		b->got += (uint64_t)n;
		if (b->got > b->max)
			return refuse(s, 413, "the request body is too large");
	}
	return b->length >= 0 && b->got == (uint64_t)b->length;
}

/* The descriptor that a function gets: at 0, and not for writing. */
static int
finish(struct body *b)
{
	char name[64];
	int fd;

	if (b->sealable)
		return lseek(b->fd, 0, SEEK_SET) < 0 ? -1
		    : fcntl(b->fd, F_ADD_SEALS,
		          F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
		              F_SEAL_SEAL);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", b->fd);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)	/* no /proc */
		return lseek(b->fd, 0, SEEK_SET) < 0 ? -1 : 0;
	io_close(&b->fd);
	b->fd = fd;
	return 0;
}

/* A small body: one write at 0 leaves the offset there. */
static int
finish_small(struct spool *s, struct body *b)
{
	if (open_memory(b) < 0)
		return -1;
	if (pwrite(b->fd, s->memory, b->kept, 0) != (ssize_t)b->kept)
		return -1;
	return fcntl(b->fd, F_ADD_SEALS,
	    F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

int
spool_body(struct spool *s, const struct spool_source *from,
    int64_t content_length, uint64_t max_bytes, int *fd, uint64_t *bytes)
{
	struct body b = {
	    .from = from,
	    .length = content_length,
	    .max = max_bytes,
	    .fd = -1,
	};
	int rc;

	*fd = -1;
	*bytes = 0;
	s->reason = NULL;
	if (content_length == 0)
		return 0;
	if (content_length > 0 && (uint64_t)content_length > max_bytes)
		return refuse(s, 413, "the request body is too large");
	if (!s->memory && !(s->memory = malloc(SPOOL_MEMORY)))
		return refuse(s, 500, "no memory for the request body");
	while ((rc = fill(s, &b)) == 0) {
		if ((b.fd < 0 && open_file(s, &b) < 0) || drain(s, &b) < 0) {
			rc = refuse_errno(s);
			goto fail;
		}
	}
	if (rc != 1)
		goto fail;
	if (b.got == 0)
		return 0;
	if (b.fd < 0 ? finish_small(s, &b) < 0
	             : drain(s, &b) < 0 || finish(&b) < 0) {
		rc = refuse_errno(s);
		goto fail;
	}
	*fd = b.fd;
	*bytes = b.got;
	return 0;
fail:
	io_close(&b.fd);
	return rc;
}
