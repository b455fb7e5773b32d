/*
 * Show, Log, Blame: one document through time.  What the journal has and no
 * checkpoint yet is told as pending.
 */
#include "document.h"

#include "store/value/plain.h"

#include <string.h>

enum { LOG_LIMIT = 100, ITEM_ROOM = 64 << 20, PLAIN_MAX = 8 << 20 };

/* A document in a state: appended as plain JSON, 1, 0 or -1. */
static int
get_past(const struct document *d, const struct past *p, struct buf *out,
    struct err *e)
{
	struct past_table t;
	int rc = past_open(p, d->table_name, &t, e);

	if (rc == 0)
		rc = past_get(&t, &d->name, out, e);
	past_close(&t);
	return rc;
}

/* --- show ---------------------------------------------------------------- */

static int
show(struct op *op, const struct document *d, struct reply *r, struct err *e)
{
	struct past past;
	const char *from;
	struct arena a;
	struct buf b;
	int rc;

	if (op_string(op, &op->request.store.from, &from, e) < 0 ||
	    past_find(op->store, from, &past, e) < 0)
		return -1;
	arena_init(&a, ITEM_ROOM);
	buf_init(&b, PLAIN_MAX);
	rc = get_past(d, &past, &b, e);
	op_open(op, r);
	op_write_past(r, &past);
	if (rc > 0)
		rc = op_write_plain(r, "Item", &a, b.data, b.len, e);
	buf_release(&b);
	arena_release(&a);
	return rc;
}

/* --- log ----------------------------------------------------------------- */

struct log {
	struct reply *reply;
	struct arena arena;		/* of a document */
	struct buf now;			/* as it is; what differs is pending */
	bool now_there, begun;
	const struct history_commit *until;	/* versions up to it; or NULL */
	uint32_t left;
	bool more;
	struct err *e;
	int rc;
};

static void
write_pending(struct log *l)
{
	reply_object(l->reply, NULL);
	reply_bool(l->reply, "Pending", true);
	if (l->now_there)
		l->rc = op_write_plain(l->reply, "Item", &l->arena,
		    l->now.data, l->now.len, l->e);
	else
		reply_bool(l->reply, "Gone", true);
	reply_close(l->reply);
	l->left--;
}

static bool
is_pending(const struct log *l, const struct history_version *v)
{
	if (!v || !v->path)
		return l->now_there;
	return !l->now_there || v->n != l->now.len ||
	    memcmp(v->bytes, l->now.data, v->n) != 0;
}

static int
write_version(void *ctx, const struct history_version *v)
{
	struct log *l = ctx;

	if (!l->begun && !l->until && is_pending(l, v))
		write_pending(l);
	l->begun = true;
	if (l->until && v->commit->position > l->until->position)
		return 0;
	if (!l->left || l->rc < 0) {
		l->more = true;
		return 1;
	}
	l->left--;
	reply_object(l->reply, NULL);
	op_write_commit(l->reply, v->commit);
	if (v->path)
		l->rc = op_write_plain(l->reply, "Item", &l->arena, v->bytes,
		    v->n, l->e);
	else
		reply_bool(l->reply, "Gone", true);
	reply_close(l->reply);
	return l->rc < 0;
}

static int
log_document(struct op *op, const struct document *d, struct log *l)
{
	struct past now;
	int rc = past_find(op->store, NULL, &now, l->e);

	buf_init(&l->now, PLAIN_MAX);
	if (rc == 0)
		rc = get_past(d, &now, &l->now, l->e);
	l->now_there = rc > 0;
	if (rc >= 0)
		rc = history_log(store_history(op->store), d->paths.list,
		    write_version, l, l->e);
	if (rc >= 0 && !l->begun && is_pending(l, NULL))
		write_pending(l);
	buf_release(&l->now);
	return rc < 0 || l->rc < 0 ? -1 : 0;
}

static int
write_touched(void *ctx, const struct history_commit *c)
{
	struct log *l = ctx;

	if (l->until && c->position > l->until->position)
		return 0;
	if (!l->left) {
		l->more = true;
		return 1;
	}
	l->left--;
	reply_object(l->reply, NULL);
	op_write_commit(l->reply, c);
	reply_close(l->reply);
	return 0;
}

