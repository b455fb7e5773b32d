/*
 * Tables and items from JSON, for the tests of keys and index.
 */
#ifndef TEST_ENGINE_DOCUMENTS_H
#define TEST_ENGINE_DOCUMENTS_H

#include "store/table/table.h"
#include "store/value/typed.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A fixed seed, so that a failure comes again; xorshift64*. */
static uint64_t seed = 0x9e3779b97f4a7c15u;

static inline unsigned
draw(unsigned below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)(seed * 0x2545f4914f6cdd1du >> 33) % below;
}

static inline struct table *
make_table(const char *json)
{
	struct err e = {0};
	struct table *t = table_read(json, strlen(json), &e);

	if (!t)
		fail_msg("%s", e.text);
	return t;
}

/* An item from typed JSON by printf; all of it lies in the arena. */
static inline struct value make_item(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static inline struct value
make_item(struct arena *a, const char *fmt, ...)
{
	static char text[65536];
	struct value item = {.type = VALUE_NULL};
	struct err e = {0};
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	assert_in_range(n, 1, sizeof text - 1);
	if (typed_read_item(a, arena_copy(a, text, (size_t)n), (size_t)n,
	    &item, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return item;
}

#endif
