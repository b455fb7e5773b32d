/*
 * Reads the logs of STATE/log in the order of time, and what is added later.
 *
 * A log may be moved away and begun anew (rotation), and new logs may appear
 * at any time; a line that is not finished yet waits.
 */
#ifndef CLI_LOGTAIL_H
#define CLI_LOGTAIL_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <jansson.h>
#include <limits.h>
#include <stddef.h>

enum {
	LOGTAIL_FILES = 1024,
	LOGTAIL_BACK = 1024 * 1024	/* bytes read back of each log */
};

struct logfollow;

struct logtail {
	char dir[PATH_MAX];
	char function[256];	/* "" for all */
	struct logfollow *files;
	size_t nfiles;
	int first;		/* 1 before the first read */
};

struct logentry {
	const char *source;	/* "access", "gateway", "launch", a function */
	const char *raw;	/* the line, without its newline */
	json_t *line;		/* an object, or NULL if it is none */
};

/* Logs of the site, or of one function (NULL: all). 0 or -1. */
int logtail_open(struct logtail *t, const char *state_dir,
    const char *function, struct err *e);
void logtail_close(struct logtail *t);

/*
 * Calls show() for each line that was added since the last call, at the first
 * for those at the logs' ends; `last` (if not 0) is how many at most.
 */
void logtail_read(struct logtail *t, size_t last,
    void (*show)(void *arg, const struct logentry *entry), void *arg);

#endif
