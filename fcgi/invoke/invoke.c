/*
 * The launcher's client within a threaded process: one connection, one thread
 * that receives, and waiters of many kinds.
 *
 * Locks: `lock` guards the connection, the tables and the waiters; a pool's
 * own lock guards its stock.  A pool's lock may be taken with `lock` held,
 * never the other way round.
 */
#include "invoke_internal.h"

#include "link.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	RECONNECT_PAUSE_MS = 200,
	SEND_PAUSE_MS = 1,
	SEND_WAIT_MS = 2000,	/* a launcher that reads nothing so long hangs */
	STACK_BYTES = 256 * 1024
};

/* ---- connection ------------------------------------------------------- */

/* With `lock` held: a connection, made if there is none. 0 or -1. */
static int
connect_locked(struct invoke *v, struct err *e)
{
	struct link_options o = {v->site_dir, v->state_dir, v->launcher,
	    v->private_launcher, true};

	if (v->fd >= 0)
		return 0;
	if (v->failed_ms &&
	    clock_mono_ms() - v->failed_ms < RECONNECT_PAUSE_MS) {
		*e = v->failure;
		return -1;
	}
	v->fd = link_open(&o, e);
	if (v->fd < 0) {
		v->failure = *e;
		v->failed_ms = clock_mono_ms();
		return -1;
	}
	v->failed_ms = 0;
	v->epoch++;
	pthread_cond_broadcast(&v->connected);
	return 0;
}

/*
 * With `lock` held and a connection: 0 or -1.  Lets go of the lock while the
 * launcher is slow: the receiving thread needs it, and if both sides waited
 * for the other to read neither would.
 */
static int
send_locked(struct invoke *v, struct launch_msg *m)
{
	static const struct timespec PAUSE = {0, SEND_PAUSE_MS * 1000000L};
	unsigned epoch = v->epoch;
	int waited_ms = 0;

	while (link_send(v->fd, m) < 0) {
		if (errno != EAGAIN || waited_ms >= SEND_WAIT_MS) {
			/* The receiver sees the end. */
			shutdown(v->fd, SHUT_RDWR);
			errno = EPIPE;
			return -1;
		}
		pthread_mutex_unlock(&v->lock);
		nanosleep(&PAUSE, NULL);
		waited_ms += SEND_PAUSE_MS;
		pthread_mutex_lock(&v->lock);
		if (v->epoch != epoch || v->fd < 0) {
			errno = EPIPE;
			return -1;
		}
	}
	return 0;
}

int
invoke_send(struct invoke *v, struct launch_msg *m, struct err *e)
{
	int rc;

	pthread_mutex_lock(&v->lock);
	rc = connect_locked(v, e);
	if (rc == 0 && send_locked(v, m) < 0)
		rc = err_sys(e, "cannot reach bothy-launch");
	pthread_mutex_unlock(&v->lock);
	return rc;
}

/* For what may be lost with the connection: sent only if there is one. */
void
invoke_tell(struct invoke *v, struct launch_msg *m)
{
	pthread_mutex_lock(&v->lock);
	if (v->fd >= 0)
		send_locked(v, m);
	pthread_mutex_unlock(&v->lock);
}

/* ---- waiters ---------------------------------------------------------- */

/*
 * An answer to one waiting thread, by tag (slots) or by id (reports); false
 * if nobody waits for it any more.
 */
static bool
wake_waiter(struct invoke *v, const struct launch_msg *m, const char *text)
{
	struct invoke_waiter *w;

	pthread_mutex_lock(&v->lock);
	for (w = v->waiters; w; w = w->next)
		if (m->type == LAUNCH_EXIT ? w->id == m->id && w->id
		                           : w->tag == m->tag && w->tag) {
			w->answer = *m;
			if (w->text)
				snprintf(w->text, w->text_size, "%s", text);
			w->done = true;
			pthread_cond_broadcast(&v->answered);
			break;
		}
	pthread_mutex_unlock(&v->lock);
	return w != NULL;
}

static int
pump_locked(struct invoke *v, int64_t deadline_mono_ms)
{
	int rc;

	pthread_mutex_unlock(&v->lock);
	rc = invoke_pump(v, deadline_mono_ms);
	pthread_mutex_lock(&v->lock);
	return rc < 0 ? ETIMEDOUT : 0;
}

