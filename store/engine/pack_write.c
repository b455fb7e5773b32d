/*
 * The pack writer of pack_write.h.  Runs in the checkpoint thread and in
 * upkeep.  All that must last is written and synced by plain calls here;
 * libgit2 only names the objects (its SHA-1 notices made collisions).
 *
 * An entry of a pack: type and size of the object (size in groups of 4, 7,
 * 7... bits, the lowest first, bit 7: goes on; type in bits 4 to 6 of the
 * first byte), for a delta the distance back to its base (groups of 7 bits,
 * the highest first, each but the last one less), then the bytes deflated.
 */
#define ZLIB_CONST
#include "pack_write.h"

#include "pack_internal.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	HEADER_SIZE = 12,
	FLUSH_BYTES = 256 * 1024,
	PACK_OBJECTS_MAX = 250000,
	PACK_BYTES_MAX = 1 << 30,
	TYPE_OFS_DELTA = 6
};

/* A pack that is whole but not yet in its place. */
struct done {
	char temp[PACK_NAME_SIZE];	/* without .pack and .idx */
	char name[PACK_NAME_SIZE];
	uint64_t objects, bytes;
};

/*
 * Invariants:
 *   1. The pack being written has `flushed` bytes in the file, and then those
 *      of `tail`; its entries lie at growing offsets, each before flushed +
 *      tail.len.
 *   2. slots[] finds entries by id; a slot is an index + 1, 0 free, and at
 *      most half are taken.
 */
struct pack_out {
	int dir_fd;
	int fd;				/* -1: no pack is begun */
	uint64_t flushed;
	struct buf tail;
	struct pack_entry *entries;
	size_t count, room;
	uint32_t *slots;
	size_t nslots;
	char temp[PACK_NAME_SIZE];
	struct done *done;
	size_t ndone;
	z_stream z;
};

struct pack_out *
pack_out_new(int dir_fd, struct err *e)
{
	struct pack_out *p = calloc(1, sizeof *p);

	if (!p || deflateInit(&p->z, 1) != Z_OK) {
		free(p);
		err_set(e, ENOMEM, "no memory for a pack");
		return NULL;
	}
	p->dir_fd = dir_fd;
	p->fd = -1;
	buf_init(&p->tail, (size_t)PACK_BYTES_MAX * 2);
	return p;
}

static void
remove_temp(const struct pack_out *p, const char *temp)
{
	char name[PACK_NAME_SIZE + 8];

	snprintf(name, sizeof name, "%s.pack", temp);
	unlinkat(p->dir_fd, name, 0);
	snprintf(name, sizeof name, "%s.idx", temp);
	unlinkat(p->dir_fd, name, 0);
}

void
pack_out_free(struct pack_out *p)
{
	size_t i;

	if (!p)
		return;
	if (p->fd >= 0)
		remove_temp(p, p->temp);
	io_close(&p->fd);
	for (i = 0; i < p->ndone; i++)
		if (p->done[i].temp[0])
			remove_temp(p, p->done[i].temp);
	deflateEnd(&p->z);
	buf_release(&p->tail);
	free(p->entries);
	free(p->slots);
	free(p->done);
	free(p);
}

/* --- the pack being written -------------------------------------------------- */

static int
begin(struct pack_out *p, struct err *e)
{
	uint64_t any;
	char name[PACK_NAME_SIZE + 8];

	if (getrandom(&any, sizeof any, 0) != sizeof any)
		return err_sys(e, "random bytes");
	snprintf(p->temp, sizeof p->temp, "tmp_bothy_%016llx",
	    (unsigned long long)any);
	snprintf(name, sizeof name, "%s.pack", p->temp);
	p->fd = openat(p->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0400);
	if (p->fd < 0)
		return err_sys(e, "make a pack");
	p->flushed = 0;
	p->count = 0;
	if (p->slots)
		memset(p->slots, 0, p->nslots * sizeof *p->slots);
	buf_reset(&p->tail);
	buf_add(&p->tail, "PACK\0\0\0\2\0\0\0\0", HEADER_SIZE);
	return 0;
}

static int
write_at(int fd, const void *bytes, size_t n, uint64_t at)
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

