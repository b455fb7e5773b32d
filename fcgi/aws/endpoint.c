/*
 * The endpoint of endpoint.h.
 */
#include "endpoint.h"

#include "fault.h"
#include "target.h"

#include "store/base/hash.h"
#include "store/value/fault.h"
#include "store/value/json.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

enum {
	ARENA_MAX = 1 << 20,
	KEPT = 64 * 1024	/* of a buffer, for the next request */
};

static const char SERVICE[] = "dynamodb";
static const char UNSIGNED[] = "UNSIGNED-PAYLOAD";
static const char INVALID_TOKEN[] =
    "The security token included in the request is invalid.";

/* --- coming and going ----------------------------------------------------- */

int
endpoint_init(struct endpoint *ep, const char *state_dir, const char *socket,
    struct err *e)
{
	atomic_init(&ep->held, 0);
	pool_init(&ep->pool, socket);
	return aws_keyring_init(&ep->ring, state_dir, e);
}

void
endpoint_release(struct endpoint *ep)
{
	pool_release(&ep->pool);
	aws_keyring_release(&ep->ring);
}

void
session_init(struct session *s)
{
	memset(s, 0, sizeof *s);
	keycache_init(&s->cache);
	arena_init(&s->arena, ARENA_MAX);
	buf_init(&s->body, ENDPOINT_BODY_MAX);
	buf_init(&s->plain, ENDPOINT_BODY_MAX);
	buf_init(&s->reply, FRAME_REPLY_MAX);
	buf_init(&s->fault, FRAME_REPLY_MAX);
	buf_init(&s->coded, FRAME_REPLY_MAX);
	buf_init(&s->scratch, SIGV4_CANONICAL_MAX);
}

static void
each_buf(struct session *s, void (*f)(struct buf *b))
{
	f(&s->body);
	f(&s->plain);
	f(&s->reply);
	f(&s->fault);
	f(&s->coded);
	f(&s->scratch);
}

void
session_release(struct session *s)
{
	keycache_release(&s->cache);
	arena_release(&s->arena);
	each_buf(s, buf_release);
}

static void
empty(struct buf *b)
{
	if (b->room > KEPT)
		buf_release(b);
	else
		buf_reset(b);
}

void
endpoint_end(struct endpoint *ep, struct session *s)
{
	aws_keys_release(s->keys);
	s->keys = NULL;
	s->key = NULL;
	s->op = NULL;
	s->trouble.text[0] = '\0';
	arena_reset(&s->arena);
	each_buf(s, empty);
	atomic_fetch_sub(&ep->held, s->held);
	s->held = 0;
}

int
session_fail(struct session *s, int fault, const char *text)
{
	return err_set(&s->error, fault, "%s", text);
}

bool
endpoint_in_use(struct endpoint *ep)
{
	struct err ignored;
	struct aws_keys *k = aws_keyring_hold(&ep->ring, &ignored);
	bool yes = k && k->count > 0;

	aws_keys_release(k);
	return yes;
}

/* --- who asks ------------------------------------------------------------- */

/* A session's key comes with its token, another with none. */
static int
check_token(struct session *s, int64_t now_ms)
{
	const struct text *shown = &s->sig.token;
	const char *right = s->key->token;

	if (right ? !shown->p || shown->n != strlen(right) ||
	            !hash_same(shown->p, right, shown->n)
	          : shown->p != NULL)
		return session_fail(s, AWS_UNRECOGNIZED_CLIENT,
		    INVALID_TOKEN);
	if (s->key->expires_ms && now_ms >= s->key->expires_ms)
		return session_fail(s, AWS_EXPIRED_TOKEN,
		    "The security token included in the request is expired");
	return 0;
}

int
endpoint_begin(struct endpoint *ep, struct session *s,
    const struct aws_request *r, int64_t now_ms)
{
	struct text target = aws_header(r, "x-amz-target");
	struct text coding = aws_header(r, "content-encoding");

	s->encoding = encoding_parse(&coding);
	s->op = strcmp(r->method, "POST") == 0 ? aws_target(&target) : NULL;
	if (!s->op)
		return session_fail(s, FAULT_UNKNOWN_OPERATION, "");
	if (sigv4_read(&s->sig, r, &s->arena, &s->error) < 0 ||
	    sigv4_check(&s->sig, r, SERVICE, now_ms / 1000, &s->error) < 0)
		return -1;
	s->keys = aws_keyring_hold(&ep->ring, &s->trouble);
	if (!s->keys)
		return session_fail(s, FAULT_INTERNAL, "The access keys "
		    "can't be read; the gateway's log says why");
	s->key = aws_keys_find(s->keys, &s->sig.key_id);
	if (!s->key)
		return session_fail(s, AWS_UNRECOGNIZED_CLIENT,
		    INVALID_TOKEN);
	return check_token(s, now_ms);
}