/* The commits that changed anything of a table, or of all. */
static int
log_table(struct op *op, struct log *l)
{
	char name[TABLE_NAME_MAX + 1], dir[PATH_NAME_MAX + 1] = "";
	const struct text *table = &op->request.store.table;

	if (table->p) {
		op_table_name(table, name);
		if (path_table(name, dir) < 0)
			return err_set(l->e, FAULT_VALIDATION,
			    "%s: no name of a table", name);
	}
	return history_touched(store_history(op->store), dir, write_touched,
	    l, l->e);
}

static int
log_versions(struct op *op, const struct document *d, struct reply *r,
    struct err *e)
{
	const struct store_request *q = &op->request.store;
	struct log l = {.reply = r, .e = e};
	struct history_commit until;
	const char *from;
	int rc;

	l.left = q->limit ? q->limit : LOG_LIMIT;
	if (op_string(op, &q->from, &from, e) < 0)
		return -1;
	if (from) {
		if (history_resolve(store_history(op->store), from, &until,
		        e) < 0)
			return -1;
		l.until = &until;
	}
	arena_init(&l.arena, ITEM_ROOM);
	op_open(op, r);
	reply_list(r, "Versions");
	rc = q->key ? log_document(op, d, &l) : log_table(op, &l);
	reply_close(r);
	if (l.more)
		reply_bool(r, "More", true);
	arena_release(&l.arena);
	return rc;
}

/* --- blame --------------------------------------------------------------- */

struct blame {
	struct reply *reply;
	const struct value *now;	/* the document as it is */
	const struct value *then;	/* as the newest commit has it */
};

static bool
is_as_then(const struct blame *b, const char *name, size_t n)
{
	const struct value *now = value_member(b->now, name, n);
	const struct value *then = value_member(b->then, name, n);

	return now && then && value_equal(now, then);
}

static int
write_attribute(void *ctx, const char *name, size_t n,
    const struct history_commit *c)
{
	struct blame *b = ctx;

	if (!is_as_then(b, name, n))
		return 0;
	reply_object(b->reply, NULL);
	reply_text(b->reply, "Name", name, n);
	op_write_commit(b->reply, c);
	reply_close(b->reply);
	return 0;
}

static void
write_changed(struct blame *b)
{
	size_t i;

	for (i = 0; i < b->now->count; i++) {
		const struct text *name = &b->now->members[i].name;

		if (is_as_then(b, name->p, name->n))
			continue;
		reply_object(b->reply, NULL);
		reply_text(b->reply, "Name", name->p, name->n);
		reply_bool(b->reply, "Pending", true);
		reply_close(b->reply);
	}
}

static int
read_state(struct op *op, const struct document *d, const struct past *p,
    struct value *out, struct err *e)
{
	struct buf b;
	char *copy;
	int rc;

	*out = (struct value){.type = VALUE_M};
	buf_init(&b, PLAIN_MAX);
	rc = get_past(d, p, &b, e);
	if (rc > 0) {
		copy = arena_copy(&op->arena, b.data, b.len);
		rc = copy ? plain_read_item(&op->arena, copy, b.len, out, e)
		          : op_no_memory(e);
		if (rc == 0)
			rc = 1;
	}
	buf_release(&b);
	return rc;
}

static int
blame(struct op *op, const struct document *d, struct reply *r,
    struct err *e)
{
	struct past past;
	struct value now, then;
	struct blame b = {r, &now, &then};
	int rc;

	if (past_find(op->store, NULL, &past, e) < 0)
		return -1;
	rc = read_state(op, d, &past, &now, e);
	if (rc == 0)
		return err_set(e, FAULT_NOT_FOUND, "there is no such document");
	past.to = past.from;
	if (rc < 0 || read_state(op, d, &past, &then, e) < 0)
		return -1;
	op_open(op, r);
	reply_list(r, "Attributes");
	rc = history_blame(store_history(op->store), d->paths.list,
	    write_attribute, &b, e);
	write_changed(&b);
	reply_close(r);
	return rc < 0 ? -1 : 0;
}

/* --- the operations ------------------------------------------------------ */

void
op_show(struct op *op, struct store_view *v)
{
	(void)v;
	op_with_history(op, show);
}

void
op_log(struct op *op, struct store_view *v)
{
	(void)v;
	op_with_history(op, log_versions);
}

void
op_blame(struct op *op, struct store_view *v)
{
	(void)v;
	op_with_history(op, blame);
}
