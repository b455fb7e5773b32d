/*
 * What a store's owner may set: how often what happens, and how much is kept.
 * Part of bothy-store.
 *
 * It is kept in the file `settings` of the store's directory, so that whoever
 * starts the daemon starts it alike: one JSON object, of which each member may
 * be absent (names and limits: settings.c).
 */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SETTINGS_BYTES_MAX = 128 * 1024,	/* of the text */
	SETTINGS_MIRRORS_MAX = 16,
	SETTINGS_NAME_MAX = 64,
	SETTINGS_URL_MAX = 4000,
	SETTINGS_ENDPOINT_MAX = 250,
	SETTINGS_REGION_MAX = 60
};

struct settings_mirror {
	char name[SETTINGS_NAME_MAX + 1], url[SETTINGS_URL_MAX + 1];
};

struct settings {
	int64_t idle_ms;		/* 0: it never leaves by itself */
	int64_t checkpoint_ms;		/* least between two */
	int64_t ttl_sweep_ms;
	int64_t pitr_ms;		/* how far back each moment is kept */
	int64_t feed_ms;		/* and streams */
	int64_t journal_bytes;		/* that both may take */
	int64_t day_bytes;		/* by which the history may grow */
	int64_t all_ms, minutes_ms, hours_ms;	/* struct history_upkeep's */
	bool any_place;			/* on any file system */
	/* Where documents are instead; "" if they are here. */
	char endpoint[SETTINGS_ENDPOINT_MAX + 1];
	char region[SETTINGS_REGION_MAX + 1];
	struct settings_mirror *mirrors;	/* on the heap */
	size_t nmirrors;
};

/* All as it is unless told. */
void settings_init(struct settings *s);
void settings_release(struct settings *s);

/*
 * Reads a text; what it doesn't say is as settings_init leaves it.  0; or -1
 * with *e (FAULT_VALIDATION, FAULT_SERIALIZATION, ENOMEM) and *s initialised.
 */
int settings_read(const char *p, size_t n, struct settings *s, struct err *e);

/* The same from the file in `dir`, which may be absent. */
int settings_load(const char *dir, struct settings *s, struct err *e);

/* Puts a text there, to last: 1; 0 if it says so already; -1. */
int settings_keep(const char *dir, const char *p, size_t n, struct err *e);

#endif
