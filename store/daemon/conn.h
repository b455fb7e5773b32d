/*
 * A connection: frames in, calls, replies out.  All of it belongs to one I/O
 * thread.
 *
 * Reading pauses while FRAME_IN_FLIGHT_MAX requests are under way, while
 * CONN_OUT_MAX bytes wait to be sent, and while all connections together hold
 * too much and this one more than its share.  Then the socket fills, and it is
 * the peer who waits.
 */
#ifndef DAEMON_CONN_H
#define DAEMON_CONN_H

#include "call.h"
#include "credential.h"

#include "store/base/buf.h"
#include "store/wire/frame.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONN_OUT_MAX = 4 << 20,
	CONN_FRAMES_AT_ONCE = 32,	/* then it is another's turn */
	CONN_TURN_US = 2000		/* or after that long */
};

struct conn {
	struct iothread *io;
	struct conn *next, *prev;	/* of io->conns */
	struct conn *next_again, *next_dead;
	int fd;			/* -1 once closed; its calls end all the same */
	atomic_bool gone;	/* the same, for other threads */

	/*
	 * Invariant: who sends, or closes `fd`, has `sending`; who changes
	 * `blocked` or `out_sent`, too.  So another thread that finds both
	 * unset may send: no reply has been begun and not ended.
	 */
	pthread_mutex_t sending;
	unsigned char challenge[FRAME_CHALLENGE_SIZE];
	struct credential credential;

	struct buf in;		/* what came and was not begun yet */
	size_t in_held;		/* of it, charged */
	struct outgoing *out, **out_end;	/* what is to be sent */
	size_t out_sent;	/* of the first */
	size_t out_bytes;	/* of all, those sent too */
	unsigned in_flight;	/* calls */
	size_t held;		/* bytes that are charged */

	bool eof;		/* nothing more is read */
	bool again, dead;	/* in the list of that name */
	bool paused;		/* counted in io->paused */
	bool starved;		/* waits for memory of others */
	bool blocked;		/* the peer doesn't read */
	uint32_t interest;	/* what epoll was told */
	int64_t came_ms, frame_ms, moved_ms;	/* accepted; the frame at the
				 * begin of `in` began; bytes were sent */
};

/* A connection that was accepted; takes `fd` on success. NULL: errno. */
struct conn *conn_new(struct iothread *io, int fd);
void conn_free(struct conn *c);

/* Something is there, as epoll's `events` say. */
void conn_ready(struct conn *c, uint32_t events);

/* Goes on with what is there already. */
void conn_go_on(struct conn *c);

/* Puts a reply, or a note, at the end of what is to be sent. */
void conn_reply(struct conn *c, struct outgoing *o);

/*
 * Sends it from another thread, if that can be done at once: o->sent.  It is
 * to be returned all the same.
 */
void conn_send_here(struct conn *c, struct outgoing *o);

/* The peer is slow in what it must not be slow in. */
bool conn_is_stuck(const struct conn *c, int64_t now_ms);

void conn_close(struct conn *c);

/* Reads no more than what has come; the peer can't send any longer. */
void conn_leave(struct conn *c);

#endif
