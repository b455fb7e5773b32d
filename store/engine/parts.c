/*
 * What a store gives of its parts.  Part of bothy-store.
 */
#include "parts.h"

#include "store_internal.h"

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
