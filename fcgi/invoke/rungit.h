/*
 * A request through git http-backend, which the launcher starts unconfined
 * (fcgi/launch/backend.c): for pushes over HTTP.
 *
 * Called by a gateway's worker, which blocks until git is done.  A connection
 * to the launcher is made for it, and with that git ends, whatever happens
 * here.
 */
#ifndef INVOKE_RUNGIT_H
#define INVOKE_RUNGIT_H

#include "run.h"

/*
 * As run_request(); of `q` count env (LAUNCH_GIT_BYTES at most), body_fd,
 * idle_timeout_ms, client_fd (git ends when the client has left), ctx, output
 * and log.  Results are RUN_EXIT, RUN_SIGNAL, RUN_TIMEOUT, RUN_STOPPED and
 * RUN_REFUSED.
 */
void run_git(
    struct invoke *v, const struct run_request *q, struct run_result *out);

#endif
