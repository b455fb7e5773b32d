/*
 * The journal as it is found at the start: which segments count, where their
 * lines end, and whether anything is missing that was on the disk.  Part of
 * bothy-store, before it serves.  This file only reads; what is made good
 * then is in journal_settle.c.
 */
#include "journal_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHAT_TO_DO "restore it from a backup, or open the store read-only to " \
	"save what is there"

/*
 * Damage.  Who opens to write is refused; who only reads has it noted, the
 * first of it, and goes on with what there is.
 */
static int __attribute__((format(printf, 3, 4)))
damaged(struct journal *j, struct err *e, const char *fmt, ...)
{
	struct err what;
	va_list ap;
	size_t n;

	what = (struct err){.code = EUCLEAN};
	va_start(ap, fmt);
	(void)vsnprintf(what.text, sizeof what.text, fmt, ap);
	va_end(ap);
	n = strlen(what.text);
	(void)snprintf(what.text + n, sizeof what.text - n, ": " WHAT_TO_DO);
	if (!j->read_only) {
		*e = what;
		return -1;
	}
	if (!j->damage.text[0])
		j->damage = what;
	return 0;
}

static int
open_segment(const struct journal *j, uint32_t number, struct err *e)
{
	char name[SEGMENT_NAME_SIZE];
	int fd;

	segment_name(name, number);
	fd = openat(j->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? err_sys(e, "cannot open journal/%s", name) : fd;
}

static int
cannot_read(uint32_t number, struct err *e)
{
	return err_sys(e, "cannot read journal/%08" PRIu32 ".jsonl", number);
}

/* --- what files there are ----------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
	const struct found_segment *x = a, *y = b;

	return x->s.number < y->s.number ? -1 : x->s.number > y->s.number;
}

static int
add_found(struct found *f, uint32_t number)
{
	size_t room = f->room ? 2 * f->room : 64;
	struct found_segment *more;

	if (f->count == f->room) {
		more = realloc(f->files, room * sizeof *more);
		if (more == NULL)
			return -1;
		f->files = more;
		f->room = room;
	}
	f->files[f->count++] = (struct found_segment){.s.number = number};
	return 0;
}

static int
list_files(const struct journal *j, struct found *f, struct err *e)
{
	int fd = openat(j->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	uint32_t number;
	int r = 0;

	if (d == NULL) {
		err_sys(e, "cannot list journal/");
		io_close(&fd);
		return -1;
	}
	while (r == 0 && (errno = 0, entry = readdir(d)) != NULL) {
		number = segment_number(entry->d_name);
		if (number && add_found(f, number) < 0)
			r = err_set(e, ENOMEM, "no memory for the journal");
	}
	if (r == 0 && errno)
		r = err_sys(e, "cannot list journal/");
	(void)closedir(d);
	if (f->count)
		qsort(f->files, f->count, sizeof *f->files, by_number);
	return r;
}

/* Length and base of one file; `lines` tells if it has a base. */
static int
probe(const struct journal *j, struct found_segment *file, struct err *e)
{
	int fd = open_segment(j, file->s.number, e);
	enum segment_found found = SEGMENT_FAILED;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		file->s.bytes = (uint64_t)st.st_size;
		found = segment_base(fd, file->s.bytes, &file->s.base);
	}
	file->lines = found == SEGMENT_LINE;
	if (found == SEGMENT_FAILED)
		cannot_read(file->s.number, e);
	io_close(&fd);
	return found == SEGMENT_FAILED ? -1 : 0;
}

/* --- which of them count ------------------------------------------------ */

/*
 * Goes back from the newest file with lines to the one in which the least
 * mark lies.  What is older is left over from a release.
 */
static int
find_chain(struct journal *j, struct found *f, struct err *e)
{
	uint64_t least = mark_least(&j->marks);
	const struct found_segment *at, *before;

	for (f->first = f->newest; f->files[f->first].s.base > least;
	    f->first--) {
		at = &f->files[f->first];
		before = f->first ? at - 1 : NULL;
		if (before && before->lines &&
		    before->s.number + 1 == at->s.number &&
		    before->s.base < at->s.base)
			continue;
		return damaged(j, e, "journal/%08" PRIu32 ".jsonl, which the "
		    "marks need from position %" PRIu64 " on, is missing or "
		    "damaged at its begin", at->s.number - 1, least);
	}
	return 0;
}

/* --- their lines -------------------------------------------------------- */

/* Walks to the last sound line; sees whether a line begins at `redo`. */
static int
walk_lines(struct segment_reader *r, uint64_t redo, bool *seen)
{
	struct segment_head h;
	const char *payload;
	enum segment_found found;

	while ((found = segment_next(r, &h, &payload)) == SEGMENT_LINE)
		if (h.position == redo)
			*seen = true;
	if (r->base + r->at == redo)
		*seen = true;
	return found == SEGMENT_FAILED ? -1 : 0;
}

/* A full segment: its lines must reach to where the next one begins. */
static int
check_full(struct journal *j, const struct segment *s, bool *seen,
    struct err *e)
{
	uint64_t redo = j->marks.redo.position, limit = s[1].base - s->base;
	struct segment_reader r;
	int fd = open_segment(j, s->number, e), result;

	if (fd < 0)
		return -1;
	segment_reader_init(&r, fd, s->base, limit);
	if (walk_lines(&r, redo, seen) < 0)
		result = cannot_read(s->number, e);
	else if (r.at != limit)
		result = damaged(j, e, "journal/%08" PRIu32 ".jsonl is damaged "
		    "at byte %" PRIu64 " (position %" PRIu64 "), and later "
		    "lines follow", s->number, r.at, r.base + r.at);
	else
		result = 0;
	segment_reader_release(&r);
	io_close(&fd);
	return result;
}

