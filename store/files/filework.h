/*
 * The file threads: they bring to the files what the journal holds.  Part of
 * bothy-store; the writer thread hands over, and doesn't wait for a disk here.
 *
 * In order per document, and the newest image wins: one that waits is replaced
 * by a newer one, so that ten updates cost one write.  Documents that somebody
 * waits for go first.  What fails (no space, no descriptors) stays here and is
 * tried again, without end and with growing pauses; reads don't notice.  When
 * little waits, the threads move documents of tables that grow.
 *
 * Where little waits, and nobody for it, a thread lets more come for some
 * milliseconds: to be woken for each document would take a core from the
 * client's next write, half of that one's time.
 *
 * A table should be made known by files_table() first, with the number of its
 * documents; one that isn't is taken to have none.
 *
 * A position is one of the journal: filework_put is told where the line of
 * the change begins, filework_reach where the last one ends.
 *
 * Sequence of the writer thread, for each batch:
 *     filework_wait_room       before a line is added to the journal
 *     journal_send, filework_draft     with one document to be written, or none
 *     journal_sync, index_commit
 *     filework_put...          for each document that changed, in order
 *     filework_ticket_close... for each operation that waits for its files
 *     filework_reach           wakes the threads
 */
#ifndef FILES_FILEWORK_H
#define FILES_FILEWORK_H

#include "files.h"

enum {
	FILEWORK_DOCUMENTS = 10000,	/* waiting; then writers wait */
	FILEWORK_BYTES = 64 << 20,
	FILEWORK_THREADS = 2,
	FILEWORK_LINGER_MS = 5,		/* with less than... */
	FILEWORK_LITTLE = 64		/* ...so many documents */
};

struct filework;

/*
 * One document that is as the journal said; told by a file thread.  Nobody
 * needs to keep `st`: files.h tells edited files without it.
 */
struct filework_done {
	const char *table;
	const struct path_key *key;	/* NULL: the table's own file */
	uint64_t position;		/* of the image that was written */
	bool removed;
	struct files_stat st;		/* zeros if removed */
};

struct filework_options {
	unsigned threads;	/* 0: FILEWORK_THREADS; as of files_options */
	size_t max_documents, max_bytes;	/* 0: as above */
	uint64_t position;	/* all before it lies in files already */

	/*
	 * Makes what the file will hold of the bytes that were put; run by a
	 * file thread.  NULL: the bytes themselves.  0; -1 is never tried
	 * again before filework_free, so fail for want of memory alone.
	 */
	int (*render)(void *arg, const char *table, const void *p, size_t n,
	    struct buf *out, struct err *e);
	void (*written)(void *arg, const struct filework_done *d); /* or NULL */
	void *arg;
};

/* Starts the threads. NULL with an error. `f` stays the caller's. */
struct filework *filework_new(struct files *f,
    const struct filework_options *o, struct err *e);

/* The store is closing: filework_put no more waits for memory. */
void filework_leave(struct filework *w);

/* Ends them; what still waits is dropped (the journal has it). */
void filework_free(struct filework *w);

/*
 * One operation that waits for its files: the caller's storage, untouched by
 * it until `done` is called, once, by a file thread or from within
 * filework_ticket_close.  `error` is 0; or the errno of a first try that
 * failed (the write stands, its file comes later); or ECANCELED at the end.
 */
struct filework_ticket {
	void (*done)(struct filework_ticket *t, int error);
	void *arg;
	/* filework's own: */
	size_t left;
	bool closed;
	int error;
};

void filework_ticket_init(struct filework_ticket *t,
    void (*done)(struct filework_ticket *t, int error), void *arg);
void filework_ticket_close(struct filework *w, struct filework_ticket *t);

/*
 * Does the one job that there is, if there is no other, in the calling thread,
 * whose number is one of files_options and no file thread's.
 */
void filework_do_only(struct filework *w, unsigned thread);

/*
 * Makes the file of an image that filework_put is to be given, and
 * filework_do_only to do; nobody sees it before, so it may be done while the
 * journal is still on its way to the disk.  With other jobs there it does
 * nothing.  What was made for an image that isn't put goes by
 * filework_undraft.  As filework_do_only for the thread; one at a time.
 */
void filework_draft(struct filework *w, unsigned thread, const char *table,
    const struct path_key *key, uint64_t position, const void *p, size_t n);
void filework_undraft(struct filework *w);

/*
 * Hands over an image, copied; `p` NULL removes the document.  With `key` NULL
 * it is the table's own file, and with both NULL the table is dropped whole.
 * `ticket` may be NULL.  Positions never go back.
 *
 * 0; or -1 (ENOMEM, when waiting for memory can't help): then files lag behind
 * the journal until the next start.
 */
int filework_put(struct filework *w, const char *table,
    const struct path_key *key, uint64_t position, const void *p, size_t n,
    int flags, struct filework_ticket *ticket, struct err *e);

/* All changes before `position` were handed over. */
void filework_reach(struct filework *w, uint64_t position);

/*
 * Waits until less than the bounds waits: true; false after `timeout_ms` (0:
 * only looks; -1: for ever).
 */
bool filework_wait_room(struct filework *w, int timeout_ms);

/* All changes before this position lie in files. */
uint64_t filework_applied(struct filework *w);

/* Waits until they do; or until nothing waits. As filework_wait_room. */
bool filework_wait(struct filework *w, uint64_t position, int timeout_ms);
bool filework_drain(struct filework *w, int timeout_ms);

struct filework_status {
	size_t documents, bytes;	/* that wait */
	uint64_t reached, applied;
	uint64_t written, replaced;	/* images that a newer one replaced */
	uint64_t failures;		/* tries that failed, ever */
	int error;			/* of the last try; 0 after a success */
	char text[256];			/* of that error, "" without */
};

void filework_status(struct filework *w, struct filework_status *s);

#endif
