/*
 * A store in a directory of its own, and operations on it as a client of the
 * daemon's would ask for them: a name and a JSON body, and the reply's body.
 */
#ifndef TESTS_OP_RIG_H
#define TESTS_OP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/base/io.h"
#include "store/op/op.h"
#include "store/op/op_later.h"
#include "store/value/fault.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rig {
	char dir[64];
	struct store_options options;
	struct store *store;
	struct store_view view;
	struct buf out;
	int status;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
	bool later_full;	/* no operation may leave anything for later */
	bool forget_later;	/* what it leaves is never done */
};

static inline void
rig_open(struct rig *r)
{
	struct err e = {0};

	r->store = store_open(r->dir, &r->options, &e);
	if (!r->store)
		fail_msg("%s", e.text);
	assert_int_equal(store_view_init(&r->view, r->store, &e), 0);
}

static inline void
rig_close(struct rig *r)
{
	store_view_release(&r->view);
	store_close(r->store);
	r->store = NULL;
}

static inline void
rig_init(struct rig *r)
{
	*r = (struct rig){.options = {.force = true,
	    .segment_bytes = 1 << 20, .checkpoint_ms = -1,
	    .ttl_sweep_ms = 3600000}};
	snprintf(r->dir, sizeof r->dir, "/tmp/bothy-op-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	buf_init(&r->out, 256 << 20);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	rig_open(r);
}

static inline void
rig_release(struct rig *r)
{
	if (r->store)
		rig_close(r);
	buf_release(&r->out);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	io_remove_tree(AT_FDCWD, r->dir);
}

static inline void
rig_done(struct op *op)
{
	struct rig *r = op->arg;

	pthread_mutex_lock(&r->lock);
	r->over = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

/* The reply's body, until the next call; r->status is 0 or a fault. */
static inline const char *
rig_call_with(struct rig *r, const char *name, const char *body, bool plain,
    bool wait_file)
{
	const struct operation_info *info =
	    operation_named(name, strlen(name));
	const atomic_bool stop = false;
	struct op op;

	assert_non_null(info);
	buf_reset(&r->out);
	op_init(&op, r->store, &r->out, rig_done, r);
	op.wait_file = wait_file;
	op.later_full = r->later_full;
	r->over = false;
	if (op_read(&op, (int)info->op, plain, body, strlen(body), NULL) ==
	    0) {
		op_run(&op, &r->view);
		pthread_mutex_lock(&r->lock);
		while (!r->over)
			pthread_cond_wait(&r->wake, &r->lock);
		pthread_mutex_unlock(&r->lock);
	}
	if (op.later && !r->forget_later)
		op.later->run(op.later, &stop);
	r->status = op.status;
	op_release(&op);
	return buf_str(&r->out);
}

/* In plain documents, with files written. */
static inline const char *rig_call(struct rig *r, const char *name,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static inline const char *
rig_call(struct rig *r, const char *name, const char *fmt, ...)
{
	char body[64 * 1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(body, sizeof body, fmt, ap);
	va_end(ap);
	return rig_call_with(r, name, body, true, true);
}

/* The same, and it has to succeed. */
#define rig_ok(r, ...) rig_ok_at(__FILE__, __LINE__, (r), \
	rig_call((r), __VA_ARGS__))

static inline const char *
rig_ok_at(const char *file, int line, struct rig *r, const char *reply)
{
	if (r->status) {
		print_error("%s:%d: %s: %s\n", file, line,
		    fault_name(r->status), reply);
		_fail(file, line);
	}
	return reply;
}

/* The reply holds a text, or doesn't. */
#define rig_has(reply, text) rig_has_at(__FILE__, __LINE__, (reply), (text), \
	true)
#define rig_lacks(reply, text) rig_has_at(__FILE__, __LINE__, (reply), \
	(text), false)

static inline void
rig_has_at(const char *file, int line, const char *reply, const char *text,
    bool has)
{
	if ((strstr(reply, text) != NULL) == has)
		return;
	print_error("%s:%d: %s %s in: %s\n", file, line,
	    has ? "missing" : "found", text, reply);
	_fail(file, line);
}

/* A member's text out of a reply, into `out`. */
static inline const char *
rig_text(const char *reply, const char *member, char *out, size_t size)
{
	char needle[128];
	const char *p;

	snprintf(needle, sizeof needle, "\"%s\":\"", member);
	p = strstr(reply, needle);
	if (!p)
		fail_msg("no %s in: %s", member, reply);
	else {
		p += strlen(needle);
		snprintf(out, size, "%.*s", (int)strcspn(p, "\""), p);
	}
	return out;
}

#endif
