/*
 * Fuzz target: signatures (fcgi/aws).  The input is the lines of a request:
 * path, query, then a header field each; behind an empty line comes the body.
 * What can be read of a signature is judged, written down canonically both
 * ways, and lies in the request; a canonical request has the lines that it
 * must have and no control byte that the headers didn't; a body that claims
 * to be encoded is decoded within its bound.
 */
#include "fcgi/aws/endpoint.h"
#include "fcgi/aws/target.h"

#include "fuzz.h"

#include <string.h>

enum { ARENA_MAX = 1 << 20, DECODED_MAX = 1 << 16, NOW_S = 1440938160 };

static const char EMPTY[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* Up to the next line feed, which is passed. */
static struct text
line(struct text *t)
{
	const char *end = t->n ? memchr(t->p, '\n', t->n) : NULL;
	struct text part = {t->p, end ? (size_t)(end - t->p) : t->n};

	t->p += part.n + (end != NULL);
	t->n -= part.n + (end != NULL);
	return part;
}

static void
read_fields(struct aws_request *r, struct aws_field *fields,
    struct text *rest)
{
	struct text one, name;
	const char *colon;

	while (rest->n && r->nfields < AWS_FIELDS_MAX) {
		one = line(rest);
		colon = one.n ? memchr(one.p, ':', one.n) : NULL;
		if (!colon)
			return;
		name = (struct text){one.p, (size_t)(colon - one.p)};
		fields[r->nfields++] = (struct aws_field){name,
		    {colon + 1, one.n - name.n - 1}};
	}
}

static void
canonical(const struct sigv4 *s, const struct aws_request *r, bool tight,
    struct arena *a)
{
	unsigned char key[SIGV4_KEY_SIZE] = {0};
	size_t i, lines = 0, signed_ones = 1;
	struct buf b;
	struct err e;

	for (i = 0; i < s->signed_headers.n; i++)
		signed_ones += s->signed_headers.p[i] == ';';
	signed_ones -= s->signed_headers.p[s->signed_headers.n - 1] == ';';
	buf_init(&b, SIGV4_CANONICAL_MAX);
	if (sigv4_canonical(s, r, EMPTY, tight, a, &b) == 0) {
		require(signed_ones <= SIGV4_HEADERS_MAX);
		for (i = 0; i < b.len; i++)
			lines += b.data[i] == '\n';
		require(lines == 5 + signed_ones);
		require(b.data[5] == '/');
	}
	sigv4_key("secret", s, key);
	require(sigv4_verify(s, r, EMPTY, key, a, &b, &e) < 0);
	buf_release(&b);
}

static void
decode(const struct aws_request *r, const struct text *body)
{
	struct text coding = aws_header(r, "content-encoding");
	struct text accept = aws_header(r, "accept-encoding");
	enum encoding e = encoding_parse(&coding);
	struct buf out;

	require(!accept.p || encoding_choose(&accept) < ENCODING_UNKNOWN);
	buf_init(&out, DECODED_MAX);
	require(encoding_decode(e, body->p, body->n, &out) <= 0);
	require(out.len <= DECODED_MAX);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text rest = {(const char *)data, size}, target;
	struct aws_field fields[AWS_FIELDS_MAX];
	struct aws_request r = {.method = "POST", .fields = fields};
	struct arena a;
	struct sigv4 s;
	struct err e;

	r.path = line(&rest);
	r.query = line(&rest);
	read_fields(&r, fields, &rest);
	arena_init(&a, ARENA_MAX);
	if (sigv4_read(&s, &r, &a, &e) == 0) {
		require(s.key_id.n && s.signature.n && s.signed_headers.n &&
		    s.time.n == SIGV4_TIME_LENGTH);
		sigv4_check(&s, &r, "dynamodb", NOW_S, &e);
		/* A line feed can't come in a header, but in a query. */
		if (!memchr(s.signed_headers.p, '\n', s.signed_headers.n)) {
			canonical(&s, &r, false, &a);
			canonical(&s, &r, true, &a);
		}
	}
	target = aws_header(&r, "x-amz-target");
	aws_target(&target);
	decode(&r, &rest);
	arena_release(&a);
	return 0;
}
