/*
 * Random numbers, texts and values from a seed that is printed: every type, in
 * all sizes and depths, with what is awkward more often than chance has it.
 */
#ifndef TESTS_VALUE_RANDOM_VALUE_H
#define TESTS_VALUE_RANDOM_VALUE_H

#include "store/value/number.h"
#include "store/value/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Fewer under a sanitizer, which is ten times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { RANDOM_ROUNDS = 200000 };
#else
enum { RANDOM_ROUNDS = 1000000 };
#endif

enum { RANDOM_VALUES = 40 };	/* at most, in one another and side by side */

struct random {
	uint64_t state;
	unsigned left;		/* values that may still be made */
};

static inline void
random_init(struct random *r, uint64_t seed)
{
	printf("seed %llu\n", (unsigned long long)seed);
	r->state = seed;
}

/* SplitMix64. */
static inline uint64_t
random_next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static inline unsigned
random_below(struct random *r, unsigned n)
{
	return (unsigned)(random_next(r) >> 32) % n;
}

/* 0 to `most`, rather few. */
static inline unsigned
random_count(struct random *r, unsigned most)
{
	return random_below(r, 2 + random_below(r, most));
}

static inline void
random_number(struct random *r, struct number *n)
{
	unsigned i;

	memset(n, 0, sizeof *n);
	if (random_below(r, 16) == 0)
		return;
	n->sign = random_below(r, 2) ? 1 : -1;
	n->count = 1 + (int)(random_below(r, 4) ? random_below(r, 6) :
	    random_below(r, NUMBER_DIGITS));
	for (i = 0; i < (unsigned)n->count; i++)
		n->digits[i] = (unsigned char)random_below(r, 10);
	n->digits[0] = (unsigned char)(1 + random_below(r, 9));
	n->digits[n->count - 1] = (unsigned char)(1 + random_below(r, 9));
	n->exponent = random_below(r, 8) ? (int)random_below(r, 24) - 12 :
	    (int)random_below(r, 256) + NUMBER_EXPONENT_MIN;
}

static inline void *
random_alloc(struct arena *a, size_t n)
{
	void *p = arena_alloc(a, n);

	assert_non_null(p);
	return p;
}

/* UTF-8: plain letters, what JSON escapes, all lengths, both ends of each. */
static inline struct text
random_text(struct random *r, struct arena *a, unsigned most)
{
	static const char *const odd[] = {"\"", "\\", "/", "\n", "\t", "\x01",
	    "\x1f", "\x7f", "$", "$set", "$map", "$binary", "\xc2\x80",
	    "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
	    "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	    "\xe2\x82\xac", "\\u0000", "\xe2\x80\xa8"};
	unsigned n = random_count(r, most), i;
	char *p = random_alloc(a, 8 * (size_t)n + 1), *at = p;
	const char *s;

	for (i = 0; i < n; i++) {
		if (random_below(r, 6)) {
			*at++ = (char)('a' + random_below(r, 26));
		} else if (random_below(r, 16) == 0) {
			*at++ = '\0';
		} else {
			s = odd[random_below(r, sizeof odd / sizeof *odd)];
			memcpy(at, s, strlen(s));
			at += strlen(s);
		}
	}
	return (struct text){p, (size_t)(at - p)};
}

static inline struct text
random_bytes(struct random *r, struct arena *a, unsigned most)
{
	unsigned n = random_count(r, most), i;
	char *p = random_alloc(a, n + 1);

	for (i = 0; i < n; i++)
		p[i] = (char)random_next(r);
	return (struct text){p, n};
}

static inline struct text
random_scalar(struct random *r, struct arena *a, enum value_type type)
{
	struct number n;
	struct value v;

	if (type == VALUE_S)
		return random_text(r, a, 24);
	if (type == VALUE_B)
		return random_bytes(r, a, 24);
	random_number(r, &n);
	assert_int_equal(number_value(&n, a, &v), 0);
	return v.text;
}

static inline void random_value(struct random *r, struct arena *a,
    unsigned depth, struct value *out);

/* Members that are there twice are left out. */
static inline void
random_map(struct random *r, struct arena *a, unsigned depth,
    struct value *out)
{
	size_t count = random_count(r, 12), i;
	struct text twice;

	*out = (struct value){.type = VALUE_M};
	out->members = random_alloc(a, (count + 1) * sizeof *out->members);
	for (i = 0; i < count; i++) {
		struct member *m = &out->members[i];

		m->name = random_text(r, a, 10);
		random_value(r, a, depth, &m->value);
		out->count = i + 1;
		while (value_sort_map(out, &twice) < 0)
			out->count--;
		if (out->count <= i)
			return;
	}
}

static inline void
random_set(struct random *r, struct arena *a, struct value *out)
{
	static const enum value_type of[] = {[VALUE_SS] = VALUE_S,
	    [VALUE_NS] = VALUE_N, [VALUE_BS] = VALUE_B};
	size_t count = 1 + random_count(r, 10), i;
	struct text twice;

	out->texts = random_alloc(a, count * sizeof *out->texts);
	for (i = 0; i < count; i++)
		out->texts[i] = random_scalar(r, a, of[out->type]);
	for (out->count = count; value_sort_set(out, &twice) < 0;)
		out->count--;
}

static inline void
random_list(struct random *r, struct arena *a, unsigned depth,
    struct value *out)
{
	size_t count = random_count(r, 10), i;

	out->items = random_alloc(a, (count + 1) * sizeof *out->items);
	for (i = 0; i < count; i++)
		random_value(r, a, depth, &out->items[i]);
	out->count = count;
}

/* At most `depth` lists and maps in one another. */
static inline void
random_value(struct random *r, struct arena *a, unsigned depth,
    struct value *out)
{
	enum value_type type = (enum value_type)random_below(r, VALUE_TYPES);

	if ((depth > 3 || r->left == RANDOM_VALUES) && random_below(r, 4))
		type = random_below(r, 2) ? VALUE_M : VALUE_L;
	if ((depth == 0 || r->left == 0) &&
	    (type == VALUE_M || type == VALUE_L))
		type = VALUE_S;
	r->left -= r->left > 0;
	*out = (struct value){.type = type};
	switch (type) {
	case VALUE_BOOL:
		out->truth = random_below(r, 2);
		break;
	case VALUE_NULL:
		out->truth = true;
		break;
	case VALUE_M:
		random_map(r, a, depth - 1, out);
		break;
	case VALUE_L:
		random_list(r, a, depth - 1, out);
		break;
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS:
		random_set(r, a, out);
		break;
	default:
		out->text = random_scalar(r, a, type);
	}
}

/*
 * To be asked before each value: how deep it may be.  Mostly it is shallow;
 * one in sixteen may go down to the limit.
 */
static inline unsigned
random_depth(struct random *r)
{
	r->left = RANDOM_VALUES;
	return random_below(r, 16) ? 1 + random_below(r, 3) :
	    VALUE_DEPTH_MAX - 1;
}

#endif
