/*
 * The entries of pack_source.h.  Runs in upkeep and erasure, in memory that
 * one index takes.
 */
#include "pack_source.h"

#include "pack_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	INDEX_BYTES_MAX = 1 << 30,
	INDEX_FANOUT = 8,		/* 256 counts of 4 bytes */
	INDEX_HEAD = INDEX_FANOUT + 256 * 4,	/* then ids, CRCs, offsets */
	INDEX_ROW = GIT_OID_RAWSZ + 4 + 4,
	ENTRY_BYTES_MAX = 256 * 1024 * 1024
};

static uint32_t
get_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	    (uint32_t)u[2] << 8 | u[3];
}

int
pack_source_broken(const struct pack_source *s, struct err *e)
{
	return err_set(e, FAULT_INTERNAL, "history: %s is broken", s->name);
}

static int
order_rows(const void *a, const void *b)
{
	const struct pack_row *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int
read_rows(struct pack_source *s, struct err *e)
{
	const char *crcs, *offsets;
	size_t i;

	if (s->index.len < INDEX_HEAD + 2 * PACK_SUM_SIZE ||
	    memcmp(s->index.data, "\377tOc\0\0\0\2", 8) != 0)
		return pack_source_broken(s, e);
	s->n = get_u32(s->index.data + INDEX_HEAD - 4);
	if (s->index.len < INDEX_HEAD + s->n * INDEX_ROW + 2 * PACK_SUM_SIZE)
		return pack_source_broken(s, e);
	s->rows = malloc((s->n + 1) * sizeof *s->rows);
	if (!s->rows)
		return err_set(e, ENOMEM, "no memory to read a pack");
	crcs = s->index.data + INDEX_HEAD + s->n * GIT_OID_RAWSZ;
	offsets = crcs + s->n * 4;
	for (i = 0; i < s->n; i++) {
		s->rows[i].offset = get_u32(offsets + 4 * i);
		if (s->rows[i].offset > INT32_MAX)	/* in 8 bytes */
			return pack_source_broken(s, e);
		s->rows[i].crc = get_u32(crcs + 4 * i);
		s->rows[i].number = (uint32_t)i;
	}
	qsort(s->rows, s->n, sizeof *s->rows, order_rows);
	return 0;
}

static int
open_source(struct pack_source *s, int dir_fd, struct err *e)
{
	char path[PACK_NAME_SIZE + 8];
	struct stat st;

	snprintf(path, sizeof path, "%s.idx", s->name);
	if (io_read_file(dir_fd, path, &s->index, e) || read_rows(s, e))
		return -1;
	snprintf(path, sizeof path, "%s.pack", s->name);
	s->fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st))
		return err_sys(e, "open %s", path);
	if (st.st_size < PACK_SUM_SIZE || st.st_size > UINT32_MAX)
		return pack_source_broken(s, e);
	s->end = (uint64_t)st.st_size - PACK_SUM_SIZE;
	return 0;
}

int
pack_source_read(struct pack_source *s, size_t at, struct err *e)
{
	const struct pack_row *row = &s->rows[at];
	uint64_t end = at + 1 < s->n ? row[1].offset : s->end;
	size_t n;

	if (end <= row->offset || end > s->end ||
	    end - row->offset > ENTRY_BYTES_MAX)
		return pack_source_broken(s, e);
	n = (size_t)(end - row->offset);
	buf_reset(&s->entry);
	if (buf_reserve(&s->entry, n))
		return err_set(e, ENOMEM, "no memory to read a pack");
	while (s->entry.len < n) {
		ssize_t got = pread(s->fd, s->entry.data + s->entry.len,
		    n - s->entry.len, (off_t)(row->offset + s->entry.len));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_sys(e, "read %s.pack", s->name);
		s->entry.len += (size_t)got;
	}
	if (crc32(0, (const Bytef *)s->entry.data, (uInt)n) != row->crc)
		return pack_source_broken(s, e);
	return 0;
}

/* --- open, close ------------------------------------------------------------ */

int
pack_source_open(struct pack_source *s, int dir_fd, const char *name,
    struct err *e)
{
	memset(s, 0, sizeof *s);
	s->fd = -1;
	s->name = name;
	buf_init(&s->index, INDEX_BYTES_MAX);
	buf_init(&s->entry, ENTRY_BYTES_MAX);
	return open_source(s, dir_fd, e);
}

void
pack_source_close(struct pack_source *s)
{
	io_close(&s->fd);
	buf_release(&s->index);
	buf_release(&s->entry);
	free(s->rows);
	s->rows = NULL;
	s->n = 0;
}

/* --- which entry -------------------------------------------------------------- */

static const char *
id_at(const struct pack_source *s, size_t number)
{
	return s->index.data + INDEX_HEAD + number * GIT_OID_RAWSZ;
}

void
pack_source_id(const struct pack_source *s, size_t at, git_oid *id)
{
	git_oid_fromraw(id,
	    (const unsigned char *)id_at(s, s->rows[at].number));
}

int
pack_source_type(const struct pack_source *s)
{
	return (unsigned char)s->entry.data[0] >> 4 & 7;
}

static bool
find_number(const struct pack_source *s, const git_oid *id, size_t *number)
{
	const char *fanout = s->index.data + INDEX_FANOUT + 4 * id->id[0];
	size_t low = id->id[0] ? get_u32(fanout - 4) : 0;
	size_t high = get_u32(fanout);

	if (high > s->n)
		return false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = memcmp(id->id, id_at(s, middle), GIT_OID_RAWSZ);

		if (c == 0) {
			*number = middle;
			return true;
		}
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool
pack_source_find(const struct pack_source *s, const git_oid *id, size_t *at)
{
	struct pack_row row = {0, 0, 0};
	const struct pack_row *found;
	size_t number;

	if (!find_number(s, id, &number))
		return false;
	row.offset = get_u32(id_at(s, s->n) + 4 * s->n + 4 * number);
	found = bsearch(&row, s->rows, s->n, sizeof row, order_rows);
	*at = found ? (size_t)(found - s->rows) : 0;
	return found != NULL;
}
