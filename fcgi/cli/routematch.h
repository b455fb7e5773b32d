/*
 * Which of one function's routes a path belongs to, for `bothy invoke`, where
 * the function is chosen already.  (Which function a request goes to is the
 * gateway's router's to say.)
 */
#ifndef CLI_ROUTEMATCH_H
#define CLI_ROUTEMATCH_H

#include "envlist.h"

#include "fcgi/conf/conf.h"
#include "store/base/err.h"

#include <stddef.h>

/* A path that a route answers: "{name}" and "{name+}" become "name". */
void routematch_path(const struct conf_route *r, char *path, size_t room);

/*
 * A path and method that the function's first route answers; "/" and GET
 * without routes.  *method stays if it is set.
 */
void routematch_example(const struct conf *conf,
    const struct conf_function *f, char *path, size_t room,
    const char **method);

/*
 * Sets SCRIPT_NAME, PATH_INFO, BOTHY_ROUTE and BOTHY_PARAM_*; the path is
 * encoded and may begin with basePath.  0, or -1 with an error that lists the
 * routes.
 */
int routematch_environment(const struct conf *conf,
    const struct conf_function *f, const char *method, const char *path,
    struct envlist *env, struct err *e);

#endif
