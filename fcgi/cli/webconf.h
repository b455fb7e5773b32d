/*
 * Configurations of web servers, printed from templates.
 *
 * Used by `bothy config`, and by `bothy run` for its private lighttpd.  A
 * standalone configuration holds the pasted one word for word, so what is
 * tested is what people paste.
 */
#ifndef CLI_WEBCONF_H
#define CLI_WEBCONF_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>

enum { WEBCONF_MAX = 16 * 1024 };	/* bytes of a configuration */

/* A web server and how it reaches the gateway. */
struct webserver {
	const char *name;	/* as in `bothy config NAME` */
	const char *summary;
	const char *program;	/* what starts it */
	const char *start;	/* arguments before the configuration's name */
	const char *dispatch;	/* program in the document root, or NULL */
	bool each_request;	/* it is bothy-dispatch, else bothy-fcgi */
	const char *fragment;	/* template of what is pasted */
	const char *standalone;	/* template around @FRAGMENT@ */
	bool can_spawn;		/* it can start the gateway itself */
	const char *root_user;	/* whom it becomes as root, or NULL: root */
};

/* What the templates are filled with; all paths absolute. */
struct webconf {
	const char *site, *state;
	const char *gateway;	/* path of bothy-fcgi */
	const char *launcher;	/* path of bothy-launch */
	const char *dispatcher;	/* path of bothy-dispatch */
	const char *socket;	/* path of the gateway's socket */
	const char *root;	/* private directory of a standalone server */
	const char *docroot;	/* document root that holds the .htaccess */
	const char *base;	/* "" or "/api" */
	const char *stage;	/* "" for deploy.yaml's */
	const char *push;	/* the path that takes pushes; NULL, "": none */
	const char *secrets;	/* where they lie; "" if that can't be told */
	const char *listen;	/* "127.0.0.1" */
	const char *port;	/* "8080" */
	const char *user, *group;	/* "" unless it changes its user */
	bool spawned;		/* the web server starts the gateway */
};

/* All servers, ended by a NULL name. */
extern const struct webserver webservers[];

/* The server of that name, or NULL. */
const struct webserver *webserver_find(const char *name);

/*
 * Appends the configuration to `out`: 0; or -1 for a value that the server's
 * syntax can't carry (quotes, `$`, braces, control bytes).
 */
int webconf_print(const struct webserver *s, const struct webconf *w,
    bool standalone, struct buf *out, struct err *e);

/*
 * Puts .htaccess, the dispatch program (a copy of the gateway) and bothy.site
 * into the document root w->docroot.
 */
int webconf_install(const struct webserver *s, const struct webconf *w,
    struct err *e);

#endif
