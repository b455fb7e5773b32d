/*
 * The index of a pack, and the sums that close both (gitformat-pack(5)).
 * Runs where packs are written; never touches the directory.
 *
 *   ff 't' 'O' 'c' | version 2
 *   256 counts: entries whose id begins with a byte up to this one
 *   ids, 20 bytes each, in order
 *   CRC-32 of each entry | offset of each entry    (big-endian, in their order)
 *   the pack's sum | sum of all before
 */
#include "pack_internal.h"

#include "store/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024 };

static int
compare_entries(const void *a, const void *b)
{
	const struct pack_entry *x = a, *y = b;

	return memcmp(x->id.id, y->id.id, sizeof x->id.id);
}

static void
add_u32(struct buf *b, uint32_t v)
{
	char p[4] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8),
		(char)v };

	buf_add(b, p, sizeof p);
}

static void
add_counts(struct buf *b, const struct pack_entry *entries, size_t n)
{
	size_t i = 0;
	unsigned first;

	for (first = 0; first < 256; first++) {
		while (i < n && entries[i].id.id[0] <= first)
			i++;
		add_u32(b, (uint32_t)i);
	}
}

int
pack_index(struct pack_entry *entries, size_t n, const unsigned char *sum,
    struct buf *out, struct err *e)
{
	unsigned char own[PACK_SUM_SIZE];
	size_t i;

	qsort(entries, n, sizeof *entries, compare_entries);
	buf_add(out, "\377tOc\0\0\0\2", 8);
	add_counts(out, entries, n);
	for (i = 0; i < n; i++)
		buf_add(out, entries[i].id.id, sizeof entries[i].id.id);
	for (i = 0; i < n; i++)
		add_u32(out, entries[i].crc);
	for (i = 0; i < n; i++)
		add_u32(out, entries[i].offset);
	buf_add(out, sum, PACK_SUM_SIZE);
	if (!buf_ok(out))
		return err_set(e, ENOMEM, "no memory for a pack's index");
	if (pack_sum(out->data, out->len, own, e))
		return -1;
	return buf_add(out, own, sizeof own) ?
	    err_set(e, ENOMEM, "no memory for a pack's index") : 0;
}

int
pack_sum(const void *p, size_t n, unsigned char *sum, struct err *e)
{
	struct hash *h = hash_new_sha1();

	if (!h)
		return err_set(e, ENOMEM, "no memory for a pack's sum");
	hash_add(h, p, n);
	hash_take_sha1(h, sum);
	return 0;
}

static int
sum_chunks(struct hash *h, int fd, uint64_t n, char *chunk)
{
	uint64_t done = 0;
	ssize_t got;

	while (done < n) {
		size_t want = n - done < CHUNK ? (size_t)(n - done) : CHUNK;

		got = pread(fd, chunk, want, (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return -1;
		hash_add(h, chunk, (size_t)got);
		done += (uint64_t)got;
	}
	return 0;
}

int
pack_sum_file(int fd, uint64_t n, unsigned char *sum, struct err *e)
{
	struct hash *h = hash_new_sha1();
	char *chunk = malloc(CHUNK);
	int r = -1;

	if (!h || !chunk)
		err_set(e, ENOMEM, "no memory for a pack's sum");
	else if (sum_chunks(h, fd, n, chunk))
		err_sys(e, "read a pack back");
	else
		r = 0;
	free(chunk);
	if (r)
		hash_free(h);
	else
		hash_take_sha1(h, sum);
	return r;
}
