/*
 * The deadlines of deadline.h.  The lock keeps the descriptor from being
 * closed, and its number used again, between the look and the cut.
 */
#include "deadline.h"

#include "store/base/clock.h"

#include <sys/socket.h>

void
deadline_init(struct deadline *d)
{
	*d = (struct deadline){.fd = -1};
	pthread_mutex_init(&d->lock, NULL);
}

void
deadline_set(struct deadline *d, int fd, int64_t ms)
{
	int64_t due_ms = clock_mono_ms() + ms;

	pthread_mutex_lock(&d->lock);
	d->fd = fd;
	d->due_ms = due_ms;
	d->cut = false;
	pthread_mutex_unlock(&d->lock);
}

void
deadline_clear(struct deadline *d)
{
	pthread_mutex_lock(&d->lock);
	d->fd = -1;
	pthread_mutex_unlock(&d->lock);
}

void
deadline_check(struct deadline *first, size_t n, size_t stride,
    int64_t now_ms)
{
	char *at = (char *)first;
	size_t i;

	for (i = 0; i < n; i++, at += stride) {
		struct deadline *d = (struct deadline *)(void *)at;

		pthread_mutex_lock(&d->lock);
		if (d->fd >= 0 && now_ms > d->due_ms) {
			shutdown(d->fd, SHUT_RDWR);
			d->cut = true;
			d->fd = -1;
		}
		pthread_mutex_unlock(&d->lock);
	}
}
