/*
 * The trees of json.h: the outer shape of a request, down to a level, and the
 * bytes of what lies deeper.
 */
#include "json_internal.h"

#include "fault.h"

#include <stdlib.h>
#include <string.h>

static int
compare_names(const void *a, const void *b)
{
	const struct json_node *const *na = a, *const *nb = b;

	return text_compare(&(*na)->name, &(*nb)->name);
}

/* No name is there twice. */
static int
check_names(struct json *j, const struct json_node *object)
{
	const struct json_node **all, *n;
	size_t i = 0;

	if (object->count < 2)
		return 0;
	all = arena_array(j->arena, object->count, sizeof *all);
	if (!all)
		return json_fail_memory(j);
	for (n = object->first; n; n = n->next)
		all[i++] = n;
	qsort(all, object->count, sizeof *all, compare_names);
	for (i = 1; i < object->count; i++)
		if (text_compare(&all[i - 1]->name, &all[i]->name) == 0)
			return json_fail(j, object->raw.p, FAULT_SERIALIZATION,
			    "\"%.*s\" is there twice in this object",
			    (int)(all[i]->name.n < 255 ? all[i]->name.n : 255),
			    all[i]->name.p);
	return 0;
}

static int read_node(struct json *j, const struct json_token *t,
    unsigned levels, struct json_node *out);

/* The parts of a list or object, up to its end. */
static int
read_parts(struct json *j, unsigned levels, struct json_node *parent)
{
	struct json_node **last = &parent->first, *n;
	struct json_token t;

	for (;;) {
		if (json_next(j, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			return 0;
		n = arena_array(j->arena, 1, sizeof *n);
		if (!n)
			return json_fail_memory(j);
		if (t.type == JSON_NAME) {
			n->name = t.text;
			if (json_next(j, &t) < 0)
				return -1;
		}
		if (read_node(j, &t, levels - 1, n) < 0)
			return -1;
		*last = n;
		last = &n->next;
		parent->count++;
	}
}

static int
read_node(struct json *j, const struct json_token *t, unsigned levels,
    struct json_node *out)
{
	out->type = t->type;
	if (t->type == JSON_STRING || t->type == JSON_NUMBER)
		out->text = t->text;
	out->raw.p = t->start;
	if (levels == 0 || (t->type != JSON_LIST && t->type != JSON_OBJECT))
		return json_skip(j, t, &out->raw);
	if (read_parts(j, levels, out) < 0)
		return -1;
	out->raw.n = (size_t)(j->at - out->raw.p);
	return t->type == JSON_OBJECT ? check_names(j, out) : 0;
}

struct json_node *
json_read(struct arena *a, const char *p, size_t n, unsigned levels,
    struct err *e)
{
	struct json_node *root;
	struct json_token t;
	struct json j;

	json_open(&j, a, p, n, e);
	root = arena_array(a, 1, sizeof *root);
	if (!root) {
		json_fail_memory(&j);
		return NULL;
	}
	if (json_next(&j, &t) < 0 || read_node(&j, &t, levels, root) < 0 ||
	    json_next(&j, &t) < 0)
		return NULL;
	return root;
}

const struct json_node *
json_member(const struct json_node *object, const char *name)
{
	const struct text wanted = {name, strlen(name)};
	const struct json_node *n;

	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (n = object->first; n; n = n->next)
		if (text_compare(&n->name, &wanted) == 0)
			return n;
	return NULL;
}
