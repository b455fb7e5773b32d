/*
 * The sorter of history_sort.h.  Runs in the checkpoint's thread.
 *
 * A record: 2 bytes length of the path | 1 byte gone | 20 bytes id | path.
 * Lengths are of this machine: the file has no name and dies with us.
 */
#include "history_sort.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MEMORY_BYTES = 8 * 1024 * 1024,
	RUN_BUFFER = 64 * 1024,
	RECORD_HEAD = 2 + 1 + GIT_OID_RAWSZ,
	RECORD_MAX = RECORD_HEAD + HISTORY_PATH_MAX
};

/* A sorted run of the file, and where its reader is. */
struct sort_run {
	uint64_t at, end;		/* not yet in the buffer */
	char *buffer;			/* RUN_BUFFER bytes */
	size_t have, used;		/* of the buffer */
};

void
sort_init(struct sort *s, int dir_fd)
{
	memset(s, 0, sizeof *s);
	s->dir_fd = dir_fd;
	s->fd = -1;
}

void
sort_release(struct sort *s)
{
	free(s->runs);
	free(s->buffers);
	free(s->memory);
	free(s->order);
	io_close(&s->fd);
}

static size_t
path_len(const char *record)
{
	uint16_t n;

	memcpy(&n, record, sizeof n);
	return n;
}

static size_t
record_size(const char *record)
{
	return RECORD_HEAD + path_len(record);
}

static int
compare(const char *a, const char *b)
{
	size_t an = path_len(a), bn = path_len(b);
	int c = memcmp(a + RECORD_HEAD, b + RECORD_HEAD, an < bn ? an : bn);

	return c ? c : (an > bn) - (an < bn);
}

static int
compare_pointers(const void *a, const void *b)
{
	return compare(*(char *const *)a, *(char *const *)b);
}

static void
sort_memory(struct sort *s)
{
	size_t i;

	for (i = 1; i < s->count; i++)
		if (compare(s->order[i - 1], s->order[i]) > 0)
			break;
	if (i < s->count)
		qsort(s->order, s->count, sizeof *s->order, compare_pointers);
}

/* --- runs ---------------------------------------------------------------------- */

static int
write_run(struct sort *s, struct buf *b)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		buf_add(b, s->order[i], record_size(s->order[i]));
		if (b->len >= RUN_BUFFER || i + 1 == s->count) {
			if (!buf_ok(b) || io_write_all(s->fd, b->data, b->len))
				return -1;
			buf_reset(b);
		}
	}
	return 0;
}

static int
spill(struct sort *s, struct err *e)
{
	struct sort_run *runs =
	    realloc(s->runs, (s->nruns + 1) * sizeof *runs);
	struct buf b;
	int r;

	if (!runs)
		return err_set(e, ENOMEM, "no memory to sort changes");
	s->runs = runs;
	if (s->fd < 0)
		s->fd = openat(s->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
		    0600);
	if (s->fd < 0)
		return err_sys(e, "make a file to sort changes in");
	sort_memory(s);
	buf_init(&b, RUN_BUFFER + RECORD_MAX);
	r = write_run(s, &b);
	buf_release(&b);
	if (r)
		return err_sys(e, "write a file to sort changes in");
	memset(&runs[s->nruns], 0, sizeof *runs);
	runs[s->nruns].at = s->file_size;
	s->file_size += s->used;
	runs[s->nruns++].end = s->file_size;
	s->used = s->count = 0;
	return 0;
}

/* --- adding -------------------------------------------------------------------- */

static int
make_room(struct sort *s, size_t size, struct err *e)
{
	if (!s->memory)
		s->memory = malloc(MEMORY_BYTES);
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 256;
		char **order = realloc(s->order, room * sizeof *order);

		if (order) {
			s->order = order;
			s->room = room;
		}
	}
	if (!s->memory || s->count == s->room)
		return err_set(e, ENOMEM, "no memory to sort changes");
	return s->used + size > MEMORY_BYTES ? spill(s, e) : 0;
}

int
sort_add(struct sort *s, const char *path, const git_oid *id, struct err *e)
{
	size_t len = strlen(path);
	uint16_t n = (uint16_t)len;
	char *p;

	if (make_room(s, RECORD_HEAD + len, e))
		return -1;
	p = s->memory + s->used;
	memcpy(p, &n, sizeof n);
	p[2] = id == NULL;
	if (id)
		memcpy(p + 3, id->id, GIT_OID_RAWSZ);
	else
		memset(p + 3, 0, GIT_OID_RAWSZ);
	memcpy(p + RECORD_HEAD, path, len);
	s->order[s->count++] = p;
	s->used += RECORD_HEAD + len;
	return 0;
}

/* --- reading -------------------------------------------------------------------- */

/* A whole record is in the buffer, unless the run is at its end. */
static int
fill(struct sort *s, struct sort_run *run, struct err *e)
{
	size_t left = run->have - run->used;

	if (left >= RECORD_MAX || run->at == run->end)
		return 0;
	memmove(run->buffer, run->buffer + run->used, left);
	run->used = 0;
	run->have = left;
	while (run->have < RUN_BUFFER && run->at < run->end) {
		size_t want = RUN_BUFFER - run->have;
		ssize_t got;

		if (want > run->end - run->at)
			want = (size_t)(run->end - run->at);
		got = pread(s->fd, run->buffer + run->have, want,
		    (off_t)run->at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_sys(e, "read a file to sort changes in");
		run->have += (size_t)got;
		run->at += (uint64_t)got;
	}
	return 0;
}

int
sort_rewind(struct sort *s, struct err *e)
{
	size_t i;

	if (!s->nruns) {
		sort_memory(s);
		return 0;
	}
	if (s->count && spill(s, e))
		return -1;
	s->buffers = malloc(s->nruns * RUN_BUFFER);
	if (!s->buffers)
		return err_set(e, ENOMEM, "no memory to sort changes");
	for (i = 0; i < s->nruns; i++) {
		s->runs[i].buffer = s->buffers + i * RUN_BUFFER;
		if (fill(s, &s->runs[i], e))
			return -1;
	}
	return 0;
}

static void
take(const char *record, struct sort_record *out)
{
	out->len = path_len(record);
	out->gone = record[2];
	memcpy(out->id.id, record + 3, GIT_OID_RAWSZ);
	memcpy(out->path, record + RECORD_HEAD, out->len);
	out->path[out->len] = '\0';
}

int
sort_next(struct sort *s, struct sort_record *out, struct err *e)
{
	struct sort_run *first = NULL;
	size_t i;

	if (!s->nruns) {
		if (s->next == s->count)
			return 0;
		take(s->order[s->next++], out);
		return 1;
	}
	for (i = 0; i < s->nruns; i++) {
		struct sort_run *run = &s->runs[i];

		if (run->used < run->have && (!first ||
		    compare(run->buffer + run->used,
		    first->buffer + first->used) < 0))
			first = run;
	}
	if (!first)
		return 0;
	take(first->buffer + first->used, out);
	first->used += record_size(first->buffer + first->used);
	return fill(s, first, e) ? -1 : 1;
}
