/*
 * Files and descriptors: whole reads and writes, small files at once.
 *
 * Every descriptor that is opened here is close-on-exec.  All calls retry
 * EINTR.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include "buf.h"
#include "err.h"

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

/* Write or read exactly `n` bytes: 0; or -1 (EPIPE for an early end). */
int io_write_all(int fd, const void *p, size_t n);
int io_read_all(int fd, void *p, size_t n);

/* One read(2): bytes, 0 at the end, -1 with errno. */
ssize_t io_read(int fd, void *p, size_t n);

/*
 * The whole of a regular file below `dirfd` (AT_FDCWD for none), appended to
 * `b`; a file longer than the buffer's limit is EFBIG.
 */
int io_read_file(int dirfd, const char *path, struct buf *b, struct err *e);

/* The same from a descriptor that is open at its start; `path` is for errors. */
int io_read_fd(int fd, const char *path, struct buf *b, struct err *e);

/*
 * Puts a file in place as one step: a temporary beside it, fsync, rename,
 * fsync of the directory.  Readers see the old or the new bytes, never both.
 */
int io_replace_file(const char *path, const void *p, size_t n, mode_t mode,
    struct err *e);

/*
 * vsnprintf of a path into PATH_MAX bytes: 0, or -1 (ENAMETOOLONG) if it does
 * not fit.
 */
int io_vpath(char *out, struct err *e, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* mkdir -p; directories that exist are fine. */
int io_mkdirs(const char *path, mode_t mode, struct err *e);

/* Removes a tree without following links; absent is fine. 0 or -1. */
int io_remove_tree(int dirfd, const char *path);

/*
 * Lets what was written be on its way to the disk (`n` 0: all from `at` on):
 * 0, also where the system can't.  -1 with errno: some of it may be lost, and a
 * later fsync(2) need not tell.
 */
int io_send_off(int fd, off_t at, off_t n);

/* Sets O_NONBLOCK. 0 or -1. */
int io_nonblock(int fd);

/* Closes `*fd` if it is >= 0, and makes it -1; errno stays. */
void io_close(int *fd);

/*
 * Moves `fd` up to a number >= `least` (close-on-exec), closing the old one;
 * the new number or -1.
 */
int io_raise_fd(int fd, int least);

#endif
