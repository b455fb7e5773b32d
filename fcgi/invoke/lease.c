/*
 * Leases of one pool: a stock, refilled off the request's path, as deep as the
 * function's recent peak of requests, and the line of those who wait for one.
 */
#include "invoke_internal.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

enum {
	DEPTH_LEAST = 4,	/* leases kept ready for a function in use */
	DEPTH_MAX = INVOKE_STOCK,
	ASK_LEAST = LAUNCH_BATCH / 2,	/* fewer wait for company */
	ASK_MOST = INVOKE_STOCK,	/* in one message */
	ASK_AGAIN_MS = 1000,
	PAUSE_STEP_NS = 5000000
};

void
invoke_close_lease(struct lease *l)
{
	io_close(&l->ctl_fd);
	io_close(&l->out_fd);
	io_close(&l->err_fd);
}

/* How many leases are to be ready or on their way. */
static unsigned
depth(const struct invoke_pool *p)
{
	unsigned n = p->peak > p->peak_before ? p->peak : p->peak_before;

	if (p->reusable || p->owner->single)
		return p->waiting;
	n = n + n / 2 + 1;
	if (n < DEPTH_LEAST)
		return DEPTH_LEAST;
	return n < DEPTH_MAX ? n : DEPTH_MAX;
}

/*
 * A few are not worth a message while there are others, or some are on their
 * way: who takes one, or brings them, looks again.
 */
unsigned
invoke_shortage(struct invoke_pool *p)
{
	unsigned want = depth(p), have = p->nstock + p->asked, n;

	if (p->waiting > have && want < p->waiting)
		want = p->waiting;
	if (have >= want)
		return 0;
	n = want - have;
	if (n > ASK_MOST)
		n = ASK_MOST;
	if (p->nstock && !p->waiting && n < ASK_LEAST && 2 * n < want)
		return 0;
	if (p->asked && n < ASK_LEAST)
		return 0;
	p->asked += n;
	return n;
}

static int
ask(struct invoke_pool *p, unsigned n, struct err *e)
{
	struct launch_msg m = invoke_message(p, LAUNCH_LEASE, n);

	if (invoke_send(p->owner, &m, e) == 0)
		return 0;
	pthread_mutex_lock(&p->lock);
	p->asked -= p->asked < n ? p->asked : n;
	pthread_mutex_unlock(&p->lock);
	return -1;
}

static void
count_in(struct invoke_pool *p)
{
	if (++p->in_flight > p->peak)
		p->peak = p->in_flight;
}

/* ---- waiters; all with the lock held ---------------------------------- */

static void
wake_first(struct invoke_pool *p, enum lease_state state)
{
	struct lease_waiter *w = p->waiters;

	p->waiters = w->next;
	if (!p->waiters)
		p->waiters_end = &p->waiters;
	p->waiting--;
	if (state == LEASE_GIVEN)
		count_in(p);
	atomic_store(&w->state, state);
	sem_post(&w->wake);	/* from here on it may be gone */
}

void
invoke_wake_all(struct invoke_pool *p, enum lease_state state)
{
	while (p->waiters)
		wake_first(p, state);
}

static void
forget_waiter(struct invoke_pool *p, struct lease_waiter *w)
{
	struct lease_waiter **at;

	for (at = &p->waiters; *at && *at != w; at = &(*at)->next)
		;
	if (!*at)
		return;
	*at = w->next;
	if (!w->next)
		p->waiters_end = at;
	p->waiting--;
}

bool
invoke_hand_out(struct invoke_pool *p, const struct lease *l)
{
	if (p->waiters) {
		p->waiters->lease = *l;
		wake_first(p, LEASE_GIVEN);
		return true;
	}
	if (p->nstock == INVOKE_STOCK)
		return false;
	p->stock[p->nstock++] = *l;
	return true;
}

static bool
hand_stock(struct invoke_pool *p, struct lease *out)
{
	if (p->nstock == 0)
		return false;
	*out = p->stock[--p->nstock];
	count_in(p);
	return true;
}

/*
 * Leaves the line with `state`, if nothing was handed out meanwhile; `lost`
 * says that what was asked for does not come any more.
 */
static void
leave_line(struct invoke_pool *p, struct lease_waiter *w,
    enum lease_state state, bool lost)
{
	pthread_mutex_lock(&p->lock);
	if (w->state == LEASE_WAITS) {
		forget_waiter(p, w);
		w->state = state;
		if (lost)
			p->asked = 0;
	}
	pthread_mutex_unlock(&p->lock);
}

/* A single-threaded process receives what it waits for itself. */
static bool
pump(struct invoke_pool *p, struct lease_waiter *w, int64_t until_ms)
{
	while (w->state == LEASE_WAITS &&
	    (invoke_pump(p->owner, until_ms) == 0 ||
	        clock_mono_ms() < until_ms))
		;
	return w->state != LEASE_WAITS;
}

