/*
 * The index: one LMDB environment below `index/` in the store's directory.
 * It holds the encoded items, the entries of secondary indexes, what is to
 * expire, what is known of the files, counters, and small notes of the
 * engine; and the journal position up to which all of that is applied.
 *
 * It is for speed only: nothing is synced, and it can be built again from
 * files and journal.  Whether what lies there may be trusted is said by
 * stamp.h.
 *
 * A view is how one sees the index: a snapshot for reading, or the open batch
 * of the one writer, which sees what it has put.  Bytes that a read gives are
 * borrowed from the index: until index_read_end() of a snapshot, until the
 * next change through the batch.  A snapshot that is held long keeps pages
 * from being used again: the file grows meanwhile.
 *
 * Secondary entries refer to the item; they hold no copy.  So a change that
 * touches no key of an index writes nothing there, and an index is never
 * behind; projecting is left to who reads.
 *
 * Threads: any number of views, each used by one thread at a time; the batch
 * belongs to the thread that began it.  Errors are FAULT_INTERNAL, ENOMEM, or
 * FAULT_NO_ROOM where the disk is full.
 */
#ifndef INDEX_INDEX_H
#define INDEX_INDEX_H

#include "store/table/key.h"

struct index;
struct index_view;
struct index_cursor;

struct index_options {
	size_t map_bytes;	/* of the map at first; 0: 256 GB */
	bool read_only;		/* of a store that is damaged: no batch */
};

/*
 * Opens data.mdb in a directory that exists, and makes it if absent.  NULL
 * with an error; EUCLEAN if it was written by another version, or is no index:
 * wipe it and build it again.
 */
struct index *index_open(const char *path, const struct index_options *o,
    struct err *e);
void index_close(struct index *ix);	/* views and batch are ended before */

/*
 * Reads the next 16 MB of the file ahead into memory, of which it takes a
 * quarter at most: true if there is more to read.  For one thread, beside all
 * others.
 */
bool index_warm(struct index *ix);

/* Makes everything last: before the stamp says clean. */
int index_sync(struct index *ix, struct err *e);

/* Removes an index that is not open: its stamp first, and synced. */
int index_wipe(const char *path, struct err *e);

struct index_room {
	size_t used_bytes;	/* of the file, pages to be used again too */
	size_t length_bytes;	/* of the file; what is beyond has no blocks */
	size_t map_bytes;	/* of address space */
	size_t free_bytes;	/* of the file system, to who isn't root */
};
int index_room(const struct index *ix, struct index_room *r, struct err *e);

/*
 * The next batch begins with an index that was written anew, so that nothing
 * is left of what was removed from it.  Then, once a batch was ended:
 * 0, or -1 with why it could not be (the index is as it was).
 */
void index_ask_renewal(struct index *ix);
int index_renewal_result(struct index *ix, struct err *e);

/* From now on none is made, and one under way ends soon: FAULT_ENDED. */
void index_hurry(struct index *ix);

/* --- snapshots ------------------------------------------------------------ */

/* A view without a snapshot yet; each thread keeps its own. */
struct index_view *index_view_new(struct index *ix, struct err *e);
void index_view_free(struct index_view *v);

int index_read_begin(struct index_view *v, struct err *e);
void index_read_end(struct index_view *v);

/* --- the batch ------------------------------------------------------------
 *
 * index_begin, changes and reads, index_commit or index_abort.  After an error
 * of a change the batch can only be aborted; FAULT_BUSY says that the map was
 * too small, and that it won't be when the same is begun again.  `room` is what
 * the batch will put at most, in bytes of items, and 4 KB at least for each
 * item and each index of its table: if need be the map is grown for it, once
 * all snapshots are ended; so none may be held by the thread that begins a
 * batch.  FAULT_NO_ROOM, here and from a change, says that the disk is full.
 */
struct index_view *index_begin(struct index *ix, size_t room, struct err *e);

/* True if index_begin would wait for nobody; for who might begin. */
bool index_is_at_hand(struct index *ix, size_t room);

/* Makes it visible, with all of the journal up to `position` applied. */
int index_commit(struct index_view *batch, uint64_t position, struct err *e);
void index_abort(struct index_view *batch);

/* The position of the last commit that the view sees; 0 before the first. */
int index_position(struct index_view *v, uint64_t *position, struct err *e);

/* --- items ---------------------------------------------------------------- */

struct index_record {
	struct text item;	/* as it was put; borrowed */
	uint64_t position;	/* of the journal, where it was written */
	size_t size;		/* value_item_size() of it */
};

