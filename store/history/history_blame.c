/*
 * Which commit gave each attribute of a document its value.  Runs in any
 * thread, with a view of its own: the versions, newest first, and of each
 * attribute the last one in a row that says the same.
 */
#include "history_log.h"

#include "store/base/arena.h"
#include "store/value/fault.h"
#include "store/value/json.h"

#include <string.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

struct attribute {
	struct text name, value;
	bool told;
};

/*
 * `attributes` are those of the newest version; all that are not yet told have
 * the same value in the version of `since`.
 */
struct blame {
	struct arena arena;		/* of the newest version */
	struct arena scratch;		/* of the version at hand */
	struct attribute *attributes;
	size_t n;
	bool begun;
	struct history_commit since;
	history_blame_fn *fn;
	void *ctx;
};

static struct json_node *
read_object(struct arena *a, const void *bytes, size_t n)
{
	struct json_node *node;
	struct err ignored;
	const char *copy = arena_copy(a, bytes, n);

	if (!copy)
		return NULL;
	node = json_read(a, copy, n, 1, &ignored);
	return node && node->type == JSON_OBJECT ? node : NULL;
}

static int
begin(struct blame *b, const struct history_version *v, struct err *e)
{
	const struct json_node *o = read_object(&b->arena, v->bytes, v->n), *m;

	b->begun = true;
	b->since = *v->commit;
	if (!o)
		return err_set(e, FAULT_INTERNAL,
		    "the document is no JSON object in commit %s",
		    v->commit->id.hex);
	b->attributes = arena_array(&b->arena, o->count + 1,
	    sizeof *b->attributes);
	if (!b->attributes)
		return err_set(e, FAULT_LIMIT, "the document is too large");
	for (m = o->first; m; m = m->next) {
		b->attributes[b->n].name = m->name;
		b->attributes[b->n++].value = m->raw;
	}
	return 0;
}

static bool
has_same(const struct json_node *o, const struct attribute *a)
{
	const struct json_node *m;

	for (m = o ? o->first : NULL; m; m = m->next)
		if (text_compare(&m->name, &a->name) == 0)
			return text_compare(&m->raw, &a->value) == 0;
	return false;
}

/* Attributes that `o` has otherwise, or not at all, began with `since`. */
static int
tell(struct blame *b, const struct json_node *o, size_t *left)
{
	size_t i;

	*left = 0;
	for (i = 0; i < b->n; i++) {
		struct attribute *a = &b->attributes[i];

		if (a->told)
			continue;
		if (has_same(o, a)) {
			++*left;
			continue;
		}
		a->told = true;
		if (b->fn(b->ctx, a->name.p, a->name.n, &b->since))
			return 1;
	}
	return 0;
}

static int
visit(void *ctx, const struct history_version *v, struct err *e)
{
	struct blame *b = ctx;
	const struct json_node *o = NULL;
	size_t left;

	if (!b->begun)
		return v->path ? begin(b, v, e) : 1;
	arena_reset(&b->scratch);
	if (v->path)
		o = read_object(&b->scratch, v->bytes, v->n);
	if (tell(b, o, &left))
		return 1;
	b->since = *v->commit;
	return left == 0;
}

int
history_blame(struct history *h, struct history_paths p,
    history_blame_fn *fn, void *ctx, struct err *e)
{
	struct history_view v;
	struct blame b;
	size_t left;
	int r;

	memset(&b, 0, sizeof b);
	arena_init(&b.arena, ARENA_BYTES);
	arena_init(&b.scratch, ARENA_BYTES);
	b.fn = fn;
	b.ctx = ctx;
	if (history_view_open(h, &v, e))
		return -1;
	r = history_versions(&v, p, visit, &b, e);
	history_view_close(&v);
	if (!r && b.begun)
		tell(&b, NULL, &left);
	arena_release(&b.arena);
	arena_release(&b.scratch);
	return r ? -1 : b.begun;
}
