/*
 * What a store gives of its parts.  Part of bothy-store.
 */
#include "parts.h"

#include "store_internal.h"

#include "store/index/stamp.h"
#include "store/value/fault.h"

#include <limits.h>
#include <stdio.h>

struct history *
store_history(struct store *s)
{
	return s->history;
}

struct journal *
store_journal(struct store *s)
{
	return s->journal;
}

struct files *
store_files(struct store *s)
{
	return s->files;
}

const char *
store_dir(const struct store *s)
{
	return s->dir;
}

bool
store_is_limited(struct store *s)
{
	return atomic_load_explicit(&s->catalog.limited,
	    memory_order_relaxed);
}

struct meters *
store_meters(struct store *s)
{
	return &s->meters;
}

bool
store_is_read_only(const struct store *s)
{
	return s->options.read_only;
}

bool
store_files_wait(struct store *s, int timeout_ms)
{
	return !s->filework || filework_wait(s->filework,
	    atomic_load(&s->visible), timeout_ms);
}

int
store_distrust_index(struct store *s, struct err *e)
{
	char path[PATH_MAX];

	if (s->options.read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the store was opened read-only");
	atomic_store(&s->distrusted, true);
	snprintf(path, sizeof path, "%s/index", s->dir);
	return stamp_remove(path, e);
}

void
store_hurry(struct store *s)
{
	atomic_store(&s->hurried, true);
	if (s->filework)
		filework_leave(s->filework);
	history_hurry(s->history, true);
	index_hurry(s->index);
}

bool
store_hurried(struct store *s, struct err *e)
{
	if (!atomic_load(&s->hurried))
		return false;
	err_set(e, FAULT_ENDED, "it was ended before it was done, for the "
	    "store is closing; do it again");
	return true;
}

/* --- settings --------------------------------------------------------------- */

struct settings
store_settings(struct store *s)
{
	struct settings copy;

	pthread_mutex_lock(&s->lock);
	copy = s->settings;
	pthread_mutex_unlock(&s->lock);
	copy.mirrors = NULL;
	copy.nmirrors = 0;
	return copy;
}

int64_t
store_idle_ms(struct store *s)
{
	return store_settings(s).idle_ms;
}

/* The mirrors first: what can't be one is refused before anything is kept. */
int
store_set(struct store *s, const char *p, size_t n, struct err *e)
{
	struct settings fresh;
	int rc;

	if (s->options.read_only)
		return err_set(e, FAULT_READ_ONLY,
		    "the store was opened read-only");
	if (settings_read(p, n, &fresh, e) < 0)
		return -1;
	rc = mirrors_declare(s->mirrors, fresh.mirrors, fresh.nmirrors, e);
	if (rc == 0)
		rc = settings_keep(s->dir, p, n, e);
	if (rc < 0) {
		settings_release(&fresh);
		return -1;
	}
	pthread_mutex_lock(&s->lock);
	settings_release(&s->settings);
	s->settings = fresh;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* --- the history's lock ------------------------------------------------------ */

void
store_history_lock(struct store *s)
{
	pthread_mutex_lock(&s->history_lock);
}

void
store_history_unlock(struct store *s)
{
	pthread_mutex_unlock(&s->history_lock);
}
