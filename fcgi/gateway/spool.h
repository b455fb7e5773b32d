/*
 * A request's body, read whole before the function starts.
 *
 * Run by bothy-fcgi's workers.  nginx stops sending a body once the reply
 * goes out, and a function that reads slowly must not hold a connection's
 * buffers: so the body lies in memory up to 64 KB, then in a file without a
 * name, and the function's stdin is a descriptor of that, at offset 0, which
 * it can't write.
 */
#ifndef GATEWAY_SPOOL_H
#define GATEWAY_SPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SPOOL_MEMORY = 64 * 1024 };

/* Where the body comes from: bytes, 0 at its end, -1 if the client left. */
struct spool_source {
	ssize_t (*read)(void *ctx, void *p, size_t n);
	void *ctx;
};

/* One a worker, reused. */
struct spool {
	int scratch_fd;		/* directory for files without a name; or -1 */
	char *memory;		/* SPOOL_MEMORY bytes, from the first body on */
	const char *reason;	/* after a refusal: what is wrong, a constant */
};

/* `scratch_fd` is borrowed; -1: large bodies stay in memory (memfd). */
void spool_init(struct spool *s, int scratch_fd);
void spool_release(struct spool *s);

/*
 * Reads the body to its end, or `content_length` bytes of it if that is known
 * (not -1).  0 with *fd read-only at offset 0, which the caller closes, and
 * *bytes; *fd is -1 for an empty body.  Or the status to answer, with
 * s->reason set: 413 for more than `max_bytes` (at once if content_length
 * says so), 400 for an end before content_length, 507 without room on disk,
 * 500 else.  A reader's failure is 400 too.
 */
int spool_body(struct spool *s, const struct spool_source *from,
    int64_t content_length, uint64_t max_bytes, int *fd, uint64_t *bytes);

#endif
