/*
 * A store that is drilled by document_store: its state, and how it is asked.
 * drill.c has the operations, document_check.c the comparing, document_store.c
 * the rest.
 */
#ifndef CRASH_DRILL_H
#define CRASH_DRILL_H

#include "documents.h"

#include "store/op/op.h"

#include <pthread.h>

#define BACKUP "backup-%u"	/* the name of one, by the last operation */

enum {
	AT_ONCE = 6,		/* operations that wait together */
	OPERATIONS_LEFT = 2 * AT_ONCE,	/* for who comes after the work */
	REPLY_MAX = 1 << 20,
	OTHER_RUN = 999,	/* of what a checker adds */
	RECOVER_RUN = 900,
	FIRST_RUN = 100,
	REFUSED = 3		/* exit status: an error that was told */
};

/* What a commit of the history holds. */
struct past {
	bool there;
	uint64_t position;
	uint32_t m;			/* the last operation */
	struct document all[DOCUMENTS_ALL];
};

struct drill {
	const char *path;
	struct store *store;
	struct store_view view;
	int sockets[2];
	uint32_t run;
	uint64_t random;
	struct history_of_runs runs;
	struct document found[DOCUMENTS_ALL];	/* by count_done */
	struct past tip, backup;		/* by read_history */
	uint32_t m;		/* operations done or under way */
	bool failed;		/* one was refused */
	bool quiet;		/* a checker's: promises nothing */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned waiting;	/* operations */
	uint32_t told;		/* the greatest m that was told to be done */
	bool ends;		/* nobody looks on any more */
};

/* Says what is wrong, and ends the program with 1. */
void bad(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* Tells a promise: over the socket, and to the standard output. */
void promise(struct drill *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The next number of its sequence, less than n. */
uint64_t below(struct drill *d, uint64_t n);

/* Opens the store: 0, or -1 and the error; and closes it. */
int come(struct drill *d, struct err *e);
void leave(struct drill *d);

/* --- operations: what is refused sets d->failed ------------------------- */

struct call {
	struct drill *d;
	struct op op;
	struct buf body, out;
	uint32_t m;		/* promised when it is done; 0: nothing is */
	bool aside;		/* a read of a thread that nobody waits for */
};

void call_init(struct call *c, struct drill *d);
void call_release(struct call *c);

/* The request in c->body, and its reply in c->out: its status. */
int ask(struct call *c, int operation);

/* The next operations of the store's life, `count` at once. */
void write_some(struct drill *d, uint32_t count);

/*
 * A thread that reads while operations wait: what it has seen is done.  Runs
 * from start to end, between come and leave; 0 if there can be none.
 */
pthread_t start_looking_on(struct drill *d);
void stop_looking_on(struct drill *d, pthread_t thread);

/* The three tables: are they there, and make those that aren't. */
bool has_tables(struct drill *d);
void make_tables(struct drill *d);

/* A document as it is read; the reply's text goes to `out`. */
struct document get(struct drill *d, size_t i, struct buf *out);

/* How many operations were done, and by whom the last: reads all documents. */
uint32_t count_done(struct drill *d, uint32_t *run);

/* --- document_history.c ------------------------------------------------- */

/*
 * Reads the history before the store is opened: its tip and the backup that
 * was promised after operation `backup` (0: none), and holds them against the
 * journal.  Then, once it is known who did what: against that.
 */
void read_history(struct drill *d, uint32_t backup);
void compare_history(const struct drill *d);

/* --- document_check.c --------------------------------------------------- */

/*
 * The index may have been written through memory, which the recorder doesn't
 * see: what is there after a crash is junk, but for its head, so that whoever
 * trusts it opens it.  One that was closed must have lasted, and stays if the
 * recorder saw it written; else it is only gone.
 */
void damage_index(struct drill *d);

/* Recovers, and sees that what the file `sent` promises is there. */
int check(struct drill *d, const char *sent);

#endif
