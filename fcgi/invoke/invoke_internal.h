/*
 * What the files of this folder share: the launcher's client and its pools.
 */
#ifndef INVOKE_INTERNAL_H
#define INVOKE_INTERNAL_H

#include "invoke.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/types.h>

enum {
	INVOKE_POOLS = 4096,	/* of all releases in use */
	INVOKE_STOCK = 64,	/* idle leases of one pool */
	INVOKE_ASKS = 64,	/* of one request */
	INVOKE_TEXT = LAUNCH_TEXT_MAX + 1
};

/*
 * Set in tags that name a waiter.  Else a tag is a pool's index and, above it,
 * a number that differs from that of the last pool there: children that were
 * asked for by a pool that is gone are not another's.
 */
#define INVOKE_WAITER_TAG 0x80000000u

/* A thread that waits for one answer; on its stack. */
struct invoke_waiter {
	uint32_t tag;
	uint64_t id;
	bool done;
	struct launch_msg answer;
	char *text;		/* may be NULL */
	size_t text_size;
	struct invoke_waiter *next;
};

enum lease_state {
	LEASE_WAITS,
	LEASE_GIVEN,
	LEASE_REFUSED,
	LEASE_AGAIN,
	LEASE_OVERDUE,		/* the request's own time was up */
	LEASE_NO_LAUNCHER	/* none can be had: not worth another try */
};

/*
 * A worker that waits for a lease; on its stack.  Woken it takes no lock: who
 * hands out a whole batch holds the pool's, and all would wait once more.
 */
struct lease_waiter {
	sem_t wake;		/* posted once `state` is no more LEASE_WAITS */
	_Atomic enum lease_state state;
	struct lease lease;
	struct lease_waiter *next;
};

/*
 * Invariants, under the pool's lock:
 *  1. stock[0..nstock) are leases nobody uses, the latest last; none lies
 *     there while somebody waits.
 *  2. asked counts the children asked of the present connection and not yet
 *     come; a new connection starts at 0.
 *  3. in_flight counts leases between lease_take and return or drop.
 */
struct invoke_pool {
	struct invoke *owner;
	const struct snapshot *snapshot;
	const struct snap_function *fn;
	uint32_t function, tag;
	bool reusable;		/* children come back: lease_return */
	pthread_mutex_t lock;
	struct lease_waiter *waiters, **waiters_end;	/* oldest first */
	struct lease stock[INVOKE_STOCK];
	unsigned nstock, asked, in_flight, waiting;
	unsigned peak, peak_before;	/* in flight, by window */
	int64_t window_ms, wanted_ms;
	uint32_t refusal;	/* enum launch_refusal of the last */
	char refusal_text[512];
};

struct invoke {
	pthread_mutex_t lock;
	pthread_cond_t connected, answered;
	pthread_t thread;
	char *site_dir, *state_dir, *launcher, *text;
	bool private_launcher, single, ending;
	int fd;			/* -1: not connected */
	unsigned epoch;		/* grows with each connection and its end */
	uint32_t last_tag, pools_made;
	int64_t failed_ms;
	struct err failure;
	struct invoke_waiter *waiters;
	struct invoke_pool *pools[INVOKE_POOLS];
};

/* Sends, connecting first if need be: 0, or -1 with the error set. */
int invoke_send(struct invoke *v, struct launch_msg *m, struct err *e);

/* Sends if there is a connection. */
void invoke_tell(struct invoke *v, struct launch_msg *m);

/* Sends and waits for the answer to this thread: 0 and w->answer, or -1. */
int invoke_ask(struct invoke *v, struct launch_msg *m,
    struct invoke_waiter *w, int64_t deadline_mono_ms, struct err *e);

/*
 * For a single-threaded process, without locks: receives one message and
 * carries it out.  0, or -1 if none came until the deadline.
 */
int invoke_pump(struct invoke *v, int64_t deadline_mono_ms);

/* LEASED or REFUSED for a pool: 0 if the descriptors were taken. */
int invoke_pool_answer(struct invoke *v, const struct launch_msg *m,
    const char *text, const int *fds, size_t nfds);

/* With `lock` held: nobody gets what was asked of the connection. */
void invoke_pools_disconnected(struct invoke *v);

/* A message of that type about the pool's function. */
struct launch_msg invoke_message(const struct invoke_pool *p, uint32_t type,
    uint32_t count);

void invoke_close_lease(struct lease *l);

/* ---- with the pool's lock held ---------------------------------------- */

/* How many children to ask for now; they count as asked. */
unsigned invoke_shortage(struct invoke_pool *p);

/* A lease for whoever waits longest, else into the stock; false: no room. */
bool invoke_hand_out(struct invoke_pool *p, const struct lease *l);

/* All who wait leave the line with that state. */
void invoke_wake_all(struct invoke_pool *p, enum lease_state state);

/* Lets all idle leases go. */
void invoke_drop_stock(struct invoke_pool *p);

/* ---- without ---------------------------------------------------------- */

/* Waits before the next try at a launcher that leaves, longer each time. */
void invoke_pause(int tries);

#endif
