/*
 * Runs a compiler or make, and keeps what it says.
 */
#ifndef BUILD_PROCESS_H
#define BUILD_PROCESS_H

#include "store/base/buf.h"
#include "store/base/err.h"

enum { PROCESS_KILLED = 128 };	/* a greater status: plus the signal */

/*
 * Runs argv[0] (looked up in $PATH) in directory `cwd` with /dev/null as its
 * input, and appends its output and errors to `out`; what passes the buffer's
 * limit is read and dropped.  The exit status, PROCESS_KILLED + the signal
 * that ended it, or -1 with the error set if it could not be run.
 */
int process_run(const char *const argv[], const char *cwd, struct buf *out,
    struct err *e);

#endif
