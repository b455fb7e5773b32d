/*
 * The daemons of `bothy run`: a private lighttpd and the gateway, one set a
 * site.
 */
#ifndef CLI_DEVSERVER_H
#define CLI_DEVSERVER_H

#include "place.h"
#include "service.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct devserver_options {
	const char *listen, *port;	/* NULL: 127.0.0.1, 8080 */
	bool no_web;			/* the gateway alone */
};

struct devserver {
	const struct place *place;
	const char *listen, *port;
	bool no_web;
	char gateway_path[PATH_MAX], launcher_path[PATH_MAX];
	char web_path[PATH_MAX];
	char socket[PATH_MAX];		/* of the gateway */
	char root[PATH_MAX];		/* of the web server's files */
	char config[PATH_MAX];		/* its configuration */
	struct service gateway, web;
	int lock_fd;
	bool started;			/* the gateway, and by it the launcher */
};

/*
 * Finds programs and port, and takes the site's lock; starts nothing.  0, or
 * -1 with the error set (ENOENT: a program is not installed).  In any case
 * devserver_close() is due.
 */
int devserver_open(struct devserver *d, const struct place *place,
    const struct devserver_options *o, struct err *e);

/* Starts both and waits until they answer. 0 or -1. */
int devserver_start(struct devserver *d, const char *base_path,
    struct err *e);

/* Has the gateway take the new snapshot. */
void devserver_reload(struct devserver *d);

/*
 * Call often: starts a gateway that has ended again.  0, or -1 with the error
 * set if one of both can't be kept running.
 */
int devserver_look(struct devserver *d, struct err *e);

/* Stops all, with the launcher and its functions. */
void devserver_close(struct devserver *d);

#endif
