/*
 * Keys as bytes, as the table in key.h shows them.  Runs in bothy-store; never
 * looks at anything but what it is given.
 */
#include "key_internal.h"

#include "store/base/siphash.h"
#include "store/value/fault.h"
#include "store/value/number.h"

#include <errno.h>
#include <string.h>

enum { ID_LONG = 0xf8 };	/* ids from here on have bytes of their own */

static const char no_memory[] = "no memory for a key";

int
key_room(struct arena *a, size_t n, struct key_bytes *k, struct err *e)
{
	k->n = 0;
	k->p = arena_alloc(a, n);
	return k->p ? 0 : err_set(e, ENOMEM, no_memory);
}

size_t
key_value_room(const struct value *v)
{
	return v->type == VALUE_N ? NUMBER_KEY_MAX : 2 * v->text.n + 1;
}

void
key_add(struct key_bytes *k, const void *p, size_t n)
{
	if (n)
		memcpy(k->p + k->n, p, n);
	k->n += n;
}

static void
add_id(struct key_bytes *k, uint64_t id)
{
	unsigned shift, bytes = 1;

	if (id < ID_LONG) {
		k->p[k->n++] = (unsigned char)id;
		return;
	}
	while (bytes < 8 && id >> (8 * bytes))
		bytes++;
	k->p[k->n++] = (unsigned char)(ID_LONG + bytes - 1);
	for (shift = 8 * bytes; shift; shift -= 8)
		k->p[k->n++] = (unsigned char)(id >> (shift - 8));
}

void
key_add_head(struct key_bytes *k, uint64_t table_id, uint32_t index_id)
{
	add_id(k, table_id);
	add_id(k, index_id);
}

/* 00 and 01 become 01 01 and 01 02, so that 00 can end it. */
static void
add_escaped(struct key_bytes *k, const struct text *t)
{
	const unsigned char *in = (const unsigned char *)t->p;
	unsigned char *out = k->p + k->n;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (in[i] <= 1) {
			*out++ = 1;
			*out++ = (unsigned char)(in[i] + 1);
		} else {
			*out++ = in[i];
		}
	}
	k->n = (size_t)(out - k->p);
}

static void
add_number(struct key_bytes *k, const struct text *t)
{
	struct number number;
	struct err ignored;

	if (number_read(&number, t->p, t->n, &ignored) < 0)
		number = (struct number){0};
	k->n += number_key(&number, k->p + k->n);
}

void
key_add_value(struct key_bytes *k, const struct value *v, bool open)
{
	if (v->type == VALUE_N) {
		add_number(k, &v->text);
		return;
	}
	add_escaped(k, &v->text);
	if (!open)
		k->p[k->n++] = 0;
}

void
key_add_hash(struct key_bytes *k, size_t at)
{
	uint64_t hash[2];
	size_t i;

	siphash128(0, k->p + at, k->n - at, hash);
	memmove(k->p + at + KEY_HASH_SIZE, k->p + at, k->n - at);
	for (i = 0; i < KEY_HASH_SIZE; i++)
		k->p[at + i] = (unsigned char)(hash[0] >> (56 - 8 * i));
	k->n += KEY_HASH_SIZE;
}

struct text
key_text(const struct key_bytes *k)
{
	return (struct text){(const char *)k->p, k->n};
}

const struct key_schema *
key_schema_of(const struct table *t, const struct table_index *ix)
{
	return ix ? &ix->key : &t->key;
}

const struct key_part *
key_schema_part(const struct key_schema *s, size_t i)
{
	return i < s->nhash ? &s->hash[i] : &s->range[i - s->nhash];
}

/*
 * The values of all parts into `found`, and the room they take: 1; or 0 if a
 * part isn't there, or is of another type, or empty.
 */
static int
find_parts(const struct key_schema *s, const struct value *item,
    const struct value **found, size_t *room)
{
	const struct key_part *part;
	const struct value *v;
	size_t i;

	for (i = 0; i < s->nhash + s->nrange; i++) {
		part = key_schema_part(s, i);
		v = value_member(item, part->name, strlen(part->name));
		if (!v || v->type != part->type || v->text.n == 0)
			return 0;
		found[i] = v;
		*room += key_value_room(v);
	}
	return 1;
}

