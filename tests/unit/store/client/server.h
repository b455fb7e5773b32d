/*
 * A store of the test's own: a thread that plays one part for each connection
 * it accepts, in the order told.
 */
#ifndef TESTS_CLIENT_SERVER_H
#define TESTS_CLIENT_SERVER_H

#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/value/fault.h"
#include "store/wire/frame.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum part {
	PART_END,
	PART_ECHO,		/* answers what it was asked, until closed */
	PART_NO_HELLO,		/* closes at once */
	PART_UNREAD,		/* closes when a request is there, unread */
	PART_READ,		/* reads a request, then closes */
	PART_LEAVING,		/* answers that it leaves, then closes */
	PART_BUSY,		/* answers busy twice, then echoes */
	PART_SILENT,		/* answers nothing, until closed */
	PART_REVERSED,		/* three requests, answered the last first */
	PART_FAULT,		/* a condition fails */
	PART_NONSENSE,		/* a frame of no sense */
	PART_HALF		/* half a reply, then closes */
};

struct server {
	char dir[64];
	char path[128];
	const enum part *parts;
	int listen_fd;
	pthread_t thread;
	atomic_int requests, connections;
};

struct talk {			/* one connection */
	struct server *s;
	int fd;
	char *frame;
	struct frame_request r;
	struct buf out;
};

static inline void
talk_hello(struct talk *t)
{
	struct frame_hello h = {.version = FRAME_VERSION,
	    .in_flight_max = 256, .request_max = 1 << 20,
	    .reply_max = FRAME_REPLY_MAX};

	memset(h.challenge, 'c', sizeof h.challenge);
	frame_write_hello(&t->out, &h);
	io_write_all(t->fd, t->out.data, t->out.len);
	buf_reset(&t->out);
}

/* The next request: 0, or -1 at the end. */
static inline int
talk_read(struct talk *t)
{
	unsigned char length[4];
	struct err e;
	size_t n;

	free(t->frame);
	t->frame = NULL;
	if (io_read_all(t->fd, length, 4) < 0)
		return -1;
	n = (size_t)frame_size(length, 4, FRAME_REQUEST_SIZE,
	    FRAME_REQUEST_MAX);
	t->frame = malloc(n);
	if (!t->frame)
		abort();
	memcpy(t->frame, length, 4);
	if (io_read_all(t->fd, t->frame + 4, n - 4) < 0 ||
	    frame_read_request(t->frame, n, &t->r, &e) < 0)
		return -1;
	atomic_fetch_add(&t->s->requests, 1);
	return 0;
}

static inline void
talk_reply(struct talk *t, uint32_t id, int status, unsigned flags,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static inline void
talk_reply(struct talk *t, uint32_t id, int status, unsigned flags,
    const char *fmt, ...)
{
	size_t begin = frame_begin_reply(&t->out);
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&t->out, fmt, ap);
	va_end(ap);
	frame_end_reply(&t->out, begin, id, status, flags);
	io_write_all(t->fd, t->out.data, t->out.len);
	buf_reset(&t->out);
}

/* "operation flags patience? token body" */
static inline void
talk_echo(struct talk *t)
{
	talk_reply(t, t->r.id, 0, 0, "%u %u %s [%.*s] %.*s",
	    (unsigned)t->r.operation, (unsigned)t->r.flags,
	    t->r.patience_ms ? "timed" : "patient", (int)t->r.ntoken,
	    t->r.token, (int)t->r.nbody, t->r.body);
}

static inline void
play(struct talk *t, enum part part)
{
	struct pollfd p = {t->fd, POLLIN, 0};
	uint32_t ids[3];
	int i;

	if (part == PART_NO_HELLO)
		return;
	talk_hello(t);
	if (part == PART_UNREAD) {
		poll(&p, 1, 60000);
		return;
	}
	for (i = 0; talk_read(t) == 0; i++) {
		switch (part) {
		case PART_READ:
			return;
		case PART_LEAVING:
			talk_reply(t, t->r.id, FAULT_LEAVING, 0,
			    "{\"message\":\"bye\"}");
			return;
		case PART_BUSY:
			if (i < 2)
				talk_reply(t, t->r.id, FAULT_BUSY, 0, "{}");
			else
				talk_echo(t);
			break;
		case PART_SILENT:
			break;
		case PART_REVERSED:
			ids[i % 3] = t->r.id;
			talk_reply(t, t->r.id, 0, FRAME_PROGRESS, "%d", i);
			if (i < 2)
				break;
			for (; i >= 0; i--)
				talk_reply(t, ids[i], 0, 0, "reply %d", i);
			break;
		case PART_FAULT:
			talk_reply(t, t->r.id, FAULT_CONDITION, 0,
			    "{\"message\":\"The \\\"condition\\\"\\u0041\\n\","
			    "\"Item\":{}}");
			break;
		case PART_NONSENSE:
			talk_reply(t, t->r.id + 7, 0, 0, "{}");
			break;
		case PART_HALF:
			io_write_all(t->fd, "\x20\0\0\0\1\0\0\0", 8);
			return;
		default:
			talk_echo(t);
		}
	}
}

static inline void *
serve(void *arg)
{
	struct server *s = arg;
	const enum part *part;

	for (part = s->parts; *part; part++) {
		struct talk t = {.s = s};

		t.fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (t.fd < 0)
			break;
		atomic_fetch_add(&s->connections, 1);
		buf_init(&t.out, FRAME_REPLY_MAX + 1000);
		play(&t, *part);
		close(t.fd);
		free(t.frame);
		buf_release(&t.out);
	}
	return NULL;
}

/* Plays `parts` (ended by PART_END), one for each connection. */
static inline void
server_start(struct server *s, const enum part *parts)
{
	int dir_fd;

	*s = (struct server){.parts = parts};
	strcpy(s->dir, "/tmp/bothy-client-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof s->path, "%s/store.sock", s->dir);
	dir_fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_fd >= 0);
	s->listen_fd = sock_listen_at(dir_fd, "store.sock", SOCK_STREAM, 0600,
	    16);
	assert_true(s->listen_fd >= 0);
	close(dir_fd);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static inline void
server_stop(struct server *s)
{
	shutdown(s->listen_fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listen_fd);
	io_remove_tree(AT_FDCWD, s->dir);
}

#endif
