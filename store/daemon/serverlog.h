/*
 * The daemon's log: store.log in the store's directory, a JSON line each, put
 * aside as store.log.1 when it is long.
 */
#ifndef DAEMON_SERVERLOG_H
#define DAEMON_SERVERLOG_H

#include <pthread.h>

struct serverlog {
	int dir_fd;		/* the caller's */
	pthread_mutex_t lock;
};

void serverlog_init(struct serverlog *l);
void serverlog_release(struct serverlog *l);

/* `level` is "info", "warning" or "error". */
void serverlog_say(struct serverlog *l, const char *level, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
