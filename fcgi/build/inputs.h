/*
 * What a binary is made from: sources, and the headers that a compiler named
 * in its dependency files.
 *
 * A set of files is a struct map without values, in a stable order; names are
 * relative to the site or absolute.
 */
#ifndef BUILD_INPUTS_H
#define BUILD_INPUTS_H

#include "store/base/err.h"
#include "store/base/hash.h"
#include "store/base/map.h"

#include <stdbool.h>
#include <time.h>

enum {
	INPUTS_MAX_FILES = 10000,
	INPUTS_MAX_FILE = 64 * 1024 * 1024,	/* bytes of one */
	INPUTS_MAX_DEPTH = 16			/* folders of a Makefile */
};

enum inputs_kind {
	INPUTS_C,	/* one .c file, or a folder of them */
	INPUTS_MAKE	/* a folder with a Makefile */
};

/*
 * Adds the sources of a handler (`source`: its absolute path).  Of a folder
 * with a Makefile these are all files below it but hidden and built ones.
 * 0, or -1 with the error set.
 */
int inputs_sources(const char *site_dir, const char *source,
    struct map *files, enum inputs_kind *kind, struct err *e);

/*
 * Adds what a dependency file (`cc -MMD`) names behind the first colon; the
 * text is changed. 0, or -1 with the error set.
 */
int inputs_depfile(char *text, struct map *files, struct err *e);

/* Reads and writes a list of names, one a line.  An absent list is empty. */
int inputs_load(const char *path, struct map *files, struct err *e);
int inputs_save(const char *path, const struct map *files, struct err *e);

/* Adds the names and contents to a hash: 0, or -1 if one can't be read. */
int inputs_hash(const struct map *files, const char *site_dir,
    struct hash *h, struct err *e);

/* True if one was changed at `since` (CLOCK_REALTIME_COARSE) or later. */
bool inputs_changed(const struct map *files, const char *site_dir,
    const struct timespec *since);

#endif
