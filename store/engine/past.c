/*
 * States that were, found and opened, for past.h: a commit by its name, and
 * the changes of one table in the journal behind it.
 */
#include "past.h"

#include "unit.h"

#include "store/base/clock.h"
#include "store/value/fault.h"
#include "store/value/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHANGED_MAX = 1 << 30,		/* bytes of changed documents */
	UNIT_ROOM = 512 << 20,
	PLAIN_MAX = 8 << 20,
	ROUNDED_MS = 2000		/* a commit holds what was decided up
					   to this long after its time */
};

/* --- which state --------------------------------------------------------- */

/* The newest commit before something, or the begin where the journal has it. */
static int
find_base(struct past *p, const char *name, struct err *e)
{
	struct history *h = store_history(p->store);

	if (history_resolve(h, name, &p->commit, e) == 0)
		return 0;
	if (e->code != FAULT_NOT_FOUND ||
	    journal_begin(store_journal(p->store)) != 0)
		return -1;
	p->commit = (struct history_commit){.position = 0};
	return 0;
}

static bool
journal_has(const struct past *p)
{
	return p->commit.position >= journal_begin(store_journal(p->store));
}

/*
 * A moment: a commit that surely holds nothing later and the journal behind
 * it, or else the newest commit that isn't later, to the second.
 */
static int
find_time(struct past *p, int64_t time_ms, const char *name, struct err *e)
{
	char iso[CLOCK_ISO_SIZE];

	if (time_ms > clock_wall_ms())
		return err_set(e, FAULT_VALIDATION, "%s is yet to come", name);
	clock_iso(time_ms - ROUNDED_MS, iso);
	if (find_base(p, iso, e) == 0 && journal_has(p)) {
		p->from = p->commit.position;
		p->until_ms = time_ms;
		return 0;
	}
	if (history_resolve(store_history(p->store), name, &p->commit, e) < 0)
		return -1;
	p->from = p->to = p->commit.position;
	p->nearest = true;
	return 0;
}

static int
find_position(struct past *p, uint64_t position, const char *name,
    struct err *e)
{
	if (position > p->to)
		return err_set(e, FAULT_VALIDATION, "%s is yet to come; the "
		    "journal is at @%" PRIu64, name, p->to);
	if (find_base(p, name, e) < 0)
		return -1;
	p->from = p->commit.position;
	p->to = position;
	if (p->from < p->to && !journal_has(p)) {
		p->to = p->from;
		p->nearest = true;
	}
	return 0;
}

int
past_find(struct store *s, const char *name, struct past *out, struct err *e)
{
	uint64_t position;
	int64_t time_ms;

	*out = (struct past){.store = s, .until_ms = INT64_MAX,
	    .to = journal_end(store_journal(s))};
	if (!name || !*name) {
		if (find_base(out, "", e) < 0)
			return -1;
		out->from = out->commit.position;
		return 0;
	}
	if (history_read_time(name, &time_ms))
		return find_time(out, time_ms, name, e);
	if (history_read_position(name, &position))
		return find_position(out, position, name, e);
	if (history_resolve(store_history(s), name, &out->commit, e) < 0)
		return -1;
	out->from = out->to = out->commit.position;
	return 0;
}

/* --- what the journal adds ----------------------------------------------- */

struct reading {
	struct past_table *t;
	const char *name;		/* the table's */
	char needle[32];		/* what a change of it looks like */
	struct arena arena;		/* of a unit */
	struct buf plain;
	struct err *e;
};

static void
seek_id(struct reading *r)
{
	r->needle[0] = '\0';
	if (r->t->table)
		snprintf(r->needle, sizeof r->needle, "{\"t\":%" PRIu64 ",",
		    r->t->table->id);
}

static int
keep_text(struct past_table *t, const char *name, const struct buf *plain,
    struct err *e)
{
	struct text *copy = arena_array(&t->arena, 1, sizeof *copy);

	if (copy && plain) {
		copy->p = arena_copy(&t->arena, plain->data, plain->len);
		copy->n = plain->len;
	}
	if (!copy || (plain && !copy->p) ||
	    map_set(&t->changed, name, strlen(name), copy, NULL) < 0)
		return err_set(e, FAULT_LIMIT, "too much changed since the "
		    "checkpoint before; ask for one that is later");
	return 0;
}

