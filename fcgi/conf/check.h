/*
 * Holding a tree against the table of keys, and filling structs from it.
 *
 * Every value that is wrong adds an error and is passed over; a checker's
 * result counts only if no error was added.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf.h"
#include "keys.h"
#include "node.h"
#include "vars.h"
#include "zone.h"

#include "store/base/buf.h"
#include "store/base/map.h"

struct checker {
	struct zone *zone;
	struct errlist *errors;
	struct vars *vars;
	struct conf *conf;	/* functions and routes grow in it */
	struct site_keys site;
	struct buf path;	/* where we are: "functions.hello.timeout" */
	struct map shapes;	/* "GET /a/{}" of each route, in their order */
	size_t routes_room;
};

/* Checks a value against its key and stores it in the struct at `base`. */
void check_value(struct checker *c, struct node *n, const struct key *k,
    void *base);

/* An error at a node; always -1. */
int check_fail(struct checker *c, const struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Stores the fallbacks of a table and of the maps in it. */
void check_defaults(const struct key *table, void *base);

/*
 * A route of function number `function` (route.c): `method` may be NULL for
 * "any", `path` is as written.  Errors are added at `n`.
 */
void route_add(struct checker *c, const struct node *n, uint32_t function,
    const char *method, const char *path);

/* The short form: 'GET /x', '* /x', '*', '$default'. */
void route_add_short(struct checker *c, const struct node *n,
    uint32_t function, const char *text);

/*
 * Finds a function's source, directory and binary (handler.c); `n` is its
 * handler in the file.
 */
void handler_resolve(struct checker *c, const struct node *n,
    struct conf_function *f, const struct conf_options *opt);

/* Holds the rules of deploy.stages (stages_check.c), `n`, beside each other. */
void stages_check(struct checker *c, struct node *n);

#endif
