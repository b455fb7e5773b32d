/*
 * Erasure, as erase.h has it: the order of its steps, and the journal's part.
 */
#include "erase.h"

#include "erase_internal.h"
#include "store_internal.h"

#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

enum { UNIT_ROOM = 512 << 20, IDS_MAX = 1024 };

/* --- the journal ---------------------------------------------------------- */

/*
 * A table's name may have been that of others before, which were dropped; the
 * line that says so has their number.
 */
struct looking {
	struct store *s;
	const struct erasure *x;
	uint64_t ids[IDS_MAX];
	size_t count;
	struct arena arena;		/* of a line */
};

static bool
is_ours(const struct looking *l, uint64_t id)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (l->ids[i] == id)
			return true;
	return false;
}

static int
read_line(struct looking *l, const struct journal_line *line, struct unit *u,
    struct err *e)
{
	arena_reset(&l->arena);
	return unit_read(&l->arena, line->payload, line->len, u, e);
}

static int
look_for_drop(void *ctx, const struct journal_line *line)
{
	static const char DROP[] = "\"drop\":";
	struct looking *l = ctx;
	struct unit u;
	struct err ignored;

	if (line->position >= l->x->upto)
		return 1;
	if (!memmem(line->payload, line->len, DROP, sizeof DROP - 1) ||
	    read_line(l, line, &u, &ignored) < 0 || u.kind != UNIT_DROP ||
	    u.name.n != strlen(l->x->table) ||
	    memcmp(u.name.p, l->x->table, u.name.n) != 0)
		return 0;
	if (l->count < IDS_MAX)
		l->ids[l->count++] = u.table_id;
	return 0;
}

/* True if an item, or a Key, has all members of the Key that is erased. */
static bool
has_key(const struct value *item, const struct value *key)
{
	const struct value *v;
	size_t i;

	for (i = 0; i < key->count; i++) {
		v = value_member(item, key->members[i].name.p,
		    key->members[i].name.n);
		if (!v || !value_equal(v, &key->members[i].value))
			return false;
	}
	return true;
}

static bool
erase_changes(struct looking *l, struct unit *u)
{
	bool any = false;
	size_t i;

	for (i = 0; i < u->count; i++) {
		struct change *c = &u->changes[i];

		if (!is_ours(l, c->table_id) ||
		    !has_key(c->bytes.p ? &c->item : &c->key, l->x->key))
			continue;
		*c = (struct change){.item.type = VALUE_M,
		    .key.type = VALUE_M};
		any = true;
	}
	return any;
}

/*
 * A change that is erased stays as one of no table, so that the numbers of
 * those behind it, which the stream gave, are theirs; and spaces make up for
 * its bytes.
 */
static int
edit_line(void *ctx, const struct journal_line *line, struct buf *out,
    struct err *e)
{
	struct looking *l = ctx;
	struct unit u;
	size_t i;

	if (store_hurried(l->s, e) || read_line(l, line, &u, e) < 0)
		return -1;
	if (u.kind != UNIT_CHANGES || !erase_changes(l, &u))
		return 0;
	unit_begin(out, &u);
	for (i = 0; i < u.count; i++)
		unit_add(out, &u.changes[i], i == 0);
	unit_end(out);
	while (out->len < line->len && buf_ok(out))
		buf_putc(out, ' ');
	return buf_ok(out) ? 1 : err_set(e, ENOMEM, "out of memory");
}

static int
erase_journal(struct store *s, const struct erasure *x, struct erased *out,
    struct err *e)
{
	struct looking l = {.s = s, .x = x, .count = x->table_id != 0};
	int rc;

	l.ids[0] = x->table_id;
	arena_init(&l.arena, UNIT_ROOM);
	rc = journal_read(s->journal, journal_begin(s->journal),
	    look_for_drop, &l, NULL, e);
	if (rc >= 0 && l.count)
		rc = journal_rewrite(s->journal, x->upto, edit_line, &l,
		    &out->lines, e);
	arena_release(&l.arena);
	return rc < 0 ? -1 : 0;
}

/* --- all of it ------------------------------------------------------------ */

int
store_erase_prepare(struct store *s, struct err *e)
{
	return journal_turn(s->journal, e);
}

/* Whoever reads a state that was has the lock: it is there, or isn't. */
int
store_erase(struct store *s, const struct erasure *x, struct erased *out,
    struct err *e)
{
	int rc;

	*out = (struct erased){0};
	pthread_mutex_lock(&s->history_lock);
	rc = history_forget(s->history, x->paths->list, x->progress,
	    &out->states, e);
	if (rc == 0)
		rc = erase_journal(s, x, out, e);
	pthread_mutex_unlock(&s->history_lock);
	if (rc == 0)
		rc = files_forget(s->files, e);
	if (rc == 0)
		rc = erase_aside(s->dir_fd, x, &out->files, e);
	return rc;
}

void
store_erase_index(struct store *s)
{
	index_ask_renewal(s->index);
}

int
store_index_erased(struct store *s, struct err *e)
{
	return index_renewal_result(s->index, e);
}
