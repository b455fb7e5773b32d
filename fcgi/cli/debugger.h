/*
 * Runs a function's binary under gdb or valgrind, for `bothy invoke --debug=`.
 */
#ifndef CLI_DEBUGGER_H
#define CLI_DEBUGGER_H

#include "envlist.h"

#include "store/base/buf.h"
#include "store/base/err.h"

/*
 * `which` is "gdb" or "valgrind"; the body is put into the scratch directory
 * for the program's stdin.  With a terminal gdb stops in bothy_handle();
 * without one it runs to the end or to a crash, whose backtrace it prints.
 * The exit code for the command, or -1 with the error set (ENOENT: it is not
 * installed).
 */
int debugger_run(const char *which, const char *binary,
    const struct envlist *env, const char *directory, const struct buf *body,
    const char *scratch, struct err *e);

#endif
