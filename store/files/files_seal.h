/*
 * The seal of a file that was written here: its modification time.
 *
 *   seconds        the time
 *   nanoseconds    the time in steps of 2^20 (1.05 ms), and in the low 20 bits
 *                  a hash of document, inode, size, seconds and step
 *
 * Whatever else writes a file, or puts another in its place, leaves a time
 * that fits by accident only: once in a million.  The time itself is right to
 * a millisecond.  It guards against surprise, not against malice.
 */
#ifndef FILES_FILES_SEAL_H
#define FILES_FILES_SEAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* The time that says that document `salt` was written here at `now`. */
struct timespec files_seal_time(uint64_t salt, uint64_t inode, int64_t size,
    const struct timespec *now);

/* True if the file has such a time. */
bool files_seal_holds(uint64_t salt, const struct stat *st);

#endif
