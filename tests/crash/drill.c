/*
 * Operations on the store that is drilled, as drill.h has them.
 */
#include "drill.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEGMENT = 16384, CHECKPOINT_MS = 2 };

void
bad(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
	(void)fflush(stdout);
	_exit(1);
}

uint64_t
below(struct drill *d, uint64_t n)
{
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return d->random * 0x2545f4914f6cdd1dull % n;
}

void
promise(struct drill *d, const char *fmt, ...)
{
	char text[64];
	va_list ap;
	int n;

	if (d->quiet)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&d->lock);
	if (send(d->sockets[0], text, (size_t)n, MSG_NOSIGNAL) != n ||
	    recv(d->sockets[1], text, (size_t)n, 0) != n ||
	    write(1, text, (size_t)n) != n)
		_exit(REFUSED);
	pthread_mutex_unlock(&d->lock);
}

/* --- coming and going --------------------------------------------------- */

int
come(struct drill *d, struct err *e)
{
	const struct store_options o = {.force = true,
	    .segment_bytes = SEGMENT, .checkpoint_ms = CHECKPOINT_MS};

	d->store = store_open(d->path, &o, e);
	if (d->store == NULL)
		return -1;
	return store_view_init(&d->view, d->store, e);
}

void
leave(struct drill *d)
{
	store_view_release(&d->view);
	store_close(d->store);
	d->store = NULL;
}

/* --- operations --------------------------------------------------------- */

/* What a condition that failed has seen is as good as what a read has. */
static void
promise_outcome(struct drill *d, const struct call *c)
{
	uint32_t seen = documents_newest(buf_str(&c->out));

	promise(d, "%s %u\n", operation_outcome(c->op.status), c->m);
	if (c->op.status == FAULT_CONDITION && seen)
		promise(d, "done %u\n", seen);
}