/* 1 and *out; 0 if there is none; -1. `key` is a key_item(). */
int index_get(struct index_view *v, const struct text *key,
    struct index_record *out, struct err *e);

/* True if index_put and index_delete need to know the old item. */
bool index_needs_old(const struct table *t);

/*
 * Puts an item with its secondary entries and its expiry.  `old` is the item
 * that lies under the key, NULL if none does or none need be known; `item` has
 * passed key_check_item(), and `bytes` is how it is kept.
 */
int index_put(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old,
    const struct value *item, const struct text *bytes, uint64_t position,
    struct err *e);

/* 1; 0 if there was none; -1. */
int index_delete(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old, struct err *e);

/* --- ranges --------------------------------------------------------------- */

struct index_entry {
	struct text key;	/* in the index that is read */
	struct text base;	/* key_item() of the item */
	struct index_record record;	/* the item, all of it */
};

/*
 * Reads a range of items, or of a secondary index `ix`, from its low end or
 * backward from its high.  The range's bytes are borrowed until the close;
 * what an entry says, until the next call with the cursor.
 */
struct index_cursor *index_cursor_open(struct index_view *v,
    const struct table_index *ix, const struct key_range *r, bool backward,
    struct err *e);
int index_cursor_next(struct index_cursor *c, struct index_entry *out,
    struct err *e);		/* 1; 0 at the end; -1 */
void index_cursor_close(struct index_cursor *c);

/* --- counters, and indexes that come and go ------------------------------- */

struct index_counts {
	uint64_t items;
	uint64_t bytes;		/* by DynamoDB's rules, of what is projected */
};

/* Of a table, or of one of its indexes; zeros if nothing was counted. */
int index_counts(struct index_view *v, uint64_t table_id, uint32_t index_id,
    struct index_counts *out, struct err *e);

/*
 * Adds the entry of one item to an index that is filling, or its expiry where
 * `ix` is NULL; one that is there already is fine.
 */
int index_fill(struct index_view *batch, const struct table *t,
    const struct table_index *ix, const struct text *key,
    const struct value *item, struct err *e);

/*
 * Removes entries of an index, or with index id 0 all that is known of a
 * table, `max` at most: *left says whether some are left.  What is to expire
 * goes by index_unexpire.
 */
int index_drop(struct index_view *batch, uint64_t table_id, uint32_t index_id,
    size_t max, bool *left, struct err *e);

/* --- expiry --------------------------------------------------------------- */

struct index_due {
	int64_t expires_s;	/* since 1970 */
	uint64_t table_id;
	struct text key;	/* key_item(), in the arena */
};

/*
 * The first `max` that expire at or before `now_s`, the earliest first; not
 * what would have expired more than five years before, as with DynamoDB.
 */
int index_due(struct index_view *v, int64_t now_s, struct arena *a,
    struct index_due *out, size_t max, size_t *count, struct err *e);

/* Forgets one: of a table that is gone, or has no ttl any more. */
int index_unexpire(struct index_view *batch, const struct index_due *due,
    struct err *e);

/*
 * When an item expires: 1 and *expires_s, a fraction cut off; 0 if never (no
 * such attribute, or no number that fits).
 */
int index_expiry(const char *attribute, const struct value *item,
    int64_t *expires_s);

/* --- what is known of files ----------------------------------------------- */

struct index_file {
	uint64_t position;	/* of the image that was written */
	int64_t size;
	int64_t mtime_ns;
	uint64_t inode;
};

int index_file_get(struct index_view *v, const struct text *key,
    struct index_file *out, struct err *e);	/* 1; 0; -1 */
int index_file_put(struct index_view *batch, const struct text *key,
    const struct index_file *file, struct err *e);
int index_file_delete(struct index_view *batch, const struct text *key,
    struct err *e);

/* --- notes: small things by name, the engine's own ------------------------ */

enum { INDEX_NOTE_NAME_MAX = 500 };

int index_note_get(struct index_view *v, const struct text *name,
    struct text *out, struct err *e);		/* 1; 0; -1 */
int index_note_put(struct index_view *batch, const struct text *name,
    const struct text *note, struct err *e);
int index_note_delete(struct index_view *batch, const struct text *name,
    struct err *e);

/* Calls `each` for those that begin so, in order; what isn't 0 ends it. */
int index_note_each(struct index_view *v, const struct text *prefix,
    int (*each)(void *arg, const struct text *name, const struct text *note,
    struct err *e), void *arg, struct err *e);

#endif
