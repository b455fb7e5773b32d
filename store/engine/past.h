/*
 * States that were: what the tables held at a commit, a backup, a position of
 * the journal or a moment.  Part of bothy-store; changes nothing.
 *
 * A state is a commit of the history and what the journal says behind it, so
 * that any moment can be had that the journal reaches back to; an older one is
 * that of the newest commit not later.
 *
 * Everything may be called by any thread.  As long as a state is in use the
 * history's lock is held (parts.h), since thinning may take its commit away.
 * Errors: FAULT_NOT_FOUND,
 * FAULT_VALIDATION, FAULT_TRIMMED (the journal went on meanwhile: ask again),
 * FAULT_LIMIT.
 */
#ifndef ENGINE_PAST_H
#define ENGINE_PAST_H

#include "parts.h"

#include "store/base/map.h"

struct past {
	struct store *store;
	struct history_commit commit;	/* id "": nothing, the very begin */
	uint64_t from, to;		/* of the journal, added to it */
	int64_t until_ms;		/* and no unit that was decided later */
	bool nearest;			/* a commit: the moment is too old */
};

/* What a person names, as history_resolve() has it; NULL or "": now. */
int past_find(struct store *s, const char *name, struct past *out,
    struct err *e);

/* One table in a state.  Release it also after a failure. */
struct past_table {
	const struct past *past;
	char dir[PATH_NAME_MAX + 1];	/* below data/ */
	struct table *table;		/* as it was; NULL: it wasn't there */
	bool based;			/* its documents in the commit count */
	struct map changed;		/* by name: struct text * of plain JSON,
					   p NULL where it is gone */
	struct arena arena;		/* of those */
	uint64_t seen;			/* of the journal, up to here */
};

/* FAULT_VALIDATION if the table had no history then. */
int past_open(const struct past *p, const char *table,
    struct past_table *out, struct err *e);
void past_close(struct past_table *t);

/*
 * What changed in a table behind a state, up to now: only that, of the table
 * as the state has it.  `p` is the caller's, and lives as long.
 */
int past_open_later(const struct past_table *t, struct past *p,
    struct past_table *out, struct err *e);

/* Adds a change that is in no journal yet, if it is the table's. */
struct unit;
int past_add(struct past_table *t, const struct unit *u, struct err *e);

/* A document, appended as the plain JSON of its file: 1, 0, -1. */
int past_get(struct past_table *t, const struct path_name *name,
    struct buf *out, struct err *e);

/*
 * The last that the history knows of a table, for one that is gone: on the
 * heap; NULL with FAULT_NOT_FOUND.
 */
struct table *past_last_table(struct store *s, const char *table,
    struct err *e);

/* The paths that a document may have in a commit. */
struct past_paths {
	char text[PATH_LEVEL_MAX + 1][PATH_MAX_BYTES];
	const char *at[PATH_LEVEL_MAX + 1];
	struct history_paths list;
};

void past_paths(const char *dir, const struct path_name *name,
    struct past_paths *out);

/* A difference of two states of a table; texts are plain JSON, p NULL: none. */
struct past_delta {
	const struct path_name *name;
	struct text old, new;
};

/* 0 to go on; what isn't ends it, and is given back. */
typedef int past_delta_fn(void *ctx, const struct past_delta *d,
    struct err *e);

/*
 * What became of the documents from one state to the other; with `only` of
 * that one alone.
 */
int past_diff(struct past_table *from, struct past_table *to,
    const struct path_name *only, past_delta_fn *fn, void *ctx,
    struct err *e);

/* Names of all tables that one of the states may have: keys of the map. */
int past_tables(const struct past *from, const struct past *to,
    struct map *names, struct err *e);

#endif
