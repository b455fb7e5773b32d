/*
 * What the files of files.h share among themselves.
 *
 * Invariants:
 *   1. level and moving of a table change under its lock held for writing;
 *      what names a file by them holds it for reading.  Nobody holds it for
 *      long: a move takes it for a few renames at a time.
 *   2. `.fanout` on the disk says `level` or, while `moving`, says so, before
 *      a document is given a name of that level.
 *   3. Documents at a lesser level are older than those of the same name at
 *      `level`, and exist only while `moving`.
 */
#ifndef FILES_FILES_INTERNAL_H
#define FILES_FILES_INTERNAL_H

#include "files.h"
#include "spare.h"
#include "unsynced.h"

#include "store/base/map.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum {
	FILES_DIR_MODE = 0700,
	FILES_DOCUMENT_MAX = 8 << 20	/* bytes of a file that is read */
};

/* How far a table's documents have been looked through to be moved. */
struct files_walk {
	DIR *top, *sub;		/* the table's directory; one of its xx/ */
	char xx[3];		/* of `sub` */
	bool found;		/* this pass found one to move */
};

struct files_table {
	struct files *files;
	char name[TABLE_NAME_MAX + 1];
	char dir[PATH_NAME_MAX + 1];
	uint64_t salt;		/* of its seals */
	pthread_rwlock_t lock;
	unsigned level;
	bool moving;
	uint64_t settled;	/* moving, and nothing is left: which time */
	_Atomic uint64_t documents;
	struct files_walk walk;	/* files.growing guards it */
};

struct files_thread {
	pthread_mutex_t lock;	/* taken before that of a table */
	struct spares spares;
	struct spare_file draft;	/* written and closed, no document yet */
	struct files_stat drafted;
};

struct files {
	int store_fd;		/* the caller's */
	int data_fd, spare_fd, conflicts_fd;
	struct files_options options;
	bool exchange, leases, seals;
	struct files_thread *threads;	/* options.threads */
	struct unsynced unsynced;

	pthread_mutex_t tables_lock;
	struct map tables;	/* name -> struct files_table */

	pthread_mutex_t growing;	/* one grows at a time */
	struct arena arena;	/* for names; `growing` guards it */
	uint64_t settlings;	/* tables that settled; `growing` too */
	_Atomic bool crowded;	/* a table has to grow, or grows */
	_Atomic bool clearing;	/* dropped tables lie in spare/ */
	_Atomic uint64_t dropped;	/* names given to them */

	_Atomic uint64_t written, removed, recycled, in_use, edited, moved,
	    synced;
};

/* --- files.c -------------------------------------------------------------- */

/* The document's part of a seal; `name` NULL is the table's own file. */
uint64_t files_salt(const struct files_table *t, const struct path_name *name);

/* Where it lies at a level, below data/. */
void files_place(const struct files_table *t, unsigned level,
    const struct path_name *name, char out[PATH_MAX_BYTES]);

/* Makes the directories that `path` needs. 0, or -1 with errno. */
int files_parents(struct files *f, const char *path);

/* --- files_write.c -------------------------------------------------------- */

/*
 * Takes a file that lies at `path` away, its name to the spares; one that was
 * edited is saved, unless it is FILES_REDO.  1; 0 if there is none; -1.
 */
int files_take_away(struct files_table *t, struct spares *spares,
    const char *path, const struct path_name *name, int flags,
    struct err *e);

/* --- files_aside.c -------------------------------------------------------- */

/*
 * Saves what lies at `path` below `dir_fd` to conflicts/: under a second name
 * if `link`, else by moving it there; and tells of it.  0 or -1.
 */
int files_aside(struct files_table *t, int dir_fd, const char *path,
    const struct path_name *name, bool link, struct err *e);

/* --- files_read.c --------------------------------------------------------- */

enum files_state files_state_of(const struct files_table *t,
    const struct path_name *name, const struct stat *st);
struct files_stat files_stat_of(const struct stat *st);

/* --- files_fan.c ---------------------------------------------------------- */

/* Reads data/<table>/.fanout, or sees from the directories how it must be. */
int files_fan_read(struct files_table *t, struct err *e);

/* Puts it on the disk. 0 or -1. */
int files_fan_write(const struct files_table *t, unsigned level, bool moving,
    struct err *e);

/* --- files_grow.c --------------------------------------------------------- */

/* How deep its documents should lie, by their number. */
unsigned files_level(const struct files_table *t);

void files_walk_end(struct files_walk *w);

/* "ab": a directory of documents. */
bool files_is_fan(const char *name);

/* --- files_clear.c -------------------------------------------------------- */

/* Removes what an earlier run left in spare/. */
int files_clear_start(struct files *f, struct err *e);

/* Removes up to `max` files of dropped tables: how many, or -1. */
int files_clear(struct files *f, unsigned max, struct err *e);

#endif
