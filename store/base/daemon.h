/*
 * What our daemons do alike: lie beside one another, are started, and go into
 * the background.
 */
#ifndef BASE_DAEMON_H
#define BASE_DAEMON_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The path of a program that lies beside the running one, into `size` bytes: 0
 * or -1 with *e.  (Where the running one was replaced since, its link says so
 * behind its name, which is cut off here.)
 */
int daemon_beside(const char *name, char *path, size_t size, struct err *e);

/*
 * Starts argv[0], a path, as a process that is owed nothing: no signal blocked
 * or ignored, nothing to read, what it prints thrown away, what it says on
 * standard error going to `error_fd` (-1: where ours goes; 1: thrown away).  With `alone` it
 * has nothing else of ours either: no descriptor, no session, no directory.
 * Only what `argv` and `envp` point to is read.  0, or -1 with errno.
 */
int daemon_spawn(const char *const *argv, char *const *envp, int error_fd,
    bool alone, pid_t *pid);

/*
 * Goes into the background: the process that was started waits for
 * daemon_ready() and ends with status 0; if we end before that, with 1.  Of
 * what was theirs we keep standard error alone, for the reason.
 *
 * A descriptor of at least `least`, for daemon_ready(); -1 with errno.
 */
int daemon_detach(int least);

/* Whoever started us may go on; *ready_fd < 0: nobody waits. */
void daemon_ready(int *ready_fd);

#endif
