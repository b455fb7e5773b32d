/*
 * Values as value.h describes them: names of types, members, order, equality,
 * sizes.  Recursion is as deep as values are: VALUE_DEPTH_MAX where they were
 * read, one path more where an expression made them.
 */
#include "value.h"

#include "number.h"

#include <stdlib.h>
#include <string.h>

static const char *const type_names[VALUE_TYPES] = {
	[VALUE_S] = "S", [VALUE_N] = "N", [VALUE_B] = "B",
	[VALUE_BOOL] = "BOOL", [VALUE_NULL] = "NULL",
	[VALUE_M] = "M", [VALUE_L] = "L",
	[VALUE_SS] = "SS", [VALUE_NS] = "NS", [VALUE_BS] = "BS",
};

const char *
value_type_name(enum value_type t)
{
	return type_names[t];
}

enum value_type
value_type_parse(const char *p, size_t n)
{
	unsigned t;

	for (t = 0; t < VALUE_TYPES; t++)
		if (strlen(type_names[t]) == n &&
		    memcmp(type_names[t], p, n) == 0)
			break;
	return (enum value_type)t;
}

int
text_compare(const struct text *a, const struct text *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int c = n ? memcmp(a->p, b->p, n) : 0;

	if (c || a->n == b->n)
		return c;
	return a->n < b->n ? -1 : 1;
}

static bool
text_equal(const struct text *a, const struct text *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* Members are in order, so halving finds one. */
const struct value *
value_member(const struct value *map, const char *name, size_t n)
{
	const struct text wanted = {name, n};
	size_t low = 0, high, middle;
	int c;

	if (!map || map->type != VALUE_M)
		return NULL;
	for (high = map->count; low < high;) {
		middle = low + (high - low) / 2;
		c = text_compare(&wanted, &map->members[middle].name);
		if (c == 0)
			return &map->members[middle].value;
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- order and equality --------------------------------------------------- */

int
value_compare(const struct value *a, const struct value *b)
{
	if (a->type == VALUE_N)
		return number_compare_texts(&a->text, &b->text);
	return text_compare(&a->text, &b->text);
}

static bool
equal_members(const struct value *a, const struct value *b)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (!text_equal(&a->members[i].name, &b->members[i].name) ||
		    !value_equal(&a->members[i].value, &b->members[i].value))
			return false;
	return true;
}

static bool
equal_items(const struct value *a, const struct value *b)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (!value_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

static bool
equal_texts(const struct value *a, const struct value *b)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (!text_equal(&a->texts[i], &b->texts[i]))
			return false;
	return true;
}

/* As all is in order and normal form, equal things stand at equal places. */
bool
value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->truth == b->truth;
	case VALUE_M:
		return a->count == b->count && equal_members(a, b);
	case VALUE_L:
		return a->count == b->count && equal_items(a, b);
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		return a->count == b->count && equal_texts(a, b);
	default:
		return text_equal(&a->text, &b->text);
	}
}

/* --- sizes ---------------------------------------------------------------- */

/* Of a number in normal form: what its size hangs on. */
struct magnitude {
	size_t digits;		/* from the first to the last that isn't 0 */
	bool even;		/* the exponent of the first of them */
};

static struct magnitude
magnitude(const struct text *number)
{
	struct magnitude m = {.digits = 0};
	size_t i, seen = 0, before = 0, behind = 0;
	bool point = false;

	for (i = 0; i < number->n; i++) {
		if (number->p[i] == '.')
			point = true;
		if (number->p[i] < '0' || number->p[i] > '9')
			continue;
		if (!seen && number->p[i] == '0') {
			behind += point;
			continue;
		}
		seen++;
		before += !point;
		if (number->p[i] != '0')
			m.digits = seen;
	}
	m.even = before ? before % 2 == 1 : behind % 2 == 1;
	return m;
}

/* Digits are kept by two, in pairs around the point. */
static size_t
number_size(const struct text *number)
{
	const struct magnitude m = magnitude(number);
	bool negative = number->n && number->p[0] == '-';

	if (m.digits == 0)
		return 1;
	return 1 + (m.digits + 1) / 2 + (m.even && m.digits % 2 == 0) +
	    negative;
}

static size_t
list_size(const struct value *list)
{
	size_t i, size = 3;

	for (i = 0; i < list->count; i++)
		size += 1 + value_size(&list->items[i]);
	return size;
}

static size_t
set_size(const struct value *set)
{
	size_t i, size = 0;

	for (i = 0; i < set->count; i++)
		size += set->type == VALUE_NS ? number_size(&set->texts[i]) :
		    set->texts[i].n;
	return size;
}

size_t
value_item_size(const struct value *item)
{
	size_t i, size = 0;

	for (i = 0; i < item->count; i++)
		size += item->members[i].name.n +
		    value_size(&item->members[i].value);
	return size;
}

size_t
value_size(const struct value *v)
{
	switch (v->type) {
	case VALUE_S:
	case VALUE_B:
		return v->text.n;
	case VALUE_N:
		return number_size(&v->text);
	case VALUE_M:
		return 3 + v->count + value_item_size(v);
	case VALUE_L:
		return list_size(v);
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		return set_size(v);
	default:
		return 1;
	}
}

unsigned
value_depth(const struct value *v)
{
	unsigned deepest = 0, depth;
	size_t i;

	if (v->type != VALUE_M && v->type != VALUE_L)
		return 0;
	for (i = 0; i < v->count; i++) {
		depth = value_depth(v->type == VALUE_M ? &v->members[i].value :
		    &v->items[i]);
		if (depth > deepest)
			deepest = depth;
	}
	return 1 + deepest;
}

/* --- putting in order ----------------------------------------------------- */

static int
compare_members(const void *a, const void *b)
{
	const struct member *ma = a, *mb = b;

	return text_compare(&ma->name, &mb->name);
}

static int
compare_texts(const void *a, const void *b)
{
	return text_compare(a, b);
}

static int
compare_numbers(const void *a, const void *b)
{
	return number_compare_texts(a, b);
}

/*
 * Sorts `n` things if they aren't in order yet: the place of one that equals
 * the one before it, or 0.  Mostly they are in order and nothing is moved.
 */
static size_t
sort(void *base, size_t n, size_t size, int (*compare)(const void *,
    const void *))
{
	const char *p = base;
	size_t i;

	for (i = 1; i < n; i++)
		if (compare(p + (i - 1) * size, p + i * size) >= 0)
			break;
	if (i >= n)
		return 0;
	qsort(base, n, size, compare);
	for (i = 1; i < n; i++)
		if (compare(p + (i - 1) * size, p + i * size) == 0)
			return i;
	return 0;
}

int
value_sort_map(struct value *map, struct text *twice)
{
	size_t i = sort(map->members, map->count, sizeof *map->members,
	    compare_members);

	if (i == 0)
		return 0;
	*twice = map->members[i].name;
	return -1;
}

int
value_sort_set(struct value *set, struct text *twice)
{
	size_t i = sort(set->texts, set->count, sizeof *set->texts,
	    set->type == VALUE_NS ? compare_numbers : compare_texts);

	if (i == 0)
		return 0;
	*twice = set->texts[i];
	return -1;
}
