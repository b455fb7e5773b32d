/*
 * What the files of the index share.
 *
 *   index.c         the environment, snapshots, the batch
 *   index_grow.c    room: the map's size, grown under those who read; blocks
 *   index_item.c    items, with their entries and expiry
 *   index_range.c   reading ranges
 *   index_count.c   counters, and what is kept once: position, next id
 *   index_change.c  filling and dropping of indexes and tables
 *   index_due.c     what is to expire
 *   index_note.c    what is known of files; notes
 *   index_renew.c   all of it copied into a file without what is gone
 *   index_tree.c    maps without a limit to the length of keys
 *   index_walk.c    and their cursor
 */
#ifndef INDEX_INDEX_INTERNAL_H
#define INDEX_INDEX_INTERNAL_H

#include "index.h"
#include "index_tree.h"

#include <pthread.h>
#include <stdatomic.h>

/* The databases, each a tree but `meta`. */
enum index_db {
	DB_ITEMS,	/* items and secondary entries, by key.h */
	DB_MORE,	/* the lower levels of all trees */
	DB_DUE,		/* 8 bytes of time, and the item's key */
	DB_FILES,	/* by the item's key */
	DB_NOTES,	/* by name */
	DB_META,	/* version, position, next id, counters */
	DB_COUNT
};

struct index_view {
	struct index *index;
	MDB_txn *txn;		/* NULL before the first snapshot */
	_Atomic bool active;	/* a snapshot is held */
	struct index_view *next;
};

struct counted {
	uint64_t table_id;
	uint32_t index_id;
	bool changed;
	struct index_counts counts;
};

/*
 * Invariants:
 *   1. `growing` is set only under `lock`, and the map's size changed only
 *      while no view is active: who begins to read shows `active` first, and
 *      looks at `growing` then.
 *   2. batch.txn is not NULL exactly while a batch is open; `counted`,
 *      `next_id`, `used`, `spent` and `scratch` are its own.
 */
struct index {
	MDB_env *env;
	MDB_dbi dbis[DB_COUNT];
	char *path;
	bool read_only;
	bool writes_map;	/* see index_grow.c */
	_Atomic size_t length;	/* of the file, if `writes_map` */
	size_t promised;	/* bytes of it that have blocks */
	uint64_t warmed;	/* bytes, by who calls index_warm() */
	size_t used, spent;	/* bytes: at the batch's begin, since at most */

	pthread_mutex_t lock;
	pthread_cond_t moved;
	_Atomic bool growing;
	struct index_view *views;
	enum {
		INDEX_RENEWAL_NONE,
		INDEX_RENEWAL_ASKED,
		INDEX_RENEWAL_FAILED
	} renewal;		/* under `lock`, with */
	struct err renewal_error;	/* why it failed */
	_Atomic bool hurried;

	struct index_view batch;
	bool was_full;		/* the last batch found no room in the map */
	uint64_t next_id;	/* of a level, index_tree.h */
	struct counted *counted;
	size_t ncounted, counted_room;
	struct arena scratch;	/* of one change */
};

/* An LMDB code as an error, with what was tried.  Always -1. */
int index_fail(struct index *ix, int rc, const char *what, struct err *e);

/* The tree as the view sees it. */
struct index_tree index_tree_of(const struct index_view *v, enum index_db db);

/* index_grow.c */
size_t index_map_first(size_t wanted);
bool index_can_promise(const char *path);
int index_make_room(struct index *ix, size_t room, struct err *e);

/* The file as short as it may be: when LMDB has made it as long as the map; */
int index_cut_back(struct index *ix, struct err *e);
/* and when nothing more is written. */
void index_cut_off(struct index *ix);

/* Blocks for a change that puts so many bytes, before it is made. */
int index_reserve(struct index_view *batch, size_t bytes, struct err *e);
/* Keeps new snapshots out, and waits until all others are ended; `lock` is
   held in between. */
void index_close_gate(struct index *ix);
void index_open_gate(struct index *ix);
void index_enter(struct index_view *v);
void index_leave(struct index_view *v);

/* index_renew.c: if it is asked for; by who is about to begin a batch. */
#define INDEX_NEW "new"
void index_renew(struct index *ix);
void index_clear_new(const char *path);	/* what a crash left */

/* index_count.c: numbers of 4 and 8 bytes are kept big-endian. */
void index_store32(unsigned char *p, uint32_t n);
void index_store64(unsigned char *p, uint64_t n);
uint32_t index_load32(const void *p);
uint64_t index_load64(const void *p);

int index_meta_get(struct index_view *v, const char *name, uint64_t *n,
    struct err *e);				/* 1; 0; -1 */
int index_meta_put(struct index_view *batch, const char *name, uint64_t n,
    struct err *e);

/* Adds to counters; they are written by index_count_flush(). */
int index_count(struct index_view *batch, uint64_t table_id,
    uint32_t index_id, int64_t items, int64_t bytes, struct err *e);
int index_count_flush(struct index_view *batch, struct err *e);

/* Removes those of an index, or with index id 0 all of the table. */
int index_count_forget(struct index_view *batch, uint64_t table_id,
    uint32_t index_id, struct err *e);

/* index_item.c */
int index_read_record(const MDB_val *value, struct index_record *out,
    struct err *e);

/* Adds or removes one secondary entry; 1 if that changed anything. */
int index_entry_put(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *item, struct err *e);

/* What DynamoDB counts for an item in an index. */
size_t index_projected_size(const struct table *t,
    const struct table_index *ix, const struct value *item);

/* index_due.c */
int index_due_change(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old,
    const struct value *item, struct err *e);

#endif
