/*
 * A store: a directory of documents with its journal, index, files and
 * history, and the threads that keep them together.  Part of bothy-store.
 *
 * Reads go through a struct store_view, each thread its own: store_read_begin
 * gives a snapshot of everything, tables included.  Writes are jobs for the
 * one writer thread (commit.h).
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include "catalog.h"
#include "settings.h"

#include "store/base/err.h"
#include "store/index/index.h"

#include <stdbool.h>
#include <stdint.h>

enum { STORE_ID_SIZE = 16, STORE_FORMAT = 1 };

struct store;

struct store_options {
	bool read_only;		/* also of a damaged store; nothing is written */
	bool force;		/* on any file system, for tests */
	uint32_t segment_bytes;	/* of the journal; 0: its default */
	int64_t ttl_sweep_ms;	/* between looks; 0: as its settings say */
	int64_t checkpoint_ms;	/* least between two; 0: likewise; -1: none
				 * but at the end and when asked */
	/* Pushes to mirrors: history_push's helper, or NULL for none. */
	const char *push_helper;
	/* Judges and merges pushes (history_hooks), or NULL: none are taken. */
	const char *hook_program;
	/* Hears how far a start is that takes long; may be NULL. */
	void (*progress)(void *arg, const char *what, uint64_t done,
	    uint64_t all);
	/* Asked meanwhile: true ends it, with FAULT_ENDED; may be NULL. */
	bool (*stopped)(void *arg);
	void *arg;
};

/*
 * Opens the store in `dir`, made if absent, locks it, recovers it, and starts
 * its threads.  NULL with an error: FAULT_BUSY if another process has it.
 */
struct store *store_open(const char *dir, const struct store_options *o,
    struct err *e);

/*
 * It is about to be closed: what takes long ends soon, with FAULT_ENDED, and
 * begins no more; what is read and written otherwise goes on.
 */
void store_hurry(struct store *s);

/* Finishes what is queued, takes a checkpoint, and leaves all clean. */
void store_close(struct store *s);

/* True if it can only be closed, and opened again: the disk failed. */
bool store_broken(struct store *s);

/*
 * Sets what settings.h has, from its text: at once, and for every later start.
 * 1; 0 if all was so; -1 with *e.
 */
int store_set(struct store *s, const char *p, size_t n, struct err *e);

/* How long the daemon stays without a client; 0: for ever. */
int64_t store_idle_ms(struct store *s);

const unsigned char *store_id(const struct store *s);	/* STORE_ID_SIZE */

/* --- reading --------------------------------------------------------------- */

struct store_view {
	struct store *store;
	struct index_view *index;
	struct catalog *catalog;	/* between begin and end */
};

int store_view_init(struct store_view *v, struct store *s, struct err *e);
void store_view_release(struct store_view *v);

int store_read_begin(struct store_view *v, struct err *e);
void store_read_end(struct store_view *v);

/* The tables as they are now, without a snapshot of their documents. */
struct catalog *store_catalog_hold(struct store *s);
void store_catalog_release(struct store *s, struct catalog *c);

/* --- checkpoints ----------------------------------------------------------- */

/*
 * Takes a checkpoint of all that was committed before the call, with `tag` as
 * the name of a backup unless it is NULL: 0 once it lasts, or -1.
 */
int store_checkpoint(struct store *s, const char *tag, struct err *e);

struct store_stat {
	uint64_t tables, journal_begin, journal_end, journal_bytes;
	uint64_t redo, feed, pitr, applied;
	int64_t redo_at_ms;
	size_t backlog_documents, backlog_bytes;
	uint64_t commits, packs, history_bytes, history_day_bytes;
	int64_t history_since_ms;	/* its oldest commit; 0: none */
	int64_t history_anew_ms;	/* begun anew then, for it was gone */
	bool history_lost;		/* which this start has found */
	uint64_t index_bytes, edited, batches, units;
	uint64_t brought;	/* documents that had no file when the index was
				 * made at this start: of the history */
	int64_t checkpoint_ms;		/* what the last one took */
	char trouble[512];		/* what hinders writing, "" if nothing */
};

void store_stat(struct store *s, struct store_stat *out);

#endif
