/*
 * Documents without a file, while the index is made again: what the newest
 * commit has and no file told of.  Part of bothy-store, before it serves.
 *
 * A file that was removed by hand is no delete, so the document comes back into
 * the index as the history has it; `bothy store check` tells that its file is
 * missing, and `bothy store adopt` makes the removal one.  The commit is never
 * older than the redo mark, so what was deleted before that is in neither, and
 * the replay of what came after it sets all others right.
 *
 * Of tables without history nothing is known here.
 */
#include "store_internal.h"

#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_ITEMS = 1024,
	BATCH_BYTES = 4 << 20,
	BATCH_ROOM = 64 << 20,
	ITEM_ROOM = 64 << 20,
	PLAIN_MAX = 8 << 20,
	LOOK = 1000			/* documents between looks whether to stop */
};

/* One that is to be put, or with no table the text of a table. */
struct found {
	const struct table *table;
	struct text key, bytes;
	struct value item;
};

struct lost {
	struct store *s;
	uint64_t redo;
	struct catalog *catalog;
	char dir[PATH_NAME_MAX + 1];	/* the table at hand, of the history */
	uint64_t id;			/* its number there; 0: not known */
	const struct table *table;	/* in the catalogue; NULL: none */

	struct index_view *view;
	bool reading;
	struct arena arena;		/* of a name */
	struct arena batch_arena;
	struct found batch[BATCH_ITEMS];
	size_t count;
	struct buf plain, typed;
	uint64_t looked, documents;
};

/* --- putting ------------------------------------------------------------------ */

/* No snapshot may be open meanwhile: the index may have to grow. */
static void
stop_reading(struct lost *l)
{
	if (l->reading)
		index_read_end(l->view);
	l->reading = false;
}

static int
put(struct lost *l, struct index_view *batch, const struct found *f,
    struct err *e)
{
	struct unit u = {.kind = UNIT_TABLE, .table = f->bytes};

	if (f->table)
		return index_put(batch, f->table, &f->key, NULL, &f->item,
		    &f->bytes, l->redo, e);
	return apply_index(batch, NULL, &l->arena, &u, NULL, l->redo, e);
}

static int
flush(struct lost *l, struct err *e)
{
	struct index_view *batch;
	size_t i;
	int rc = 0;

	if (!l->count)
		return 0;
	stop_reading(l);
	batch = index_begin(l->s->index, BATCH_ROOM, e);
	if (!batch)
		return -1;
	for (i = 0; rc == 0 && i < l->count; i++)
		rc = put(l, batch, &l->batch[i], e);
	if (rc < 0)
		index_abort(batch);
	else
		rc = index_commit(batch, l->redo, e);
	l->count = 0;
	arena_reset(&l->batch_arena);
	return rc;
}

/* --- tables --------------------------------------------------------------------- */

/* Of a table that is there no more: replay tells if it was dropped. */
static int
bring_table(struct lost *l, const struct history_blob *b, struct err *e)
{
	struct unit u = {.kind = UNIT_TABLE};
	struct found *f = &l->batch[l->count];
	int rc;

	buf_reset(&l->plain);
	if (history_blob_read(b, &l->plain, e) < 0)
		return -1;
	while (l->plain.len && l->plain.data[l->plain.len - 1] == '\n')
		l->plain.len--;
	u.table = (struct text){l->plain.data, l->plain.len};
	*f = (struct found){.bytes.p = arena_copy(&l->batch_arena,
	    l->plain.data, l->plain.len), .bytes.n = l->plain.len};
	if (!f->bytes.p)
		return err_set(e, ENOMEM, "out of memory");
	l->count++;
	rc = apply_table(l->s, &u, e);
	if (rc == 0)
		rc = flush(l, e);
	catalog_release(&l->s->catalog, l->catalog);
	l->catalog = catalog_hold(&l->s->catalog);
	l->table = catalog_id(l->catalog, l->id);
	return rc;
}

static bool
is_dir_of(const struct table *t, const char *dir)
{
	char name[PATH_NAME_MAX + 1];

	return path_table(t->name, name) == 0 && strcmp(name, dir) == 0;
}

/* The table that lies there now; another one has taken the name, maybe. */
static bool
has_other(const struct lost *l)
{
	size_t i;

	for (i = 0; i < l->catalog->count; i++)
		if (is_dir_of(l->catalog->entries[i].table, l->dir))
			return true;
	return false;
}

/* <table>/.fanout: "level id". */
static int
take_fanout(struct lost *l, const struct history_blob *b, struct err *e)
{
	const char *space;

	buf_reset(&l->plain);
	if (history_blob_read(b, &l->plain, e) < 0)
		return -1;
	space = strchr(buf_str(&l->plain), ' ');
	l->id = space ? strtoull(space, NULL, 10) : 0;
	l->table = catalog_id(l->catalog, l->id);
	return 0;
}

/* --- documents ------------------------------------------------------------------ */

