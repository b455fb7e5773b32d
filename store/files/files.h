/*
 * Documents as files: data/<table>/... below the store's directory, each
 * replaced whole.  Part of bothy-store.
 *
 * Who reads a file sees the old or the new document, whole, whenever it opened
 * the file and however long it keeps it open or mapped.  Nothing is synced
 * here but by files_sync: what must last is in the journal, and after a crash
 * every document that changed since the last files_sync is written again, with
 * FILES_REDO.
 *
 * A file that was written here carries a seal in its modification time
 * (files_seal.h), so that a file which somebody edited is told by its stat
 * alone, and nobody needs to keep what was written.  Before such a file is
 * replaced or removed it is saved to conflicts/<table>/, and told.
 *
 * Tables begin flat, and grow by directories as documents come (path.h).
 * data/<table>/.fanout says how deep: "1" or, while documents move there from
 * lesser depths, "1 moving".  A document is looked for at the depth named
 * there, then, if it says so, at lesser ones, then at the first again.  The
 * file is on the disk before the first document lies so deep.
 *
 * Threads: all calls may run at once, but for two on the same document, or a
 * drop and another on the same table.  Errors have an errno for their code.
 */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include "path.h"

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FILES_FLAT_MAX = 1000,		/* documents of a flat table */
	FILES_ONE_MAX = 100000,		/* with one directory between */
	FILES_THREADS_MAX = 8
};

struct files;
struct files_table;

/* A file that was edited by hand, and where it was saved. */
struct files_edit {
	const char *table;
	const char *path;	/* below the store's directory */
	const char *saved;	/* likewise */
};

struct files_options {
	unsigned threads;	/* that write, 1 to FILES_THREADS_MAX */
	bool read_only;		/* nothing is made; only reads */
	bool plain;		/* rename only, no file is used twice */
	uint64_t flat_max, one_max;	/* 0: FILES_FLAT_MAX, FILES_ONE_MAX */
	void (*edited)(void *arg, const struct files_edit *edit); /* or NULL */
	void *arg;
};

struct files_stat {
	int64_t size;
	int64_t mtime_ns;
	uint64_t inode;
};

/*
 * Makes data/, spare/ and conflicts/ where absent, and tries what the file
 * system can do.  `store_fd` stays the caller's, and open.  NULL with an error.
 */
struct files *files_open(int store_fd, const struct files_options *o,
    struct err *e);
void files_close(struct files *f);

/*
 * A table by its name.  `documents` is how many it has, as the index knows it,
 * or 0 where that is not known; the greatest number that was told counts, and
 * what was written since.  The table lives as long as `f`; its directory is
 * made by the first write.  NULL with an error.
 */
struct files_table *files_table(struct files *f, const char *table,
    uint64_t documents, struct err *e);

enum {
	FILES_REDO = 1,		/* what lies there is no edit: don't save it */
	FILES_DRAFTED = 2	/* the thread's draft holds these bytes */
};

/*
 * Makes the file of the thread's next files_write, of the same document and
 * bytes, where nobody sees it: so they need not be on the disk in any way yet.
 * True, and either files_write is told FILES_DRAFTED, or files_undraft follows;
 * false where that can't be done.
 */
bool files_draft(struct files_table *t, unsigned thread,
    const struct path_name *name, const void *p, size_t n);
void files_undraft(struct files *f, unsigned thread);

/*
 * Puts a document, or with a name of NULL the table's own file.  `thread` is
 * below files_options.threads, and no two calls share one at the same time.
 * 0 and *st (may be NULL); or -1, and the old document is still there.
 */
int files_write(struct files_table *t, unsigned thread,
    const struct path_name *name, const void *p, size_t n, int flags,
    struct files_stat *st, struct err *e);

/* Removes it: 1; 0 if there was none; -1. */
int files_remove(struct files_table *t, unsigned thread,
    const struct path_name *name, int flags, struct err *e);

/*
 * Removes the table with all that lies in its directory: from the sight of
 * all at once, from the disk by files_grow. 0 or -1.
 */
int files_drop(struct files_table *t, struct err *e);

enum files_state {
	FILES_ABSENT,
	FILES_OURS,		/* as it was written */
	FILES_EDITED,		/* by hand */
	FILES_STRANGE		/* a link, a directory, a device */
};

/* What lies there, by stat; *st (may be NULL) of a regular file. */
enum files_state files_check(struct files_table *t,
    const struct path_name *name, struct files_stat *st);

/*
 * Appends the document to `out`, with its *st and in *state (both may be NULL)
 * whether it was edited: 1; 0 if there is none; -1 (EFBIG: longer than `out`
 * may be; ELOOP: a link; EINVAL: no regular file).
 */
int files_read(struct files_table *t, const struct path_name *name,
    struct buf *out, struct files_stat *st, enum files_state *state,
    struct err *e);

/* "data/..." below the store's directory, where it lies or would. */
void files_path(struct files_table *t, const struct path_name *name,
    char out[PATH_MAX_BYTES + 5]);

/*
 * Takes what lies there for what was written: after it was read and made the
 * truth. 0; or -1 (EAGAIN: it is not what *st says any more).
 */
int files_seal(struct files_table *t, const struct path_name *name,
    const struct files_stat *st, struct err *e);

/*
 * All that was written is on the disk: file by file where that is little, else
 * (and the first time) the whole file system.  0; or -1, and nothing is known.
 */
int files_sync(struct files *f, struct err *e);

/*
 * Moves up to `max` documents of tables that grow, or removes as many files of
 * dropped ones: how many, 0 if there is nothing to do, -1.  For a thread that
 * has time; see `thread` above.
 */
int files_grow(struct files *f, unsigned thread, unsigned max, struct err *e);

/* Removes the recycled files with what they still hold. 0 or -1. */
int files_forget(struct files *f, struct err *e);

struct files_status {
	bool exchange, leases, seals;	/* what the file system can do */
	uint64_t written, removed;
	uint64_t recycled;	/* written into a file that was there */
	uint64_t in_use;	/* spares dropped because somebody reads them */
	uint64_t edited;	/* saved to conflicts/ */
	uint64_t moved;		/* into deeper directories */
	uint64_t synced;	/* by files_sync, one by one */
	unsigned growing;	/* tables that do so now */
};

void files_status(struct files *f, struct files_status *s);

#endif
