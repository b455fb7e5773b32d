/*
 * Calls, as call.h describes them: made, ended with a reply, recycled.
 */
#include "call.h"

#include "conn.h"
#include "iothread.h"
#include "server.h"

#include "store/base/clock.h"
#include "store/value/fault.h"
#include "store/wire/reply.h"

#include <stdlib.h>

enum {
	KEPT_BYTES = 64 * 1024,		/* of a buffer, for the next request */
	NOTE_MAX = 64 * 1024,
	NOTE_EVERY_MS = 200,
	/*
	 * With so few others away a reply is sent by the thread that has it;
	 * with more, waking the I/O thread once for many is cheaper.
	 */
	SEND_HERE_CALLS = 2
};

/* --- ends --------------------------------------------------------------------- */

/* What is told where the reply itself can't be. */
static void
name_lack(const struct call *k, int status, struct err *e)
{
	if (k->op.stands || status == FAULT_UNKNOWN_OUTCOME)
		err_set(e, FAULT_UNKNOWN_OUTCOME, "no memory to tell what came "
		    "of it");
	else if (!buf_ok(&k->reply.bytes))
		err_set(e, FAULT_BUSY, "no memory for the reply");
	else
		err_set(e, FAULT_LIMIT, "the reply is too long; ask for less, "
		    "with Limit or a projection");
}

/* The reply is written: its frame is closed, whatever its length. */
static void
seal(struct call *k, int status)
{
	struct buf *b = &k->reply.bytes;
	struct err e;

	if (frame_end_reply(b, k->reply_begin, k->id, status, 0) == 0)
		return;
	name_lack(k, status, &e);
	buf_reset(b);
	k->reply_begin = frame_begin_reply(b);
	reply_fault(b, &k->op.arena, k->op.plain, &e, NULL, 0);
	frame_end_reply(b, k->reply_begin, k->id, e.code, 0);
}

/* The code of an error, if it is a fault. */
static int
fault_of(const struct err *e)
{
	return e->code >= FAULT_FIRST && e->code < FAULT_END
	    ? e->code
	    : FAULT_INTERNAL;
}

/* One of the things that it waits for has ended. */
static void
part_ended(struct call *k)
{
	struct iothread *io = k->conn->io;
	unsigned others;

	if (atomic_fetch_sub(&k->parts, 1) > 1)
		return;
	others = k->away ? atomic_fetch_sub(&io->server->away, 1) - 1 : 0;
	if (iothread_is_here(io)) {
		if (atomic_load(&io->writes))	/* what comes next takes time */
			conn_send_here(k->conn, &k->reply);
		conn_reply(k->conn, &k->reply);
		return;
	}
	/* Behind a note that tells how far it is, the reply takes its way. */
	if (others <= SEND_HERE_CALLS && !atomic_load(&k->noted))
		conn_send_here(k->conn, &k->reply);
	iothread_return(io, &k->reply);
}

static void
answered(struct op *op)
{
	struct call *k = op->arg;

	seal(k, op->status);
	if (op->status == 0 && (op->request.info->op == OP_STOP ||
	        op->request.info->op == OP_REINDEX))
		server_leave(k->conn->io->server);
	part_ended(k);
}

static void
drop_relay(struct call *k)
{
	relays_give_back(k->relay);
	k->relay = NULL;
}

void
call_fail(struct call *k, const struct err *e)
{
	drop_relay(k);
	reply_fault(&k->reply.bytes, &k->op.arena, k->op.plain, e, NULL, 0);
	seal(k, e->code);
	part_ended(k);
}

/* --- what takes long -------------------------------------------------------------- */

