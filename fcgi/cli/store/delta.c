/*
 * How one state of a document became another, for people (storecmd.h).
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

static void
put_attribute(const char *color, char sign, const struct json_node *n,
    const char *end)
{
	struct buf name;

	buf_init(&name, 1024 * 1024);
	buf_json(&name, n->name.p, n->name.n);
	printf("  %s%c %s: ", color, sign, buf_str(&name));
	storetext_put(n->raw.p, n->raw.n);
	printf("%s\n", end);
	buf_release(&name);
}

/* Names stand in their order on both sides. */
static void
put_attributes(const struct json_node *a, const struct json_node *b)
{
	struct storecolors c = storetext_colors();
	int order;

	while (a || b) {
		order = !b ? -1 : !a ? 1 : text_compare(&a->name, &b->name);
		if (a && order <= 0 &&
		    (order || text_compare(&a->raw, &b->raw) != 0))
			put_attribute(c.removed, '-', a, c.end);
		if (b && order >= 0 &&
		    (order || text_compare(&a->raw, &b->raw) != 0))
			put_attribute(c.added, '+', b, c.end);
		if (a && order <= 0)
			a = a->next;
		if (b && order >= 0)
			b = b->next;
	}
}

void
storecmd_delta(const struct text *title, const struct json_node *old,
    const struct json_node *fresh)
{
	struct storecolors c = storetext_colors();

	fputs(c.head, stdout);
	storetext_put(title->p, title->n);
	printf("%s%s\n", c.end, !old ? ": new" : !fresh ? ": removed" : "");
	put_attributes(old ? old->first : NULL, fresh ? fresh->first : NULL);
}
