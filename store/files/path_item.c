/*
 * The key of an index from that of a file's name, for path.h.
 */
#include "path.h"

#include "store/table/key.h"

#include <string.h>

static void
take_part(const struct key_part *k, const struct path_part *p,
    struct member *m)
{
	*m = (struct member){{k->name, strlen(k->name)},
	    {.type = p->type, .text = p->text}};
}

int
path_key_item(struct arena *a, const struct table *t,
    const struct path_key *p, struct text *out)
{
	struct member *m = arena_array(a, 2, sizeof *m);
	struct value key = {.type = VALUE_M, .count = 1, .members = m};
	struct text twice;
	struct err ignored;

	if (!m)
		return -1;
	take_part(&t->key.hash[0], &p->hash, &m[0]);
	if (p->ranged && t->key.nrange)
		take_part(&t->key.range[0], &p->range, &m[key.count++]);
	if (value_sort_map(&key, &twice) < 0)
		return 0;
	return key_item(a, t, &key, out, &ignored) == 0;
}
