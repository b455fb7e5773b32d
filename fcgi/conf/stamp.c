/*
 * Stamps of stamp.h.  Runs where a configuration is loaded, and in every
 * process that asks whether a snapshot is fresh.
 */
#include "stamp.h"

#include <sys/stat.h>

static int64_t
nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct stamp
stamp_take(const char *path)
{
	struct stamp s = {0};
	struct stat st;

	if (stat(path, &st) < 0)
		return s;
	s.present = 1;
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	s.size = (uint64_t)st.st_size;
	s.mtime_ns = nanoseconds(st.st_mtim);
	s.ctime_ns = nanoseconds(st.st_ctim);
	return s;
}

bool
stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->present == b->present && a->dev == b->dev &&
	    a->ino == b->ino && a->size == b->size &&
	    a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}