static int
keep_change(struct past_table *t, const struct change *c, struct buf *plain,
    struct err *e)
{
	struct path_key key;
	struct path_name name;

	if (path_key_of(t->table, c->bytes.p ? &c->item : &c->key, &key) < 0 ||
	    path_name(&key, &name) < 0)
		return err_set(e, FAULT_INTERNAL, "%s: a change without a key",
		    t->table->name);
	if (!c->bytes.p)
		return keep_text(t, name.text, NULL, e);
	buf_reset(plain);
	if (plain_write(plain, &c->item) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return keep_text(t, name.text, plain, e);
}

static int
keep_changes(struct past_table *t, const struct unit *u, struct buf *plain,
    struct err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < u->count; i++)
		if (t->table && u->changes[i].table_id == t->table->id)
			rc = keep_change(t, &u->changes[i], plain, e);
	return rc;
}

int
past_add(struct past_table *t, const struct unit *u, struct err *e)
{
	struct buf plain;
	int rc;

	buf_init(&plain, PLAIN_MAX);
	rc = keep_changes(t, u, &plain, e);
	buf_release(&plain);
	return rc;
}

/* What was known of the table's documents is no more. */
static void
forget_documents(struct past_table *t)
{
	map_release(&t->changed);
	map_init(&t->changed);
	arena_reset(&t->arena);
	t->based = false;
}

static int
take_table(struct reading *r, const struct unit *u)
{
	struct past_table *t = r->t;
	struct table *fresh;

	if (u->kind == UNIT_DROP) {
		if (!t->table || t->table->id != u->table_id)
			return 0;
		table_free(t->table);
		t->table = NULL;
		forget_documents(t);
		seek_id(r);
		return 0;
	}
	fresh = table_read(u->table.p, u->table.n, r->e);
	if (!fresh)
		return -1;
	if (strcmp(fresh->name, r->name) != 0) {
		table_free(fresh);
		return 0;
	}
	if (t->table && t->table->id != fresh->id)
		forget_documents(t);
	table_free(t->table);
	t->table = fresh;
	seek_id(r);
	return 0;
}

static bool
concerns(const struct reading *r, const struct journal_line *l)
{
	static const char TABLE[] = "\"table\":{", DROP[] = "\"drop\":";

	return (*r->needle &&
	           memmem(l->payload, l->len, r->needle,
	               strlen(r->needle))) ||
	    memmem(l->payload, l->len, TABLE, sizeof TABLE - 1) ||
	    memmem(l->payload, l->len, DROP, sizeof DROP - 1);
}

/* {"at":1700000000000, ... */
static int64_t
decided_ms(const struct journal_line *l)
{
	static const char AT[] = "{\"at\":";

	if (l->len < sizeof AT || memcmp(l->payload, AT, sizeof AT - 1) != 0)
		return 0;
	return strtoll(l->payload + sizeof AT - 1, NULL, 10);
}

/* 1 ends it. */
static int
read_line(void *ctx, const struct journal_line *l)
{
	struct reading *r = ctx;
	const struct past *p = r->t->past;
	struct unit u;

	if (store_hurried(p->store, r->e))
		return -2;
	if (l->next > p->to || decided_ms(l) > p->until_ms)
		return 1;
	r->t->seen = l->next;
	if (!concerns(r, l))
		return 0;
	arena_reset(&r->arena);
	if (unit_read(&r->arena, l->payload, l->len, &u, r->e) < 0)
		return -2;
	if (u.kind == UNIT_CHANGES)
		return keep_changes(r->t, &u, &r->plain, r->e) < 0 ? -2 : 0;
	return take_table(r, &u) < 0 ? -2 : 0;
}

static int
read_changes(struct past_table *t, const char *name, struct err *e)
{
	const struct past *p = t->past;
	struct reading r = {.t = t, .name = name, .e = e};
	int rc;

	t->seen = p->from;
	if (p->from >= p->to)
		return 0;
	seek_id(&r);
	arena_init(&r.arena, UNIT_ROOM);
	buf_init(&r.plain, PLAIN_MAX);
	rc = journal_read(store_journal(p->store), p->from, read_line, &r,
	    NULL, e);
	arena_release(&r.arena);
	buf_release(&r.plain);
	return rc < 0 ? -1 : 0;
}

