/*
 * What tells that a file is no longer the one that was read.
 */
#ifndef CONF_STAMP_H
#define CONF_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* All numbers are 0 for a file that is absent; no padding. */
struct stamp {
	uint64_t present;
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

/* The file's state, links followed; take it before reading the file. */
struct stamp stamp_take(const char *path);

bool stamp_same(const struct stamp *a, const struct stamp *b);

#endif
