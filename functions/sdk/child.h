/*
 * The child's end of the function ABI (abi.h): take a request, say how it
 * ended.  Runs in a zygote's child, before and after user code.
 */
#ifndef SDK_CHILD_H
#define SDK_CHILD_H

#include "abi.h"

#include <stddef.h>

enum { CHILD_FEW = 64 }; /* variables, with the child's own and the end */

/*
 * A request and its environment.  Large; static in the program that serves.
 * An ordinary request has few variables, whose pointers lie where a zygote
 * can let `environ` point to beforehand, and touches one or two pages: each
 * page that a child touches first is copied for it.
 */
struct child_request {
	struct abi_request head;
	char **envp;	/* the request's, then the child's own; NULL-ended */
	char *few[CHILD_FEW];
	char *room[ABI_ENV_MAX / sizeof(char *) + ABI_VARIABLES_MAX + 8];
};

/*
 * Waits for a request on `ctl_fd`.  Its descriptors are in place as 0, 1 and
 * 2 when this returns 1; 0 at the gateway's end, -1 for what is no request.
 * `own` is two variables, HOME and TMPDIR, which end up in envp.
 */
int child_receive(int ctl_fd, char *const own[2], struct child_request *r);

/*
 * Says that the request ended; `out` (len <= ABI_INLINE_MAX) is the rest of
 * its output.  max_rss_kb and cpu_us of `d` are the caller's.  0 or -1.
 */
int child_done(int ctl_fd, const struct abi_done *d, const void *out,
    size_t len);

/* Says that what was written to stdout is to go out now. */
int child_flush(int ctl_fd);

#endif
