/*
 * The daemon: one store, its socket, and the threads that serve it.
 *
 * The main thread accepts, hears signals, and sees when it is time to leave.
 * Two I/O threads (iothread.h) have the connections: they read frames, answer
 * reads at once, and hand writes to the store's writer.  Two more do what
 * takes long (longwork.h).
 *
 * Sequence: server_init; server_open once the store is open, server_run,
 * server_close; store_close; server_release.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "iothread.h"
#include "later.h"
#include "longwork.h"
#include "relays.h"
#include "serverlog.h"

#include "store/base/err.h"
#include "store/engine/store.h"
#include "store/wire/token.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SERVER_IO_THREADS = 2,
	SERVER_CONNECTIONS_MAX = 1000,
	SERVER_IDLE_AS_SET = -1,	/* as the store's settings say */
	SERVER_NAME_SIZE = 100,

	/*
	 * What requests and replies may hold in all, and what each connection
	 * may still take when that is used up, so that none starves.
	 */
	SERVER_MEMORY_MAX = 256 << 20,
	SERVER_SHARE = 128 << 10
};

/* The limits, for tests to tighten. */
struct server_limits {
	unsigned connections;
	size_t memory, share;
	int64_t stall_ms;	/* a peer that moves nothing is closed */
};

struct server {
	struct store *store;
	struct relays relays;		/* if documents are elsewhere */
	int dir_fd;
	int place_fd;			/* the socket's directory, and */
	char socket[SERVER_NAME_SIZE];	/* its name there */
	int64_t idle_ms;		/* 0: never leaves by itself; or
					 * SERVER_IDLE_AS_SET */
	struct server_limits limits;
	unsigned char secret[TOKEN_SECRET_SIZE];
	struct serverlog log;

	int listen_fd, epoll_fd, signal_fd;
	int wake_fd;			/* server_leave, from any thread */
	bool accept_paused;
	int64_t busy_ms;		/* when somebody was last there */
	int64_t looked_ms;		/* at the store's trouble */
	char trouble[512];		/* that was logged, */
	char mirrors[512];		/* and what is the matter with them */

	struct iothread io[SERVER_IO_THREADS];
	unsigned next_io;
	struct longwork longwork;
	struct longwork relayed;	/* what goes there */
	struct later later;

	atomic_uint connections;
	atomic_uint away;		/* calls that other threads have */
	atomic_size_t memory;		/* held by all connections */
	atomic_bool leaving;
};

void server_init(struct server *s);

/* Before any thread starts, also the store's: the main thread hears them. */
void server_block_signals(void);

/* One of them is waiting to be heard. */
bool server_is_signalled(void);

/*
 * Serves `store` at `socket` in `place_fd`, which stays the caller's: 0, or -1
 * and *e.  Fields before `secret` are the caller's to set, and so is that.
 */
int server_open(struct server *s, struct err *e);

/* Until SIGTERM, SIGINT, server_leave(), or nobody came for idle_ms. */
void server_run(struct server *s);

/* Ends what server_open began: all are answered, and gone. */
void server_close(struct server *s);

/*
 * Frees the rest, when the store was closed by who opened it: until then its
 * threads may still be about to wake ours.
 */
void server_release(struct server *s);

/* Asks server_run to end; from any thread. */
void server_leave(struct server *s);

#endif
