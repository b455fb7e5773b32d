/*
 * Lines of the journal written anew with something left out.  Part of
 * bothy-store; for erasure alone.
 *
 * A line keeps its position, its length and its batch, so that every position
 * that anybody was given stays good.  A segment that has such a line is copied
 * beside the old one, synced, and put in its place; who reads the old one goes
 * on with it.  The segment that is written to is left alone: the writer goes
 * on in another one first (journal_turn).
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { WRITE_BYTES = 1 << 20 };

/* What a start removes, if a crash leaves it behind. */
#define COPY_NAME "tail.new"

int
journal_turn(struct journal *j, struct err *e)
{
	struct segment_file full;

	if (journal_refuse(j, e) < 0)
		return -1;
	if (j->to_next || j->active.fd < 0)
		return 0;
	if (j->batch.len)
		return journal_take_next(j, j->batch.len, e);
	pthread_mutex_lock(&j->lock);
	full = j->active;
	j->active.fd = -1;
	pthread_mutex_unlock(&j->lock);
	io_close(&full.fd);
	return 0;
}

/* --- one segment ---------------------------------------------------------- */

struct rewriting {
	struct journal *j;
	journal_edit_fn *edit;
	void *ctx;
	uint64_t upto;
	struct segment s;
	uint64_t limit;			/* position where its lines end */
	struct buf out, payload;
	int to_fd;			/* -1: only looks */
	uint64_t at;			/* of the copy */
	bool found;			/* a line that is to change */
	uint64_t changed;		/* in copies that are in place */
	struct err *e;
};

static int
flush(struct rewriting *w)
{
	if (journal_write_at(w->to_fd, w->out.data, w->out.len, w->at) < 0)
		return err_sys(w->e, "cannot write journal/" COPY_NAME);
	w->at += w->out.len;
	buf_reset(&w->out);
	return 0;
}

/* One line, into the copy if there is one. */
static int
take_line(struct rewriting *w, const struct segment_head *h,
    const struct journal_line *line)
{
	struct iovec iov = {(void *)(uintptr_t)line->payload, line->len};
	int changed = 0;

	buf_reset(&w->payload);
	if (line->position < w->upto)
		changed = w->edit(w->ctx, line, &w->payload, w->e);
	if (changed < 0)
		return -1;
	if (changed && w->payload.len != line->len)
		return err_set(w->e, FAULT_INTERNAL, "a line of the journal "
		    "would change its length");
	if (changed)
		iov.iov_base = w->payload.data;
	w->found |= changed;
	if (w->to_fd < 0)
		return 0;
	w->changed += (uint64_t)changed;
	if (segment_add(&w->out, h->position, h->batch, &iov, 1) < 0)
		return err_set(w->e, ENOMEM, "no memory for the journal");
	return w->out.len < WRITE_BYTES ? 0 : flush(w);
}

/* All lines of the segment; only looking, up to the first that is to change. */
static int
walk(struct rewriting *w, int from_fd, const char *name)
{
	struct segment_reader r;
	struct segment_head h;
	struct journal_line line;
	int rc = 0;

	segment_reader_init(&r, from_fd, w->s.base, w->limit - w->s.base);
	while (rc == 0 && r.at < r.end && (w->to_fd >= 0 || !w->found)) {
		switch (segment_next(&r, &h, &line.payload)) {
		case SEGMENT_FAILED:
			rc = err_sys(w->e, "cannot read journal/%s", name);
			break;
		case SEGMENT_NONE:
			rc = err_set(w->e, EUCLEAN, "journal/%s is damaged",
			    name);
			break;
		case SEGMENT_LINE:
			line.position = h.position;
			line.next = r.base + r.at;
			line.len = h.len;
			rc = take_line(w, &h, &line);
		}
	}
	segment_reader_release(&r);
	return rc == 0 && w->to_fd >= 0 ? flush(w) : rc;
}

