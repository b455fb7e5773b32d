/*
 * Documents of a state, and what differs between two, for past.h.
 *
 * A document is known by the name of its file, which is the same wherever in
 * the table's directories it lies.
 */
#include "past.h"

#include "unit.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_MAX = 8 << 20, NAME_ROOM = 64 << 10, UNIT_ROOM = 512 << 20 };

/* --- one document -------------------------------------------------------- */

void
past_paths(const char *dir, const struct path_name *name,
    struct past_paths *out)
{
	unsigned level;

	for (level = 0; level <= PATH_LEVEL_MAX; level++) {
		path_write(out->text[level], dir, level, name);
		out->at[level] = out->text[level];
	}
	out->list = (struct history_paths){out->at, PATH_LEVEL_MAX + 1};
}

/* As the commit has it: 1, 0, -1. */
static int
get_based(struct past_table *t, struct history_reader *reader,
    const struct path_name *name, struct buf *out, struct err *e)
{
	struct past_paths paths;

	if (!t->based)
		return 0;
	past_paths(t->dir, name, &paths);
	return history_reader_get(reader, &t->past->commit.id, paths.list,
	    out, e);
}

static int
get(struct past_table *t, struct history_reader *reader,
    const struct path_name *name, struct buf *out, struct err *e)
{
	const struct text *changed = map_get(&t->changed, name->text);

	if (!changed)
		return get_based(t, reader, name, out, e);
	if (!changed->p)
		return 0;
	return buf_add(out, changed->p, changed->n) < 0
	    ? err_set(e, ENOMEM, "out of memory")
	    : 1;
}

int
past_get(struct past_table *t, const struct path_name *name, struct buf *out,
    struct err *e)
{
	struct history_reader *reader = history_reader_new(
	    store_history(t->past->store), e);
	int rc = reader ? get(t, reader, name, out, e) : -1;

	history_reader_free(reader);
	return rc;
}

/* --- differences --------------------------------------------------------- */

struct diff {
	struct past_table *from, *to;
	bool moved;		/* the two may have a document elsewhere */
	past_delta_fn *fn;
	void *ctx;
	struct history_reader *reader;
	struct arena arena;	/* of a name */
	struct buf old, new;
};

static int
tell(struct diff *d, const struct path_name *name, const struct text *old,
    const struct text *new, struct err *e)
{
	struct past_delta delta = {name, *old, *new};

	if (!old->p && !new->p)
		return 0;
	if (old->p && new->p && text_compare(old, new) == 0)
		return 0;
	return d->fn(d->ctx, &delta, e);
}

/* One document, looked up on both sides. */
static int
tell_name(struct diff *d, const struct path_name *name, struct err *e)
{
	struct text old = {NULL, 0}, new = {NULL, 0};
	int rc;

	buf_reset(&d->old);
	buf_reset(&d->new);
	rc = get(d->from, d->reader, name, &d->old, e);
	if (rc > 0)
		old = (struct text){buf_str(&d->old), d->old.len};
	if (rc >= 0)
		rc = get(d->to, d->reader, name, &d->new, e);
	if (rc > 0)
		new = (struct text){buf_str(&d->new), d->new.len};
	return rc < 0 ? -1 : tell(d, name, &old, &new, e);
}

/* A name as a document's; foreign ones are none: 1, 0, -1. */
static int
read_name(struct diff *d, const char *text, struct path_name *out,
    struct err *e)
{
	struct path_key key;

	arena_reset(&d->arena);
	if (path_decode(text, &d->arena, out, &key) != PATH_FOREIGN)
		return 1;
	return errno == ENOMEM ? err_set(e, ENOMEM, "out of memory") : 0;
}

/*
 * What the commits differ in.  A document that lies elsewhere in the other is
 * told twice, of which one is enough: it is looked up then.
 */
static int
take_delta(void *ctx, const struct history_delta *h, struct err *e)
{
	struct diff *d = ctx;
	const char *slash = strrchr(h->path, '/');
	const char *text = slash ? slash + 1 : h->path;
	struct text old = {h->old_bytes, h->old_n};
	struct text new = {h->new_bytes, h->new_n};
	struct path_name name;
	int rc;

	if (*text == '.' || map_get(&d->from->changed, text) ||
	    map_get(&d->to->changed, text))
		return 0;
	rc = read_name(d, text, &name, e);
	if (rc <= 0)
		return rc;
	if (!d->moved || (old.p && new.p))
		return tell(d, &name, &old, &new, e);
	if (old.p)
		return tell_name(d, &name, e);
	buf_reset(&d->old);
	rc = get_based(d->from, d->reader, &name, &d->old, e);
	return rc < 0 ? -1 : rc > 0 ? 0 : tell(d, &name, &old, &new, e);
}

static int
level_of(struct diff *d, struct past_table *t, struct buf *b, int *level,
    struct err *e)
{
	char path[PATH_MAX_BYTES];
	const char *const one[1] = {path};
	int rc;

	*level = -1;
	if (!t->based)
		return 0;
	snprintf(path, sizeof path, "%s/.fanout", t->dir);
	buf_reset(b);
	rc = history_reader_get(d->reader, &t->past->commit.id,
	    (struct history_paths){one, 1}, b, e);
	if (rc > 0)
		*level = atoi(buf_str(b));
	return rc < 0 ? -1 : 0;
}

