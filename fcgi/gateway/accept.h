/*
 * Where connections come from.
 *
 * All workers wait in one epoll set that holds the listening socket and the
 * idle connections (new and silent, or kept open after a request); the kernel
 * wakes the one that went idle last.  The socket is armed for one event at a
 * time: who takes a connection arms it again for the next worker, and then
 * serves.  So a request costs no hand-over between threads, and an idle
 * connection holds nobody.
 *
 * When no worker waits there, another thread looks now and then (turns.h).
 */
#ifndef GATEWAY_ACCEPT_H
#define GATEWAY_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

struct gateway;

/* Makes the epoll set: 0 or -1. */
int accept_start(struct gateway *g);

/*
 * Waits for a connection that has a request: its descriptor and how long it
 * has waited; or -1 when the gateway is to leave and nothing waits.  The
 * worker counts as busy until accept_done().
 */
int accept_next(struct gateway *g, int64_t *wait_us);
void accept_done(struct gateway *g);

/*
 * Without waiting: false if nothing happened or a connection can't be taken
 * now, else one that has a request, or -1 for one that has none yet.
 */
bool accept_pending(struct gateway *g, int *fd);

/* Watches a connection that the web server keeps open. */
void accept_again(struct gateway *g, int fd);

/* No more connections are taken; all waiting calls end. */
void accept_stop(struct gateway *g);

#endif
