/*
 * The index read ahead into memory, a piece at a time, by a thread that has
 * nothing better to do: nobody waits for it.
 *
 * The map is read without readahead (index_grow.c), so that without this each
 * page of an index that isn't in memory would be waited for by itself: a scan
 * of all took ten times as long.
 */
#include "index_internal.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum {
	PIECE = 16 << 20,
	WINDOW = 64 << 10, /* the kernel reads its own, and no more */
	SHARE = 4	   /* one part in so many of the memory */
};

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much there is to read; 0 where the kernel reads ahead by itself. */
static uint64_t
end_of(struct index *ix)
{
	long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
	struct index_room room;
	struct err ignored;
	bool writes_map;

	pthread_mutex_lock(&ix->lock);
	writes_map = ix->writes_map;
	pthread_mutex_unlock(&ix->lock);
	if (!writes_map || pages < 0 || bytes < 0 ||
	    index_room(ix, &room, &ignored) < 0)
		return 0;
	return least(
	    room.used_bytes, (uint64_t)pages / SHARE * (uint64_t)bytes);
}

static void
read_ahead(int fd, uint64_t at, uint64_t end)
{
	while (at < end &&
	       posix_fadvise(fd, (off_t)at, WINDOW, POSIX_FADV_WILLNEED) == 0)
		at += WINDOW;
}

/* The file of now: one that is written anew takes its place (index_renew.c). */
bool
index_warm(struct index *ix)
{
	uint64_t end = end_of(ix);
	char file[PATH_MAX];
	int fd;

	if (ix->warmed >= end)
		return false;
	snprintf(file, sizeof file, "%s/data.mdb", ix->path);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	read_ahead(fd, ix->warmed, least(ix->warmed + PIECE, end));
	io_close(&fd);
	ix->warmed += PIECE;
	return ix->warmed < end;
}
