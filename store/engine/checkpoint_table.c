/*
 * Tables as a checkpoint's snapshot knows them, and how one is told anew: when
 * its documents lie deeper in the history than before, or another table had
 * its name.  Runs in the checkpoint's thread; writes nothing.
 */
#include "checkpoint_internal.h"

#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FLAT_MAX = 1000,		/* documents of a table without... */
	ONE_MAX = 100000		/* ... and with one directory between */
};

/* --- tables of the snapshot -------------------------------------------------- */

/* <table>/.fanout of the history: level, and the table's number. */
static int
read_fanout(const char *text, uint64_t id)
{
	char *end;
	long level = strtol(text, &end, 10);

	return *end == ' ' && strtoull(end, NULL, 10) == id ? (int)level : -1;
}

static unsigned
level_for(uint64_t documents)
{
	return documents <= FLAT_MAX ? 0 : documents <= ONE_MAX ? 1 : 2;
}

/*
 * The level that the history's newest commit has for the table; -1: none, or
 * of another table of that name, which is gone since.  *any: of either.
 */
static int
level_in_history(struct checkpoint *c, const char *dir, uint64_t id,
    bool *any)
{
	char path[PATH_MAX_BYTES];
	const char *const one[1] = {path};
	struct history_commit tip;
	struct err e;
	int level = -1;

	snprintf(path, sizeof path, "%s/.fanout", dir);
	buf_reset(&c->plain);
	*any = history_tip(c->s->history, &tip, &e) == 1 &&
	    history_get(c->s->history, &tip.id,
	        (struct history_paths){one, 1}, &c->plain, &e) == 1;
	if (*any)
		level = read_fanout(buf_str(&c->plain), id);
	buf_reset(&c->plain);
	return level;
}

static int
take_table(void *arg, const struct text *name, const struct text *note,
    struct err *e)
{
	struct checkpoint *c = arg;
	struct laid *l = calloc(1, sizeof *l);
	char dir[PATH_NAME_MAX + 1];
	struct index_counts n;
	int before;
	bool any;

	(void)name;
	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	l->next = c->tables;
	c->tables = l;
	l->table = table_read(note->p, note->n, e);
	if (!l->table ||
	    index_counts(c->view, l->table->id, 0, &n, e) < 0)
		return -1;
	path_table(l->table->name, dir);
	before = level_in_history(c, dir, l->table->id, &any);
	if (!l->table->history) {
		l->anew = any;		/* what was there goes */
		return 0;
	}
	l->level = level_for(n.items);
	if (before > (int)l->level)
		l->level = (unsigned)before;
	l->anew = before != (int)l->level;
	return 0;
}

int
checkpoint_take_tables(struct checkpoint *c, struct err *e)
{
	return index_note_each(c->view, &(struct text){"table/", 6},
	           take_table, c, e) == 0
	    ? 0
	    : -1;
}

struct laid *
checkpoint_table(struct checkpoint *c, uint64_t id)
{
	struct laid *l;

	for (l = c->tables; l && l->table->id != id; l = l->next)
		;
	return l;
}

/* --- what is told ------------------------------------------------------------- */

int
checkpoint_path(struct checkpoint *c, const struct laid *l,
    const struct value *item, struct err *e)
{
	char dir[PATH_NAME_MAX + 1];
	struct path_key key;
	struct path_name name;

	if (path_key_of(l->table, item, &key) < 0 ||
	    path_name(&key, &name) < 0 || path_table(l->table->name, dir) < 0)
		return err_set(e, FAULT_INTERNAL, "%s: a document without a "
		    "key", l->table->name);
	path_write(c->path, dir, l->level, &name);
	return 0;
}

int
checkpoint_tell_item(struct checkpoint *c, const struct laid *l,
    const struct text *bytes, struct history_change *out, struct err *e)
{
	struct value item;

	arena_reset(&c->item_arena);
	if (typed_read_item(&c->item_arena, bytes->p, bytes->n, &item, e) < 0)
		return -1;
	buf_reset(&c->plain);
	if (checkpoint_path(c, l, &item, e) < 0)
		return -1;
	if (plain_write(&c->plain, &item) < 0 || !buf_ok(&c->plain))
		return err_set(e, ENOMEM, "out of memory");
	*out = (struct history_change){c->path, c->plain.data, c->plain.len};
	return 1;
}

void
checkpoint_tell_table(struct checkpoint *c, struct laid *l,
    struct history_change *out)
{
	char dir[PATH_NAME_MAX + 1];

	path_table(l->table->name, dir);
	snprintf(c->path, sizeof c->path, "%s/" PATH_TABLE_FILE, dir);
	buf_reset(&c->plain);
	table_write(l->table, &c->plain);
	buf_putc(&c->plain, '\n');
	*out = (struct history_change){c->path, c->plain.data, c->plain.len};
	l->told = true;
}

/* A table that is told anew: what was, its settings, then each document. */
int
checkpoint_next_of_table(struct checkpoint *c, struct history_change *out,
    struct err *e)
{
	struct laid *l = c->whole;
	char dir[PATH_NAME_MAX + 1];
	struct index_entry entry;
	struct key_range all;
	int rc;

	path_table(l->table->name, dir);
	buf_reset(&c->plain);
	switch (c->stage++) {
	case 0:
		snprintf(c->path, sizeof c->path, "%s/", dir);
		*out = (struct history_change){c->path, NULL, 0};
		return 1;
	case 1:
		if (!l->table->history)
			return 0;
		snprintf(c->path, sizeof c->path, "%s/.fanout", dir);
		buf_printf(&c->plain, "%u %" PRIu64 "\n", l->level,
		    l->table->id);
		*out = (struct history_change){c->path, c->plain.data,
		    c->plain.len};
		return 1;
	case 2:
		checkpoint_tell_table(c, l, out);
		return 1;
	case 3:
		arena_reset(&c->arena);
		if (key_range_scan(&c->arena, l->table, NULL, 0, 1, &all, e) <
		    0)
			return -1;
		c->cursor = index_cursor_open(c->view, NULL, &all, false, e);
		if (!c->cursor)
			return -1;
		break;
	}
	rc = index_cursor_next(c->cursor, &entry, e);
	if (rc > 0)
		return checkpoint_tell_item(c, l, &entry.record.item, out, e);
	index_cursor_close(c->cursor);
	c->cursor = NULL;
	return rc;
}
