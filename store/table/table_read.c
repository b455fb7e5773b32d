/*
 * JSON -> a table; table_write.c shows the shape.
 */
#include "table_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARENA_MAX = 4 << 20,
	LEVELS = 6,		/* table, indexes, index, hash, part, name */
	NAME_MIN = 3
};

/* A name of a table or an index. */
static int
read_name(struct table_reader *r, const struct json_node *n, void *out)
{
	char *name = out;

	if (table_read_text(r, n, name, NAME_MIN, TABLE_NAME_MAX) < 0)
		return -1;
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_.-")] ?
	    table_wrong(r, n, "of A-Z a-z 0-9 _ . -") : 0;
}

static int
read_ttl(struct table_reader *r, const struct json_node *n, void *out)
{
	return table_read_text(r, n, out, 0, sizeof r->table->ttl - 1);
}

static int
read_table_id(struct table_reader *r, const struct json_node *n, void *out)
{
	return table_read_count(r, n, UINT64_MAX >> 8, out);
}

static int
read_index_id(struct table_reader *r, const struct json_node *n, void *out)
{
	uint64_t id = 0;

	if (table_read_count(r, n, UINT32_MAX, &id) < 0)
		return -1;
	*(uint32_t *)out = (uint32_t)id;
	return 0;
}

static int
read_projection(struct table_reader *r, const struct json_node *n, void *out)
{
	int word = table_read_word(r, n, table_projections);

	if (word >= 0)
		*(enum projection *)out = (enum projection)word;
	return word < 0 ? -1 : 0;
}

static int
read_stream(struct table_reader *r, const struct json_node *n, void *out)
{
	int word = table_read_word(r, n, table_views);

	if (word >= 0)
		*(enum stream_view *)out = (enum stream_view)word;
	return word < 0 ? -1 : 0;
}

static int
read_part(struct table_reader *r, const struct json_node *n,
    struct key_part *out)
{
	const struct json_node *name = json_member(n, "name");
	const struct json_node *type = json_member(n, "type");

	if (!name || !type || n->count != 2)
		return table_refuse(r->table, r->err,
		    "a part of a key has not a name and a type");
	if (table_read_text(r, name, out->name, 1, sizeof out->name - 1) < 0)
		return -1;
	if (type->type != JSON_STRING)
		return table_wrong(r, type, "S, N or B");
	out->type = value_type_parse(type->text.p, type->text.n);
	return out->type <= VALUE_B ? 0 : table_wrong(r, type, "S, N or B");
}

static int
read_parts(struct table_reader *r, const struct json_node *n,
    struct key_part *out, size_t *count)
{
	const struct json_node *part;

	if (n->type != JSON_LIST || n->count > TABLE_KEY_PARTS)
		return table_wrong(r, n, "a list of at most four parts");
	*count = 0;
	for (part = n->first; part; part = part->next)
		if (read_part(r, part, &out[(*count)++]) < 0)
			return -1;
	return 0;
}

static int
read_hash(struct table_reader *r, const struct json_node *n, void *out)
{
	struct key_schema *s = out;

	return read_parts(r, n, s->hash, &s->nhash);
}

static int
read_range(struct table_reader *r, const struct json_node *n, void *out)
{
	struct key_schema *s = out;

	return read_parts(r, n, s->range, &s->nrange);
}

static int
read_nonkey(struct table_reader *r, const struct json_node *n, void *out)
{
	struct table_index *ix = out;
	const struct json_node *name;

	if (n->type != JSON_LIST || n->count > TABLE_NONKEY_MAX)
		return table_wrong(r, n, "a list of at most a hundred names");
	if (n->count == 0)
		return 0;
	ix->nonkey = calloc(n->count, sizeof *ix->nonkey);
	if (!ix->nonkey)
		return table_no_memory(r);
	for (name = n->first; name; name = name->next)
		if (table_read_text(r, name, ix->nonkey[ix->nnonkey++], 1,
		    sizeof *ix->nonkey - 1) < 0)
			return -1;
	return 0;
}

static int
read_more(struct table_reader *r, const struct json_node *n, void *out)
{
	char **more = out;

	if (n->type != JSON_OBJECT)
		return table_wrong(r, n, "an object");
	*more = strndup(n->raw.p, n->raw.n);
	return *more ? 0 : table_no_memory(r);
}

