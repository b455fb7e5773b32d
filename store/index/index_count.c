/*
 * Counters of tables and indexes, and the numbers that there is one of.  A
 * batch keeps the counters that it changes in memory and writes each once.
 *
 *   meta   "version", "position", "next id"    8 bytes
 *          "count" 00, 8 bytes table id,       8 bytes items, 8 bytes bytes
 *          4 bytes index id
 */
#include "index_internal.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_KEY = 6 + 8 + 4, COUNT_SIZE = 16 };

void
index_store32(unsigned char *p, uint32_t n)
{
	size_t i;

	for (i = 0; i < 4; i++)
		p[i] = (unsigned char)(n >> (24 - 8 * i));
}

void
index_store64(unsigned char *p, uint64_t n)
{
	index_store32(p, (uint32_t)(n >> 32));
	index_store32(p + 4, (uint32_t)n);
}

uint32_t
index_load32(const void *p)
{
	const unsigned char *b = p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
}

uint64_t
index_load64(const void *p)
{
	return (uint64_t)index_load32(p) << 32 |
	    index_load32((const unsigned char *)p + 4);
}

static MDB_val
name_val(const char *name)
{
	union {
		const char *in;
		void *out;
	} p = {.in = name};

	return (MDB_val){strlen(name), p.out};
}

int
index_meta_get(struct index_view *v, const char *name, uint64_t *n,
    struct err *e)
{
	MDB_val key = name_val(name), value;
	int rc = mdb_get(v->txn, v->index->dbis[DB_META], &key, &value);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc == 0 && value.mv_size != 8)
		rc = MDB_CORRUPTED;
	if (rc)
		return index_fail(v->index, rc, name, e);
	*n = index_load64(value.mv_data);
	return 1;
}

int
index_meta_put(struct index_view *batch, const char *name, uint64_t n,
    struct err *e)
{
	unsigned char bytes[8];
	MDB_val key = name_val(name), value = {sizeof bytes, bytes};
	int rc;

	index_store64(bytes, n);
	rc = mdb_put(batch->txn, batch->index->dbis[DB_META], &key, &value, 0);
	return rc ? index_fail(batch->index, rc, name, e) : 0;
}

static MDB_val
count_key(unsigned char *room, uint64_t table_id, uint32_t index_id)
{
	memcpy(room, "count", 6);
	index_store64(room + 6, table_id);
	index_store32(room + 14, index_id);
	return (MDB_val){COUNT_KEY, room};
}

static int
read_counts(struct index_view *v, uint64_t table_id, uint32_t index_id,
    struct index_counts *out, struct err *e)
{
	unsigned char room[COUNT_KEY];
	MDB_val key = count_key(room, table_id, index_id), value;
	int rc = mdb_get(v->txn, v->index->dbis[DB_META], &key, &value);

	*out = (struct index_counts){0, 0};
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc == 0 && value.mv_size != COUNT_SIZE)
		rc = MDB_CORRUPTED;
	if (rc)
		return index_fail(v->index, rc, "counters", e);
	out->items = index_load64(value.mv_data);
	out->bytes = index_load64((unsigned char *)value.mv_data + 8);
	return 0;
}

static struct counted *
find(struct index *ix, uint64_t table_id, uint32_t index_id)
{
	struct counted *c;

	for (c = ix->counted; c < ix->counted + ix->ncounted; c++)
		if (c->table_id == table_id && c->index_id == index_id)
			return c;
	return NULL;
}

static struct counted *
add(struct index *ix, uint64_t table_id, uint32_t index_id, struct err *e)
{
	size_t room = ix->counted_room ? 2 * ix->counted_room : 32;
	struct counted *more, *c;

	if (ix->ncounted == ix->counted_room) {
		more = realloc(ix->counted, room * sizeof *more);
		if (!more) {
			err_set(e, ENOMEM, "index: no memory for counters");
			return NULL;
		}
		ix->counted = more;
		ix->counted_room = room;
	}
	c = &ix->counted[ix->ncounted];
	*c = (struct counted){.table_id = table_id, .index_id = index_id};
	if (read_counts(&ix->batch, table_id, index_id, &c->counts, e) < 0)
		return NULL;
	ix->ncounted++;
	return c;
}

int
index_count(struct index_view *batch, uint64_t table_id, uint32_t index_id,
    int64_t items, int64_t bytes, struct err *e)
{
	struct counted *c = find(batch->index, table_id, index_id);

	if (!c && !(c = add(batch->index, table_id, index_id, e)))
		return -1;
	c->counts.items += (uint64_t)items;
	c->counts.bytes += (uint64_t)bytes;
	c->changed = true;
	return 0;
}

int
index_count_flush(struct index_view *batch, struct err *e)
{
	struct index *ix = batch->index;
	unsigned char room[COUNT_KEY], bytes[COUNT_SIZE];
	struct counted *c;
	MDB_val key, value = {sizeof bytes, bytes};
	int rc;

	for (c = ix->counted; c < ix->counted + ix->ncounted; c++) {
		if (!c->changed)
			continue;
		key = count_key(room, c->table_id, c->index_id);
		index_store64(bytes, c->counts.items);
		index_store64(bytes + 8, c->counts.bytes);
		rc = mdb_put(batch->txn, ix->dbis[DB_META], &key, &value, 0);
		if (rc)
			return index_fail(ix, rc, "counters", e);
		c->changed = false;
	}
	return 0;
}

/* Those of a table stand side by side: the first 14 bytes are the same. */
static int
delete_counts(struct index_view *batch, uint64_t table_id, uint32_t index_id)
{
	unsigned char room[COUNT_KEY];
	MDB_val key = count_key(room, table_id, index_id), value, at = key;
	size_t same = index_id ? COUNT_KEY : COUNT_KEY - 4;
	MDB_cursor *c;
	int rc = mdb_cursor_open(batch->txn, batch->index->dbis[DB_META], &c);

	if (rc)
		return rc;
	rc = mdb_cursor_get(c, &at, &value, MDB_SET_RANGE);
	while (rc == 0 && at.mv_size == COUNT_KEY &&
	    memcmp(at.mv_data, room, same) == 0) {
		rc = mdb_cursor_del(c, 0);
		at = key;
		if (rc == 0)
			rc = mdb_cursor_get(c, &at, &value, MDB_SET_RANGE);
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
index_count_forget(struct index_view *batch, uint64_t table_id,
    uint32_t index_id, struct err *e)
{
	struct index *ix = batch->index;
	struct counted *c;
	int rc;

	for (c = ix->counted; c < ix->counted + ix->ncounted; c++) {
		if (c->table_id != table_id ||
		    (index_id && c->index_id != index_id))
			continue;
		c->counts = (struct index_counts){0, 0};
		c->changed = false;
	}
	rc = delete_counts(batch, table_id, index_id);
	return rc ? index_fail(ix, rc, "counters", e) : 0;
}

int
index_counts(struct index_view *v, uint64_t table_id, uint32_t index_id,
    struct index_counts *out, struct err *e)
{
	const struct counted *c = v == &v->index->batch ?
	    find(v->index, table_id, index_id) : NULL;

	if (!c)
		return read_counts(v, table_id, index_id, out, e);
	*out = c->counts;
	return 0;
}
