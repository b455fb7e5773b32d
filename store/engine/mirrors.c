/*
 * The mirrors of a store, for mirrors.h: which there are, and their threads.
 */
#include "mirrors_internal.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	EVERY_MS = 60 * 1000,
	SELDOM_MS = 60 * 60 * 1000,
	PUSH_MS = 10 * 60 * 1000,
	LAST_PUSH_MS = 5 * 1000,
	LOOK_MS = 200			/* whether it is still waited for */
};

/* --- one push ------------------------------------------------------------- */

/* The reason without the URL, in which there may be a password. */
static const char *
reason(const struct err *e, const char *url)
{
	const char *p = strstr(e->text, url);

	if (!p)
		return e->text;
	p += strlen(url);
	return strncmp(p, ": ", 2) == 0 ? p + 2 : p;
}

static void
note_failure(struct mirror *r, const struct err *e)
{
	int64_t wait_ms = r->wait_ms ? 2 * r->wait_ms : EVERY_MS;

	r->tried_ms = clock_mono_ms();
	r->wait_ms = wait_ms < SELDOM_MS ? wait_ms : SELDOM_MS;
	snprintf(r->error, sizeof r->error, "%s", reason(e, r->url));
}

static void
note(struct mirror *r, const struct history_commit *tip, uint64_t changes)
{
	r->done = changes;
	r->wait_ms = 0;
	r->error[0] = '\0';
	if (!tip->position)
		return;		/* there was nothing to push yet */
	r->tried_ms = clock_mono_ms();
	r->pushed_ms = clock_wall_ms();
	r->position = tip->position;
}

/* With the lock held, which is given back meanwhile. */
static void
push(struct mirror *r, int timeout_ms)
{
	struct mirrors *m = r->mirrors;
	uint64_t changes = m->changes, ticket = r->asked;
	struct history_commit tip = {0};
	struct err e = {0};
	int rc;

	r->pushing = true;
	pthread_mutex_unlock(&m->lock);
	rc = history_tip(m->history, &tip, &e);
	if (rc > 0 && !m->helper)
		rc = err_set(&e, ENOSYS, "this program pushes to no mirrors");
	if (rc > 0)
		rc = history_push(m->history, m->helper, r->url, timeout_ms,
		    r->stop_fd, &e);
	pthread_mutex_lock(&m->lock);
	r->pushing = false;
	r->answered = ticket;
	if (rc < 0)
		note_failure(r, &e);
	else
		note(r, &tip, changes);
	pthread_cond_broadcast(&m->changed);
}

/* --- a mirror's thread ---------------------------------------------------- */

/* When to push next, by the monotonic clock: INT64_MAX if there is nothing. */
static int64_t
due_ms(const struct mirror *r)
{
	int64_t pause_ms = r->wait_ms ? r->wait_ms : EVERY_MS;

	if (r->asked > r->answered)
		return 0;
	if (r->done == r->mirrors->changes)
		return INT64_MAX;
	return r->tried_ms ? r->tried_ms + pause_ms : 0;
}

static void
rest(struct mirrors *m, int64_t until_ms)
{
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};

	if (until_ms == INT64_MAX)
		pthread_cond_wait(&m->changed, &m->lock);
	else
		pthread_cond_clockwait(&m->changed, &m->lock,
		    CLOCK_MONOTONIC, &until);
}

static void *
mirror_main(void *arg)
{
	struct mirror *r = arg;
	struct mirrors *m = r->mirrors;
	int64_t at_ms;

	pthread_mutex_lock(&m->lock);
	while (!m->ending && !r->gone) {
		at_ms = due_ms(r);
		if (at_ms <= clock_mono_ms())
			push(r, PUSH_MS);
		else
			rest(m, at_ms);
	}
	if (!r->gone && r->done != m->changes && !r->error[0])
		push(r, LAST_PUSH_MS);
	m->running--;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void
mirror_free(struct mirror *r)
{
	io_close(&r->stop_fd);
	free(r);
}

/* Begins one, with the lock held or alone: 0, or -1 with *e. */
int
mirror_start(struct mirrors *m, const char *name, const char *url,
    bool declared, struct err *e)
{
	struct mirror *r = calloc(1, sizeof *r);
	int rc;

	if (!r)
		return err_set(e, ENOMEM, "out of memory");
	r->mirrors = m;
	r->declared = declared;
	snprintf(r->name, sizeof r->name, "%s", name);
	snprintf(r->url, sizeof r->url, "%s", url);
	r->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = r->stop_fd < 0 ? errno
	                    : pthread_create(&r->thread, NULL, mirror_main, r);
	if (rc) {
		mirror_free(r);
		errno = rc;
		return err_sys(e, "cannot start a thread for a mirror");
	}
	m->list[m->count++] = r;
	m->running++;
	return 0;
}

/* Its push is given up, if one is under way. */
static void
stop(const struct mirror *r)
{
	static const uint64_t ONE = 1;

	while (write(r->stop_fd, &ONE, sizeof ONE) < 0 && errno == EINTR)
		;
}

/* Ends one that is in the list no more, without the lock. */
void
mirror_end(struct mirror *r)
{
	stop(r);
	pthread_join(r->thread, NULL);
	mirror_free(r);
}

/* --- all of them ---------------------------------------------------------- */

struct mirrors *
mirrors_open(struct history *h, const char *dir, const char *helper,
    struct err *e)
{
	struct mirrors *m = calloc(1, sizeof *m);

	if (!m) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	m->history = h;
	m->dir = dir;
	m->helper = helper;
	m->changes = 1;
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->setting, NULL);
	pthread_cond_init(&m->changed, NULL);
	pthread_mutex_lock(&m->lock);
	if (mirrors_read(m, e) == 0) {
		pthread_mutex_unlock(&m->lock);
		return m;
	}
	pthread_mutex_unlock(&m->lock);
	mirrors_close(m);
	return NULL;
}