/* --- the body ------------------------------------------------------------- */

/* The session has `n` bytes in all. */
static int
hold(struct endpoint *ep, struct session *s, size_t n)
{
	size_t more = n > s->held ? n - s->held : 0;

	if (n <= ENDPOINT_HELD_FREE)
		return 0;
	if (atomic_fetch_add(&ep->held, more) + more > ENDPOINT_HELD_MAX) {
		atomic_fetch_sub(&ep->held, more);
		return session_fail(s, AWS_THROTTLED, "Too many long requests "
		    "at the same time. Try again later.");
	}
	s->held += more;
	return 0;
}

static int
too_large(struct session *s)
{
	return session_fail(s, AWS_TOO_LARGE, "Request is larger than 16 MB");
}

int
endpoint_hold(struct endpoint *ep, struct session *s, size_t n)
{
	return n > ENDPOINT_BODY_MAX ? too_large(s) : hold(ep, s, n);
}

/*
 * What stands for the body in the canonical request: its hash, or that the
 * client has not signed it.  A hash that the client tells must be right.
 */
static int
hash_body(struct session *s, const struct aws_request *r, char *payload)
{
	struct text told = aws_header(r, "x-amz-content-sha256");

	if (aws_text_is(&told, UNSIGNED)) {
		memcpy(payload, UNSIGNED, sizeof UNSIGNED);
		return 0;
	}
	hash_hex(buf_str(&s->body), s->body.len, payload);
	if (told.p && !s->sig.presigned && !aws_text_is(&told, payload))
		return session_fail(s, AWS_INVALID_SIGNATURE, "The value of "
		    "x-amz-content-sha256 does not match the body.");
	return 0;
}

int
endpoint_verify(struct endpoint *ep, struct session *s,
    const struct aws_request *r, int64_t now_ms)
{
	char payload[HASH_HEX_SIZE];
	struct keycache_slot *slot;

	if (hash_body(s, r, payload) < 0)
		return -1;
	slot = keycache_find(&s->cache, s->keys, s->key, &s->sig);
	if (sigv4_verify(&s->sig, r, payload, slot->signing, &s->arena,
	    &s->scratch, &s->error) < 0)
		return -1;
	aws_keyring_used(&ep->ring, s->key, now_ms);
	return 0;
}

/* Into at most so many bytes, as encoding_decode(). */
static int
decode_into(struct session *s, enum encoding e, size_t most)
{
	buf_reset(&s->plain);
	s->plain.max = most;
	return encoding_decode(e, buf_str(&s->body), s->body.len, &s->plain);
}

/*
 * The body without its content coding: 0 with *body, or -1.  How long it will
 * be nobody knows: what is short isn't counted, what isn't as the longest.
 */
static int
decode(struct endpoint *ep, struct session *s, enum encoding e,
    const struct buf **body)
{
	int rc;

	*body = &s->body;
	if (e == ENCODING_NONE)
		return 0;
	*body = &s->plain;
	rc = decode_into(s, e, ENDPOINT_HELD_FREE);
	if (rc == -2) {
		if (hold(ep, s, s->body.len + ENDPOINT_BODY_MAX) < 0)
			return -1;
		rc = decode_into(s, e, ENDPOINT_BODY_MAX);
	}
	switch (rc) {
	case 0:
		return 0;
	case -2:
		return too_large(s);
	default:
		return session_fail(s, FAULT_INTERNAL, "The body is not of "
		    "its Content-Encoding");
	}
}

/* --- the operation -------------------------------------------------------- */

static int
call_once(struct endpoint *ep, struct session *s, const char *token,
    const struct buf *body)
{
	struct pooled *c = pool_take(&ep->pool, token);
	int rc;

	if (!c)
		return err_set(&s->error, ENOMEM, "out of memory");
	rc = client_call(c->client, s->op->op, 0, buf_str(body), body->len,
	    &s->reply, &s->error);
	pool_give(&ep->pool, c);
	return rc;
}

