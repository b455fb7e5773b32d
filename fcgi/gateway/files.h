/*
 * Static files: <site>/www for GET and HEAD, by descriptor.
 *
 * Run by bothy-fcgi's workers.  Nothing outside of www/ can be reached: the
 * kernel resolves beneath its descriptor (openat2), or, without openat2, each
 * component is opened without following links.  No dot files but
 * /.well-known, and only regular files: a FIFO blocks nobody.
 */
#ifndef GATEWAY_FILES_H
#define GATEWAY_FILES_H

#include "cors.h"
#include "params.h"
#include "path.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* A site's www directory; root_fd is -1 if there is none. */
struct files {
	int root_fd;
	bool walk;	/* no openat2 here: open component by component */
};

/* Opens <directory>/www.  Absent is fine; -1 with the error set otherwise. */
int files_open(struct files *f, const char *directory, struct err *e);
void files_close(struct files *f);

enum files_found {
	FILES_NONE,	/* no such file: go on with the routes, or 404 */
	FILES_FILE,	/* hit->fd is open: files_head(), files_send() */
	FILES_SLASH,	/* a directory without its slash: files_slash() */
	FILES_ERROR	/* no descriptor or memory to be had: 503 */
};

struct files_hit {
	int fd;
	uint64_t size;
	int64_t mtime_s;
	long mtime_ns;
	const char *type;	/* Content-Type, a constant */
	uint64_t first, bytes;	/* what files_send() sends */
	int status;		/* 200, 206, 304 or 416 by files_head() */
};

/* Looks path->site up.  The hit is closed by files_hit_close(). */
enum files_found files_find(const struct files *f, const struct path *path,
    struct files_hit *hit);
void files_hit_close(struct files_hit *hit);

struct files_extra {
	const char *request_id;
	const struct cors *cors;	/* NULL: none */
	bool head;
};

/*
 * Appends the header block: ETag and Last-Modified, conditions and a single
 * range judged as RFC 9110 13.2.2 orders them.  Sets hit->status and what is
 * to be sent.
 */
void files_head(struct files_hit *hit, const struct params *p,
    const struct files_extra *x, struct buf *out);

/*
 * Sends the body through `write` (0, or -1 if the client left) in pieces.
 * 0; -1 if write failed, -2 if the file became shorter meanwhile.
 */
int files_send(const struct files_hit *hit,
    int (*write)(void *ctx, const void *p, size_t n), void *ctx);

/* Appends the whole 301 that adds the slash (query kept). */
void files_slash(const struct path *path, const struct files_extra *x,
    const char *origin, struct buf *out);

/* The Content-Type of a file name. */
const char *files_type(const char *name);

#endif
