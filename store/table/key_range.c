/*
 * Ranges of keys, as key.h tells of them: for queries and scans.
 */
#include "key_internal.h"

#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

/*
 * The end of all that begins with `k`: the last byte that can be counted up
 * is, and what is behind goes.  The first byte of an id always can.
 */
static struct text
end_of(struct arena *a, const struct text *k, struct err *e)
{
	struct key_bytes end;

	if (key_room(a, k->n, &end, e) < 0)
		return (struct text){NULL, 0};
	key_add(&end, k->p, k->n);
	while (end.n > 1 && end.p[end.n - 1] == 0xff)
		end.n--;
	end.p[end.n - 1]++;
	return key_text(&end);
}

/* All that begins with `prefix`. */
static int
set_prefix(struct arena *a, struct key_range *r, const struct text *prefix,
    struct err *e)
{
	r->prefix = r->low = *prefix;
	r->high = end_of(a, prefix, e);
	return r->high.p ? 0 : -1;
}

int
key_range_ids(struct arena *a, uint64_t table_id, uint32_t index_id, bool all,
    struct key_range *r, struct err *e)
{
	struct key_bytes k;
	struct text prefix;

	if (key_room(a, KEY_HEAD_MAX, &k, e) < 0)
		return -1;
	key_add_head(&k, table_id, index_id);
	prefix = key_text(&k);
	if (all)
		prefix.n = key_head(&prefix) - 1;
	return set_prefix(a, r, &prefix, e);
}

/* The hash at which a segment begins; the last bits are spread evenly. */
static uint64_t
segment_start(unsigned segment, unsigned segments)
{
	uint64_t width = UINT64_MAX / segments, rest = UINT64_MAX % segments;

	return segment * width + (segment < rest ? segment : rest);
}

static int
add_hash_bound(struct arena *a, const struct text *prefix, uint64_t hash,
    struct text *out, struct err *e)
{
	struct key_bytes k;
	int shift;

	if (key_room(a, prefix->n + KEY_HASH_SIZE, &k, e) < 0)
		return -1;
	key_add(&k, prefix->p, prefix->n);
	for (shift = 56; shift >= 0; shift -= 8)
		k.p[k.n++] = (unsigned char)(hash >> shift);
	*out = key_text(&k);
	return 0;
}

int
key_range_scan(struct arena *a, const struct table *t,
    const struct table_index *ix, unsigned segment, unsigned segments,
    struct key_range *r, struct err *e)
{
	if (segments == 0 || segment >= segments)
		return err_set(e, FAULT_VALIDATION,
		    "The Segment parameter must be less than TotalSegments");
	if (key_range_ids(a, t->id, ix ? ix->id : 0, false, r, e) < 0)
		return -1;
	if (segment > 0 && add_hash_bound(a, &r->prefix,
	    segment_start(segment, segments), &r->low, e) < 0)
		return -1;
	if (segment + 1 < segments && add_hash_bound(a, &r->prefix,
	    segment_start(segment + 1, segments), &r->high, e) < 0)
		return -1;
	return 0;
}

int
key_range_hash(struct arena *a, const struct table *t,
    const struct table_index *ix, const struct value *hash,
    struct key_range *r, struct err *e)
{
	const struct key_schema *s = key_schema_of(t, ix);
	size_t room = KEY_HEAD_MAX + KEY_HASH_SIZE, at, i;
	struct key_bytes k;
	struct text prefix;

	for (i = 0; i < s->nhash; i++)
		room += key_value_room(&hash[i]);
	if (key_room(a, room, &k, e) < 0)
		return -1;
	key_add_head(&k, t->id, ix ? ix->id : 0);
	at = k.n;
	for (i = 0; i < s->nhash; i++)
		key_add_value(&k, &hash[i], false);
	key_add_hash(&k, at);
	prefix = key_text(&k);
	return set_prefix(a, r, &prefix, e);
}

/* The prefix with one more value; `open` as key_add_value() has it. */
static int
longer(struct arena *a, const struct key_range *r, const struct value *v,
    bool open, struct text *out, struct err *e)
{
	struct key_bytes k;

	if (key_room(a, r->prefix.n + key_value_room(v), &k, e) < 0)
		return -1;
	key_add(&k, r->prefix.p, r->prefix.n);
	key_add_value(&k, v, open);
	*out = key_text(&k);
	return 0;
}

int
key_range_sort(struct arena *a, struct key_range *r, enum key_op op,
    const struct value *v, struct err *e)
{
	struct text k;

	if (longer(a, r, v, op == KEY_BEGINS, &k, e) < 0)
		return -1;
	switch (op) {
	case KEY_EQ:
	case KEY_BEGINS:
		return set_prefix(a, r, &k, e);
	case KEY_LT:
		r->high = k;
		return 0;
	case KEY_LE:
		r->high = end_of(a, &k, e);
		return r->high.p ? 0 : -1;
	case KEY_GT:
		r->low = end_of(a, &k, e);
		return r->low.p ? 0 : -1;
	case KEY_GE:
		r->low = k;
		return 0;
	case KEY_BETWEEN:
		r->low = k;
		if (longer(a, r, v + 1, false, &k, e) < 0)
			return -1;
		r->high = end_of(a, &k, e);
		return r->high.p ? 0 : -1;
	}
	return 0;
}

int
key_range_after(struct arena *a, struct key_range *r,
    const struct text *start, bool backward, struct err *e)
{
	struct text end;

	if (backward) {
		if (text_compare(start, &r->high) < 0)
			r->high = *start;
		return 0;
	}
	end = end_of(a, start, e);
	if (!end.p)
		return -1;
	if (text_compare(&end, &r->low) > 0)
		r->low = end;
	return 0;
}

bool
key_range_has(const struct key_range *r, const struct text *key)
{
	return text_compare(key, &r->low) >= 0 &&
	    text_compare(key, &r->high) < 0;
}
