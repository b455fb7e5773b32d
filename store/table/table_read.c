/*
 * JSON -> a table; table_write.c shows the shape.
 */
#include "table_internal.h"

#include "store/value/json.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARENA_MAX = 4 << 20,
	LEVELS = 6,		/* table, indexes, index, hash, part, name */
	NAME_MIN = 3,
	SHOWN_MAX = 80		/* bytes of what is wrong */
};

struct reader {
	struct table *table;
	struct err *err;
};

/* How a member is read into what stands at an offset. */
struct field {
	const char *name;
	int (*read)(struct reader *r, const struct json_node *n, void *out);
	size_t at;
};

/* What is wrong, as printf has it: "%.*s". */
static int
shown(const struct text *t)
{
	return (int)(t->n < SHOWN_MAX ? t->n : SHOWN_MAX);
}

static int
wrong(struct reader *r, const struct json_node *n, const char *wanted)
{
	return table_refuse(r->table, r->err, "%.*s is %.*s, not %s",
	    shown(&n->name), n->name.p, shown(&n->raw), n->raw.p, wanted);
}

static int
no_memory(struct reader *r)
{
	return err_set(r->err, ENOMEM, "no memory for a table");
}

/* A string of `least` to `max` bytes without NUL. */
static int
read_text(struct reader *r, const struct json_node *n, char *out, size_t least,
    size_t max)
{
	if (n->type != JSON_STRING)
		return wrong(r, n, "a string");
	if (n->text.n < least || n->text.n > max)
		return table_refuse(r->table, r->err,
		    "%.*s has %zu bytes, not %zu to %zu", shown(&n->name),
		    n->name.p, n->text.n, least, max);
	if (n->text.n && memchr(n->text.p, '\0', n->text.n))
		return wrong(r, n, "without NUL");
	if (n->text.n)
		memcpy(out, n->text.p, n->text.n);
	out[n->text.n] = '\0';
	return 0;
}

/* A name of a table or an index. */
static int
read_name(struct reader *r, const struct json_node *n, void *out)
{
	char *name = out;

	if (read_text(r, n, name, NAME_MIN, TABLE_NAME_MAX) < 0)
		return -1;
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_.-")] ?
	    wrong(r, n, "of A-Z a-z 0-9 _ . -") : 0;
}

static int
read_ttl(struct reader *r, const struct json_node *n, void *out)
{
	return read_text(r, n, out, 0, sizeof r->table->ttl - 1);
}

static int
read_bool(struct reader *r, const struct json_node *n, void *out)
{
	if (n->type != JSON_TRUE && n->type != JSON_FALSE)
		return wrong(r, n, "true or false");
	*(bool *)out = n->type == JSON_TRUE;
	return 0;
}

