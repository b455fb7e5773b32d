/*
 * The store behind storage.h.  Runs in worker threads; one at a time starts
 * the daemon or declares tables, and who comes meanwhile waits for it.
 */
#include "storage.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/value/fault.h"
#include "store/wire/frame.h"
#include "store/wire/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	GRANTS_MAX = 1 << 20,
	CALL_MS = 30000,
	HELLO_S = 10,
	FAILED_MS = 1000,	/* how long a failure answers for the next */
	TOKEN_MORE_MS = 5000	/* beyond the request's own deadline */
};

/* --- grants ------------------------------------------------------------------- */

int
storage_grants(const char *json, struct storage_grants **out, struct err *e)
{
	struct storage_grants *g;

	*out = NULL;
	if (!*json)
		return 0;
	g = calloc(1, sizeof *g);
	if (!g)
		return err_set(e, ENOMEM, "out of memory");
	arena_init(&g->arena, GRANTS_MAX);
	if (grants_read(&g->arena, json, strlen(json), &g->grants, &g->count,
	        e) < 0) {
		storage_grants_free(g);
		return -1;
	}
	*out = g;
	return 0;
}

void
storage_grants_free(struct storage_grants *g)
{
	if (!g)
		return;
	arena_release(&g->arena);
	free(g);
}

/* --- the daemon ------------------------------------------------------------------ */

int
storage_init(struct storage *s, const char *state_dir, struct err *e)
{
	s->fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	return data_place(&s->place, state_dir, e);
}

void
storage_release(struct storage *s)
{
	io_close(&s->fd);
	pthread_mutex_destroy(&s->lock);
}

/* With the lock held: the daemon that we are connected to is there still. */
static bool
is_there(const struct storage *s)
{
	char byte;
	ssize_t n;

	if (s->fd < 0)
		return false;
	n = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A connection that has said hello, or -1. */
static int
connect_to(const struct storage *s)
{
	const struct timeval wait = {HELLO_S, 0};
	unsigned char hello[FRAME_HELLO_SIZE];
	const char *slash = strrchr(s->place.socket, '/');
	char dir[sizeof s->place.socket];
	int dir_fd, fd;

	snprintf(dir, sizeof dir, "%.*s", (int)(slash - s->place.socket),
	    s->place.socket);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -1;
	fd = sock_connect_at(dir_fd, slash + 1, SOCK_STREAM);
	close(dir_fd);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (io_read_all(fd, hello, sizeof hello) < 0)
		io_close(&fd);
	return fd;
}

static int
declare(struct storage *s, const struct snapshot *snapshot, struct err *e)
{
	struct client *c;
	int rc;

	if (strcmp(s->declared, snapshot_id(snapshot)) == 0)
		return 0;
	c = data_client(&s->place, CALL_MS);
	if (!c)
		return err_set(e, ENOMEM, "out of memory");
	rc = data_declare(c, snapshot, e);
	client_free(c);
	if (rc == 0)
		snprintf(s->declared, sizeof s->declared, "%s",
		    snapshot_id(snapshot));
	return rc;
}

static int
start(struct storage *s, const struct snapshot *snapshot, struct err *e)
{
	io_close(&s->fd);
	s->fd = connect_to(s);
	if (s->fd < 0) {
		s->declared[0] = '\0';
		if (data_start(&s->place, snapshot, e) < 0)
			return -1;
		s->fd = connect_to(s);
	}
	if (s->fd < 0)
		return err_sys(e, "cannot connect to %s", s->place.socket);
	if (secret_load(s->place.key, s->secret, e) < 0)
		return -1;
	return declare(s, snapshot, e);
}

/* With the lock held. */
static int
ready(struct storage *s, const struct snapshot *snapshot, struct err *e)
{
	if (is_there(s) && strcmp(s->declared, snapshot_id(snapshot)) == 0)
		return 0;
	if (s->failed_ms && clock_mono_ms() - s->failed_ms < FAILED_MS) {
		*e = s->failure;
		return -1;
	}
	s->failed_ms = 0;
	if ((is_there(s) ? declare(s, snapshot, e)
	                 : start(s, snapshot, e)) == 0)
		return 0;
	s->failure = *e;
	s->failed_ms = clock_mono_ms();
	return -1;
}

int
storage_ready(struct storage *s, const struct snapshot *snapshot,
    unsigned char secret[TOKEN_SECRET_SIZE], struct err *e)
{
	int rc;

	pthread_mutex_lock(&s->lock);
	rc = ready(s, snapshot, e);
	memcpy(secret, s->secret, sizeof s->secret);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* --- tokens --------------------------------------------------------------------------- */

int
storage_token(struct storage *s, const struct snapshot *snapshot,
    const struct storage_grants *g, const char *function,
    int64_t deadline_ms, struct buf *out, struct err *e)
{
	const struct token t = {.function = {function, strlen(function)},
	    .release = {snapshot_id(snapshot), strlen(snapshot_id(snapshot))},
	    .deadline_ms = deadline_ms ? deadline_ms + TOKEN_MORE_MS : 0,
	    .grants = g->grants,
	    .ngrants = g->count};
	unsigned char secret[TOKEN_SECRET_SIZE];
	int rc;

	rc = storage_ready(s, snapshot, secret, e);
	if (rc == 0)
		rc = token_mint(out, secret, &t, e);
	explicit_bzero(secret, sizeof secret);
	return rc;
}
