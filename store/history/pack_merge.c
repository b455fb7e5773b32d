/*
 * The copying of pack_merge.h.  Runs in upkeep, in bounded memory: one index,
 * and the pack read from front to back.
 */
#include "pack_merge.h"

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
	INDEX_HEAD = 8 + 256 * 4,	/* then ids, CRCs, offsets */
	INDEX_ROW = GIT_OID_RAWSZ + 4 + 4,
	ENTRY_BYTES_MAX = 256 * 1024 * 1024
};

/* An entry of the pack, in the order of offsets. */
struct row {
	uint32_t offset, crc;
	uint32_t number;		/* in the index */
};

struct source {
	int fd;
	const char *name;
	uint64_t end;			/* where the entries end */
	struct buf index;
	size_t n;
	struct row *rows;
	struct buf entry;
};

static uint32_t
get_u32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	    (uint32_t)u[2] << 8 | u[3];
}

static int
broken(const struct source *s, struct err *e)
{
	return err_set(e, FAULT_INTERNAL, "history: %s is broken", s->name);
}

static int
compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int
read_rows(struct source *s, struct err *e)
{
	const char *crcs, *offsets;
	size_t i;

	if (s->index.len < INDEX_HEAD + 2 * PACK_SUM_SIZE ||
	    memcmp(s->index.data, "\377tOc\0\0\0\2", 8) != 0)
		return broken(s, e);
	s->n = get_u32(s->index.data + INDEX_HEAD - 4);
	if (s->index.len < INDEX_HEAD + s->n * INDEX_ROW + 2 * PACK_SUM_SIZE)
		return broken(s, e);
	s->rows = malloc((s->n + 1) * sizeof *s->rows);
	if (!s->rows)
		return err_set(e, ENOMEM, "no memory to merge packs");
	crcs = s->index.data + INDEX_HEAD + s->n * GIT_OID_RAWSZ;
	offsets = crcs + s->n * 4;
	for (i = 0; i < s->n; i++) {
		s->rows[i].offset = get_u32(offsets + 4 * i);
		s->rows[i].crc = get_u32(crcs + 4 * i);
		s->rows[i].number = (uint32_t)i;
	}
	qsort(s->rows, s->n, sizeof *s->rows, compare_rows);
	return 0;
}

static int
open_source(struct source *s, int dir_fd, struct err *e)
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
		return broken(s, e);
	s->end = (uint64_t)st.st_size - PACK_SUM_SIZE;
	return 0;
}

static int
read_entry(struct source *s, const struct row *row, uint64_t end,
    struct err *e)
{
	size_t n;

	if (end <= row->offset || end > s->end ||
	    end - row->offset > ENTRY_BYTES_MAX)
		return broken(s, e);
	n = (size_t)(end - row->offset);
	buf_reset(&s->entry);
	if (buf_reserve(&s->entry, n))
		return err_set(e, ENOMEM, "no memory to merge packs");
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
		return broken(s, e);
	return 0;
}

static int
copy_entry(struct source *s, const struct row *row, git_odb *odb,
    struct pack_out *out, struct err *e)
{
	git_odb_object *o;
	git_oid id;
	int type = (unsigned char)s->entry.data[0] >> 4 & 7, r;

	git_oid_fromraw(&id, (const unsigned char *)s->index.data +
	    INDEX_HEAD + (size_t)row->number * GIT_OID_RAWSZ);
	if (type >= GIT_OBJECT_COMMIT && type <= GIT_OBJECT_TAG)
		return pack_out_raw(out, s->entry.data, s->entry.len, &id, e);
	if (git_odb_read(&o, odb, &id))
		return broken(s, e);
	r = pack_out_known(out, git_odb_object_type(o),
	    git_odb_object_data(o), git_odb_object_size(o), &id, e);
	git_odb_object_free(o);
	return r;
}

int
pack_copy(int dir_fd, const char *name, git_odb *odb, struct pack_out *out,
    struct err *e)
{
	struct source s;
	size_t i;
	int r;

	memset(&s, 0, sizeof s);
	s.fd = -1;
	s.name = name;
	buf_init(&s.index, INDEX_BYTES_MAX);
	buf_init(&s.entry, ENTRY_BYTES_MAX);
	r = open_source(&s, dir_fd, e);
	for (i = 0; i < s.n && !r; i++) {
		uint64_t end = i + 1 < s.n ? s.rows[i + 1].offset : s.end;

		r = read_entry(&s, &s.rows[i], end, e);
		if (!r)
			r = copy_entry(&s, &s.rows[i], odb, out, e);
	}
	io_close(&s.fd);
	buf_release(&s.index);
	buf_release(&s.entry);
	free(s.rows);
	return r;
}
