/*
 * Operations: what a request asks of the store, done, and its reply written.
 * Runs in bothy-store; knows no socket.
 *
 * Sequence: op_init; op_read (decodes, checks the token); op_run; later, or
 * before it returns, `done` is called once, with the reply's body in `out` and
 * its status in `status`; op_release.
 *
 * Reads are answered within op_run, from one snapshot; writes are jobs of the
 * writer thread, and long ones run in a thread of the caller's (op_is_long).
 */
#ifndef OP_OP_H
#define OP_OP_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/engine/commit.h"
#include "store/engine/store.h"
#include "store/wire/request.h"
#include "store/wire/token.h"

enum { OP_ARENA_MAX = REQUEST_ARENA_MAX };

/* Whether a long operation is to end before it is done. */
enum op_stop {
	OP_GO_ON,
	OP_UNWANTED,		/* who asked has gone */
	OP_LEAVING		/* the store is about to close */
};

struct op_later;

struct op {
	struct store *store;
	struct request request;
	bool plain, wait_file;
	bool gathered;		/* its job: see commit.h */
	struct arena arena;
	struct buf *out;	/* the caller's; the body is appended */
	int status;		/* 0, or a number of value/fault.h */
	void (*done)(struct op *op);
	void *arg;		/* the caller's */

	/* Says how far a long one is: a JSON object. May be NULL. */
	void (*progress)(struct op *op, const char *json, size_t n);

	/* Asked by a long one, now and then, in its thread. May be NULL. */
	enum op_stop (*stop)(struct op *op);

	/* What goes on after it (op_later.h), for who called op_run. */
	struct op_later *later;
	bool later_full;	/* set by that one: nothing more may go on */

	const struct token *token;	/* NULL: all is allowed */
	/* the operations' own */
	struct commit_job job;
	struct catalog *catalog;	/* held until it ends, or NULL */
	void (*answer)(struct op *op);	/* after a write */
	void (*failed)(struct op *op, const struct err *e);	/* or NULL */
	bool stands;		/* what its job wrote lasts */
	bool metered;		/* a table of it has a limit of throughput */
	void *plan;		/* in the arena */
	size_t out_at;		/* where the body begins */
	const struct value *failed_item;	/* of a failed condition */
};

void op_init(struct op *op, struct store *s, struct buf *out,
    void (*done)(struct op *op), void *arg);
void op_release(struct op *op);

/* For the next request; keeps store, out, done and arg. */
void op_reset(struct op *op);

/*
 * Decodes `body`, which must stay where it is until `done`, and sees whether
 * the token, which stays until op_run returns, allows it (NULL: everything).  0; or -1: `status` and `out` hold
 * the failure, and op_run is not called.
 */
int op_read(struct op *op, int operation, bool plain, const char *body,
    size_t n, const struct token *token);

/*
 * For one that runs elsewhere, after op_read and before the token goes: what
 * that allows of a query or a statement, as far as the tables here tell it.
 * 0; or -1 and *e.
 */
int op_check_elsewhere(struct op *op, struct store_view *view, struct err *e);

/* It takes long, and wants a thread that may wait. */
bool op_is_long(const struct op *op);

/* Does it; `view` is the calling thread's, between two reads. */
void op_run(struct op *op, struct store_view *view);

#endif