/* 1 if the index has it, 0, -1. */
static int
is_there(struct lost *l, const struct text *key, struct err *e)
{
	struct index_record ignored;

	if (!l->reading && index_read_begin(l->view, e) < 0)
		return -1;
	l->reading = true;
	return index_get(l->view, key, &ignored, e);
}

/* What the history has, as it goes into the index; true if it is whole. */
static bool
read_document(struct lost *l, const char *base, struct found *f)
{
	struct arena *a = &l->batch_arena;
	char *copy = arena_copy(a, l->plain.data, l->plain.len);
	struct path_name name;
	struct path_key path;
	struct err ignored;

	buf_reset(&l->typed);
	if (!copy ||
	    plain_read_item(a, copy, l->plain.len, &f->item, &ignored) < 0 ||
	    key_check_own(l->table, &f->item, &ignored) < 0 ||
	    path_key_of(l->table, &f->item, &path) < 0 ||
	    path_name(&path, &name) < 0 || strcmp(name.text, base) != 0 ||
	    key_item(a, l->table, &f->item, &f->key, &ignored) < 0 ||
	    typed_write_item(&l->typed, &f->item) < 0)
		return false;
	f->table = l->table;
	f->bytes = (struct text){arena_copy(a, l->typed.data, l->typed.len),
	    l->typed.len};
	return f->bytes.p != NULL;
}

static int
bring_document(struct lost *l, const char *base, const struct history_blob *b,
    struct err *e)
{
	struct found *f = &l->batch[l->count];
	int rc;

	buf_reset(&l->plain);
	*f = (struct found){.table = NULL};
	if (history_blob_read(b, &l->plain, e) < 0)
		return -1;
	if (!read_document(l, base, f))
		return 0;
	rc = is_there(l, &f->key, e);	/* of a name that is cut */
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	l->count++;
	l->documents++;
	return l->count == BATCH_ITEMS || l->batch_arena.used > BATCH_BYTES
	    ? flush(l, e)
	    : 0;
}

static int
take_document(struct lost *l, const char *base, const struct history_blob *b,
    struct err *e)
{
	struct path_name name;
	struct path_key path;
	struct text key;
	int rc = 0;

	if (++l->looked % LOOK == 0 &&
	    store_start_stopped(&l->s->options, e))
		return -1;
	arena_reset(&l->arena);
	switch (path_decode(base, &l->arena, &name, &path)) {
	case PATH_FOREIGN:
		return errno == ENOMEM ? err_set(e, ENOMEM, "out of memory")
		                       : 0;
	case PATH_WHOLE:
		rc = path_key_item(&l->arena, l->table, &path, &key);
		if (rc > 0)
			rc = is_there(l, &key, e);
		break;
	case PATH_IS_CUT:
		break;
	}
	return rc != 0 ? (rc < 0 ? -1 : 0) : bring_document(l, base, b, e);
}

static int
take_path(void *ctx, const char *path, const struct history_blob *b,
    struct err *e)
{
	const char *slash = strchr(path, '/'), *base = strrchr(path, '/');
	struct lost *l = ctx;
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n == 0 || n > PATH_NAME_MAX)
		return 0;
	if (strncmp(l->dir, path, n) != 0 || l->dir[n]) {
		snprintf(l->dir, sizeof l->dir, "%.*s", (int)n, path);
		l->id = 0;
		l->table = NULL;
	}
	base++;
	if (strcmp(base, ".fanout") == 0)
		return take_fanout(l, b, e);
	if (strcmp(base, PATH_TABLE_FILE) == 0)
		return l->id && !l->table && !has_other(l)
		    ? bring_table(l, b, e)
		    : 0;
	return l->table ? take_document(l, base, b, e) : 0;
}

/* --- all of it ------------------------------------------------------------------- */

static int
look_for_all(struct lost *l, const struct history_id *commit, struct err *e)
{
	int rc;

	l->view = index_view_new(l->s->index, e);
	rc = l->view ? history_names(l->s->history, commit, take_path, l, e)
	             : -1;
	if (rc == 0)
		rc = flush(l, e);
	stop_reading(l);
	index_view_free(l->view);
	return rc;
}

int
rebuild_lost(struct store *s, uint64_t redo, struct err *e)
{
	struct history_commit tip;
	struct lost *l;
	int rc = history_tip(s->history, &tip, e);

	if (rc <= 0 || tip.position < redo)
		return rc < 0 ? -1 : 0;
	l = calloc(1, sizeof *l);
	if (!l)
		return err_set(e, ENOMEM, "out of memory");
	l->s = s;
	l->redo = redo;
	l->catalog = catalog_hold(&s->catalog);
	arena_init(&l->arena, ITEM_ROOM);
	arena_init(&l->batch_arena, ITEM_ROOM);
	buf_init(&l->plain, PLAIN_MAX);
	buf_init(&l->typed, PLAIN_MAX);
	rc = look_for_all(l, &tip.id, e);
	s->brought = l->documents;
	buf_release(&l->plain);
	buf_release(&l->typed);
	arena_release(&l->arena);
	arena_release(&l->batch_arena);
	catalog_release(&s->catalog, l->catalog);
	free(l);
	return rc;
}
