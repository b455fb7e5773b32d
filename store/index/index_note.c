/*
 * What is known of the files, and the engine's notes.
 *
 *   file   8 bytes position | 8 size | 8 mtime | 8 inode
 */
#include "index_internal.h"

#include <string.h>

enum { FILE_SIZE = 32 };

/* 1; 0 if it isn't there; -1. */
static int
get(struct index_view *v, enum index_db db, const struct text *key,
    MDB_val *value, struct err *e)
{
	struct index_tree tree = index_tree_of(v, db);
	int rc = index_tree_get(&tree, key, value);

	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? index_fail(v->index, rc, "get", e) : 1;
}

static int
put(struct index_view *batch, enum index_db db, const struct text *key,
    MDB_val *value, struct err *e)
{
	struct index_tree tree = index_tree_of(batch, db);
	int rc;

	if (index_reserve(batch, value->mv_size, e) < 0)
		return -1;
	rc = index_tree_put(&tree, key, value);
	return rc ? index_fail(batch->index, rc, "put", e) : 0;
}

static int
delete(struct index_view *batch, enum index_db db, const struct text *key,
    struct err *e)
{
	struct index_tree tree = index_tree_of(batch, db);
	int rc;

	if (index_reserve(batch, 0, e) < 0)
		return -1;
	rc = index_tree_delete(&tree, key);
	return rc && rc != MDB_NOTFOUND ?
	    index_fail(batch->index, rc, "delete", e) : 0;
}

int
index_file_get(struct index_view *v, const struct text *key,
    struct index_file *out, struct err *e)
{
	const unsigned char *p;
	MDB_val value;
	int r = get(v, DB_FILES, key, &value, e);

	if (r <= 0)
		return r;
	if (value.mv_size != FILE_SIZE)
		return index_fail(v->index, MDB_CORRUPTED, "get", e);
	p = value.mv_data;
	out->position = index_load64(p);
	out->size = (int64_t)index_load64(p + 8);
	out->mtime_ns = (int64_t)index_load64(p + 16);
	out->inode = index_load64(p + 24);
	return 1;
}

int
index_file_put(struct index_view *batch, const struct text *key,
    const struct index_file *file, struct err *e)
{
	unsigned char bytes[FILE_SIZE];
	MDB_val value = {sizeof bytes, bytes};

	index_store64(bytes, file->position);
	index_store64(bytes + 8, (uint64_t)file->size);
	index_store64(bytes + 16, (uint64_t)file->mtime_ns);
	index_store64(bytes + 24, file->inode);
	return put(batch, DB_FILES, key, &value, e);
}

int
index_file_delete(struct index_view *batch, const struct text *key,
    struct err *e)
{
	return delete(batch, DB_FILES, key, e);
}

int
index_note_get(struct index_view *v, const struct text *name,
    struct text *out, struct err *e)
{
	MDB_val value;
	int r = get(v, DB_NOTES, name, &value, e);

	if (r > 0)
		*out = (struct text){value.mv_data, value.mv_size};
	return r;
}

int
index_note_put(struct index_view *batch, const struct text *name,
    const struct text *note, struct err *e)
{
	MDB_val value = {note->n, NULL};

	if (put(batch, DB_NOTES, name, &value, e) < 0)
		return -1;
	if (note->n)
		memcpy(value.mv_data, note->p, note->n);
	return 0;
}

int
index_note_delete(struct index_view *batch, const struct text *name,
    struct err *e)
{
	return delete(batch, DB_NOTES, name, e);
}

int
index_note_each(struct index_view *v, const struct text *prefix,
    int (*each)(void *arg, const struct text *name, const struct text *note,
    struct err *e), void *arg, struct err *e)
{
	struct index_tree notes = index_tree_of(v, DB_NOTES);
	struct text name, note;
	struct index_walk c;
	MDB_val value;
	int rc = index_walk_open(&c, &notes), r = 0;

	if (rc)
		return index_fail(v->index, rc, "notes", e);
	rc = index_walk_seek(&c, prefix, &name, &value);
	while (rc == 0 && r == 0 && name.n >= prefix->n &&
	    memcmp(name.p, prefix->p, prefix->n) == 0) {
		note = (struct text){value.mv_data, value.mv_size};
		r = each(arg, &name, &note, e);
		if (r == 0)
			rc = index_walk_next(&c, &name, &value);
	}
	index_walk_close(&c);
	if (r == 0 && rc && rc != MDB_NOTFOUND)
		return index_fail(v->index, rc, "notes", e);
	return r;
}
