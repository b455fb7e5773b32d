/*
 * An attribute value of DynamoDB's, and an item, which is a value of type M.
 *
 * A value and all below it lie in an arena, or borrow from the bytes they were
 * read from; nobody frees one.  Once made it is not written to: who changes an
 * item makes a new map that shares what stayed.
 *
 * Invariants, kept by whoever makes a value:
 *   1. Members of a map stand in the order of their names (memcmp, the shorter
 *      first), each name once; members of a set likewise, numbers by value.
 *   2. The text of a number is its normal form (number.h).
 *   3. Strings and names are UTF-8.  None of the texts ends in '\0' by promise.
 */
#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

#include "store/base/arena.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	VALUE_DEPTH_MAX = 32,	/* lists and maps in one another, item too */
	VALUE_ITEM_MAX = 400 * 1024,	/* bytes, by value_size() */
	VALUE_HASH_KEY_MAX = 2048,	/* bytes of a partition key */
	VALUE_RANGE_KEY_MAX = 1024	/* bytes of a sort key */
};

enum value_type {
	VALUE_S, VALUE_N, VALUE_B, VALUE_BOOL, VALUE_NULL,
	VALUE_M, VALUE_L, VALUE_SS, VALUE_NS, VALUE_BS,
	VALUE_TYPES
};

struct text {
	const char *p;
	size_t n;
};

struct value {
	enum value_type type;
	bool truth;			/* BOOL */
	struct text text;		/* S, N, B */
	size_t count;			/* M, L, SS, NS, BS */
	union {
		struct member *members;	/* M */
		struct value *items;	/* L */
		struct text *texts;	/* SS, NS, BS */
	};
};

struct member {
	struct text name;
	struct value value;
};

/* "S", "N", ... as on the wire; and back: the type, or VALUE_TYPES. */
const char *value_type_name(enum value_type t);
enum value_type value_type_parse(const char *p, size_t n);

/* memcmp's order, the shorter first where one begins the other. */
int text_compare(const struct text *a, const struct text *b);

/* The member of a map, or NULL; `map` may be NULL or of another type. */
const struct value *value_member(const struct value *map, const char *name,
    size_t n);

/* Two of one type among S, N, B: <0, 0, >0 in DynamoDB's order. */
int value_compare(const struct value *a, const struct value *b);

/* Deep; sets without regard to order, numbers by value. */
bool value_equal(const struct value *a, const struct value *b);

/*
 * Bytes by DynamoDB's size rules: of one value, and of an item, which is that
 * of its names and values.
 *
 *	S, B		its bytes
 *	N		1, and 1 for each pair of digits around the point that
 *			isn't zeros at either end; 1 for the sign if
 *			negative; zero is 1
 *	BOOL, NULL	1
 *	SS, NS, BS	those of its members
 *	L, M		3, and 1 for each member, and those of its members;
 *			of a name its bytes
 */
size_t value_size(const struct value *v);
size_t value_item_size(const struct value *item);

/* Lists and maps in one another: 0 of a text, 1 of an empty list. */
unsigned value_depth(const struct value *v);

/*
 * Puts members or texts in order.  0; or -1 with the name or member that is
 * there twice in *twice.
 */
int value_sort_map(struct value *map, struct text *twice);
int value_sort_set(struct value *set, struct text *twice);

#endif