static int
flush(struct pack_out *p, struct err *e)
{
	if (!buf_ok(&p->tail))
		return err_set(e, ENOMEM, "no memory for a pack");
	if (write_at(p->fd, p->tail.data, p->tail.len, p->flushed))
		return err_sys(e, "write a pack");
	p->flushed += p->tail.len;
	buf_reset(&p->tail);
	return 0;
}

static size_t
slot_of(const struct pack_out *p, const git_oid *id)
{
	uint64_t h;
	size_t i;

	memcpy(&h, id->id, sizeof h);
	for (i = (size_t)h & (p->nslots - 1); p->slots[i];
	    i = (i + 1) & (p->nslots - 1))
		if (git_oid_equal(&p->entries[p->slots[i] - 1].id, id))
			break;
	return i;
}

static int
grow(struct pack_out *p, struct err *e)
{
	size_t room = p->room ? p->room * 2 : 64, i;
	struct pack_entry *entries =
	    realloc(p->entries, room * sizeof *entries);
	uint32_t *slots;

	if (!entries)
		return err_set(e, ENOMEM, "no memory for a pack");
	p->entries = entries;
	slots = calloc(room * 2, sizeof *slots);
	if (!slots)
		return err_set(e, ENOMEM, "no memory for a pack");
	free(p->slots);
	p->slots = slots;
	p->nslots = room * 2;
	p->room = room;
	for (i = 0; i < p->count; i++)
		p->slots[slot_of(p, &p->entries[i].id)] = (uint32_t)i + 1;
	return 0;
}

bool
pack_out_has(const struct pack_out *p, const git_oid *id,
    struct pack_place *place)
{
	uint32_t s;

	if (p->fd < 0 || !p->nslots)
		return false;
	s = p->slots[slot_of(p, id)];
	if (!s)
		return false;
	place->pack = (uint32_t)p->ndone;
	place->offset = p->entries[s - 1].offset;
	place->depth = p->entries[s - 1].depth;
	return true;
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
		if (flush(p, e))
			return -1;
		if (write_at(p->fd, count, sizeof count, 8))
			return err_sys(e, "write a pack");
		if (pack_sum_file(p->fd, p->flushed, sum, e))
			return -1;
	}
	buf_add(&p->tail, sum, PACK_SUM_SIZE);
	if (flush(p, e))
		return -1;
	if (fsync(p->fd))
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
	char name[PACK_NAME_SIZE + 8];
	int r;

	buf_init(&b, (size_t)PACK_OBJECTS_MAX * 32 + 4096);
	buf_reserve(&b, p->count * 28 + 1072);
	snprintf(name, sizeof name, "%s.idx", p->temp);
	r = pack_index(p->entries, p->count, sum, &b, e);
	if (!r)
		r = write_synced(p->dir_fd, name, &b, e);
	*size = b.len;
	buf_release(&b);
	return r;
}

