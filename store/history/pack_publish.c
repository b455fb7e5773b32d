/*
 * Packs, closed and made visible.  Runs where packs are written: in the
 * checkpoint's thread.  The order: pack and index written and synced under
 * temporary names, then the span, then both renamed, the index last, for by
 * it a pack is seen; then the directory synced.
 */
#include "pack_write.h"

#include "pack_internal.h"

#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
pack_remove_temp(const struct pack_out *p, const char *temp)
{
	char name[PACK_NAME_SIZE + 16];

	snprintf(name, sizeof name, "%s.pack" PACK_TEMP, temp);
	unlinkat(p->dir_fd, name, 0);
	snprintf(name, sizeof name, "%s.idx" PACK_TEMP, temp);
	unlinkat(p->dir_fd, name, 0);
}

int
pack_write_at(int fd, const void *bytes, size_t n, uint64_t at)
{
	const char *b = bytes;

	while (n > 0) {
		ssize_t w = pwrite(fd, b, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return -1;
		b += w;
		n -= (size_t)w;
		at += (uint64_t)w;
	}
	return 0;
}

int
pack_flush(struct pack_out *p, struct err *e)
{
	if (!buf_ok(&p->tail))
		return err_set(e, ENOMEM, "no memory for a pack");
	if (pack_write_at(p->fd, p->tail.data, p->tail.len, p->flushed))
		return err_sys(e, "write a pack");
	p->flushed += p->tail.len;
	buf_reset(&p->tail);
	return 0;
}

/* --- closing it --------------------------------------------------------------- */

static void
put_u32(char *p, uint32_t v)
{
	p[0] = (char)(v >> 24);
	p[1] = (char)(v >> 16);
	p[2] = (char)(v >> 8);
	p[3] = (char)v;
}

/* The header's count and the sum behind all; a small pack is one write. */
static int
close_pack(struct pack_out *p, unsigned char *sum, struct err *e)
{
	char count[4];

	put_u32(count, (uint32_t)p->count);
	if (p->flushed == 0) {
		if (!buf_ok(&p->tail))
			return err_set(e, ENOMEM, "no memory for a pack");
		memcpy(p->tail.data + 8, count, sizeof count);
		if (pack_sum(p->tail.data, p->tail.len, sum, e))
			return -1;
	} else {
		if (pack_flush(p, e))
			return -1;
		if (pack_write_at(p->fd, count, sizeof count, 8))
			return err_sys(e, "write a pack");
		if (pack_sum_file(p->fd, p->flushed, sum, e))
			return -1;
	}
	buf_add(&p->tail, sum, PACK_SUM_SIZE);
	if (pack_flush(p, e))
		return -1;
	if (!planted(PLANT_PACK_UNSYNCED) && fsync(p->fd))
		return err_sys(e, "sync a pack");
	return 0;
}

static int
write_synced(int dir_fd, const char *name, const struct buf *b, struct err *e)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0400);
	int r = 0;

	if (fd < 0)
		return err_sys(e, "make %s", name);
	if (io_write_all(fd, b->data, b->len))
		r = err_sys(e, "write %s", name);
	else if (fsync(fd))
		r = err_sys(e, "sync %s", name);
	io_close(&fd);
	return r;
}

static int
write_index(struct pack_out *p, const unsigned char *sum, size_t *size,
    struct err *e)
{
	struct buf b;
	char name[PACK_NAME_SIZE + 16];
	int r;

	buf_init(&b, (size_t)PACK_OBJECTS_MAX * 32 + 4096);
	buf_reserve(&b, p->count * 28 + 1072);
	snprintf(name, sizeof name, "%s.idx" PACK_TEMP, p->temp);
	r = pack_index(p->entries, p->count, sum, &b, e);
	if (!r)
		r = write_synced(p->dir_fd, name, &b, e);
	*size = b.len;
	buf_release(&b);
	return r;
}

int
pack_finish(struct pack_out *p, struct err *e)
{
	unsigned char sum[PACK_SUM_SIZE];
	struct pack_done *d;
	git_oid id;
	char hex[GIT_OID_HEXSZ + 1];
	size_t index_size;

	d = realloc(p->done, (p->ndone + 1) * sizeof *d);
	if (!d)
		return err_set(e, ENOMEM, "no memory for a pack");
	p->done = d;
	d += p->ndone;
	if (close_pack(p, sum, e) || write_index(p, sum, &index_size, e))
		return -1;
	io_close(&p->fd);
	git_oid_fromraw(&id, sum);
	git_oid_tostr(hex, sizeof hex, &id);
	snprintf(d->name, sizeof d->name, "pack-%s", hex);
	memcpy(d->temp, p->temp, sizeof d->temp);
	d->objects = p->count;
	d->bytes = p->flushed + index_size;
	p->ndone++;
	return 0;
}

/* --- making them visible --------------------------------------------------------- */

/*
 * Not synced, but on its way to the disk: a pack that lost its span is foreign,
 * and only stays longer.
 */
static void
write_span(const struct pack_out *p, const char *pack,
    const struct pack_span *s)
{
	char name[PACK_NAME_SIZE + 16], text[128];
	int n, fd;

	snprintf(name, sizeof name, "%s.span", pack);
	n = snprintf(text, sizeof text, "%llu %llu %lld %u\n",
	    (unsigned long long)s->from, (unsigned long long)s->to,
	    (long long)s->time_s, s->level);
	fd = openat(p->dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return;
	if (io_write_all(fd, text, (size_t)n))
		unlinkat(p->dir_fd, name, 0);
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	io_close(&fd);
}

static int
move(const struct pack_out *p, const struct pack_done *d, const char *suffix,
    struct err *e)
{
	char from[PACK_NAME_SIZE + 16], to[PACK_NAME_SIZE + 8];

	snprintf(from, sizeof from, "%s%s" PACK_TEMP, d->temp, suffix);
	snprintf(to, sizeof to, "%s%s", d->name, suffix);
	if (renameat(p->dir_fd, from, p->dir_fd, to))
		return err_sys(e, "put %s in place", to);
	return 0;
}

int
pack_out_publish(struct pack_out *p, const struct pack_span *span,
    uint64_t *objects, uint64_t *bytes, struct err *e)
{
	size_t i;

	*objects = *bytes = 0;
	if (p->fd >= 0 && pack_finish(p, e))
		return -1;
	for (i = 0; i < p->ndone; i++) {
		struct pack_done *d = &p->done[i];

		write_span(p, d->name, span);
		if (move(p, d, ".pack", e) || move(p, d, ".idx", e))
			return -1;
		d->temp[0] = '\0';
		*objects += d->objects;
		*bytes += d->bytes;
	}
	if (p->ndone && !planted(PLANT_PACK_UNNAMED) && fsync(p->dir_fd))
		return err_sys(e, "sync the directory of packs");
	return 0;
}

bool
pack_out_made(const struct pack_out *p, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < p->ndone; i++)
		if (strlen(p->done[i].name) == n &&
		    memcmp(p->done[i].name, name, n) == 0)
			return true;
	return false;
}