int
endpoint_call(struct endpoint *ep, struct session *s,
    const unsigned char *store, endpoint_start *start, void *ctx)
{
	struct keycache_slot *slot = keycache_find(&s->cache, s->keys,
	    s->key, &s->sig);
	const char *token = keycache_token(slot, store, &s->error);
	const struct buf *body;
	int rc;

	if (!token) {
		s->trouble = s->error;
		return session_fail(s, FAULT_INTERNAL, "The key's grants are "
		    "too long");
	}
	if (decode(ep, s, s->encoding, &body) < 0)
		return -1;
	rc = call_once(ep, s, token, body);
	if (rc < 0 && s->error.code == ENOMEM)
		return session_fail(s, AWS_THROTTLED, "out of memory");
	/* It ended since it was looked for, and nothing was done. */
	if (rc < 0 && s->error.code < FAULT_FIRST &&
	    start(ctx, &s->error) == 0)
		rc = call_once(ep, s, token, body);
	if (rc == 0 || s->error.code >= FAULT_FIRST)
		return rc;
	s->trouble = s->error;	/* about sockets, of no use to a client */
	return session_fail(s, FAULT_INTERNAL, "The store can't be reached; "
	    "the gateway's log says why");
}

static bool
is_address(const struct text *host)
{
	size_t i;

	for (i = 0; i < host->n; i++)
		if (!memchr(".:-_[]", host->p[i], 6) &&
		    !isalnum((unsigned char)host->p[i]))
			return false;
	return i > 0;
}

/* The store knows no address: clients go on to the one that they asked. */
static void
tell_address(struct session *s, const struct aws_request *r)
{
	static const char NONE[] = "\"localhost\"";
	struct text host = aws_header(r, "host");
	struct buf *b = &s->reply;
	const char *at = memmem(buf_str(b), b->len, NONE, sizeof NONE - 1);
	size_t name, behind;

	if (!at || !is_address(&host) || buf_reserve(b, host.n) < 0)
		return;
	at = memmem(b->data, b->len, NONE, sizeof NONE - 1);
	name = (size_t)(at - b->data) + 1;
	behind = name + sizeof NONE - 3;
	memmove(b->data + name + host.n, b->data + behind,
	    b->len - behind + 1);
	memcpy(b->data + name, host.p, host.n);
	b->len += name + host.n - behind;
}

static void
choose(struct session *s, const struct aws_request *r,
    struct endpoint_answer *a)
{
	struct text accept = aws_header(r, "accept-encoding");
	enum encoding e;

	a->encoding = ENCODING_NONE;
	if (!accept.p || a->n < ENCODING_WORTH)
		return;
	e = encoding_choose(&accept);
	if (e == ENCODING_NONE ||
	    encoding_encode(e, a->body, a->n, &s->coded) < 0)
		return;
	a->encoding = e;
	a->body = buf_str(&s->coded);
	a->n = s->coded.len;
}

/* The request, without its coding. */
static const struct buf *
request_body(const struct session *s)
{
	return s->plain.len ? &s->plain : &s->body;
}

/*
 * The text of a failure; but NULL for a body that is no JSON: of that DynamoDB
 * says nothing.
 */
static const char *
tell_failure(struct session *s)
{
	const struct buf *b = request_body(s);
	struct json_token t;
	struct json j;
	struct err e;

	if (s->error.code != FAULT_SERIALIZATION)
		return s->error.text;
	json_open(&j, &s->arena, buf_str(b), b->len, &e);
	return json_next(&j, &t) < 0 || json_skip(&j, &t, NULL) < 0 ||
	        json_next(&j, &t) < 0
	    ? NULL
	    : s->error.text;
}

void
endpoint_answer(struct session *s, const struct aws_request *r, int rc,
    struct endpoint_answer *a)
{
	if (rc == 0) {
		if (s->op->op == OP_DESCRIBE_ENDPOINTS)
			tell_address(s, r);
		*a = (struct endpoint_answer){200, buf_str(&s->reply),
		    s->reply.len, ENCODING_NONE, 0};
	} else {
		aws_fault_body(&s->fault, s->error.code, s->reply.data,
		    s->reply.len, tell_failure(s));
		*a = (struct endpoint_answer){
		    aws_fault_status(s->error.code), buf_str(&s->fault),
		    s->fault.len, ENCODING_NONE, 0};
	}
	choose(s, r, a);
	a->crc = (uint32_t)crc32(0, (const unsigned char *)a->body,
	    (unsigned)a->n);
}

/* --- for the log ---------------------------------------------------------- */

struct text
session_table(const struct session *s)
{
	static const char NAME[] = "\"TableName\"";
	const struct buf *b = request_body(s);
	const char *p = buf_str(b), *end = p + b->len, *begin;

	/* Within a string a quote has a backslash, so this is a name. */
	while ((p = memmem(p, (size_t)(end - p), NAME, sizeof NAME - 1))) {
		p += sizeof NAME - 1;
		while (p < end && (*p == ' ' || *p == ':'))
			p++;
		if (p >= end || *p != '"')
			continue;
		begin = ++p;
		while (p < end && *p != '"' && *p != '\\' &&
		    p - begin < 1024)
			p++;
		return (struct text){begin, (size_t)(p - begin)};
	}
	return (struct text){NULL, 0};
}
