/*
 * The one table of everything that deploy.yaml may hold.
 *
 * From it come the checks (check.c), the suggestions, the JSON Schema
 * (schema.c) and the test that deploy.yaml(5) is complete.  To add a key: add
 * its line here, a field to the struct that it fills, a paragraph to the
 * manual page.
 */
#ifndef CONF_KEYS_H
#define CONF_KEYS_H

#include "conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value may look like; some keys take one of several. */
enum key_shape {
	KEY_STRING = 1,		/* -> const char * */
	KEY_NUMBER = 2,		/* -> uint32_t, times `scale` */
	KEY_BOOL = 4,		/* -> uint32_t, 0 or 1 */
	KEY_WORD = 8,		/* one of `words` -> uint32_t, its index */
	KEY_MAP = 16,		/* the keys of `keys` */
	KEY_NAMES = 32,		/* any names, each an `item` */
	KEY_LIST = 64,		/* each an `item` */
	KEY_FREE = 128,		/* anything; only variables look at it */
	KEY_SECRET = 256	/* beside a string: may hold ${secret:} */
};

/* Where a key has a meaning; elsewhere it is an error to write it. */
enum key_where { KEY_ALWAYS, KEY_RUNTIME_C, KEY_STREAM };

/* What a map's values are put into; those of other stages are passed over. */
enum key_scope { KEY_SAME, KEY_FUNCTION, KEY_EVENT, KEY_STAGE };

struct key {
	const char *name;	/* NULL ends a table */
	unsigned shape;		/* enum key_shape, or'ed */
	const char *text;	/* for manual and schema: a sentence */
	const char *refused;	/* why this known key can't be used, or NULL */
	bool required;
	enum key_where where;

	const char *unit;	/* of a number: "seconds", "MB"; or NULL */
	double min, max;	/* number: in its unit; string: bytes; list and
				 * names: count */
	uint32_t scale;		/* units of the field in one unit of the key;
				 * 1 takes whole numbers only */
	const char *const *words;
	const char *fallback;	/* the default as it could be written */

	size_t at;		/* KEY_AT(struct, field), 0: not stored */
	const char *(*format)(const char *); /* string, or name in NAMES: NULL
				 * if well-formed, else what it must be */
	const char *pattern;	/* the same for the schema, or NULL */

	enum key_scope scope;	/* of this map */
	const struct key *keys;	/* KEY_MAP */
	const struct key *item;	/* KEY_NAMES, KEY_LIST; its name is "*" */
};

#define KEY_AT(type, field) (offsetof(type, field) + 1)

/* What resources.store fills (settings.h). */
struct store_keys {
	uint32_t idle_s, sweep_ms, recovery_s, streams_s, journal_mb;
	uint32_t interval_ms, budget_mb, all_s, minutes_s, hours_s;
	uint32_t any_file_system;
	const char *endpoint, *region;	/* NULL: documents are here */
	struct conf_pairs mirrors;
};

/* What the keys outside of functions fill. */
struct site_keys {
	const char *service, *stage, *base_path, *aws_path;
	uint32_t provider, runtime, timeout_ms, memory_mb, confinement;
	struct conf_pairs environment;
	struct conf_list trusted_proxies;
	struct conf_cors cors;
	struct store_keys store;
	struct conf_list smoke;
	struct conf_pairs stages;
};

/* What one item of a function's events fills. */
struct event_keys {
	const char *http_short;	/* 'GET /x' */
	const char *method, *path;
};

/* The root map; and what is about documents in it (keys_store.c). */
extern const struct key keys_root;
extern const struct key keys_resources[], keys_iam[];

/* The key of that name in a table, or NULL. */
const struct key *keys_find(const struct key *table, const char *name);

#endif
