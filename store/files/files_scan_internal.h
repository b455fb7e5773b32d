/*
 * What the files of files_scan.h share.
 */
#ifndef FILES_FILES_SCAN_INTERNAL_H
#define FILES_FILES_SCAN_INTERNAL_H

#include "files_scan.h"

#include "files_internal.h"

struct scan_dir {
	struct scan_dir *next;
	struct files_table *table;	/* NULL: data/ itself */
	unsigned depth;			/* directories below the table's */
	char path[PATH_MAX_BYTES];	/* below data/ */
};

struct scan {
	struct files *files;
	const struct files_scan_options *options;
	struct err *e;			/* set by who sets `result` */
	_Atomic int result;
	_Atomic uint64_t documents;
	pthread_mutex_t progress;
	pthread_mutex_t lock;		/* of what follows, and of `e` */
	pthread_cond_t changed;
	struct scan_dir *stack;
	unsigned busy;			/* threads that may put more on it */
	unsigned started;
};

struct scanner {
	struct scan *scan;
	unsigned thread;
	struct arena arena;
	struct buf bytes;
	struct scan_dir *deeper;	/* found in this directory */
};

/* --- files_scan_entry.c --------------------------------------------------- */

/*
 * Tells of what lies in the directory `fd` under a name.  0; -1; or what
 * `each` gave.
 */
int scan_entry(struct scanner *me, const struct scan_dir *d, int fd,
    const char *name, bool table_file, struct err *e);

/* The same of one that may be no directory, or can't be read. */
int scan_tell_dir(struct scanner *me, const struct scan_dir *d, int error,
    struct err *e);

#endif
