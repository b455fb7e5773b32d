/*
 * The seam between what runs a function's process and the author's handler:
 * main() and the zygote's children stand above it, the SDK below.
 *
 * Runs in a function's own process, in one thread; there is one request at a
 * time.  Nothing here forks, or knows how the request came.
 */
#ifndef SDK_SERVE_H
#define SDK_SERVE_H

#include <stddef.h>
#include <stdint.h>

#define SDK_BODY_UNKNOWN UINT64_MAX

struct sdk_io {
	int in_fd;		/* the body, read from where it stands */
	int out_fd;		/* CGI output goes here after the commit */
	uint64_t body_bytes;	/* or SDK_BODY_UNKNOWN: to the end of file */
	void (*flushed)(void);	/* NULL; or called each time bothy_flush()
				 * has written to out_fd, so that the gateway
				 * passes it on at once */
};

/* CGI output that was not written to out_fd yet. */
struct sdk_output {
	const void *data;
	size_t len;	/* never above ABI_INLINE_MAX */
};

/*
 * Calls bothy_init() if the function has one: its result, 0 when there is
 * none.  Once in a process, before the first sdk_serve().
 */
int sdk_init(void);

/*
 * Runs bothy_handle() for the request whose CGI variables are in environ, and
 * gives the exit status, 0 to 255.  *rest is the output that still has to
 * follow whatever is in out_fd, the whole reply if nothing was committed; it
 * is borrowed until the next call of this file.
 */
int sdk_serve(const struct sdk_io *io, struct sdk_output *rest);

/* Forgets the request: memory, descriptors, *rest. */
void sdk_reset(void);

#endif