/* --- a table ------------------------------------------------------------- */

/* Its own file in the commit. */
static int
read_table(struct past_table *t, struct err *e)
{
	char path[PATH_MAX_BYTES];
	const char *const one[1] = {path};
	struct buf b;
	int rc;

	if (!t->past->commit.id.hex[0])
		return 0;
	snprintf(path, sizeof path, "%s/" PATH_TABLE_FILE, t->dir);
	buf_init(&b, PLAIN_MAX);
	rc = history_get(store_history(t->past->store), &t->past->commit.id,
	    (struct history_paths){one, 1}, &b, e);
	if (rc > 0) {
		while (b.len && b.data[b.len - 1] == '\n')
			b.len--;
		t->table = table_read(b.data, b.len, e);
		t->based = t->table != NULL;
		rc = t->table ? 0 : -1;
	}
	buf_release(&b);
	return rc;
}

struct last {
	struct table *table;
	struct err *e;
};

static int
take_last(void *ctx, const struct history_version *v)
{
	struct last *l = ctx;
	size_t n = v->n;

	if (!v->path)
		return 0;
	while (n && ((const char *)v->bytes)[n - 1] == '\n')
		n--;
	l->table = table_read(v->bytes, n, l->e);
	return 1;
}

struct table *
past_last_table(struct store *s, const char *table, struct err *e)
{
	char path[PATH_MAX_BYTES], dir[PATH_NAME_MAX + 1];
	const char *const one[1] = {path};
	struct last l = {.e = e};

	if (path_table(table, dir) < 0) {
		err_set(e, FAULT_VALIDATION, "%s: no name of a table", table);
		return NULL;
	}
	snprintf(path, sizeof path, "%s/" PATH_TABLE_FILE, dir);
	err_set(e, FAULT_NOT_FOUND, "Requested resource not found: Table: %s "
	    "not found", table);
	history_log(store_history(s), (struct history_paths){one, 1},
	    take_last, &l, e);
	return l.table;
}

/* It has none then, or none now. */
static bool
lacks_history(const struct past_table *t, const char *name)
{
	struct catalog *c = store_catalog_hold(t->past->store);
	const struct table *now = catalog_named(c, name, strlen(name));
	bool lacks = (t->table && !t->table->history) ||
	    (now && !now->history);

	store_catalog_release(t->past->store, c);
	return lacks;
}

int
past_open(const struct past *p, const char *table, struct past_table *out,
    struct err *e)
{
	*out = (struct past_table){.past = p};
	map_init(&out->changed);
	arena_init(&out->arena, CHANGED_MAX);
	if (path_table(table, out->dir) < 0)
		return err_set(e, FAULT_VALIDATION, "%s: no name of a table",
		    table);
	if (read_table(out, e) < 0 || read_changes(out, table, e) < 0)
		return -1;
	if (lacks_history(out, table))
		return err_set(e, FAULT_VALIDATION, "%s is kept without "
		    "history (history: off), so nothing is known of what it "
		    "held", table);
	return 0;
}

int
past_open_later(const struct past_table *t, struct past *p,
    struct past_table *out, struct err *e)
{
	*p = (struct past){.store = t->past->store, .from = t->seen,
	    .to = journal_end(store_journal(t->past->store)),
	    .until_ms = INT64_MAX};
	*out = (struct past_table){.past = p};
	map_init(&out->changed);
	arena_init(&out->arena, CHANGED_MAX);
	snprintf(out->dir, sizeof out->dir, "%s", t->dir);
	if (!t->table)
		return 0;
	out->table = table_copy(t->table);
	return out->table ? read_changes(out, t->table->name, e)
	                  : err_set(e, ENOMEM, "out of memory");
}

void
past_close(struct past_table *t)
{
	table_free(t->table);
	t->table = NULL;
	map_release(&t->changed);
	arena_release(&t->arena);
}
