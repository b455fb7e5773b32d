/*
 * Reading the journal, for replay and for the feed.  Part of bothy-store, in
 * any thread; reads only what is on the disk for good.
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

/*
 * Where `from` lies: 1 with the segment and where its lines end, 0 at the
 * journal's end, -1 and the error outside.
 */
static int
locate(struct journal *j, uint64_t from, struct segment *s, uint64_t *limit,
    struct err *e)
{
	uint64_t begin, end;
	size_t i;

	*s = (struct segment){0};
	*limit = 0;
	pthread_mutex_lock(&j->lock);
	end = atomic_load(&j->end);
	begin = j->count ? j->segments[0].base : end;
	i = journal_find(j, from);
	if (i < j->count) {
		*s = j->segments[i];
		*limit = i + 1 < j->count ? j->segments[i + 1].base : end;
	}
	pthread_mutex_unlock(&j->lock);
	if (from == end)
		return 0;
	if (from > end)
		return err_set(e, EINVAL, "position %" PRIu64 " lies beyond "
		    "the journal's end at %" PRIu64, from, end);
	if (from < begin)
		return err_set(e, FAULT_TRIMMED, "position %" PRIu64 " lies "
		    "before the journal's begin at %" PRIu64, from, begin);
	return 1;
}

static int
say_damaged(const struct segment_reader *r, const char *name, struct err *e)
{
	return err_set(e, EUCLEAN, "journal/%s is damaged at byte %" PRIu64
	    " (position %" PRIu64 ")", name, r->at, r->base + r->at);
}

/*
 * No sound line is where the reading was to begin: damage, if the lines before
 * lead there or not so far; else a position that nobody was given.
 */
static int
say_why(struct segment_reader *r, const char *name, struct err *e)
{
	uint64_t from = r->at;
	struct segment_head h;
	const char *payload;
	enum segment_found found = SEGMENT_LINE;

	r->at = 0;
	while (r->at < from && found == SEGMENT_LINE)
		found = segment_next(r, &h, &payload);
	if (found == SEGMENT_FAILED)
		return err_sys(e, "cannot read journal/%s", name);
	if (r->at <= from)
		return say_damaged(r, name, e);
	return err_set(e, EINVAL, "no line of the journal begins at position %"
	    PRIu64, r->base + from);
}

/*
 * Walks to the reader's end, *next being where it is: 0, what `each` gave, or
 * -1 and the error.
 */
static int
walk(struct segment_reader *r, const char *name,
    int (*each)(void *ctx, const struct journal_line *line), void *ctx,
    uint64_t *next, struct err *e)
{
	struct segment_head h;
	struct journal_line line;
	bool first = true;
	int stop;

	for (; r->at < r->end; first = false) {
		switch (segment_next(r, &h, &line.payload)) {
		case SEGMENT_FAILED:
			return err_sys(e, "cannot read journal/%s", name);
		case SEGMENT_NONE:
			return first ? say_why(r, name, e)
				     : say_damaged(r, name, e);
		case SEGMENT_LINE:
			break;
		}
		line.position = h.position;
		line.next = *next = r->base + r->at;
		line.len = h.len;
		stop = each(ctx, &line);
		if (stop)
			return stop;
	}
	return 0;
}

int
journal_read(struct journal *j, uint64_t from,
    int (*each)(void *ctx, const struct journal_line *line), void *ctx,
    uint64_t *next, struct err *e)
{
	char name[SEGMENT_NAME_SIZE];
	struct segment_reader reader;
	struct segment s;
	uint64_t limit;
	int fd, r;

	while ((r = locate(j, from, &s, &limit, e)) > 0) {
		segment_name(name, s.number);
		fd = openat(j->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno == ENOENT && from < journal_begin(j))
			continue;	/* released meanwhile: locate says so */
		if (fd < 0) {
			r = err_sys(e, "cannot open journal/%s", name);
			break;
		}
		segment_reader_init(&reader, fd, s.base, limit - s.base);
		reader.at = from - s.base;
		r = walk(&reader, name, each, ctx, &from, e);
		segment_reader_release(&reader);
		io_close(&fd);
		if (r)
			break;
	}
	if (next)
		*next = from;
	return r;
}
