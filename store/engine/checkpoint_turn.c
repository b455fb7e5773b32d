/*
 * The thread that takes checkpoints: when it is time, or somebody asks for
 * one.  Between two it sees to the history, which thins and merges.
 */
#include "checkpoint_internal.h"

#include "store/base/clock.h"
#include "store/value/fault.h"

#include <errno.h>

enum {
	LOOK_MS = 1000,
	SHARE = 5,			/* of a core: a fifth */
	PERIOD_MOST_MS = 60000
};

/*
 * Under the lock.  As long as it takes to use no more than a share of a core,
 * and of the day.
 */
static int64_t
period(struct store *s)
{
	int64_t ms = s->options.checkpoint_ms ? s->options.checkpoint_ms
	                                      : s->settings.checkpoint_ms;
	uint64_t most = (uint64_t)s->settings.day_bytes;
	int64_t most_ms = ms > PERIOD_MOST_MS ? ms : PERIOD_MOST_MS;
	struct history_stat h;
	struct err e;

	if (s->checkpoint_ms * SHARE > ms)
		ms = s->checkpoint_ms * SHARE;
	if (history_stat(s->history, &h, &e) == 0 && h.day_bytes > most)
		ms *= (int64_t)(h.day_bytes / most) + 1;
	return ms < most_ms ? ms : most_ms;
}

/* Under the lock: until it is time, somebody asks, or the end. */
static void
wait_for_turn(struct store *s, uint64_t last)
{
	int64_t from_ms = clock_mono_ms(), due_ms;
	struct timespec until;

	while (!s->ending && s->checkpoints_asked == s->checkpoints_done) {
		bool timed = s->options.checkpoint_ms >= 0 &&
		    atomic_load(&s->visible) != last;
		int rc;

		due_ms = timed ? from_ms + period(s)
		               : clock_mono_ms() + LOOK_MS;
		until = (struct timespec){due_ms / 1000,
		    due_ms % 1000 * 1000000};
		rc = pthread_cond_clockwait(&s->changed, &s->lock,
		    CLOCK_MONOTONIC, &until);
		if (rc == ETIMEDOUT && timed)
			return;
	}
}

static void
tidy(struct store *s)
{
	const struct settings settings = store_settings(s);
	const struct history_upkeep upkeep = {.now_ms = clock_wall_ms(),
	    .all_ms = settings.all_ms, .minutes_ms = settings.minutes_ms,
	    .hours_ms = settings.hours_ms,
	    .linger_ms = mirrors_any(s->mirrors) ? MIRRORS_LINGER_MS : 0};
	struct err ignored;

	pthread_mutex_lock(&s->history_lock);
	history_tidy(s->history, &upkeep, &ignored);
	pthread_mutex_unlock(&s->history_lock);
}

static void *
checkpoint_main(void *arg)
{
	struct store *s = arg;
	uint64_t last = 0, asked, seen;
	struct err e;
	int rc;

	pthread_mutex_lock(&s->lock);
	while (!s->ending) {
		wait_for_turn(s, last);
		if (s->ending)
			break;
		asked = s->checkpoints_asked;
		pthread_mutex_unlock(&s->lock);
		seen = atomic_load(&s->visible);
		rc = checkpoint_take(s, &e);
		if (rc == 0) {
			last = seen;
			tidy(s);
		}
		pthread_mutex_lock(&s->lock);
		s->checkpoint_error = rc < 0 ? e : (struct err){0};
		s->checkpoints_done = asked;
		pthread_cond_broadcast(&s->changed);
	}
	s->checkpoints_done = s->checkpoints_asked;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
store_checkpoint(struct store *s, const char *tag, struct err *e)
{
	struct history_commit tip;
	uint64_t mine;
	int rc = 0;

	if (s->options.read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the store was opened read-only");
	pthread_mutex_lock(&s->lock);
	mine = ++s->checkpoints_asked;
	pthread_cond_broadcast(&s->changed);
	while (s->checkpoints_done < mine && !s->ending)
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->ending)
		rc = err_set(e, FAULT_LEAVING, "the store is closing");
	else if (s->checkpoint_error.text[0]) {
		*e = s->checkpoint_error;
		rc = -1;
	}
	pthread_mutex_unlock(&s->lock);
	if (rc < 0 || !tag)
		return rc;
	pthread_mutex_lock(&s->history_lock);
	rc = history_tip(s->history, &tip, e);
	if (rc > 0)
		rc = history_tag(s->history, tag, &tip.id, e);
	else if (rc == 0)
		rc = err_set(e, FAULT_NOT_FOUND, "there is nothing to back up "
		    "yet");
	pthread_mutex_unlock(&s->history_lock);
	if (rc == 0)
		mirrors_wake(s->mirrors);
	return rc;
}

int
checkpoint_start(struct store *s, struct err *e)
{
	int rc = pthread_create(&s->checkpointer, NULL, checkpoint_main, s);

	if (rc) {
		errno = rc;
		return err_sys(e, "cannot start a thread");
	}
	s->checkpointer_runs = true;
	return 0;
}

/* The last one is taken by who stops, when nothing is written any more. */
void
checkpoint_stop(struct store *s)
{
	struct err e;

	if (!s->checkpointer_runs)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->checkpointer, NULL);
	s->checkpointer_runs = false;
	history_hurry(s->history, false);
	checkpoint_take(s, &e);
}
