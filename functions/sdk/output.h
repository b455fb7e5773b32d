/*
 * The reply on its way out: status, header lines and body, as CGI output
 * (RFC 3875 section 6).
 *
 * Held back until the commit, so that status and headers may change and the
 * length is known: bothy_flush() commits, and so does a body that outgrows
 * the buffer.  A reply that was never committed is handed over whole at the
 * end.  Knows a descriptor and nothing of requests; runs in a function's
 * process.
 *
 * Invariants: until `committed`, nothing was written to fd; after it, `head`
 * is empty and status and headers are settled.  body.len <= OUTPUT_BODY_MAX.
 */
#ifndef SDK_OUTPUT_H
#define SDK_OUTPUT_H

#include "serve.h"

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	OUTPUT_BODY_MAX = 60 * 1024,	/* held back at most */
	OUTPUT_HEAD_MAX = 32 * 1024,	/* bytes of header lines */
	OUTPUT_LINE_MAX = 8 * 1024,	/* bytes of one */
	OUTPUT_LINES_MAX = 100
};

struct output {
	int fd;
	int status;		/* 0: none was chosen */
	bool committed;
	int write_errno;	/* why fd takes no more; 0 while it does */
	unsigned lines;		/* in head */
	struct buf head;	/* "Name: value\r\n" each */
	struct buf body;	/* not written yet */
};

void output_init(struct output *o, int fd);
void output_release(struct output *o);

/* The calls below give 0, or -1 with errno. */

/*
 * Adds a header line; before the commit.  E2BIG if the header would outgrow
 * its limits, ENOMEM.
 */
int output_add_line(struct output *o, const char *name, const char *value);

/* Takes all lines of that name away. */
void output_drop_lines(struct output *o, const char *name);

/* The value of the first line of that name, up to its "\r\n"; or NULL. */
const char *output_line(const struct output *o, const char *name);

/* Forgets the body so far; before the commit. */
void output_drop_body(struct output *o);

/* Appends to the body; commits when the buffer is full. */
int output_write(struct output *o, const void *p, size_t n);

/* Commits if that is still to be done, and writes all that is held back. */
int output_flush(struct output *o);

/* True if a status was chosen or a body begun. */
bool output_begun(const struct output *o);

/*
 * The end: *rest is what still has to go out after fd's bytes.  It is nothing
 * at all if the reply was not begun, unless the handler was `ok` and a
 * Location stands for one.
 */
int output_end(struct output *o, bool ok, struct sdk_output *rest);

/* The reason phrase of a status (RFC 9110 15), "" if none is known. */
const char *output_phrase(int status);

#endif
