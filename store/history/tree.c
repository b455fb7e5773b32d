/*
 * The trees of tree.h.  Runs in the daemon and in who reads its history; never
 * reads beyond the bytes it was given, whoever made them.
 */
#include "tree.h"

#include <string.h>

static int
read_mode(struct tree_at *at, unsigned *mode)
{
	unsigned m = 0;
	const char *p = at->p;

	while (p < at->end && *p >= '0' && *p <= '7' && p - at->p < 7)
		m = m * 8 + (unsigned)(*p++ - '0');
	if (p == at->p || p == at->end || *p != ' ')
		return -1;
	at->p = p + 1;
	*mode = m;
	return 0;
}

int
tree_next(struct tree_at *at, struct tree_entry *entry)
{
	const char *start = at->p, *nul;

	if (at->p == at->end)
		return 0;
	if (read_mode(at, &entry->mode))
		return -1;
	nul = memchr(at->p, '\0', (size_t)(at->end - at->p));
	if (!nul || nul == at->p || at->end - nul < 1 + TREE_ID_SIZE)
		return -1;
	entry->dir = entry->mode == TREE_MODE_DIR;
	entry->name = at->p;
	entry->len = (size_t)(nul - at->p);
	entry->id = (const unsigned char *)nul + 1;
	at->p = nul + 1 + TREE_ID_SIZE;
	entry->raw = start;
	entry->raw_len = (size_t)(at->p - start);
	return 1;
}

/* What follows `i` bytes of a name, as the order sees it. */
static unsigned char
order_at(const char *name, size_t len, bool dir, size_t i)
{
	if (i < len)
		return (unsigned char)name[i];
	return i == len && dir ? '/' : '\0';
}

int
tree_compare(const char *a, size_t a_len, bool a_dir, const char *b,
    size_t b_len, bool b_dir)
{
	size_t n = a_len < b_len ? a_len : b_len;
	int c = memcmp(a, b, n);

	if (c)
		return c;
	c = order_at(a, a_len, a_dir, n) - order_at(b, b_len, b_dir, n);
	if (c || a_len == b_len)
		return c;
	return a_len < b_len ? -1 : 1;
}

int
tree_find(const void *data, size_t n, const char *name, size_t len,
    struct tree_entry *entry)
{
	struct tree_at at = { data, (const char *)data + n };
	int r;

	while ((r = tree_next(&at, entry)) > 0)
		if (entry->len == len && memcmp(entry->name, name, len) == 0)
			return 1;
	return r;
}

int
tree_add(struct buf *b, const char *name, size_t len, bool dir,
    const unsigned char *id)
{
	buf_puts(b, dir ? "40000 " : "100644 ");
	buf_add(b, name, len);
	buf_putc(b, '\0');
	return buf_add(b, id, TREE_ID_SIZE);
}
