/*
 * A store's parts, for the files of this folder that work on all of them:
 * store.c (open, close), recover.c (start), commit.c (the writer), apply.c
 * (what a unit changes), checkpoint.c and keeper.c (what happens by time).
 */
#ifndef ENGINE_STORE_INTERNAL_H
#define ENGINE_STORE_INTERNAL_H

#include "commit.h"
#include "commit_queue.h"
#include "meter.h"
#include "mirrors.h"
#include "store.h"

#include "store/files/files.h"
#include "store/files/filework.h"
#include "store/files/room.h"
#include "store/history/history.h"
#include "store/journal/journal.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	STORE_TOKEN_MS = 10 * 60 * 1000	/* a ClientRequestToken is known */
};

/* Threads by their numbers for files.h, behind those of filework.h. */
enum { FILES_KEEPER = FILEWORK_THREADS, FILES_WRITER, FILES_THREADS };

struct commit;

struct store {
	char dir[4000];			/* no links in it */
	struct store_options options;
	int dir_fd, lock_fd;
	unsigned char id[STORE_ID_SIZE];
	struct journal *journal;
	struct index *index;
	struct files *files;
	struct filework *filework;
	struct history *history;
	struct mirrors *mirrors;	/* NULL of one that is read-only */
	struct room room;		/* the writer's */
	struct catalog_place catalog;
	struct meters meters;

	struct commit_queue queue;
	struct commit *commit;		/* the writer's */
	pthread_t writer, keeper, checkpointer;
	bool writer_runs, keeper_runs, checkpointer_runs;
	atomic_bool broken;		/* nothing is written before a new start */
	atomic_bool files_lost;		/* a sync failed, or one has no job */
	atomic_bool hurried;		/* by store_hurry or store_close */
	atomic_bool dropping;		/* a dropped table is in the index */
	atomic_int_fast64_t now_ms;	/* wall clock that never goes back */
	atomic_uint_fast64_t batches, units, visible;	/* position */

	uint64_t brought;		/* by this start, from the history */
	bool history_lost;		/* this start has found none */

	pthread_mutex_t history_lock;	/* for all but reading the history */

	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t changed;
	bool ending;
	atomic_bool distrusted;		/* the index is to be made again */
	uint64_t checkpoints_asked, checkpoints_done;
	struct err checkpoint_error;	/* of the last one; code 0: none */
	int64_t checkpoint_ms;
	struct settings settings;
	char trouble[512];
};

/* --- apply.c: what a unit changes ------------------------------------------ */

/* A change with what the index asks for. */
struct applied {
	const struct table *table;
	struct text key;
	const struct value *old;	/* NULL: none, or none needed */
};

/*
 * The unit that stands at `position`, into the open batch.  `olds` may be NULL:
 * then they are looked up.  0; -1 with *e, and the batch is to be aborted.
 */
int apply_index(struct index_view *batch, const struct catalog *catalog,
    struct arena *a, const struct unit *u, const struct applied *olds,
    uint64_t position, struct err *e);

/* And to the file threads, once it is visible. */
int apply_files(struct store *s, const struct catalog *catalog,
    const struct unit *u, uint64_t position, int flags,
    struct filework_ticket *ticket, struct err *e);

/*
 * Waits until the file threads have room for more; false if they can't go on
 * (a full disk), and waiting won't help.
 */
bool apply_wait_room(struct store *s);

/* A table of its note in the index or the journal takes its place. */
int apply_table(struct store *s, const struct unit *u, struct err *e);

/*
 * Brings the index up to `end` from the journal, in batches of its own; with
 * `redo` also the files, from that position on.
 */
int apply_journal(struct store *s, uint64_t redo, bool files,
    struct err *e);

/*
 * After the index was made again from files: the tokens and the numbers of
 * tables that lines of the journal before `until` tell of.
 */
int apply_memory(struct store *s, uint64_t until, struct err *e);

/* --- apply_indexes.c: which indexes are full ----------------------------------- */

enum { APPLY_NOTE = 64 };	/* bytes of a note's name */

/* "<kind>/<table>/<index>", as the head of apply_indexes.c lists them. */
struct text apply_note(char room[APPLY_NOTE], const char *kind,
    uint64_t table, uint32_t index);

/* The notes follow a table that was made (`old` NULL) or changed. */
int apply_indexes(struct index_view *batch, const struct table *old,
    const struct table *t, struct err *e);

/* With the last entry: the index (0: the expiry) is full. */
int apply_filled(struct index_view *batch, const struct table *t, uint32_t id,
    struct err *e);

/* What a table calls full and is not, after a crash, is to be filled. */
int apply_verify_filled(struct store *s, struct err *e);

/* --- store.c: true, with *e, if a start that takes long is to end ------------ */

bool store_start_stopped(const struct store_options *o, struct err *e);

/* --- the rest ---------------------------------------------------------------- */

int recover(struct store *s, struct err *e);

/* The index, which is empty, made of the files: all before `redo` is there. */
int rebuild(struct store *s, uint64_t redo, struct err *e);

/* Then what the newest commit has and no file told of. */
int rebuild_lost(struct store *s, uint64_t redo, struct err *e);

int commit_start(struct store *s, struct err *e);
void commit_stop(struct store *s);	/* when the queue is empty */

/* parts.c: a copy, without the mirrors. */
struct settings store_settings(struct store *s);

int checkpoint_start(struct store *s, struct err *e);
void checkpoint_stop(struct store *s);

int keeper_start(struct store *s, struct err *e);
void keeper_stop(struct store *s);

#endif