/* A line behind the byte where the lines end may prove that there was more. */
static int
check_beyond(struct journal *j, struct segment_reader *r, uint32_t number,
    struct err *e)
{
	uint64_t at = r->at, where = 0;

	switch (segment_beyond(r, &where)) {
	case SEGMENT_FAILED:
		return cannot_read(number, e);
	case SEGMENT_LINE:
		return damaged(j, e, "journal/%08" PRIu32 ".jsonl is damaged "
		    "at byte %" PRIu64 ", and a sound line follows at byte %"
		    PRIu64, number, at, where);
	case SEGMENT_NONE:
		break;
	}
	return 0;
}

/* The newest segment: its lines end where they end. */
static int
check_tail(struct journal *j, const struct segment *s, bool *seen,
    struct err *e)
{
	struct segment_reader r;
	int fd = open_segment(j, s->number, e), result;

	if (fd < 0)
		return -1;
	segment_reader_init(&r, fd, s->base, s->bytes);
	if (walk_lines(&r, j->marks.redo.position, seen) < 0) {
		result = cannot_read(s->number, e);
	} else {
		atomic_store(&j->end, r.base + r.at);
		result = check_beyond(j, &r, s->number, e);
	}
	segment_reader_release(&r);
	io_close(&fd);
	return result;
}

/* Files after it, which don't begin with a line: never written, or torn. */
static int
check_empty(struct journal *j, const struct found *f, struct err *e)
{
	size_t i = f->newest < f->count ? f->newest + 1 : 0;
	struct segment_reader r;
	int fd, result = 0;

	for (; result == 0 && i < f->count; i++) {
		fd = open_segment(j, f->files[i].s.number, e);
		if (fd < 0)
			return -1;
		segment_reader_init(&r, fd, SEGMENT_ANYWHERE,
		    f->files[i].s.bytes);
		result = check_beyond(j, &r, f->files[i].s.number, e);
		segment_reader_release(&r);
		io_close(&fd);
	}
	return result;
}

static int
check_marks(struct journal *j, bool seen, struct err *e)
{
	const struct mark *m = &j->marks;
	uint64_t end = atomic_load(&j->end), most = m->redo.position;

	if (m->feed.position > most)
		most = m->feed.position;
	if (m->pitr.position > most)
		most = m->pitr.position;
	if (end < most)
		return damaged(j, e, "the journal ends at position %" PRIu64
		    " (journal/%08" PRIu32 ".jsonl), but reached %" PRIu64
		    " when it was marked", end, j->number, most);
	if (!seen)
		return damaged(j, e, "no line of the journal begins at the "
		    "redo mark, position %" PRIu64, m->redo.position);
	return 0;
}

/* All lines from the redo mark on. */
static int
check_lines(struct journal *j, struct err *e)
{
	bool seen = false;
	size_t i = journal_find(j, j->marks.redo.position);

	for (i = i < j->count ? i : 0; i + 1 < j->count; i++)
		if (check_full(j, &j->segments[i], &seen, e) < 0)
			return -1;
	if (check_tail(j, &j->segments[i], &seen, e) < 0)
		return -1;
	return check_marks(j, seen, e);
}

/* No file has lines: right for a new journal, and one that was all released. */
static int
begin_empty(struct journal *j, bool marked, uint64_t begin, struct err *e)
{
	const struct mark *m = &j->marks;

	if (!marked)
		j->marks = (struct mark){.redo = {begin, 0},
		    .feed = {begin, 0}, .pitr = {begin, 0}};
	atomic_store(&j->end, m->redo.position);
	if (m->feed.position != m->redo.position ||
	    m->pitr.position != m->redo.position)
		return damaged(j, e, "the segments of journal/ are missing, "
		    "which the marks need from position %" PRIu64 " on",
		    mark_least(m));
	return 0;
}

/* --- all of it ---------------------------------------------------------- */

static int
read_marks(struct journal *j, const struct found *f, bool *marked,
    struct err *e)
{
	int r = mark_read(j->dir_fd, &j->marks, e);

	*marked = r > 0;
	if (r < 0 && e->code == EUCLEAN)
		return damaged(j, e, "journal/mark holds no mark that can be "
		    "read");
	if (r == 0 && f->newest < f->count)
		return damaged(j, e, "journal/mark is missing");
	return r < 0 ? -1 : 0;
}

static int
inspect(struct journal *j, struct found *f, uint64_t begin, struct err *e)
{
	bool marked;
	size_t i;

	if (list_files(j, f, e) < 0)
		return -1;
	f->newest = f->count;
	for (i = 0; i < f->count; i++) {
		if (probe(j, &f->files[i], e) < 0)
			return -1;
		if (f->files[i].lines)
			f->newest = i;
	}
	if (read_marks(j, f, &marked, e) < 0 || check_empty(j, f, e) < 0)
		return -1;
	if (f->newest == f->count)
		return begin_empty(j, marked, begin, e);
	if (find_chain(j, f, e) < 0)
		return -1;
	for (i = f->first; i <= f->newest; i++)
		if (journal_append_segment(j, &f->files[i].s) < 0)
			return err_set(e, ENOMEM, "no memory for the journal");
	j->number = f->files[f->newest].s.number;
	return check_lines(j, e);
}

int
journal_recover(struct journal *j, uint64_t begin, struct err *e)
{
	struct found f = {0};
	int r = inspect(j, &f, begin, e);

	if (r == 0 && !j->read_only)
		r = journal_settle(j, &f, e);
	free(f.files);
	return r;
}
