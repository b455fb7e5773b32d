/*
 * Erasure: a document that is gone is taken out of everything that remembers
 * it: history, journal, files that are used again or were put aside.  Part of
 * bothy-store; in any thread, one erasure at a time.
 *
 * Each step may be done again, so that after a crash the whole is done again.
 * What the index keeps of it goes by index_ask_renewal.
 */
#ifndef ENGINE_ERASE_H
#define ENGINE_ERASE_H

#include "past.h"

struct erasure {
	const char *table;		/* its name */
	const struct path_name *name;
	const struct past_paths *paths;
	const struct value *key;	/* the Key */
	uint64_t table_id;		/* of a table that is there, or 0 */
	uint64_t upto;			/* what the journal has before this */
	struct history_progress progress;	/* of the history's part */
};

struct erased {
	uint64_t states;		/* of the history that had it */
	uint64_t lines;			/* of the journal, likewise */
	uint64_t files;			/* put aside, or of dropped tables */
};

/*
 * Asks for the writer's next segment: within a job, before store_erase.
 * `upto` lies below the redo mark then, after a checkpoint.
 */
int store_erase_prepare(struct store *s, struct err *e);

/*
 * 0; or -1 with *e (FAULT_BUSY: the history holds something): to be done again.
 */
int store_erase(struct store *s, const struct erasure *x, struct erased *out,
    struct err *e);

/* Has the next batch of the writer begin with an index without traces... */
void store_erase_index(struct store *s);

/* ... which it has done, or -1 with why not. */
int store_index_erased(struct store *s, struct err *e);

#endif
