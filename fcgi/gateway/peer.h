/*
 * The web server at the other end of a request: parameters and body come from
 * it, the reply goes to it.  The one place that knows libfcgi; a plain CGI
 * program (environment, stdin, stdout) looks the same from here.
 *
 * One struct a worker, reused.  Calls block; a deadline (deadline.h) cuts
 * what takes too long by shutting the connection down.
 */
#ifndef GATEWAY_PEER_H
#define GATEWAY_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer;

/* Once a process, before any thread. 0 or -1. */
int peer_library(void);

/* True if this process was started as a plain CGI program. */
bool peer_is_cgi(void);

struct peer *peer_new(void);
void peer_free(struct peer *p);

/*
 * Reads the parameters of the next request on the connection `fd`, which the
 * peer owns from here on.  0; or -1: the connection is closed.
 */
int peer_begin(struct peer *p, int fd);

/* The same for a plain CGI program's only request. */
int peer_begin_cgi(struct peer *p);

/* The parameters, NULL-terminated "NAME=value"; until peer_end. */
char **peer_params(const struct peer *p);

/* Body bytes, 0 at its end, -1 if the client left.  May read all of `n`. */
ssize_t peer_read(void *peer, void *buf, size_t n);

/*
 * Says that the body is empty or has been read whole: takes its end mark, so
 * that the connection can be kept or simply closed.
 */
void peer_body_over(struct peer *p);

/* Reply bytes, kept back until they fill a record or peer_flush. 0 or -1. */
int peer_write(void *peer, const void *buf, size_t n);
int peer_flush(struct peer *p);

/* The connection, for poll: -1 in plain CGI. */
int peer_fd(const struct peer *p);

/*
 * Ends the request.  The descriptor if the web server keeps the connection
 * for another, else -1 (it is closed).
 */
int peer_end(struct peer *p);

/* Breaks the connection off, so that the reply can't look complete. */
void peer_abort(struct peer *p);

#endif
