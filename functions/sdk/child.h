/*
 * The child's end of the function ABI (abi.h): take a request, say how it
 * ended.  Runs in a zygote's child, before and after user code.
 */
#ifndef SDK_CHILD_H
#define SDK_CHILD_H

#include "abi.h"

#include <stddef.h>

struct child_request {
	struct abi_request head;
	char **envp;	/* the request's environment and the scratch's own
			 * variables, NULL at the end; borrowed, stays until
			 * the next request */
};

/*
 * Waits for a request on `ctl_fd`.  Its descriptors are in place as 0, 1 and
 * 2 when this returns 1; 0 at the gateway's end, -1 for what is no request.
 * HOME and TMPDIR are set to `scratch`.
 */
int child_receive(int ctl_fd, const char *scratch, struct child_request *r);

/*
 * Says that the request ended; `out` (len <= ABI_INLINE_MAX) is the rest of
 * its output.  max_rss_kb and cpu_us of `d` are the caller's.  0 or -1.
 */
int child_done(int ctl_fd, const struct abi_done *d, const void *out,
    size_t len);

/* Says that what was written to stdout is to go out now. */
int child_flush(int ctl_fd);

#endif
