/*
 * Follows the files of a log directory (logtail.h).  Only reads.
 */
#include "logtail.h"

#include "logline.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct logfollow {
	char source[256];
	int fd;			/* -1: gone */
	ino_t inode;
	off_t at;
	bool skip;		/* the first line was cut off */
	struct buf line;
};

/* Lines that were read and not shown yet. */
struct batch {
	struct item {
		char *raw;
		const char *time;	/* belongs to line, or is "" */
		json_t *line;
		const char *source;
		size_t order;
	} *items;
	size_t count, room;
};

static const char suffix[] = ".jsonl";

int
logtail_open(struct logtail *t, const char *state_dir, const char *function,
    struct err *e)
{
	memset(t, 0, sizeof *t);
	if (snprintf(t->dir, sizeof t->dir, "%s/log", state_dir) >=
	    (int)sizeof t->dir ||
	    snprintf(t->function, sizeof t->function, "%s",
	    function ? function : "") >= (int)sizeof t->function)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    state_dir);
	t->files = calloc(LOGTAIL_FILES, sizeof *t->files);
	if (!t->files)
		return err_set(e, ENOMEM, "no memory");
	t->first = 1;
	return 0;
}

void
logtail_close(struct logtail *t)
{
	size_t i;

	for (i = 0; i < t->nfiles; i++) {
		io_close(&t->files[i].fd);
		buf_release(&t->files[i].line);
	}
	free(t->files);
	t->files = NULL;
	t->nfiles = 0;
}

/* A function's lines are in its own log, and in those of all. */
static bool
wanted(const struct logtail *t, const char *source)
{
	return !t->function[0] || strcmp(source, t->function) == 0 ||
	    strcmp(source, "access") == 0 || strcmp(source, "launch") == 0;
}

static int
open_at(const struct logtail *t, struct logfollow *f)
{
	char path[PATH_MAX + 300];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s%s", t->dir, f->source, suffix);
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0)
		return -1;
	if (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		io_close(&f->fd);
		return -1;
	}
	f->inode = st.st_ino;
	f->at = 0;
	f->skip = false;
	if (t->first && st.st_size > LOGTAIL_BACK) {
		f->at = st.st_size - LOGTAIL_BACK;
		f->skip = true;
	}
	return 0;
}

static void
add_file(struct logtail *t, const char *source)
{
	struct logfollow *f;
	size_t i;

	for (i = 0; i < t->nfiles; i++) {
		if (strcmp(t->files[i].source, source) == 0)
			return;
	}
	if (t->nfiles == LOGTAIL_FILES)
		return;
	f = &t->files[t->nfiles];
	memcpy(f->source, source, strlen(source) + 1);
	buf_init(&f->line, LOGLINE_MAX);
	if (open_at(t, f) == 0)
		t->nfiles++;
}

/* Finds logs that are new. */
static void
scan(struct logtail *t)
{
	DIR *d = opendir(t->dir);
	struct dirent *de;
	size_t n;

	if (!d)
		return;
	while ((de = readdir(d))) {
		n = strlen(de->d_name);
		if (n < sizeof suffix || n >= sizeof t->files->source ||
		    strcmp(de->d_name + n - (sizeof suffix - 1), suffix) != 0)
			continue;
		de->d_name[n - (sizeof suffix - 1)] = '\0';
		if (wanted(t, de->d_name))
			add_file(t, de->d_name);
	}
	closedir(d);
}

/* True if the line is about the function that is asked for. */
static bool
about(const struct logtail *t, const struct logfollow *f, const json_t *line)
{
	const char *function;

	if (!t->function[0] || strcmp(f->source, t->function) == 0)
		return true;
	function = json_string_value(json_object_get(line, "function"));
	return function && strcmp(function, t->function) == 0;
}

/* Room for one more, in the order of reading; NULL without memory. */
static struct item *
new_item(struct batch *b)
{
	size_t room = b->room ? 2 * b->room : 64;
	struct item *items;

	if (b->count == b->room) {
		items = realloc(b->items, room * sizeof *items);
		if (!items)
			return NULL;
		b->items = items;
		b->room = room;
	}
	b->items[b->count] = (struct item){.order = b->count};
	return &b->items[b->count++];
}

static void
add_line(struct batch *b, const struct logtail *t, struct logfollow *f)
{
	struct item *item;
	const char *time;
	json_t *line;

	line = json_loadb(buf_str(&f->line), f->line.len, 0, NULL);
	item = about(t, f, line) ? new_item(b) : NULL;
	if (!item) {
		json_decref(line);
		return;
	}
	time = json_string_value(json_object_get(line, "time"));
	item->raw = buf_take(&f->line);
	item->line = line;
	item->time = time ? time : "";
	item->source = f->source;
}

/* Cuts a chunk into lines; a line that is too long is left out. */
static void
take(struct batch *b, const struct logtail *t, struct logfollow *f,
    const char *p, size_t n)
{
	const char *nl;
	size_t k;

	while (n) {
		nl = memchr(p, '\n', n);
		k = nl ? (size_t)(nl - p) : n;
		buf_add(&f->line, p, k);
		if (!nl)
			return;
		if (buf_ok(&f->line) && !f->skip && f->line.len)
			add_line(b, t, f);
		f->skip = false;
		buf_reset(&f->line);
		p += k + 1;
		n -= k + 1;
	}
}

static void
read_file(struct batch *b, const struct logtail *t, struct logfollow *f)
{
	char chunk[65536];
	ssize_t n;

	while (f->fd >= 0 && (n = pread(f->fd, chunk, sizeof chunk,
	    f->at)) > 0) {
		f->at += n;
		take(b, t, f, chunk, (size_t)n);
	}
}

/* A log that was moved away is read to its end, then the new one. */
static void
follow(struct batch *b, const struct logtail *t, struct logfollow *f)
{
	char path[PATH_MAX + 300];
	struct stat st;

	read_file(b, t, f);
	snprintf(path, sizeof path, "%s/%s%s", t->dir, f->source, suffix);
	if (stat(path, &st) < 0 ||
	    (f->fd >= 0 && st.st_ino == f->inode && st.st_size >= f->at))
		return;
	io_close(&f->fd);
	buf_reset(&f->line);
	if (open_at(t, f) == 0)
		read_file(b, t, f);
}

static int
by_time(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int d = strcmp(x->time, y->time);

	if (d)
		return d;
	return x->order < y->order ? -1 : 1;
}

void
logtail_read(struct logtail *t, size_t last,
    void (*show)(void *arg, const struct logentry *entry), void *arg)
{
	struct batch b = {.items = NULL};
	struct logentry entry;
	size_t i;

	scan(t);
	for (i = 0; i < t->nfiles; i++)
		follow(&b, t, &t->files[i]);
	t->first = 0;
	if (b.count)
		qsort(b.items, b.count, sizeof *b.items, by_time);
	for (i = 0; i < b.count; i++) {
		struct item *item = &b.items[i];

		if (!last || b.count - i <= last) {
			entry = (struct logentry){item->source,
			    item->raw ? item->raw : "", item->line};
			show(arg, &entry);
		}
		free(item->raw);
		json_decref(item->line);
	}
	free(b.items);
}