int
invoke_ask(struct invoke *v, struct launch_msg *m, struct invoke_waiter *w,
    int64_t deadline_mono_ms, struct err *e)
{
	struct timespec until = {.tv_sec = deadline_mono_ms / 1000,
	    .tv_nsec = deadline_mono_ms % 1000 * 1000000};
	struct invoke_waiter **at;
	unsigned epoch;
	int rc = 0;

	pthread_mutex_lock(&v->lock);
	if (connect_locked(v, e) < 0) {
		pthread_mutex_unlock(&v->lock);
		return -1;
	}
	epoch = v->epoch;
	w->done = false;
	w->id = m->type == LAUNCH_REPORT ? m->id : 0;
	w->tag = w->id ? 0 : INVOKE_WAITER_TAG | ++v->last_tag;
	m->tag = w->tag;
	w->next = v->waiters;
	v->waiters = w;
	if (send_locked(v, m) < 0)
		rc = EPIPE;
	while (!w->done && rc == 0 && epoch == v->epoch && v->fd >= 0)
		rc = v->single ? pump_locked(v, deadline_mono_ms)
		               : pthread_cond_clockwait(&v->answered,
		                     &v->lock, CLOCK_MONOTONIC, &until);
	for (at = &v->waiters; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	pthread_mutex_unlock(&v->lock);
	if (w->done)
		return 0;
	return err_set(e, rc == ETIMEDOUT ? ETIMEDOUT : EPIPE,
	    rc == ETIMEDOUT ? "bothy-launch did not answer in time"
	                    : "bothy-launch went away");
}

/* ---- the receiving thread --------------------------------------------- */

static void
dispatch(struct invoke *v, const struct launch_msg *m, const char *text,
    const int *fds, size_t nfds)
{
	struct launch_msg back = {.type = LAUNCH_RELEASE, .id = m->id};
	size_t i;

	if ((m->type == LAUNCH_LEASED || m->type == LAUNCH_REFUSED) &&
	    !(m->tag & INVOKE_WAITER_TAG)) {
		if (invoke_pool_answer(v, m, text, fds, nfds) == 0)
			return;
	} else if (!wake_waiter(v, m, text) && m->type == LAUNCH_GRANTED)
		invoke_tell(v, &back);	/* it came too late */
	for (i = 0; i < nfds; i++)
		close(fds[i]);
}

/* The connection ended: who waits on it must not wait on. */
static void
disconnected(struct invoke *v)
{
	pthread_mutex_lock(&v->lock);
	io_close(&v->fd);
	v->epoch++;
	pthread_cond_broadcast(&v->answered);
	invoke_pools_disconnected(v);
	pthread_mutex_unlock(&v->lock);
}

int
invoke_pump(struct invoke *v, int64_t deadline_mono_ms)
{
	struct pollfd p = {v->fd, POLLIN, 0};
	int64_t wait_ms = deadline_mono_ms - clock_mono_ms();
	struct launch_msg m;
	int fds[LAUNCH_BATCH];
	size_t nfds = LAUNCH_BATCH;

	if (v->fd < 0 || wait_ms <= 0 || poll(&p, 1, (int)wait_ms) <= 0)
		return -1;
	if (link_receive(v->fd, &m, v->text, INVOKE_TEXT, fds, &nfds) == 1)
		dispatch(v, &m, v->text, fds, nfds);
	else
		disconnected(v);
	return 0;
}

static void *
receive(void *arg)
{
	struct invoke *v = arg;
	char *text = v->text;
	struct launch_msg m;
	int fds[LAUNCH_BATCH];
	size_t nfds;
	bool ending;
	int fd;

	for (;;) {
		pthread_mutex_lock(&v->lock);
		while (v->fd < 0 && !v->ending)
			pthread_cond_wait(&v->connected, &v->lock);
		fd = v->fd;
		ending = v->ending;
		pthread_mutex_unlock(&v->lock);
		if (ending)
			return NULL;
		for (;;) {
			nfds = LAUNCH_BATCH;
			if (link_receive(fd, &m, text, INVOKE_TEXT, fds,
			        &nfds) != 1)
				break;
			dispatch(v, &m, text, fds, nfds);
		}
		disconnected(v);
	}
}

static int
start_thread(struct invoke *v, struct err *e)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&v->thread, &attr, receive, v);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc == 0)
		return 0;
	errno = rc;
	return err_sys(e, "cannot start a thread");
}

struct invoke *
invoke_new(const struct invoke_options *o, struct err *e)
{
	struct invoke *v = calloc(1, sizeof *v);

	if (!v) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	v->fd = -1;
	v->private_launcher = o->private_launcher;
	v->single = o->single;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->connected, NULL);
	pthread_cond_init(&v->answered, NULL);
	v->site_dir = strdup(o->site_dir);
	v->state_dir = strdup(o->state_dir);
	v->launcher = o->launcher ? strdup(o->launcher) : NULL;
	v->text = malloc(INVOKE_TEXT);
	if (!v->site_dir || !v->state_dir || !v->text ||
	    (o->launcher && !v->launcher)) {
		err_set(e, ENOMEM, "out of memory");
		goto fail;
	}
	if (v->single || start_thread(v, e) == 0)
		return v;
fail:
	free(v->site_dir);
	free(v->state_dir);
	free(v->launcher);
	free(v->text);
	free(v);
	return NULL;
}

void
invoke_free(struct invoke *v)
{
	if (!v)
		return;
	pthread_mutex_lock(&v->lock);
	v->ending = true;
	if (v->fd >= 0)
		shutdown(v->fd, SHUT_RDWR);
	pthread_cond_broadcast(&v->connected);
	pthread_mutex_unlock(&v->lock);
	if (!v->single)
		pthread_join(v->thread, NULL);
	io_close(&v->fd);
	pthread_cond_destroy(&v->connected);
	pthread_cond_destroy(&v->answered);
	pthread_mutex_destroy(&v->lock);
	free(v->site_dir);
	free(v->state_dir);
	free(v->launcher);
	free(v->text);
	free(v);
}

int
invoke_status(struct invoke *v, char *text, size_t size, struct err *e)
{
	struct launch_msg m = {.type = LAUNCH_STATUS};
	struct invoke_waiter w = {.text = text, .text_size = size};

	return invoke_ask(v, &m, &w, clock_mono_ms() + 5000, e);
}
