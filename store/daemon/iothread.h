/*
 * An I/O thread: an epoll set of connections, and what comes back to them.
 * A connection and its calls are touched by their own thread alone; another
 * thread that has a reply gives it to iothread_return().
 *
 * Writes of a turn are gathered, and the store's writer is woken once.  Where
 * one connection has the thread to itself and one write under way, the thread
 * is the writer (commit_gathered): nobody else waits for it meanwhile.
 */
#ifndef DAEMON_IOTHREAD_H
#define DAEMON_IOTHREAD_H

#include "store/base/err.h"
#include "store/engine/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct conn;
struct outgoing;
struct server;

enum {
	IOTHREAD_SCRATCH = 256 * 1024,	/* one read of a socket */
	IOTHREAD_CALLS_KEPT = 256	/* for the next requests */
};

struct iothread {
	struct server *server;
	pthread_t thread;
	bool runs;
	int epoll_fd;
	int wake_fd;			/* edge-triggered: never read */
	struct store_view view;
	char *scratch;			/* IOTHREAD_SCRATCH bytes */
	int64_t now_ms, wall_ms;	/* of this turn; mono and wall clock */
	int64_t ticked_ms;
	bool leaving;			/* all sockets are shut for reading */
	bool starved;			/* a connection waits for memory */
	bool gathered;			/* writes, in this turn */
	atomic_bool writes;		/* it commits a write of its own */
	bool watches;			/* it has, and looks before it sleeps */

	/*
	 * Invariants: what others return is put on `returned` first, then
	 * `asleep` is looked at; this thread sets `asleep`, then looks at
	 * `returned`.  So one of them sees the other, and a thread that is
	 * awake costs nobody a system call.
	 */
	atomic_bool asleep;
	atomic_uint paused;		/* connections that aren't read: what
					 * ends may let them go on */
	_Atomic(struct outgoing *) returned;	/* the newest first */

	struct conn *again;		/* to go on with, this turn */
	struct conn *dead;		/* to be freed when the turn ends */
	struct call *calls;		/* free ones */
	unsigned ncalls;

	pthread_mutex_t lock;		/* of `conns` */
	struct conn *conns;
};

int iothread_start(struct iothread *io, struct server *s, struct err *e);

/* Waits for its end, which comes when the server leaves and all are gone. */
void iothread_stop(struct iothread *io);

/* When no other thread can return anything: some may still be waking it. */
void iothread_release(struct iothread *io);

/* Takes a connection over: 0, or -1 with errno. */
int iothread_add(struct iothread *io, struct conn *c);

/* A reply or a note on progress goes back to its connection; any thread. */
void iothread_return(struct iothread *io, struct outgoing *o);

/* The thread looks at its connection `c` again, in this turn or the next. */
void iothread_again(struct iothread *io, struct conn *c);

/* Wakes it, to look at server->leaving; any thread. */
void iothread_wake(struct iothread *io);

/* True in the thread itself. */
bool iothread_is_here(const struct iothread *io);

#endif
