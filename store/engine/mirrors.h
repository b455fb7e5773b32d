/*
 * Mirrors: bare repositories elsewhere that follow the history.  Part of
 * bothy-store; a thread for each, so that one that hangs or fails holds up
 * nobody, other mirrors neither.
 *
 * They are kept in the file `mirrors` of the store's directory, a line each:
 * a name, a space, and what git pushes to; " declared" behind that says that
 * it came with the store's settings, and goes with them.  After a checkpoint each is pushed
 * to, at most once a minute; after a failure later and later, up to an hour.
 */
#ifndef ENGINE_MIRRORS_H
#define ENGINE_MIRRORS_H

#include "store.h"

#include "store/history/history.h"

enum {
	MIRRORS_MAX = 16,
	MIRROR_NAME_MAX = SETTINGS_NAME_MAX,	/* bytes, of A-Za-z0-9._- */
	MIRROR_URL_MAX = SETTINGS_URL_MAX,
	MIRRORS_LINGER_MS = 15 * 60 * 1000	/* history_upkeep.linger_ms */
};

struct mirrors;

/*
 * Reads the file and starts; `helper` is history_push's, NULL if there is
 * none: then every push fails and says so.  `h` and `dir` stay the caller's,
 * and there.  NULL with *e.
 */
struct mirrors *mirrors_open(struct history *h, const char *dir,
    const char *helper, struct err *e);

/*
 * What was not pushed yet is, if that takes a few seconds only; NULL is fine.
 */
void mirrors_close(struct mirrors *m);

/* The history has changed. */
void mirrors_wake(struct mirrors *m);

bool mirrors_any(struct mirrors *m);

/*
 * Adds one, gives it another URL, or with a `url` of NULL removes it: 0; or -1
 * with *e (FAULT_VALIDATION, also for one that the settings have,
 * FAULT_NOT_FOUND, FAULT_LIMIT).
 */
int mirrors_set(struct mirrors *m, const char *name, const char *url,
    struct err *e);

/*
 * Those of the settings: all of these are there, and of what earlier settings
 * had no other.  0; or -1 with *e.
 */
int mirrors_declare(struct mirrors *m, const struct settings_mirror *list,
    size_t n, struct err *e);

/*
 * Pushes to one, or with NULL to all, and waits until that is over, or
 * `given_up(arg)`, which is asked meanwhile, gives true: 0; -1 if there is no
 * such mirror.  How it went is in its state.
 */
int mirrors_push(struct mirrors *m, const char *name,
    bool (*given_up)(void *arg), void *arg);

struct mirror_state {
	char name[MIRROR_NAME_MAX + 1];
	char url[MIRROR_URL_MAX + 1];	/* without a password */
	int64_t pushed_ms;	/* when a push last went well; 0: never in
				   this run */
	uint64_t position;	/* of the commit that it has then */
	bool pushing, behind;	/* it lacks something */
	bool declared;		/* by the settings */
	char error[512];	/* of the last push; "" if it went well */
};

/* A store's; NULL if it is read-only. */
struct mirrors *store_mirrors(struct store *s);

/* The state of the one with that number, from 0 on: false behind the last. */
bool mirrors_state(struct mirrors *m, size_t i, struct mirror_state *out);

/*
 * Makes a store in `dir`, which must not have one, of what is at `url`: with
 * its history, and the documents of the newest commit, which *tip tells.  It
 * isn't open then.  One that was cut off is begun again by the next call, and
 * refused by store_open.
 */
int store_from_mirror(const char *dir, const char *url,
    const struct store_options *o, struct history_commit *tip, struct err *e);

#endif