static int
diff_commits(struct diff *d, struct err *e)
{
	struct history_side from = {.path = d->from->dir};
	struct history_side to = {.path = d->to->dir};
	int from_level, to_level;

	if (level_of(d, d->from, &d->old, &from_level, e) < 0 ||
	    level_of(d, d->to, &d->new, &to_level, e) < 0)
		return -1;
	d->moved = from_level != to_level;
	if (d->from->based)
		from.commit = d->from->past->commit.id;
	if (d->to->based)
		to.commit = d->to->past->commit.id;
	return history_diff(store_history(d->from->past->store), &from, &to,
	    take_delta, d, e);
}

/* What the journal says of either, each name once. */
static int
diff_changed(struct diff *d, struct err *e)
{
	const struct map *maps[2] = {&d->from->changed, &d->to->changed};
	struct path_name name;
	size_t i, k;
	int rc = 0;

	for (i = 0; rc == 0 && i < 2; i++)
		for (k = 0; rc == 0 && k < maps[i]->count; k++) {
			const char *text = maps[i]->entries[k].key;

			if (i && map_get(maps[0], text))
				continue;
			rc = read_name(d, text, &name, e);
			if (rc > 0)
				rc = tell_name(d, &name, e);
		}
	return rc;
}

int
past_diff(struct past_table *from, struct past_table *to,
    const struct path_name *only, past_delta_fn *fn, void *ctx,
    struct err *e)
{
	struct diff d = {.from = from, .to = to, .fn = fn, .ctx = ctx};
	int rc;

	d.reader = history_reader_new(store_history(from->past->store), e);
	if (!d.reader)
		return -1;
	arena_init(&d.arena, NAME_ROOM);
	buf_init(&d.old, PLAIN_MAX);
	buf_init(&d.new, PLAIN_MAX);
	if (only)
		rc = tell_name(&d, only, e);
	else if ((rc = diff_commits(&d, e)) == 0)
		rc = diff_changed(&d, e);
	arena_release(&d.arena);
	buf_release(&d.old);
	buf_release(&d.new);
	history_reader_free(d.reader);
	return rc;
}

/* --- all tables ---------------------------------------------------------- */

static int
add_name(struct map *names, const char *name, struct err *e)
{
	return map_set(names, name, strlen(name), names, NULL) < 0
	    ? err_set(e, ENOMEM, "out of memory")
	    : 0;
}

/* A table whose own file differs. */
static int
name_delta(void *ctx, const struct history_delta *h, struct err *e)
{
	struct map *names = ctx;
	const char *slash = strchr(h->path, '/');
	char dir[PATH_NAME_MAX + 1], table[TABLE_NAME_MAX + 1];

	if (!slash || strcmp(slash + 1, PATH_TABLE_FILE) != 0)
		return 0;
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - h->path), h->path);
	if (path_table_decode(dir, table) != PATH_WHOLE)
		return 0;
	return add_name(names, table, e);
}

/* Tables that came or went in the journal behind the commit. */
struct naming {
	const struct past *past;
	struct map *names;
	struct arena arena;
	struct err *e;
};

static int
name_line(void *ctx, const struct journal_line *l)
{
	static const char TABLE[] = "\"table\":{", DROP[] = "\"drop\":";
	struct naming *n = ctx;
	struct table *t = NULL;
	char gone[TABLE_NAME_MAX + 1];
	struct unit u;
	int rc;

	if (l->next > n->past->to)
		return 1;
	if (!memmem(l->payload, l->len, TABLE, sizeof TABLE - 1) &&
	    !memmem(l->payload, l->len, DROP, sizeof DROP - 1))
		return 0;
	arena_reset(&n->arena);
	if (unit_read(&n->arena, l->payload, l->len, &u, n->e) < 0)
		return -2;
	if (u.kind == UNIT_CHANGES)
		return 0;
	if (u.kind == UNIT_TABLE && !(t = table_read(u.table.p, u.table.n,
	                                  n->e)))
		return -2;
	snprintf(gone, sizeof gone, "%.*s", (int)u.name.n,
	    u.name.p ? u.name.p : "");
	rc = add_name(n->names, t ? t->name : gone, n->e);
	table_free(t);
	return rc < 0 ? -2 : 0;
}

static int
name_journal(const struct past *p, struct map *names, struct err *e)
{
	struct naming n = {.past = p, .names = names, .e = e};
	int rc;

	if (p->from >= p->to)
		return 0;
	arena_init(&n.arena, UNIT_ROOM);
	rc = journal_read(store_journal(p->store), p->from, name_line, &n,
	    NULL, e);
	arena_release(&n.arena);
	return rc < 0 ? -1 : 0;
}

static int
name_current(struct store *s, struct map *names, struct err *e)
{
	struct catalog *c = store_catalog_hold(s);
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < c->count; i++)
		if (c->entries[i].table->history)
			rc = add_name(names, c->entries[i].table->name, e);
	store_catalog_release(s, c);
	return rc;
}

int
past_tables(const struct past *from, const struct past *to,
    struct map *names, struct err *e)
{
	struct history_side a = {from->commit.id, ""};
	struct history_side b = {to->commit.id, ""};
	int rc;

	if (name_current(from->store, names, e) < 0 ||
	    name_journal(from, names, e) < 0 || name_journal(to, names, e) < 0)
		return -1;
	if (strcmp(a.commit.hex, b.commit.hex) == 0)
		return 0;
	rc = history_diff(store_history(from->store), &a, &b, name_delta, names,
	    e);
	return rc < 0 ? -1 : 0;
}
