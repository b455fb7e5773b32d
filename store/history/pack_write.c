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
#include "pack_write.h"

#include "pack_internal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum {
	HEADER_SIZE = 12,
	FLUSH_BYTES = 256 * 1024,
	TYPE_OFS_DELTA = 6
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

void
pack_out_free(struct pack_out *p)
{
	size_t i;

	if (!p)
		return;
	if (p->fd >= 0)
		pack_remove_temp(p, p->temp);
	io_close(&p->fd);
	for (i = 0; i < p->ndone; i++)
		if (p->done[i].temp[0])
			pack_remove_temp(p, p->done[i].temp);
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
	char name[PACK_NAME_SIZE + 16];

	if (getrandom(&any, sizeof any, 0) != sizeof any)
		return err_sys(e, "random bytes");
	snprintf(p->temp, sizeof p->temp, "tmp_bothy_%016llx",
	    (unsigned long long)any);
	snprintf(name, sizeof name, "%s.pack" PACK_TEMP, p->temp);
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

/* --- entries ------------------------------------------------------------------- */

/* Makes room for one more entry: in memory, and in a pack with space. */
static int
ready(struct pack_out *p, struct err *e)
{
	if (p->fd >= 0 && (p->count >= PACK_OBJECTS_MAX ||
	    p->flushed + p->tail.len >= PACK_BYTES_MAX) && pack_finish(p, e))
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
	return p->tail.len >= FLUSH_BYTES ? pack_flush(p, e) : 0;
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