/*
 * The same for an index, which holds nothing whose parts together are too
 * long: such an item may be older than the index.
 */
static int
find_entry(const struct key_schema *s, const struct value *item,
    const struct value **found, size_t *room)
{
	size_t hash = 0, range = 0, i;
	int has = find_parts(s, item, found, room);

	for (i = 0; has && i < s->nhash + s->nrange; i++)
		*(i < s->nhash ? &hash : &range) += found[i]->text.n;
	return has && hash <= VALUE_HASH_KEY_MAX &&
	    range <= VALUE_RANGE_KEY_MAX;
}

static void
add_parts(struct key_bytes *k, const struct key_schema *s,
    const struct value *const *found)
{
	size_t at = k->n, i;

	for (i = 0; i < s->nhash + s->nrange; i++) {
		if (i == s->nhash)
			key_add_hash(k, at);
		key_add_value(k, found[i], false);
	}
	if (s->nrange == 0)
		key_add_hash(k, at);
}

int
key_item(struct arena *a, const struct table *t, const struct value *item,
    struct text *out, struct err *e)
{
	const struct value *found[2 * TABLE_KEY_PARTS];
	struct key_bytes k;
	size_t room = KEY_HEAD_MAX + KEY_HASH_SIZE;

	if (!find_parts(&t->key, item, found, &room))
		return err_set(e, FAULT_VALIDATION,
		    "The provided key element does not match the schema");
	if (key_room(a, room, &k, e) < 0)
		return -1;
	key_add_head(&k, t->id, 0);
	add_parts(&k, &t->key, found);
	*out = key_text(&k);
	return 0;
}

int
key_entry(struct arena *a, const struct table *t,
    const struct table_index *ix, const struct value *item,
    const struct text *base, struct text *out, struct err *e)
{
	const struct value *found[2 * TABLE_KEY_PARTS];
	struct key_bytes k;
	size_t head = key_head(base);
	size_t room = KEY_HEAD_MAX + KEY_HASH_SIZE + base->n;

	if (!find_entry(&ix->key, item, found, &room))
		return 0;
	if (key_room(a, room, &k, e) < 0)
		return -1;
	key_add_head(&k, t->id, ix->id);
	add_parts(&k, &ix->key, found);
	key_add(&k, base->p + head, base->n - head);
	*out = key_text(&k);
	return 1;
}

bool
key_entry_same(const struct table_index *ix, const struct value *one,
    const struct value *other)
{
	const struct value *a[2 * TABLE_KEY_PARTS], *b[2 * TABLE_KEY_PARTS];
	size_t room = 0, i;
	int has = find_entry(&ix->key, one, a, &room);

	if (has != find_entry(&ix->key, other, b, &room))
		return false;
	for (i = 0; has && i < ix->key.nhash + ix->key.nrange; i++)
		if (text_compare(&a[i]->text, &b[i]->text) != 0)
			return false;
	return true;
}

static size_t
id_size(unsigned char first)
{
	return first < ID_LONG ? 1 : (size_t)(first - ID_LONG) + 2;
}

size_t
key_head(const struct text *item_key)
{
	return id_size((unsigned char)*item_key->p) + 1;
}

uint64_t
key_table_id(const struct text *key)
{
	const unsigned char *p = (const unsigned char *)key->p;
	size_t n = id_size(*p), i;
	uint64_t id = 0;

	if (n == 1)
		return *p;
	for (i = 1; i < n; i++)
		id = id << 8 | p[i];
	return id;
}

struct text
key_base(const struct text *entry, size_t at, char *room)
{
	size_t head = key_head(entry), rest = entry->n - at;

	memcpy(room, entry->p, head - 1);
	room[head - 1] = 0;
	memcpy(room + head, entry->p + at, rest);
	return (struct text){room, head + rest};
}