static int
read_count(struct reader *r, const struct json_node *n, uint64_t max,
    uint64_t *out)
{
	uint64_t v = 0, digit;
	size_t i;

	if (n->type != JSON_NUMBER)
		return wrong(r, n, "a number");
	for (i = 0; i < n->text.n; i++) {
		digit = (uint64_t)(n->text.p[i] - '0');
		if (digit > 9 || v > (max - digit) / 10)
			return wrong(r, n, "a whole number in range");
		v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

static int
read_table_id(struct reader *r, const struct json_node *n, void *out)
{
	return read_count(r, n, UINT64_MAX >> 8, out);
}

static int
read_index_id(struct reader *r, const struct json_node *n, void *out)
{
	uint64_t id;

	if (read_count(r, n, UINT32_MAX, &id) < 0)
		return -1;
	*(uint32_t *)out = (uint32_t)id;
	return 0;
}

static int
read_ms(struct reader *r, const struct json_node *n, void *out)
{
	uint64_t v;

	if (read_count(r, n, INT64_MAX, &v) < 0)
		return -1;
	*(int64_t *)out = (int64_t)v;
	return 0;
}

/* The place of a string in a list of words, or -1. */
static int
read_word(struct reader *r, const struct json_node *n,
    const char *const *words)
{
	int i;

	for (i = 0; n->type == JSON_STRING && words[i]; i++)
		if (strlen(words[i]) == n->text.n &&
		    memcmp(words[i], n->text.p, n->text.n) == 0)
			return i;
	return wrong(r, n, "a word known here");
}

static int
read_projection(struct reader *r, const struct json_node *n, void *out)
{
	int word = read_word(r, n, table_projections);

	if (word >= 0)
		*(enum projection *)out = (enum projection)word;
	return word < 0 ? -1 : 0;
}

static int
read_stream(struct reader *r, const struct json_node *n, void *out)
{
	int word = read_word(r, n, table_views);

	if (word >= 0)
		*(enum stream_view *)out = (enum stream_view)word;
	return word < 0 ? -1 : 0;
}

static int
read_part(struct reader *r, const struct json_node *n, struct key_part *out)
{
	const struct json_node *name = json_member(n, "name");
	const struct json_node *type = json_member(n, "type");

	if (!name || !type || n->count != 2)
		return table_refuse(r->table, r->err,
		    "a part of a key has not a name and a type");
	if (read_text(r, name, out->name, 1, sizeof out->name - 1) < 0)
		return -1;
	if (type->type != JSON_STRING)
		return wrong(r, type, "S, N or B");
	out->type = value_type_parse(type->text.p, type->text.n);
	return out->type <= VALUE_B ? 0 : wrong(r, type, "S, N or B");
}

static int
read_parts(struct reader *r, const struct json_node *n, struct key_part *out,
    size_t *count)
{
	const struct json_node *part;

	if (n->type != JSON_LIST || n->count > TABLE_KEY_PARTS)
		return wrong(r, n, "a list of at most four parts");
	*count = 0;
	for (part = n->first; part; part = part->next)
		if (read_part(r, part, &out[(*count)++]) < 0)
			return -1;
	return 0;
}

static int
read_hash(struct reader *r, const struct json_node *n, void *out)
{
	struct key_schema *s = out;

	return read_parts(r, n, s->hash, &s->nhash);
}

static int
read_range(struct reader *r, const struct json_node *n, void *out)
{
	struct key_schema *s = out;

	return read_parts(r, n, s->range, &s->nrange);
}

static int
read_nonkey(struct reader *r, const struct json_node *n, void *out)
{
	struct table_index *ix = out;
	const struct json_node *name;

	if (n->type != JSON_LIST || n->count > TABLE_NONKEY_MAX)
		return wrong(r, n, "a list of at most a hundred names");
	if (n->count == 0)
		return 0;
	ix->nonkey = calloc(n->count, sizeof *ix->nonkey);
	if (!ix->nonkey)
		return no_memory(r);
	for (name = n->first; name; name = name->next)
		if (read_text(r, name, ix->nonkey[ix->nnonkey++], 1,
		    sizeof *ix->nonkey - 1) < 0)
			return -1;
	return 0;
}

static int
read_more(struct reader *r, const struct json_node *n, void *out)
{
	char **more = out;

	if (n->type != JSON_OBJECT)
		return wrong(r, n, "an object");
	*more = strndup(n->raw.p, n->raw.n);
	return *more ? 0 : no_memory(r);
}

/* The members of an object, each by its field. */
static int
read_fields(struct reader *r, const struct json_node *n,
    const struct field *fields, void *base)
{
	const struct json_node *m;
	const struct field *f;

	if (n->type != JSON_OBJECT)
		return wrong(r, n, "an object");
	for (m = n->first; m; m = m->next) {
		for (f = fields; f->name; f++)
			if (strlen(f->name) == m->name.n &&
			    memcmp(f->name, m->name.p, m->name.n) == 0)
				break;
		if (!f->name)
			return table_refuse(r->table, r->err,
			    "%.*s is an unknown member", shown(&m->name),
			    m->name.p);
		if (f->read(r, m, (char *)base + f->at) < 0)
			return -1;
	}
	return 0;
}

static int
read_indexes(struct reader *r, const struct json_node *n, void *out)
{
	static const struct field fields[] = {
		{"name", read_name, offsetof(struct table_index, name)},
		{"id", read_index_id, offsetof(struct table_index, id)},
		{"global", read_bool, offsetof(struct table_index, global)},
		{"filling", read_bool, offsetof(struct table_index, filling)},
		{"hash", read_hash, offsetof(struct table_index, key)},
		{"range", read_range, offsetof(struct table_index, key)},
		{"projection", read_projection,
		    offsetof(struct table_index, projection)},
		{"nonkey", read_nonkey, 0},
		{NULL, NULL, 0}
	};
	struct table *t = out;
	const struct json_node *one;

	if (n->type != JSON_LIST || n->count > TABLE_INDEXES_MAX)
		return wrong(r, n, "a list of at most 25 indexes");
	if (n->count == 0)
		return 0;
	t->indexes = calloc(n->count, sizeof *t->indexes);
	if (!t->indexes)
		return no_memory(r);
	for (one = n->first; one; one = one->next)
		if (read_fields(r, one, fields, &t->indexes[t->nindexes++]) < 0)
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
read_table(struct reader *r, const struct json_node *n)
{
	static const struct field fields[] = {
		{"name", read_name, offsetof(struct table, name)},
		{"id", read_table_id, offsetof(struct table, id)},
		{"created", read_ms, offsetof(struct table, created_ms)},
		{"hash", read_hash, offsetof(struct table, key)},
		{"range", read_range, offsetof(struct table, key)},
		{"indexes", read_indexes, 0},
		{"nextIndex", read_index_id,
		    offsetof(struct table, next_index)},
		{"ttl", read_ttl, offsetof(struct table, ttl)},
		{"ttlFilling", read_bool, offsetof(struct table, ttl_filling)},
		{"stream", read_stream, offsetof(struct table, stream)},
		{"streamSince", read_ms,
		    offsetof(struct table, stream_since_ms)},
		{"streamWas", read_stream, offsetof(struct table, stream_was)},
		{"streamUntil", read_ms,
		    offsetof(struct table, stream_until_ms)},
		{"history", read_bool, offsetof(struct table, history)},
		{"protected", read_bool, offsetof(struct table, protected)},
		{"restoring", read_bool, offsetof(struct table, restoring)},
		{"more", read_more, offsetof(struct table, more)},
		{NULL, NULL, 0}
	};

	if (n->type != JSON_OBJECT)
		return table_refuse(r->table, r->err, "it is no object");
	if (read_fields(r, n, fields, r->table) < 0)
		return -1;
	next_index(r->table);
	return table_check(r->table, r->err);
}

struct table *
table_read(const char *json, size_t n, struct err *e)
{
	struct table *t = calloc(1, sizeof *t);
	struct reader r = {t, e};
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
