/*
 * Lists of names and values, and their urlencoded form.  Runs in a
 * function's process.
 */
#include "pairs.h"

#include "text.h"

#include <string.h>

int
pairs_add(struct pairs *p, struct bag *a, const char *name,
    const char *value)
{
	size_t room = p->room ? 2 * p->room : 8;
	struct bothy_pair *items;

	if (p->count == p->room) {
		items = bag_alloc(a, room * sizeof *items);
		if (!items)
			return -1;
		if (p->count)
			memcpy(items, p->items, p->count * sizeof *items);
		p->items = items;
		p->room = room;
	}
	p->items[p->count++] = (struct bothy_pair){name, value};
	return 0;
}

const char *
pairs_find(const struct pairs *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (strcmp(p->items[i].name, name) == 0)
			return p->items[i].value;
	return NULL;
}

const struct bothy_pair *
pairs_at(const struct pairs *p, size_t i)
{
	return i < p->count ? &p->items[i] : NULL;
}

/* One "name=value", "name" or "=value" of n > 0 bytes; s[n] is writable. */
static int
add_piece(struct pairs *p, struct bag *a, char *s, size_t n)
{
	char *equals = memchr(s, '=', n);
	size_t name_len = equals ? (size_t)(equals - s) : n;
	char *value = equals ? equals + 1 : s + n;
	size_t value_len = (size_t)(s + n - value);
	const char *clean_name, *clean_value;

	clean_value = text_clean(a, value, text_unescape(value, value_len));
	clean_name = text_clean(a, s, text_unescape(s, name_len));
	if (!clean_name || !clean_value)
		return -1;
	return pairs_add(p, a, clean_name, clean_value);
}

int
pairs_add_urlencoded(struct pairs *p, struct bag *a, const char *s,
    size_t n, uint64_t max)
{
	char *at = bag_copy(a, s, n), *end, *stop;

	if (!at)
		return -1;
	for (end = at + n; at < end; at = stop + 1) {
		stop = memchr(at, '&', (size_t)(end - at));
		if (!stop)
			stop = end;
		if (stop == at)
			continue;
		if (p->count >= max)
			return 1;
		if (add_piece(p, a, at, (size_t)(stop - at)) < 0)
			return -1;
	}
	return 0;
}
