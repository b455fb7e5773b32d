/*
 * All files below data/, read by some threads: for an index that is built
 * again, and for a check.
 *
 * What is written meanwhile is told as it was or as it is; a document that is
 * moved meanwhile (files.h) may be told twice, and is never left out.
 */
#ifndef FILES_FILES_SCAN_H
#define FILES_FILES_SCAN_H

#include "files.h"

enum files_kind {
	FILES_DOCUMENT,
	FILES_TABLE_FILE,	/* the table's own, before its documents */
	FILES_FOREIGN,		/* no document, or not where one is looked for */
	FILES_UNREADABLE	/* `error` says why */
};

/* Borrowed until the call is over. */
struct files_found {
	enum files_kind kind;
	const char *path;	/* below the store's directory */
	const char *table;	/* NULL: what is foreign lies in no table */
	const struct path_name *name;	/* of a document */
	const struct path_key *key;	/* NULL: its name is cut */
	const char *p;		/* its bytes; NULL without `read` */
	size_t n;
	struct files_stat st;
	enum files_state state;	/* FILES_OURS or FILES_EDITED */
	int error;		/* an errno */
	unsigned thread;	/* below files_scan_options.threads */
};

struct files_scan_options {
	const char *table;	/* NULL: all */
	unsigned threads;	/* 1 to FILES_THREADS_MAX */
	bool read;		/* the documents' bytes, too */

	/* Called by all threads at once; what isn't 0 ends the scan. */
	int (*each)(void *arg, const struct files_found *found, struct err *e);

	/* Now and then, by one thread at a time; or NULL. */
	void (*progress)(void *arg, uint64_t documents);
	void *arg;
};

/*
 * 0; what `each` gave first, with its error; or -1 and an error.  Tables that
 * are in no files_table() yet are made known with no documents.
 */
int files_scan(struct files *f, const struct files_scan_options *o,
    struct err *e);

#endif
