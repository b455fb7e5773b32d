/*
 * The keys in use, for keyring.h: the file is looked at for each request, and
 * read when it is another.  Runs in bothy-fcgi's workers.
 */
#include "keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DAY_MS = 24 * 3600 * 1000 };

int
aws_keyring_init(struct aws_keyring *r, const char *state_dir, struct err *e)
{
	*r = (struct aws_keyring){.state_dir = state_dir};
	pthread_mutex_init(&r->lock, NULL);
	return aws_keys_path(r->path, state_dir, "keys.json", e);
}

void
aws_keyring_release(struct aws_keyring *r)
{
	aws_keys_release(r->keys);
	pthread_mutex_destroy(&r->lock);
}

/* The file as it is; all zero if there is none. */
static void
look(const struct aws_keyring *r, struct stat *st)
{
	if (stat(r->path, st) < 0)
		memset(st, 0, sizeof *st);
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	    a->st_size == b->st_size && a->st_mode == b->st_mode &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

struct aws_keys *
aws_keyring_hold(struct aws_keyring *r, struct err *e)
{
	struct aws_keys *fresh, *held = NULL;
	struct stat st;

	/* Looked at before it is read: what comes meanwhile is seen next. */
	look(r, &st);
	pthread_mutex_lock(&r->lock);
	if (!r->keys || !is_same(&st, &r->seen)) {
		if (aws_keys_load(r->state_dir, &fresh, e) < 0)
			goto out;
		aws_keys_release(r->keys);
		r->keys = fresh;
		r->seen = st;
	}
	held = aws_keys_hold(r->keys);
out:
	pthread_mutex_unlock(&r->lock);
	return held;
}

void
aws_keyring_used(const struct aws_keyring *r, struct aws_key *k,
    int64_t now_ms)
{
	int64_t day = now_ms / DAY_MS;
	char path[KEYS_PATH_MAX], name[KEY_ID_MAX + 8];
	struct err ignored;
	int fd;

	if (atomic_exchange_explicit(&k->used_day, day,
	    memory_order_relaxed) == day)
		return;
	snprintf(name, sizeof name, "used/%s", k->id);
	if (aws_keys_path(path, r->state_dir, name, &ignored) < 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	futimens(fd, NULL);
	close(fd);
}
