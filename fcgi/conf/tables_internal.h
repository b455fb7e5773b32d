/*
 * What tables.c and tables_key.c share: a table on its way from the file to
 * its JSON.
 */
#ifndef CONF_TABLES_INTERNAL_H
#define CONF_TABLES_INTERNAL_H

#include "tables.h"

enum {
	PARTS_MAX = 4,			/* as store/table/table.h has it */
	LOCAL_MAX = 5, GLOBAL_MAX = 20, INDEXES_MAX = LOCAL_MAX + GLOBAL_MAX,
	ATTRIBUTES_MAX = 256
};

struct attribute {
	const struct node *at;		/* where it was said first */
	const char *name, *type;
	bool used;			/* in a key */
};

struct schema {
	const struct attribute *hash[PARTS_MAX], *range[PARTS_MAX];
	size_t nhash, nrange;
};

/* A table on its way. */
struct maker {
	struct checker *c;
	const char *name;
	struct node *node;
	struct schema key;
	struct attribute attributes[ATTRIBUTES_MAX];
	size_t nattributes;
	const char *indexes[INDEXES_MAX];	/* names */
	size_t nindexes, nlocal, nonkey;
	struct buf json;
};

/* A member, variables resolved; NULL if it isn't there, or `map` is no map. */
struct node *tables_member(struct maker *m, const struct node *map,
    const char *name);

/* The text of a scalar, or of a member that is one; else NULL. */
const char *tables_text_of(const struct node *n);
const char *tables_text(struct maker *m, const struct node *map,
    const char *name);

/* True if the member is that word. */
bool tables_says(struct maker *m, const struct node *map, const char *name,
    const char *word);

/* Element `i` of a list, variables resolved. */
struct node *tables_element(struct maker *m, const struct node *list,
    size_t i);

/* Children of a node of that type; 0 of any other, and of NULL. */
size_t tables_count(const struct node *n, enum node_type type);

/* {room: S, at: N}, and [{AttributeName: room, KeyType: HASH}, ...] */
void tables_short_key(struct maker *m, const struct node *n,
    struct schema *s);
void tables_key_schema(struct maker *m, const struct node *n,
    struct schema *s);

/* AttributeDefinitions, before any key; and that all of them were needed. */
void tables_definitions(struct maker *m);
void tables_check_used(struct maker *m);

#endif
