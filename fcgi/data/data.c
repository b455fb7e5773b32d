/*
 * The site's store, as data.h says.
 */
#include "data.h"

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/client/prove.h"
#include "store/client/start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { DECLARATION_MAX = 16 << 20 };

int
data_place(struct data_place *p, const char *state_dir, struct err *e)
{
	char path[PATH_MAX];

	if (!realpath(state_dir, path))
		return err_sys(e, "%s", state_dir);
	if (strlen(path) + sizeof "/run/store.sock" > sizeof p->socket)
		return err_set(e, ENAMETOOLONG, "%s: too long", path);
	snprintf(p->dir, sizeof p->dir, "%.*s/store",
	    (int)sizeof p->dir - 16, path);
	snprintf(p->socket, sizeof p->socket, "%.*s/run/store.sock",
	    (int)sizeof p->socket - 16, path);
	snprintf(p->key, sizeof p->key, "%.*s/store/key",
	    (int)sizeof p->key - 16, path);
	return 0;
}

/* True once nobody has the store. */
static bool
is_free(const struct data_place *p)
{
	char path[sizeof p->dir + 8];
	bool yes;
	int fd;

	snprintf(path, sizeof path, "%s/lock", p->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return true;
	yes = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return yes;
}

void
data_stop(const struct data_place *p, int wait_ms)
{
	static const struct timespec PAUSE = {0, 10 * 1000000L};
	int64_t until_ms = clock_mono_ms() + wait_ms;
	struct client *c;
	struct buf reply;
	struct err ignored;

	if (is_free(p))
		return;
	c = data_client(p, wait_ms);
	if (!c)
		return;
	buf_init(&reply, DECLARATION_MAX);
	client_call(c, OP_STOP, 0, "{}", 2, &reply, &ignored);
	buf_release(&reply);
	client_free(c);
	while (!is_free(p) && clock_mono_ms() < until_ms)
		nanosleep(&PAUSE, NULL);
}

bool
data_wanted(const struct snapshot *s)
{
	return snapshot_tables(s) > 0;
}

int
data_start(const struct data_place *p, const struct snapshot *s,
    struct err *e)
{
	const char *const arguments[] = {"--socket", p->socket,
	    snapshot_any_file_system(s) ? "--force" : NULL, NULL};
	const struct start_options o = {.store_dir = p->dir,
	    .arguments = arguments};

	return client_start(&o, e);
}

struct client *
data_client(const struct data_place *p, int timeout_ms)
{
	const struct client_options o = {.socket = p->socket,
	    .key_file = p->key,
	    .prove = client_prove_key,
	    .timeout_ms = timeout_ms};

	return client_new(&o);
}

int
data_declare(struct client *c, const struct snapshot *s, struct err *e)
{
	struct buf body, reply;
	size_t i;
	int rc;

	buf_init(&body, DECLARATION_MAX);
	buf_init(&reply, DECLARATION_MAX);
	buf_puts(&body, "{\"Tables\":[");
	for (i = 0; i < snapshot_tables(s); i++) {
		const char *t = snapshot_table(s, i);

		if (i)
			buf_putc(&body, ',');
		buf_json(&body, t, strlen(t));
	}
	buf_puts(&body, "],\"Settings\":");
	buf_json(&body, snapshot_settings(s), strlen(snapshot_settings(s)));
	buf_putc(&body, '}');
	rc = buf_ok(&body)
	    ? client_call(c, OP_DECLARE, CLIENT_REPEATABLE, body.data,
	          body.len, &reply, e)
	    : err_set(e, ENOMEM, "out of memory");
	buf_release(&reply);
	buf_release(&body);
	return rc;
}
