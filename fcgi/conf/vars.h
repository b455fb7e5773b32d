/*
 * Variables: ${source:address} in the scalars of a tree.
 *
 *	${param:x}	params.<stage>.x, else params.default.x
 *	${env:X}	the site's env file, not the process's environment
 *	${self:a.b.0}	another place of deploy.yaml
 *	${file(p):a.b}	a YAML or JSON file inside the site, never over a link
 *	${sls:stage}	the stage
 *	${secret:X}	stays as it is, and marks the scalar
 *
 * A fallback follows a comma: ${env:X, 'text'}, ${env:X, env:Y, 5}.  Variables
 * may stand inside variables.  A scalar that is one variable alone may become
 * a list or a map.  \${ is a literal ${.
 *
 * Every scalar is expanded once and remembered.  Depth, number and size are
 * bounded; a variable that leads back to itself is an error.
 */
#ifndef CONF_VARS_H
#define CONF_VARS_H

#include "errlist.h"
#include "node.h"
#include "stamp.h"
#include "zone.h"

#include "store/base/buf.h"
#include "store/base/map.h"

#include <stddef.h>

enum {
	VARS_MAX_DEPTH = 32,	/* variables that need one another */
	VARS_MAX_STEPS = 200000,
	VARS_MAX_FILES = 64
};

struct vars_file {
	const char *path;	/* relative to the site */
	struct node *root;	/* NULL: absent or bad */
	bool absent;
	struct stamp stamp;	/* before it was read */
};

struct vars {
	struct zone *zone;
	struct errlist *errors;
	struct node *root;	/* of deploy.yaml */
	const char *stage;	/* NULL until it is known */
	struct map env;		/* name -> C string */
	const char *directory;	/* of the site, absolute */
	int site_fd;
	struct vars_file files[VARS_MAX_FILES];
	size_t nfiles;
	size_t depth, steps;
	char why[256];		/* why the last source had no value */
};

/*
 * What a node stands for: itself, or what its variables lead to (never a
 * scalar with variables again).  NULL if that can't be told; the error was
 * added when it was first tried.
 */
struct node *vars_resolve(struct vars *v, struct node *n);

/* Expands everything below, so that all errors are known. */
void vars_walk(struct vars *v, struct node *n);

/* How looking for a value went. */
enum vars_result { VARS_FOUND, VARS_MISSING, VARS_BAD };

/*
 * One source (varsource.c): `arg` is what stood in parentheses or NULL, `at`
 * the scalar that asks.  VARS_MISSING leaves the reason in v->why, VARS_BAD
 * has added an error.
 */
enum vars_result vars_source(struct vars *v, const struct node *at,
    const char *source, const char *arg, const char *address,
    struct node **out);

/* An error at a node; VARS_BAD for its caller to return. */
enum vars_result vars_fail(struct vars *v, const struct node *at,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A scalar in the place of `at`; NULL without memory. */
struct node *vars_scalar(struct vars *v, const struct node *at,
    const char *text, size_t len);

#endif