/* A note that says how far it is: not too often, and one at a time. */
static void
tell_progress(struct op *op, const char *json, size_t n)
{
	struct call *k = op->arg;
	struct buf *b = &k->note.bytes;
	int64_t now_ms = clock_mono_ms();
	size_t begin;

	if (now_ms - k->noted_ms < NOTE_EVERY_MS ||
	    atomic_exchange(&k->noted, true))
		return;
	k->noted_ms = now_ms;
	buf_reset(b);
	begin = frame_begin_reply(b);
	buf_add(b, json, n);
	if (frame_end_reply(b, begin, k->id, 0, FRAME_PROGRESS) == 0)
		iothread_return(k->conn->io, &k->note);
	else
		atomic_store(&k->noted, false);
}

/* Nobody waits for it any longer, or we are about to leave. */
static enum op_stop
see_whether_to_stop(struct op *op)
{
	const struct call *k = op->arg;

	if (atomic_load(&k->conn->io->server->leaving))
		return OP_LEAVING;
	return atomic_load(&k->conn->gone) ? OP_UNWANTED : OP_GO_ON;
}

void
call_run_long(struct call *k, struct store_view *view)
{
	struct later *later = &k->conn->io->server->later;

	atomic_fetch_add(&k->parts, 1);	/* this thread, beside the reply */
	k->op.progress = tell_progress;
	k->op.stop = see_whether_to_stop;
	k->op.later_full = later_full(later);
	op_run(&k->op, view);
	if (k->op.later)
		later_add(later, k->op.later);
	part_ended(k);
}

/* --- what goes on elsewhere ---------------------------------------------------------- */

void
call_run_relayed(struct call *k, struct store_view *view)
{
	struct op *op = &k->op;
	struct err e;
	struct relay *relay = relays_of(k->relay, &e);
	int rc = relay ? relay_call(relay, (int)op->request.info->op,
	                     op->plain, k->request.data, k->request.len,
	                     &op->arena, op->out, &e)
	               : -1;

	(void)view;
	drop_relay(k);
	op->status = rc == 0 ? 0 : fault_of(&e);
	if (rc < 0 && op->out->len == op->out_at)
		reply_fault(op->out, &op->arena, op->plain, &e, NULL, 0);
	op->done(op);
}

/* --- coming and going ----------------------------------------------------------------- */

static struct call *
make(struct iothread *io)
{
	struct call *k = calloc(1, sizeof *k);

	if (!k)
		return NULL;
	buf_init(&k->request, FRAME_BODY_MAX);
	buf_init(&k->reply.bytes, FRAME_REPLY_MAX);
	buf_init(&k->note.bytes, NOTE_MAX);
	k->reply.call = k->note.call = k;
	k->reply.last = true;
	op_init(&k->op, io->server->store, &k->reply.bytes, answered, k);
	return k;
}

struct call *
call_take(struct conn *c, uint32_t id)
{
	struct iothread *io = c->io;
	struct call *k = io->calls;

	if (k) {
		io->calls = k->next;
		io->ncalls--;
	} else {
		k = make(io);
	}
	if (!k)
		return NULL;
	k->next = NULL;
	k->relay = NULL;
	k->conn = c;
	k->id = id;
	k->held = 0;
	k->noted_ms = 0;
	k->away = k->reply.sent = false;
	atomic_store_explicit(&k->parts, 1, memory_order_relaxed);
	k->reply_begin = frame_begin_reply(&k->reply.bytes);
	return k;
}

static void
empty(struct buf *b)
{
	if (b->room > KEPT_BYTES)
		buf_release(b);
	else
		buf_reset(b);
}

void
call_give_back(struct call *k)
{
	struct iothread *io = k->conn->io;

	if (io->ncalls >= IOTHREAD_CALLS_KEPT) {
		call_free(k);
		return;
	}
	empty(&k->request);
	empty(&k->reply.bytes);
	empty(&k->note.bytes);
	op_reset(&k->op);
	if (k->op.arena.end - k->op.arena.at > KEPT_BYTES)
		arena_release(&k->op.arena);
	k->next = io->calls;
	io->calls = k;
	io->ncalls++;
}

void
call_free(struct call *k)
{
	op_release(&k->op);
	buf_release(&k->request);
	buf_release(&k->reply.bytes);
	buf_release(&k->note.bytes);
	free(k);
}