static int
finish(struct pack_out *p, struct err *e)
{
	unsigned char sum[PACK_SUM_SIZE];
	struct done *d;
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

/* --- entries ------------------------------------------------------------------- */

/* Makes room for one more entry: in memory, and in a pack with space. */
static int
ready(struct pack_out *p, struct err *e)
{
	if (p->fd >= 0 && (p->count >= PACK_OBJECTS_MAX ||
	    p->flushed + p->tail.len >= PACK_BYTES_MAX) && finish(p, e))
		return -1;
	if (p->fd < 0 && begin(p, e))
		return -1;
	if (p->count == p->room)
		return grow(p, e);
	return 0;
}

static uint32_t
end_of(const struct pack_out *p)
{
	return (uint32_t)(p->flushed + p->tail.len);
}

static void
add_header(struct buf *b, unsigned type, size_t n)
{
	unsigned c = type << 4 | (unsigned)(n & 15);

	for (n >>= 4; n; n >>= 7) {
		buf_putc(b, (char)(c | 128));
		c = (unsigned)(n & 127);
	}
	buf_putc(b, (char)c);
}

static void
add_distance(struct buf *b, uint32_t distance)
{
	char c[8];
	size_t i = sizeof c;

	c[--i] = (char)(distance & 127);
	while (distance >>= 7)
		c[--i] = (char)(128 | (--distance & 127));
	buf_add(b, c + i, sizeof c - i);
}

static int
add_deflated(struct pack_out *p, const void *bytes, size_t n)
{
	size_t bound = deflateBound(&p->z, n);

	if (n > UINT32_MAX / 2 || buf_reserve(&p->tail, bound))
		return -1;
	deflateReset(&p->z);
	p->z.next_in = bytes;
	p->z.avail_in = (uInt)n;
	p->z.next_out = (Bytef *)p->tail.data + p->tail.len;
	p->z.avail_out = (uInt)bound;
	if (deflate(&p->z, Z_FINISH) != Z_STREAM_END)
		return -1;
	p->tail.len += bound - p->z.avail_out;
	return 0;
}

/* The entry from `start` to the end is whole: note it. */
static int
noted(struct pack_out *p, uint32_t start, uint32_t depth, const git_oid *id,
    struct err *e)
{
	struct pack_entry *x = &p->entries[p->count];
	size_t at = start - p->flushed;

	if (!buf_ok(&p->tail))
		return err_set(e, ENOMEM, "no memory for a pack");
	git_oid_cpy(&x->id, id);
	x->offset = start;
	x->depth = depth;
	x->crc = (uint32_t)crc32(0, (const Bytef *)p->tail.data + at,
	    (uInt)(p->tail.len - at));
	p->slots[slot_of(p, id)] = (uint32_t)++p->count;
	return p->tail.len >= FLUSH_BYTES ? flush(p, e) : 0;
}

int
pack_out_known(struct pack_out *p, git_object_t type, const void *bytes,
    size_t n, const git_oid *id, struct err *e)
{
	struct pack_place there;
	uint32_t start;

	if (pack_out_has(p, id, &there))
		return 0;
	if (ready(p, e))
		return -1;
	start = end_of(p);
	add_header(&p->tail, (unsigned)type, n);
	if (add_deflated(p, bytes, n))
		return err_set(e, ENOMEM, "no memory to deflate an object");
	return noted(p, start, 0, id, e);
}

int
pack_out_add(struct pack_out *p, git_object_t type, const void *bytes,
    size_t n, git_oid *id, struct err *e)
{
	if (git_odb_hash(id, bytes, n, type))
		return err_set(e, EINVAL, "name an object: %s",
		    git_error_last() ? git_error_last()->message : "no reason");
	return pack_out_known(p, type, bytes, n, id, e);
}

int
pack_out_delta(struct pack_out *p, const void *delta, size_t n,
    const struct pack_place *base, const git_oid *id, struct err *e)
{
	struct pack_place there;
	uint32_t start;

	if (pack_out_has(p, id, &there))
		return 1;
	if (ready(p, e))
		return -1;
	if (base->pack != p->ndone)
		return 0;
	start = end_of(p);
	add_header(&p->tail, TYPE_OFS_DELTA, n);
	add_distance(&p->tail, start - base->offset);
	if (add_deflated(p, delta, n))
		return err_set(e, ENOMEM, "no memory to deflate an object");
	return noted(p, start, base->depth + 1, id, e) ? -1 : 1;
}

int
pack_out_raw(struct pack_out *p, const void *raw, size_t n, const git_oid *id,
    struct err *e)
{
	struct pack_place there;
	uint32_t start;

	if (pack_out_has(p, id, &there))
		return 0;
	if (ready(p, e))
		return -1;
	start = end_of(p);
	buf_add(&p->tail, raw, n);
	return noted(p, start, 0, id, e);
}

/* --- making them visible --------------------------------------------------------- */

/* Not synced: a pack that lost its span is foreign, and only stays longer. */
static void
write_span(const struct pack_out *p, const char *pack,
    const struct pack_span *s)
{
	char name[PACK_NAME_SIZE + 8], text[128];
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
	io_close(&fd);
}

static int
move(const struct pack_out *p, const struct done *d, const char *suffix,
    struct err *e)
{
	char from[PACK_NAME_SIZE + 8], to[PACK_NAME_SIZE + 8];

	snprintf(from, sizeof from, "%s%s", d->temp, suffix);
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
	if (p->fd >= 0 && finish(p, e))
		return -1;
	for (i = 0; i < p->ndone; i++) {
		struct done *d = &p->done[i];

		write_span(p, d->name, span);
		if (move(p, d, ".pack", e) || move(p, d, ".idx", e))
			return -1;
		d->temp[0] = '\0';
		*objects += d->objects;
		*bytes += d->bytes;
	}
	if (p->ndone && fsync(p->dir_fd))
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
