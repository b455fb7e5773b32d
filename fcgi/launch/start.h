/*
 * How a zygote comes to be: its environment with secrets, its scratch
 * directory, its uid under root, its confinement, and the exec of the
 * function's program (or of the runner).
 */
#ifndef LAUNCH_START_H
#define LAUNCH_START_H

#include "launcher.h"

#include "store/base/err.h"

#include <sys/types.h>

struct started {
	pid_t pid;
	int sock_fd, log_fd;	/* the caller's now */
	uid_t uid;		/* the function's own; 0: ours */
	char *scratch;		/* malloc'ed path, the caller's */
};

/*
 * Starts one for the pool.  What goes wrong after the fork comes as a FAILED
 * message over sock_fd.  0, or -1 with the error set.
 */
int start_process(struct launcher *l, struct pool *p, struct started *out,
    struct err *e);

#endif
