/*
 * The socket that bothy-fcgi accepts web servers on.
 */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include "store/base/err.h"

struct listener {
	int fd;			/* -1: none */
	char path[4096];	/* of a unix socket of ours, "" else */
};

/*
 * Opens "unix:PATH" (mode 0660, so the web server's group can be given it) or
 * "tcp:127.0.0.1:PORT" (loopback only: libfcgi's parser is not for
 * strangers).  A dead socket is replaced, a living one refused.  0 or -1.
 */
int listen_open(struct listener *l, const char *address, struct err *e);

/*
 * A unix socket for this user alone.  EADDRINUSE: a living process has it.
 * 0 or -1.
 */
int listen_private(struct listener *l, const char *path, struct err *e);

/* The socket that the web server left at descriptor 0. 0 or -1. */
int listen_inherited(struct listener *l, struct err *e);

/* Closes, and removes a unix socket of ours. */
void listen_close(struct listener *l);

#endif
