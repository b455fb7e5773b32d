/*
 * Any bytes as a document's file name, as a table's directory, and as a key:
 * what is taken for a name is made by one key only, and comes back from it.
 */
#include "store/files/path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static void
as_name(const char *text, struct arena *a)
{
	struct path_name name, again;
	struct path_key key;
	char table[TABLE_NAME_MAX + 1], dir[PATH_NAME_MAX + 1];

	if (path_decode(text, a, &name, &key) == PATH_WHOLE &&
	    (path_name(&key, &again) < 0 || again.cut ||
	    strcmp(again.text, text) != 0))
		abort();
	if (path_table_decode(text, table) == PATH_WHOLE &&
	    (path_table(table, dir) < 0 || strcmp(dir, text) != 0))
		abort();
}

/* The first byte says what the rest is: which types, cut in two where. */
static void
as_key(const char *p, size_t n, struct arena *a)
{
	size_t first = n ? (unsigned char)p[0] / 4 % n : 0;
	struct path_key key = {
	    .hash = {n && p[0] & 1 ? VALUE_B : VALUE_S, {p, first}},
	    .range = {n && p[0] & 2 ? VALUE_B : VALUE_S,
		{p + first, n - first}},
	    .ranged = n > 2 && p[1] & 1,
	};
	struct path_key back;
	struct path_name name, again;
	enum path_kind kind;

	if (path_name(&key, &name) < 0)
		return;
	kind = path_decode(name.text, a, &again, &back);
	if (kind != (name.cut ? PATH_IS_CUT : PATH_WHOLE) ||
	    strcmp(again.hash, name.hash) != 0 || strchr(name.text, '/') ||
	    name.text[0] == '.' || strlen(name.text) > PATH_NAME_MAX)
		abort();
	if (kind == PATH_WHOLE && (back.hash.type != key.hash.type ||
	    text_compare(&back.hash.text, &key.hash.text) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct arena a;
	char *text = malloc(n + 1);

	if (!text)
		return 0;
	if (n)
		memcpy(text, input, n);
	text[n] = '\0';
	arena_init(&a, 1 << 20);
	as_name(text, &a);
	as_key(text, n, &a);
	arena_release(&a);
	free(text);
	return 0;
}