/* The copy is under the old one's name; unless that was released meanwhile. */
static int
put_in_place(struct rewriting *w, const char *name)
{
	struct journal *j = w->j;
	size_t i;

	if (fsync(w->to_fd) < 0 ||
	    renameat(j->dir_fd, COPY_NAME, j->dir_fd, name) < 0)
		return err_sys(w->e, "cannot write journal/%s anew", name);
	pthread_mutex_lock(&j->lock);
	i = journal_find(j, w->s.base);
	if (i < j->count && j->segments[i].base == w->s.base)
		j->segments[i].bytes = w->limit - w->s.base;
	else
		i = j->count;
	i = i == j->count;
	pthread_mutex_unlock(&j->lock);
	if (i && unlinkat(j->dir_fd, name, 0) < 0 && errno != ENOENT)
		return err_sys(w->e, "cannot remove journal/%s", name);
	if (fsync(j->dir_fd) == 0)
		return 0;
	atomic_store(&j->failed, errno ? errno : EIO);
	return err_sys(w->e, "cannot sync journal/");
}

static int
copy(struct rewriting *w, int from_fd, const char *name)
{
	int rc;

	w->to_fd = openat(w->j->dir_fd, COPY_NAME,
	    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->to_fd < 0) {
		err_sys(w->e, "cannot make journal/" COPY_NAME);
		return journal_no_room(w->e);
	}
	w->at = 0;
	buf_reset(&w->out);
	rc = walk(w, from_fd, name);
	if (rc == 0)
		rc = put_in_place(w, name);
	if (rc < 0) {
		(void)journal_no_room(w->e);
		(void)unlinkat(w->j->dir_fd, COPY_NAME, 0);
	}
	io_close(&w->to_fd);
	return rc;
}

static int
rewrite_segment(struct rewriting *w)
{
	char name[SEGMENT_NAME_SIZE];
	int fd, rc;

	segment_name(name, w->s.number);
	fd = openat(w->j->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && w->s.base < journal_begin(w->j))
		return 0;	/* released meanwhile */
	if (fd < 0)
		return err_sys(w->e, "cannot open journal/%s", name);
	w->found = false;
	rc = walk(w, fd, name);
	if (rc == 0 && w->found)
		rc = copy(w, fd, name);
	io_close(&fd);
	return rc;
}

/* --- all of them ---------------------------------------------------------- */

/* The first segment that reaches beyond `at`: 1, 0 if there is none, -1. */
static int
next_segment(struct rewriting *w, uint64_t at)
{
	struct journal *j = w->j;
	bool open = false;
	size_t i;
	int rc = 0;

	pthread_mutex_lock(&j->lock);
	for (i = 0; i < j->count && rc == 0; i++) {
		w->s = j->segments[i];
		w->limit = i + 1 < j->count ? j->segments[i + 1].base
		                            : atomic_load(&j->end);
		open = j->active.fd >= 0 && j->active.number == w->s.number;
		rc = w->limit > at && w->s.base < w->upto;
	}
	pthread_mutex_unlock(&j->lock);
	if (rc && open)
		return err_set(w->e, FAULT_BUSY, "the journal's segment is "
		    "written to");
	return rc;
}

int
journal_rewrite(struct journal *j, uint64_t upto, journal_edit_fn *edit,
    void *ctx, uint64_t *changed, struct err *e)
{
	struct rewriting w = {.j = j, .edit = edit, .ctx = ctx, .upto = upto,
	    .to_fd = -1, .e = e};
	uint64_t at = 0;
	int rc;

	if (journal_refuse(j, e) < 0)
		return -1;
	buf_init(&w.out, (size_t)segment_line_bytes(JOURNAL_LINE_MAX) +
	    WRITE_BYTES);
	buf_init(&w.payload, JOURNAL_LINE_MAX + 1);
	while ((rc = next_segment(&w, at)) > 0) {
		rc = rewrite_segment(&w);
		if (rc < 0)
			break;
		at = w.limit;
	}
	buf_release(&w.payload);
	buf_release(&w.out);
	*changed = w.changed;
	return rc;
}
