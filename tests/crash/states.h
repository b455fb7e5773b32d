/*
 * What the files of the replayer share: states.c makes the states, verdict.c
 * has them checked, nested.c crashes again during the recovery.
 */
#ifndef CRASH_STATES_H
#define CRASH_STATES_H

#include "model.h"

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOG_MAX = 512 << 20,
	PATH_BYTES = 600,
	CHECKER_MAX = 16	/* words of the checker's command */
};

struct options {
	const char *log, *work, *recorder;
	long states, rot, nest;
	uint64_t seed;
	bool first;
	char **checker;
	int nchecker;
};

/* One log, and what of it has been checked. */
struct run {
	const struct options *o;
	const char *work;
	struct buf log;
	const struct record **records;
	size_t count, room;
	size_t first;		/* record after which a crash is tried */
	struct buf before;	/* what was sent before the log began */
	struct buf sent;	/* up to the record in question */
	struct map seen;	/* hashes of states */
	uint64_t random;
	bool midst;		/* crashes come in the midst of a write */
	size_t writes;		/* records that are one */
	long wanted, made, failed;
	long inner;		/* states of second crashes */
	long kept;		/* of those that failed */
	const char *mode;
	bool nested;
};

/* The moment of a crash, and how its state was made. */
struct moment {
	const struct model *m;
	size_t at;		/* number of records before it */
	size_t torn;		/* the write that is torn, and how */
	enum tear tear;
};

/* Ends the program, with errno. */
void die(const char *what) __attribute__((noreturn));

/* True once in n times. */
bool one_in(struct run *run, uint64_t n);

void run_init(struct run *run, const struct options *o, const char *work,
    const char *log, uint64_t seed);
void run_release(struct run *run);

/* Makes `wanted` more states and has each checked in this way. */
void explore(struct run *run, const char *mode, long wanted);

/* --- verdict.c ---------------------------------------------------------- */

/* Changes a byte or two in a line of one of the journal's segments. */
void rot(struct run *run, const char *state);

/* Calls the checker, its words going to a file: its wait status. */
int ask(const struct run *run, const char *state, const char *sent,
    const char *mode, const char *output);

/* Says what failed, and how its state was made. */
void report(struct run *run, const struct moment *when, int status,
    const char *output);

/* Leaves the state for who wants to look, and says how to ask again. */
void keep(struct run *run, const char *state, const char *sent);

/* --- nested.c ----------------------------------------------------------- */

/*
 * Recovers from a state under the recorder, and crashes in between: true if
 * all is well.  Where it isn't, the recovery's log and the states that failed
 * are left in nested-N, beside the state.
 */
bool explore_nested(struct run *outer, const char *state);

#endif