static int
read_indexes(struct table_reader *r, const struct json_node *n, void *out)
{
	static const struct table_field fields[] = {
		{"name", read_name, offsetof(struct table_index, name)},
		{"id", read_index_id, offsetof(struct table_index, id)},
		{"global", table_read_bool, offsetof(struct table_index, global)},
		{"filling", table_read_bool, offsetof(struct table_index, filling)},
		{"hash", read_hash, offsetof(struct table_index, key)},
		{"range", read_range, offsetof(struct table_index, key)},
		{"projection", read_projection,
		    offsetof(struct table_index, projection)},
		{"nonkey", read_nonkey, 0},
		{"units", table_read_units, offsetof(struct table_index, units)},
		{"most", table_read_units, offsetof(struct table_index, most)},
		{"warm", table_read_units, offsetof(struct table_index, warm)},
		{NULL, NULL, 0}
	};
	struct table *t = out;
	const struct json_node *one;

	if (n->type != JSON_LIST || n->count > TABLE_INDEXES_MAX)
		return table_wrong(r, n, "a list of at most 25 indexes");
	if (n->count == 0)
		return 0;
	t->indexes = calloc(n->count, sizeof *t->indexes);
	if (!t->indexes)
		return table_no_memory(r);
	for (one = n->first; one; one = one->next)
		if (table_read_fields(r, one, fields, &t->indexes[t->nindexes++]) < 0)
			return -1;
	return 0;
}

/* Above all numbers that are there, also where nothing was said. */
static void
next_index(struct table *t)
{
	size_t i;

	if (!t->next_index)
		t->next_index = 1;
	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].id >= t->next_index)
			t->next_index = t->indexes[i].id + 1;
}

static int
read_table(struct table_reader *r, const struct json_node *n)
{
	static const struct table_field fields[] = {
		{"name", read_name, offsetof(struct table, name)},
		{"id", read_table_id, offsetof(struct table, id)},
		{"created", table_read_ms, offsetof(struct table, created_ms)},
		{"hash", read_hash, offsetof(struct table, key)},
		{"range", read_range, offsetof(struct table, key)},
		{"indexes", read_indexes, 0},
		{"nextIndex", read_index_id,
		    offsetof(struct table, next_index)},
		{"ttl", read_ttl, offsetof(struct table, ttl)},
		{"ttlFilling", table_read_bool, offsetof(struct table, ttl_filling)},
		{"stream", read_stream, offsetof(struct table, stream)},
		{"streamSince", table_read_ms,
		    offsetof(struct table, stream_since_ms)},
		{"streamFrom", table_read_ms,
		    offsetof(struct table, stream_from)},
		{"streamWas", read_stream, offsetof(struct table, stream_was)},
		{"streamUntil", table_read_ms,
		    offsetof(struct table, stream_until_ms)},
		{"streamWasSince", table_read_ms,
		    offsetof(struct table, stream_was_since_ms)},
		{"streamWasFrom", table_read_ms,
		    offsetof(struct table, stream_was_from)},
		{"history", table_read_bool, offsetof(struct table, history)},
		{"protected", table_read_bool, offsetof(struct table, protected)},
		{"restoring", table_read_bool, offsetof(struct table, restoring)},
		{"unfilled", table_read_bool, offsetof(struct table, unfilled)},
		{"terms", table_read_terms, offsetof(struct table, terms)},
		{"more", read_more, offsetof(struct table, more)},
		{NULL, NULL, 0}
	};

	if (n->type != JSON_OBJECT)
		return table_refuse(r->table, r->err, "it is no object");
	if (table_read_fields(r, n, fields, r->table) < 0)
		return -1;
	next_index(r->table);
	if (!r->table->stream_was_since_ms)
		r->table->stream_was_since_ms = r->table->stream_since_ms;
	return table_check(r->table, r->err);
}

struct table *
table_read(const char *json, size_t n, struct err *e)
{
	struct table *t = calloc(1, sizeof *t);
	struct table_reader r = {t, e};
	struct json_node *node;
	struct arena a;

	if (!t) {
		err_set(e, ENOMEM, "no memory for a table");
		return NULL;
	}
	t->history = true;
	arena_init(&a, ARENA_MAX);
	node = json_read(&a, json, n, LEVELS, e);
	if (!node || read_table(&r, node) < 0) {
		table_free(t);
		t = NULL;
	}
	arena_release(&a);
	return t;
}
