/*
 * The listing of pack_set.h.  Runs in the checkpoint's thread, and where
 * figures are asked for.
 */
#include "pack_set.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
read_span(int dir_fd, const char *pack, struct pack_span *span)
{
	char name[PACK_NAME_SIZE + 8], text[128];
	unsigned long long from, to;
	long long time_s;
	int fd;
	ssize_t n;

	snprintf(name, sizeof name, "%s.span", pack);
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = io_read(fd, text, sizeof text - 1);
	io_close(&fd);
	if (n <= 0 || text[n - 1] != '\n')
		return false;
	text[n] = '\0';
	if (sscanf(text, "%llu %llu %lld %u", &from, &to, &time_s,
	    &span->level) != 4)
		return false;
	span->from = from;
	span->to = to;
	span->time_s = time_s;
	return true;
}

static uint64_t
size_of(int dir_fd, const char *pack, const char *suffix)
{
	char name[PACK_NAME_SIZE + 8];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", pack, suffix);
	return fstatat(dir_fd, name, &st, 0) ? 0 : (uint64_t)st.st_size;
}

static int
add(struct pack_set *s, int dir_fd, const char *name, size_t n,
    struct err *e)
{
	struct pack_file *files = s->files, *f;

	if ((s->n & (s->n - 1)) == 0)
		files = realloc(files, (s->n ? s->n * 2 : 1) * sizeof *files);
	if (!files)
		return err_set(e, ENOMEM, "no memory to list the packs");
	s->files = files;
	f = &files[s->n++];
	memset(f, 0, sizeof *f);
	memcpy(f->name, name, n);
	f->own = read_span(dir_fd, f->name, &f->span);
	s->foreign += !f->own;
	f->bytes = size_of(dir_fd, f->name, ".pack") +
	    size_of(dir_fd, f->name, ".idx");
	return 0;
}

static int
order(const void *a, const void *b)
{
	const struct pack_file *x = a, *y = b;

	if (x->own != y->own)
		return x->own ? 1 : -1;
	if (x->span.to != y->span.to)
		return x->span.to < y->span.to ? -1 : 1;
	if (x->span.from != y->span.from)
		return x->span.from < y->span.from ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
read_names(struct pack_set *s, DIR *dir, struct err *e)
{
	const struct dirent *entry;

	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		size_t n = dot ? (size_t)(dot - entry->d_name) : 0;

		if (n && n < PACK_NAME_SIZE && strcmp(dot, ".idx") == 0 &&
		    strncmp(entry->d_name, "pack-", 5) == 0 &&
		    add(s, dirfd(dir), entry->d_name, n, e))
			return -1;
	}
	return 0;
}

int
pack_set_read(int dir_fd, struct pack_set *s, struct err *e)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r;

	memset(s, 0, sizeof *s);
	if (!dir) {
		err_sys(e, "list the packs");
		io_close(&fd);
		return -1;
	}
	r = read_names(s, dir, e);
	closedir(dir);
	if (!r && s->n > 1)
		qsort(s->files, s->n, sizeof *s->files, order);
	return r;
}

void
pack_set_release(struct pack_set *s)
{
	free(s->files);
	s->files = NULL;
	s->n = 0;
}

void
pack_remove(int dir_fd, const char *name)
{
	static const char *const SUFFIX[] = { ".idx", ".pack", ".span" };
	char path[PACK_NAME_SIZE + 8];
	size_t i;

	for (i = 0; i < sizeof SUFFIX / sizeof *SUFFIX; i++) {
		snprintf(path, sizeof path, "%s%s", name, SUFFIX[i]);
		unlinkat(dir_fd, path, 0);
	}
}