void
mirrors_close(struct mirrors *m)
{
	int64_t until_ms = clock_mono_ms() + LAST_PUSH_MS;
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	size_t i;

	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_cond_broadcast(&m->changed);
	while (m->running && pthread_cond_clockwait(&m->changed, &m->lock,
	           CLOCK_MONOTONIC, &until) != ETIMEDOUT)
		;
	pthread_mutex_unlock(&m->lock);
	for (i = 0; i < m->count; i++)
		mirror_end(m->list[i]);
	pthread_cond_destroy(&m->changed);
	pthread_mutex_destroy(&m->setting);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void
mirrors_wake(struct mirrors *m)
{
	pthread_mutex_lock(&m->lock);
	m->changes++;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

bool
mirrors_any(struct mirrors *m)
{
	bool any;

	pthread_mutex_lock(&m->lock);
	any = m->count > 0;
	pthread_mutex_unlock(&m->lock);
	return any;
}

/* True if somebody's ticket isn't answered yet; *known: there is such a one. */
static bool
is_waited_for(const struct mirrors *m, const char *name, uint64_t ticket,
    bool *known)
{
	bool waits = false;
	size_t i;

	*known = !name;
	for (i = 0; i < m->count; i++) {
		if (name && strcmp(m->list[i]->name, name) != 0)
			continue;
		*known = true;
		waits |= m->list[i]->asked >= ticket &&
		    m->list[i]->answered < ticket;
	}
	return waits;
}

int
mirrors_push(struct mirrors *m, const char *name, bool (*given_up)(void *arg),
    void *arg)
{
	uint64_t ticket;
	bool known;
	size_t i;

	pthread_mutex_lock(&m->lock);
	ticket = ++m->tickets;
	for (i = 0; i < m->count; i++)
		if (!name || strcmp(m->list[i]->name, name) == 0)
			m->list[i]->asked = ticket;
	pthread_cond_broadcast(&m->changed);
	while (is_waited_for(m, name, ticket, &known) && !m->ending &&
	    !given_up(arg))
		rest(m, clock_mono_ms() + LOOK_MS);
	pthread_mutex_unlock(&m->lock);
	return known ? 0 : -1;
}

/* A URL that has a password in it, without. */
static void
show_url(const char *url, char *out, size_t size)
{
	const char *host = strstr(url, "://"), *at, *colon;

	at = host ? strpbrk(host + 3, "@/") : NULL;
	colon = at && *at == '@' ? memchr(host + 3, ':',
	    (size_t)(at - host - 3)) : NULL;
	if (colon)
		snprintf(out, size, "%.*s:***%s", (int)(colon - url), url, at);
	else
		snprintf(out, size, "%s", url);
}

bool
mirrors_state(struct mirrors *m, size_t i, struct mirror_state *out)
{
	const struct mirror *r;

	pthread_mutex_lock(&m->lock);
	r = i < m->count ? m->list[i] : NULL;
	if (r) {
		*out = (struct mirror_state){.pushed_ms = r->pushed_ms,
		    .position = r->position, .pushing = r->pushing,
		    .behind = r->done != m->changes,
		    .declared = r->declared};
		snprintf(out->name, sizeof out->name, "%s", r->name);
		show_url(r->url, out->url, sizeof out->url);
		snprintf(out->error, sizeof out->error, "%s", r->error);
	}
	pthread_mutex_unlock(&m->lock);
	return r != NULL;
}
