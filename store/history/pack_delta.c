/*
 * The deltas of pack_delta.h.  Runs in upkeep.  No search: of two states of
 * one path it is known where they differ.
 */
#include "pack_delta.h"

#include "tree.h"

#include <string.h>

enum { COPY_MAX = 0xffffff, INSERT_MAX = 127, WORTH_BYTES = 32 };

static void
add_size(struct buf *b, size_t n)
{
	for (; n > 127; n >>= 7)
		buf_putc(b, (char)(n | 128));
	buf_putc(b, (char)n);
}

static void
copy_piece(struct buf *b, size_t offset, size_t n)
{
	char bytes[8];
	unsigned op = 128;
	size_t used = 1, i;

	for (i = 0; i < 4; i++)
		if (offset >> 8 * i & 255) {
			op |= 1u << i;
			bytes[used++] = (char)(offset >> 8 * i);
		}
	for (i = 0; i < 3; i++)
		if (n >> 8 * i & 255) {
			op |= 16u << i;
			bytes[used++] = (char)(n >> 8 * i);
		}
	bytes[0] = (char)op;
	buf_add(b, bytes, used);
}

static void
copy(struct buf *b, size_t offset, size_t n)
{
	while (n > 0) {
		size_t piece = n < COPY_MAX ? n : COPY_MAX;

		copy_piece(b, offset, piece);
		offset += piece;
		n -= piece;
	}
}

static void
insert(struct buf *b, const char *p, size_t n)
{
	while (n > 0) {
		size_t piece = n < INSERT_MAX ? n : INSERT_MAX;

		buf_putc(b, (char)piece);
		buf_add(b, p, piece);
		p += piece;
		n -= piece;
	}
}

static int
worth(const struct buf *b, size_t start, size_t whole)
{
	return buf_ok(b) && b->len - start + WORTH_BYTES < whole ? 0 : -1;
}

int
pack_delta_bytes(const void *from, size_t from_n, const void *to,
    size_t to_n, struct buf *out)
{
	const char *a = from, *b = to;
	size_t least = from_n < to_n ? from_n : to_n, start = out->len;
	size_t head = 0, tail = 0;

	while (head < least && a[head] == b[head])
		head++;
	while (tail < least - head &&
	    a[from_n - 1 - tail] == b[to_n - 1 - tail])
		tail++;
	add_size(out, from_n);
	add_size(out, to_n);
	copy(out, 0, head);
	insert(out, b + head, to_n - head - tail);
	copy(out, from_n - tail, tail);
	return worth(out, start, to_n);
}

/* --- trees ------------------------------------------------------------------------ */

/* Bytes to copy that are not written yet, for the next may join them. */
struct run {
	struct buf *out;
	size_t offset, n;
};

static void
run_end(struct run *r)
{
	copy(r->out, r->offset, r->n);
	r->n = 0;
}

static void
run_copy(struct run *r, size_t offset, size_t n)
{
	if (r->n && r->offset + r->n == offset) {
		r->n += n;
		return;
	}
	run_end(r);
	r->offset = offset;
	r->n = n;
}

static void
run_insert(struct run *r, const void *p, size_t n)
{
	run_end(r);
	insert(r->out, p, n);
}

/* An entry of the result, and the one of its name in the base, if any. */
static void
add_entry(struct run *r, const char *base, const struct tree_entry *old,
    const struct tree_entry *new)
{
	size_t head = new->raw_len - TREE_ID_SIZE;

	if (!old || old->mode != new->mode) {
		run_insert(r, new->raw, new->raw_len);
		return;
	}
	if (memcmp(old->id, new->id, TREE_ID_SIZE) == 0) {
		run_copy(r, (size_t)(old->raw - base), new->raw_len);
		return;
	}
	run_copy(r, (size_t)(old->raw - base), head);
	run_insert(r, new->id, TREE_ID_SIZE);
}

int
pack_delta_trees(const void *from, size_t from_n, const void *to,
    size_t to_n, struct buf *out)
{
	struct tree_at a = { from, (const char *)from + from_n };
	struct tree_at b = { to, (const char *)to + to_n };
	struct run run = { out, 0, 0 };
	struct tree_entry old, new;
	size_t start = out->len;
	int more = tree_next(&a, &old), r;

	add_size(out, from_n);
	add_size(out, to_n);
	while ((r = tree_next(&b, &new)) > 0) {
		int c = -1;

		while (more > 0 && (c = tree_compare(old.name, old.len,
		    old.dir, new.name, new.len, new.dir)) < 0)
			more = tree_next(&a, &old);
		add_entry(&run, from, more > 0 && c == 0 ? &old : NULL, &new);
	}
	run_end(&run);
	return r < 0 || more < 0 ? -1 : worth(out, start, to_n);
}
