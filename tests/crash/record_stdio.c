/*
 * The recorder's stdio (record.c): a stream that is opened to be written goes
 * through write(2) as everything else does, which glibc's own doesn't.
 */
#include "record_internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static ssize_t
put(void *cookie, const char *p, size_t n)
{
	ssize_t done = write((int)(intptr_t)cookie, p, n);

	return done < 0 ? 0 : done;
}

static int
end(void *cookie)
{
	return close((int)(intptr_t)cookie);
}

static FILE *
stream_of(int fd)
{
	cookie_io_functions_t calls = {.write = put, .close = end};

	return fopencookie((void *)(intptr_t)fd, "w", calls);
}

/* The flags to open with, or -1 if it is not only written. */
static int
flags_of(const char *mode)
{
	int more = (strchr(mode, 'e') ? O_CLOEXEC : 0) |
		   (strchr(mode, 'x') ? O_EXCL : 0);

	if (strchr(mode, '+'))
		return -1;
	return mode[0] == 'w'	? O_WRONLY | O_CREAT | O_TRUNC | more
	       : mode[0] == 'a' ? O_WRONLY | O_CREAT | O_APPEND | more
				: -1;
}

FILE *
fopen(const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *);
	int flags = flags_of(mode), fd;

	if (flags < 0 || !path_counts(AT_FDCWD, path)) {
		*(void **)&next = dlsym(RTLD_NEXT, "fopen");
		return next(path, mode);
	}
	fd = open(path, flags, 0666);
	return fd < 0 ? NULL : stream_of(fd);
}

FILE *
fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}

FILE *
fdopen(int fd, const char *mode)
{
	FILE *(*next)(int, const char *);

	if (flags_of(mode) >= 0 && fd_counts(fd))
		return stream_of(fd);
	*(void **)&next = dlsym(RTLD_NEXT, "fdopen");
	return next(fd, mode);
}
