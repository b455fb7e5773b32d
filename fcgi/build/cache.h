/*
 * The directory of built binaries: <state>/build.  No function can have a
 * name with a dot, so ".cache" and "<function>.error" stand in nobody's way.
 *
 * Root's launcher gives functions uids of their own, so the way to a binary
 * can be searched by others, and the binary be read.
 */
#ifndef BUILD_CACHE_H
#define BUILD_CACHE_H

#include "store/base/err.h"

#include <stdbool.h>

enum {
	CACHE_DIR_MODE = 0711,
	CACHE_KEEP = 4,		/* binaries of a function beside the linked */
	CACHE_STALE_S = 3600	/* age of a build directory left behind */
};

/* Makes <state>/build/.cache: 0 or -1. */
int cache_prepare(const char *state_dir, struct err *e);

/*
 * Path of a function's binary under a key, in PATH_MAX bytes.  1 if it is
 * there (it counts as used now), 0 if not, -1 with the error set.
 */
int cache_find(const char *state_dir, const char *key, const char *function,
    char *path, struct err *e);

/* A new directory to build in, in PATH_MAX bytes. 0 or -1. */
int cache_scratch(const char *state_dir, char *dir, struct err *e);

/*
 * Takes the binary `dir`/<function>, synced, into the cache under the key, and
 * removes `dir`.  `path` (PATH_MAX bytes) says where it is now.  0 or -1.
 */
int cache_put(const char *state_dir, const char *dir, const char *key,
    const char *function, char *path, struct err *e);

/* Switches <state>/build/<function> to the key in one step. 0 or -1. */
int cache_link(const char *state_dir, const char *key, const char *function,
    struct err *e);

/*
 * Removes binaries of the function that are neither linked nor among its
 * newest CACHE_KEEP, and build directories that a killed build left behind.
 */
void cache_trim(const char *state_dir, const char *function);

#endif