/* Until somebody has set the state; false: time was up before. */
static bool
wait_turn(struct lease_waiter *w, int64_t until_ms)
{
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	int rc;

	do
		rc = sem_clockwait(&w->wake, CLOCK_MONOTONIC, &until);
	while (rc < 0 && errno == EINTR);
	return rc == 0;
}

/*
 * With the lock held, which it lets go of.  Stands in line once: the state it
 * left with; LEASE_AGAIN also when what was asked for did not come in time.
 */
static enum lease_state
stand_in_line(struct invoke_pool *p, int64_t deadline_mono_ms,
    struct lease *out, struct err *e)
{
	struct lease_waiter w = {.state = LEASE_WAITS};
	int64_t until_ms = clock_mono_ms() + ASK_AGAIN_MS;
	bool last = until_ms >= deadline_mono_ms;
	enum lease_state state;
	unsigned n;

	if (last)
		until_ms = deadline_mono_ms;
	sem_init(&w.wake, 0, 0);
	*p->waiters_end = &w;
	p->waiters_end = &w.next;
	p->waiting++;
	n = invoke_shortage(p);
	pthread_mutex_unlock(&p->lock);
	if (n && ask(p, n, e) < 0)
		leave_line(p, &w,
		    e->code == EPIPE ? LEASE_AGAIN : LEASE_NO_LAUNCHER, false);
	else if (!(p->owner->single ? pump(p, &w, until_ms)
	                            : wait_turn(&w, until_ms)))
		leave_line(p, &w, last ? LEASE_OVERDUE : LEASE_AGAIN, !last);
	state = w.state;	/* the lease was handed out before it was set */
	sem_destroy(&w.wake);
	*out = w.lease;
	return state;
}

/*
 * A launcher that leaves, or has just gone, is soon replaced: the next try
 * comes later each time.
 */
void
invoke_pause(int tries)
{
	struct timespec t = {0, (tries < 20 ? tries + 1 : 20) * PAUSE_STEP_NS};

	nanosleep(&t, NULL);
}

/* The launcher's last refusal; 0 if another try may go better. */
static int
why_refused(struct invoke_pool *p, struct err *e)
{
	int refusal = 0;

	pthread_mutex_lock(&p->lock);
	if (p->refusal != LAUNCH_LEAVING) {
		err_set(e, 0, "%s", p->refusal_text);
		refusal = (int)p->refusal;
	}
	pthread_mutex_unlock(&p->lock);
	return refusal;
}

/*
 * With the lock held, which it lets go of, and no stock: 0 with a lease, a
 * refusal, or -1.
 */
static int
wait_lease(struct invoke_pool *p, int64_t deadline_mono_ms,
    struct lease *out, struct err *e)
{
	enum lease_state state;
	int tries, refusal;

	for (tries = 0; tries < INVOKE_ASKS; tries++) {
		state = stand_in_line(p, deadline_mono_ms, out, e);
		if (state == LEASE_GIVEN)
			return 0;
		if (state == LEASE_NO_LAUNCHER)
			return LAUNCH_LEAVING;	/* with the reason in *e */
		if (state == LEASE_OVERDUE)
			return err_set(e, ETIMEDOUT, "no process for the "
			    "function came free in time");
		refusal = state == LEASE_REFUSED ? why_refused(p, e) : 0;
		if (refusal)
			return refusal;
		invoke_pause(tries);
		pthread_mutex_lock(&p->lock);
		if (hand_stock(p, out)) {
			pthread_mutex_unlock(&p->lock);
			return 0;
		}
		if (clock_mono_ms() >= deadline_mono_ms)
			break;
	}
	pthread_mutex_unlock(&p->lock);
	err_set(e, 0, "the launcher leaves, and no other came in time");
	return LAUNCH_LEAVING;
}

int
lease_take(struct invoke_pool *p, int64_t deadline_mono_ms,
    struct lease *out, struct err *e)
{
	pthread_mutex_lock(&p->lock);
	if (!hand_stock(p, out))
		return wait_lease(p, deadline_mono_ms, out, e);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

void
lease_refill(struct invoke_pool *p)
{
	struct err ignored;
	unsigned n;

	pthread_mutex_lock(&p->lock);
	n = invoke_shortage(p);
	pthread_mutex_unlock(&p->lock);
	if (n)
		ask(p, n, &ignored);
}

void
lease_return(struct invoke_pool *p, struct lease *l)
{
	bool taken;

	l->idle_since_ms = clock_mono_ms();
	pthread_mutex_lock(&p->lock);
	p->in_flight--;
	taken = invoke_hand_out(p, l);
	pthread_mutex_unlock(&p->lock);
	if (!taken)
		invoke_close_lease(l);
}

void
lease_discard(struct invoke_pool *p, struct lease *l)
{
	pthread_mutex_lock(&p->lock);
	p->in_flight--;
	pthread_mutex_unlock(&p->lock);
	invoke_close_lease(l);
}
