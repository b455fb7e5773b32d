/*
 * One request to a function, as the gateway would make it, for who runs
 * functions without one.
 */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include "envlist.h"

#include "fcgi/conf/conf.h"
#include "store/base/buf.h"
#include "store/base/err.h"

#include <jansson.h>

/*
 * Adds the variables of an event (event.h): the function's own with secrets put
 * in, CGI's and Bothy's; and the body.  0, or -1 with the error.
 */
int request_make(const struct conf *conf, const struct conf_function *f,
    const json_t *event, struct envlist *env, struct buf *body, struct err *e);

/* The body as a descriptor that can be sought, to close; -1 with the error. */
int request_body(const struct buf *body, struct err *e);

#endif
