/*
 * Mirror: which mirrors the store has and how they are, and changes of that.
 * Runs in bothy-store.
 */
#include "store/op/op_wait.h"

#include "store/engine/mirrors.h"
#include "store/engine/parts.h"

#include <string.h>

void
op_write_mirrors(struct reply *r, struct mirrors *m)
{
	struct mirror_state s;
	size_t i;

	reply_list(r, "Mirrors");
	for (i = 0; m && mirrors_state(m, i, &s); i++) {
		reply_object(r, NULL);
		reply_string(r, "Name", s.name);
		reply_string(r, "Url", s.url);
		if (s.pushed_ms) {
			reply_time(r, "Pushed", s.pushed_ms);
			reply_integer(r, "Position", (int64_t)s.position);
		}
		reply_bool(r, "Pushing", s.pushing);
		reply_bool(r, "Behind", s.behind);
		reply_bool(r, "Declared", s.declared);
		if (s.error[0])
			reply_string(r, "Error", s.error);
		reply_close(r);
	}
	reply_close(r);
}

static bool
stops(void *arg)
{
	struct err ignored;

	return op_stopped(arg, &ignored);
}

void
op_push_mirrors(struct op *op)
{
	mirrors_push(store_mirrors(op->store), NULL, stops, op);
}

/* "name=url" has it so, "name=" not at all; "name" is pushed to now. */
static int
change(struct op *op, struct err *e)
{
	const struct text *text = &op->request.store.name;
	struct mirrors *m = store_mirrors(op->store);
	char *name, *url;

	if (!m)
		return err_set(e, FAULT_READ_ONLY,
		    "the store was opened read-only");
	name = arena_copy(&op->arena, text->p, text->n);
	if (!name)
		return op_no_memory(e);
	url = strchr(name, '=');
	if (url) {
		*url++ = '\0';
		return mirrors_set(m, name, *url ? url : NULL, e);
	}
	if (mirrors_push(m, name, stops, op) == 0)
		return 0;
	return err_set(e, FAULT_NOT_FOUND, "there is no mirror %s", name);
}

void
op_mirror(struct op *op, struct store_view *v)
{
	struct reply r;
	struct err e;

	(void)v;
	if (op->request.store.name.p && change(op, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	op_write_mirrors(&r, store_mirrors(op->store));
	op_close(op, &r);
}