static void
answered(struct op *op)
{
	struct call *c = op->arg;
	struct drill *d = c->d;

	if (c->aside)
		return;
	if (c->m && operation_outcome(op->status))
		promise_outcome(d, c);
	pthread_mutex_lock(&d->lock);
	if (op->status == 0 && c->m > d->told)
		d->told = c->m;
	d->waiting--;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

void
call_init(struct call *c, struct drill *d)
{
	c->d = d;
	c->m = 0;
	c->aside = false;
	buf_init(&c->body, REPLY_MAX);
	buf_init(&c->out, REPLY_MAX);
	op_init(&c->op, d->store, &c->out, answered, c);
}

void
call_release(struct call *c)
{
	op_release(&c->op);
	buf_release(&c->body);
	buf_release(&c->out);
}

static void
call_begin(struct call *c, int operation)
{
	struct drill *d = c->d;

	pthread_mutex_lock(&d->lock);
	d->waiting++;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	if (!buf_ok(&c->body)) {
		c->op.status = FAULT_LIMIT;
		answered(&c->op);
	} else if (op_read(&c->op, operation, false, c->body.data, c->body.len,
		NULL) < 0) {
		answered(&c->op);
	} else {
		op_run(&c->op, &d->view);
	}
}

static void
wait_for_all(struct drill *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->waiting)
		pthread_cond_wait(&d->wake, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

/* Some operations at once: they are decided in this order. */
void
write_some(struct drill *d, uint32_t count)
{
	struct call calls[AT_ONCE];
	uint32_t i;

	for (i = 0; i < count; i++) {
		call_init(&calls[i], d);
		calls[i].m = ++d->m;
		d->runs.run[d->m] = d->run;
		calls[i].op.wait_file = operation_waits(d->m, d->run);
		call_begin(&calls[i],
		    operation_write(&calls[i].body, d->m, d->run));
	}
	wait_for_all(d);
	for (i = 0; i < count; i++) {
		d->failed = d->failed || operation_failed(calls[i].op.status);
		call_release(&calls[i]);
	}
}

int
ask(struct call *c, int operation)
{
	call_begin(c, operation);
	wait_for_all(c->d);
	return c->op.status;
}

/* --- looking on --------------------------------------------------------- */

static uint32_t
see_newest(struct drill *d, struct store_view *view)
{
	uint32_t newest = 0;
	struct call c;

	call_init(&c, d);
	c.aside = true;
	(void)buf_puts(&c.body, "{\"TableName\":\"docs\"}");
	if (buf_ok(&c.body) && op_read(&c.op, OP_SCAN, false, c.body.data,
	    c.body.len, NULL) == 0) {
		op_run(&c.op, view);
		newest = documents_newest(buf_str(&c.out));
	}
	call_release(&c);
	return newest;
}

/* Nothing is told that others have told already: it would say no more. */
static void *
look_on(void *arg)
{
	struct drill *d = arg;
	struct store_view view;
	uint32_t m, told = 0;
	struct err e;

	if (store_view_init(&view, d->store, &e) < 0)
		return NULL;
	pthread_mutex_lock(&d->lock);
	while (!d->ends) {
		told = d->told > told ? d->told : told;
		if (!d->waiting) {
			pthread_cond_wait(&d->wake, &d->lock);
			continue;
		}
		pthread_mutex_unlock(&d->lock);
		m = see_newest(d, &view);
		if (m > told) {
			promise(d, "done %u\n", m);
			told = m;
		}
		pthread_mutex_lock(&d->lock);
	}
	pthread_mutex_unlock(&d->lock);
	store_view_release(&view);
	return NULL;
}

pthread_t
start_looking_on(struct drill *d)
{
	pthread_t thread;

	d->told = d->m;
	d->ends = false;
	return pthread_create(&thread, NULL, look_on, d) == 0 ? thread : 0;
}

void
stop_looking_on(struct drill *d, pthread_t thread)
{
	pthread_mutex_lock(&d->lock);
	d->ends = true;
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
	if (thread)
		pthread_join(thread, NULL);
}

/* --- tables ------------------------------------------------------------- */

static void
make_table(struct drill *d, size_t i)
{
	struct call c;

	call_init(&c, d);
	create_write(&c.body, i);
	d->failed = d->failed || ask(&c, OP_CREATE_TABLE);
	call_release(&c);
}

static bool
has_table(struct drill *d, const char *name)
{
	struct catalog *c = store_catalog_hold(d->store);
	bool has = catalog_named(c, name, strlen(name)) != NULL;

	store_catalog_release(d->store, c);
	return has;
}

bool
has_tables(struct drill *d)
{
	size_t i;

	for (i = 0; table_name(i); i++)
		if (!has_table(d, table_name(i)))
			return false;
	return true;
}

void
make_tables(struct drill *d)
{
	size_t i;

	for (i = 0; table_name(i); i++)
		if (!has_table(d, table_name(i)))
			make_table(d, i);
	if (!d->failed)
		promise(d, "tables\n");
}

/* --- seeing what is there ----------------------------------------------- */

struct document
get(struct drill *d, size_t i, struct buf *out)
{
	struct document found;
	struct call c;

	call_init(&c, d);
	get_write(&c.body, i);
	if (ask(&c, OP_GET_ITEM))
		d->failed = true;
	found = document_read(buf_str(&c.out));
	buf_reset(out);
	(void)buf_add(out, c.out.data, c.out.len);
	call_release(&c);
	return found;
}

/* It is the greatest m of a document. */
uint32_t
count_done(struct drill *d, uint32_t *run)
{
	uint32_t m = 0;
	struct buf out;
	size_t i;

	buf_init(&out, REPLY_MAX);
	for (i = 0; i < DOCUMENTS_ALL; i++) {
		d->found[i] = get(d, i, &out);
		if (d->found[i].m > m) {
			m = d->found[i].m;
			*run = d->found[i].run;
		}
	}
	buf_release(&out);
	return m;
}
