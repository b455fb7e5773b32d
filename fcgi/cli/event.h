/*
 * A request for `bothy invoke`: an API Gateway event (payload version 2.0),
 * read from a file or made from options, and the CGI environment that stands
 * for it.
 */
#ifndef CLI_EVENT_H
#define CLI_EVENT_H

#include "envlist.h"

#include "fcgi/conf/conf.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <jansson.h>
#include <stddef.h>

enum { EVENT_MAX_BODY = 64 * 1024 * 1024 };

/* What the command line says; NULL or 0 where it says nothing. */
struct event_options {
	const char *method;
	const char *path;		/* may have a ?query */
	const char *data;		/* a text, or @file, or @- */
	const char *const *headers;	/* "Name: value" */
	size_t nheaders;
};

/* The event for the options, or NULL with the error set. */
json_t *event_make(const struct conf *conf, const struct conf_function *f,
    const struct event_options *o, struct err *e);

/* Reads an event from a file ("-": standard input); NULL with the error. */
json_t *event_read(const char *path, struct err *e);

/*
 * Sets the CGI/1.1 variables of the event for the function, as the gateway
 * would, and appends the body.  A document that is no HTTP event is the body
 * of a POST with BOTHY_EVENT=invoke.  0, or -1 with the error set: the
 * function has routes, but none for it.
 */
int event_environment(const json_t *event, const struct conf *conf,
    const struct conf_function *f, struct envlist *env, struct buf *body,
    struct err *e);

#endif
