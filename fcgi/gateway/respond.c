/*
 * The reply's way out, as respond.h describes it.
 */
#include "respond.h"

#include <string.h>

void
respond_begin(struct respond *r)
{
	reply_begin(&r->w->reply, r->head);
	buf_reset(&r->w->head);
	buf_reset(&r->w->body);
	r->committed = false;
	r->bytes = 0;
}

static int
put(struct respond *r, const void *p, size_t n)
{
	struct worker *w = r->w;

	if (r->left)
		return -1;
	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	if (peer_write(w->peer, p, n) < 0)
		r->left = true;
	deadline_clear(&w->deadline);
	return r->left ? -1 : 0;
}

static int
push(struct respond *r)
{
	struct worker *w = r->w;

	if (r->left)
		return -1;
	deadline_set(&w->deadline, peer_fd(w->peer), DEADLINE_WRITE_MS);
	if (peer_flush(w->peer) < 0)
		r->left = true;
	deadline_clear(&w->deadline);
	return r->left ? -1 : 0;
}

/* Body bytes, as many as the promised length lets out. */
static int
put_body(struct respond *r, const char *p, size_t n)
{
	size_t out = reply_body(&r->w->reply, n);

	if (out == 0)
		return r->w->reply.state == REPLY_BAD ? -1 : 0;
	r->bytes += out;
	return put(r, p, out);
}

/* Header and what was held go out; `whole` if that is all of the body. */
static int
commit(struct respond *r, bool whole)
{
	struct worker *w = r->w;
	struct reply_extra x = {.request_id = r->request_id,
	    .cors = &r->site->cors,
	    .origin = r->origin,
	    .body_bytes = whole ? (int64_t)w->body.len : -1,
	    .stream = !whole};

	if (reply_head(&w->reply, &x, &w->head) < 0)
		return -1;
	r->committed = true;
	if (put(r, w->head.data, w->head.len) < 0)
		return -1;
	if (w->body.len && put_body(r, w->body.data, w->body.len) < 0)
		return -1;
	buf_reset(&w->body);
	return 0;
}

int
respond_output(void *ctx, const char *p, size_t n)
{
	struct respond *r = ctx;
	struct worker *w = r->w;
	size_t used = 0;

	if (r->left || r->answered)
		return -1;
	if (w->reply.state == REPLY_MORE)
		reply_feed(&w->reply, p, n, &used);
	if (w->reply.state == REPLY_BAD)
		return -1;
	p += used;
	n -= used;
	if (w->reply.state == REPLY_LOCAL_REDIRECT)
		return 0;	/* whatever follows means nothing */
	if (w->reply.state == REPLY_MORE)
		return 0;
	if (!r->committed && !r->stream && w->body.len + n <= RESPOND_HOLD)
		return n ? buf_add(&w->body, p, n) : 0;
	if ((!r->committed && commit(r, false) < 0) ||
	    (n && put_body(r, p, n) < 0))
		return -1;
	return r->stream ? push(r) : 0;
}

int
respond_flush(void *ctx)
{
	struct respond *r = ctx;

	if (r->left || r->answered)
		return -1;
	if (r->w->reply.state != REPLY_READY)
		return 0;	/* the header is not whole */
	if (!r->committed && commit(r, false) < 0)
		return -1;
	return push(r);
}

bool
respond_redirects(const struct respond *r)
{
	return !r->committed && r->w->reply.state == REPLY_LOCAL_REDIRECT;
}

int
respond_end(struct respond *r)
{
	struct worker *w = r->w;

	if (r->committed)
		return 0;
	if (w->reply.state == REPLY_MORE)
		reply_feed_end(&w->reply);
	if (w->reply.state == REPLY_BAD)
		return -1;
	if (commit(r, true) < 0 && !r->left)
		return -1;
	return 0;
}
