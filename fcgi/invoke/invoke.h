/*
 * The gateway's side of functions: leases children from the launcher ahead of
 * time, and gives them out to worker threads.
 *
 * One struct invoke a process (bothy-fcgi; or bothy, which invokes without a
 * web server).  A thread of its own receives what the launcher sends; workers
 * call the rest.  It starts the launcher on first use and finds a new one when
 * that has gone.  It never forks a function and reads none of its replies:
 * that is run.h.
 */
#ifndef INVOKE_INVOKE_H
#define INVOKE_INVOKE_H

#include "fcgi/conf/snapshot.h"
#include "fcgi/launch/proto.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct invoke;

struct invoke_options {
	const char *site_dir, *state_dir;	/* absolute; copied */
	const char *launcher;	/* path of bothy-launch; NULL: beside us */
	bool private_launcher;	/* one of our own, which ends with us */
	bool single;		/* one thread, which receives as it waits */
};

/* Starts the receiving thread, unless single; connects on first use. */
struct invoke *invoke_new(const struct invoke_options *o, struct err *e);

/* Ends the thread and the connection; all pools must be free. */
void invoke_free(struct invoke *v);

/* Lets idle leases go; call about once a second. */
void invoke_tick(struct invoke *v, int64_t now_ms);

/* A function of a release. */
struct invoke_pool;

/* `s` outlives the pool.  NULL without memory. */
struct invoke_pool *invoke_pool_new(struct invoke *v,
    const struct snapshot *s, uint32_t function);
void invoke_pool_free(struct invoke_pool *p);

/* Has the launcher start the zygote (and `warm` children) now. */
void invoke_pool_warm(struct invoke_pool *p);

/* A child, and what belongs to it. */
struct lease {
	uint64_t id;
	int ctl_fd;
	int out_fd, err_fd;	/* read ends; -1 before its first request */
	int64_t idle_since_ms;
};

/*
 * Takes a child, waiting until `deadline_mono_ms` if none is ready.  0; or an
 * enum launch_refusal with the error set; or -1 when time is up.
 */
int lease_take(struct invoke_pool *p, int64_t deadline_mono_ms,
    struct lease *out, struct err *e);

/* Asks for what the stock lacks now: after a take, off the request's path. */
void lease_refill(struct invoke_pool *p);

/* Gives a child back that serves another request. */
void lease_return(struct invoke_pool *p, struct lease *l);

/* Lets a child go that is done (`kill`: ends it first). */
void lease_drop(struct invoke_pool *p, struct lease *l, bool kill);

/* A new child is tried in place of one that never began: no in-flight change. */
void lease_discard(struct invoke_pool *p, struct lease *l);

/* Lets go of those in stock that are dead: one that was taken was. */
void lease_sweep(struct invoke_pool *p);

/* Has the launcher signal a leased child. */
void lease_signal(const struct invoke_pool *p, const struct lease *l,
    int sig);

/* Its request takes long: the launcher is to watch memory and deadline. */
void lease_watch(struct invoke_pool *p, const struct lease *l,
    int64_t deadline_mono_ms);

/* The watched request is over, and the child goes on. */
void lease_rest(struct invoke_pool *p, const struct lease *l);

/* It crashed: no more children of this zygote. */
void lease_retire(struct invoke_pool *p, const struct lease *l);

/*
 * How a child ended that did not say so itself: 0 and *m (LAUNCH_EXIT), or -1
 * after `wait_ms`.
 */
int lease_report(struct invoke_pool *p, const struct lease *l, int wait_ms,
    struct launch_msg *m);

/*
 * A unit of the function's reservedConcurrency: 0 and its id (0 if the
 * function has none reserved), or as lease_take.
 */
int slot_take(struct invoke_pool *p, int64_t deadline_mono_ms, uint64_t *id,
    struct err *e);
void slot_give(struct invoke_pool *p, uint64_t id);

/* Asks for the launcher's status as JSON into `text`. 0 or -1. */
int invoke_status(struct invoke *v, char *text, size_t size, struct err *e);

const struct snap_function *invoke_pool_function(const struct invoke_pool *p);

#endif
