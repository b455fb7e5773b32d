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
store_history_lock(struct store *s)
{
	pthread_mutex_lock(&s->history_lock);
}

void
store_history_unlock(struct store *s)
{
	pthread_mutex_unlock(&s->history_lock);
}
