/*
 * What the files of the mirrors share.
 */
#ifndef ENGINE_MIRRORS_INTERNAL_H
#define ENGINE_MIRRORS_INTERNAL_H

#include "mirrors.h"

#include <pthread.h>

/* All but name, url, thread and stop_fd is under the lock. */
struct mirror {
	struct mirrors *mirrors;
	char name[MIRROR_NAME_MAX + 1], url[MIRROR_URL_MAX + 1];
	pthread_t thread;
	int stop_fd;			/* gives up the push under way */
	bool declared;			/* by the store's settings */
	bool gone, pushing;
	uint64_t done;			/* of mirrors.changes, that it has */
	uint64_t asked, answered;	/* tickets */
	int64_t tried_ms;		/* monotonic; 0: not yet */
	int64_t wait_ms;		/* after a failure; 0: none */
	int64_t pushed_ms;
	uint64_t position;
	char error[512];
};

struct mirrors {
	struct history *history;
	const char *dir, *helper;
	pthread_mutex_t setting;	/* who changes the list, and the file */
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t changed;
	struct mirror *list[MIRRORS_MAX];
	size_t count, running;
	uint64_t changes;		/* of the history, counted */
	uint64_t tickets;
	bool ending;
};

/* mirrors.c: with the lock held, and without it. */
int mirror_start(struct mirrors *m, const char *name, const char *url,
    bool declared, struct err *e);
void mirror_end(struct mirror *r);

/* mirrors_list.c: those of the file, begun; the lock is held. */
int mirrors_read(struct mirrors *m, struct err *e);

#endif
