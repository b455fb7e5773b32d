/*
 * Content codings by zlib, for encoding.h.  Runs in bothy-fcgi's workers; what
 * a peer sends takes no more memory than the caller's buffer may.
 */
#define ZLIB_CONST

#include "encoding.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
	GZIP_BITS = 15 + 16, DEFLATE_BITS = 15, MEMORY_LEVEL = 8,
	PIECE = 64 * 1024
};

static const char *const names[] = {[ENCODING_NONE] = "identity",
	[ENCODING_GZIP] = "gzip", [ENCODING_DEFLATE] = "deflate"};

static bool
is_name(const struct text *t, enum encoding e)
{
	size_t n = strlen(names[e]);

	return t->n == n && strncasecmp(t->p, names[e], n) == 0;
}

enum encoding
encoding_parse(const struct text *name)
{
	enum encoding e;

	if (!name->p || name->n == 0)
		return ENCODING_NONE;
	for (e = ENCODING_NONE; e < ENCODING_UNKNOWN; e++)
		if (is_name(name, e))
			return e;
	return ENCODING_UNKNOWN;
}

const char *
encoding_name(enum encoding e)
{
	return names[e];
}

/* --- Accept-Encoding ------------------------------------------------------ */

/* Thousandths; what is no number is 1, as DynamoDB has it. */
static int
parse_quality(struct text t)
{
	int q = 0, unit = 1000;
	size_t i = 0;

	t = aws_trim(t);
	if (t.n && t.p[0] == '-')
		return 0;
	for (; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++)
		q = t.p[i] != '0' || q ? 1000 : 0;
	if (i == 0)
		return 1000;
	if (i < t.n && t.p[i] == '.')
		for (i++; i < t.n && t.p[i] >= '0' && t.p[i] <= '9'; i++) {
			unit /= 10;
			/* So small it may be, it isn't nothing. */
			q += unit ? (t.p[i] - '0') * unit
			          : q == 0 && t.p[i] != '0';
		}
	if (i != t.n)
		return 1000;
	return q > 1000 ? 1000 : q;
}

static int
quality(const struct text *parameters)
{
	const char *q = parameters->n ? memmem(parameters->p, parameters->n,
	    "q=", 2) : NULL, *end;
	size_t n;

	if (!q)
		return 1000;
	q += 2;
	n = (size_t)(parameters->p + parameters->n - q);
	end = memchr(q, ';', n);
	return parse_quality((struct text){q, end ? (size_t)(end - q) : n});
}

/* What has been asked for: the best of those named, in order. */
struct wishes {
	int named[ENCODING_UNKNOWN], any;	/* -1: not named */
	enum encoding first;		/* of the two that was named */
};

static void
take_wish(struct wishes *w, struct text t)
{
	const char *semicolon = t.n ? memchr(t.p, ';', t.n) : NULL;
	struct text name = {t.p, semicolon ? (size_t)(semicolon - t.p) : t.n};
	struct text rest = {t.p + name.n, t.n - name.n};
	int q = quality(&rest);
	enum encoding e;

	name = aws_trim(name);
	if (name.n == 1 && name.p[0] == '*') {
		w->any = q;
		return;
	}
	for (e = ENCODING_GZIP; e < ENCODING_UNKNOWN; e++) {
		if (!is_name(&name, e))
			continue;
		if (w->first == ENCODING_NONE)
			w->first = e;
		if (q > w->named[e])
			w->named[e] = q;
	}
}

enum encoding
encoding_choose(const struct text *accept)
{
	struct wishes w = {{-1, -1, -1}, -1, ENCODING_NONE};
	struct text rest = *accept, part;
	enum encoding first, second;
	const char *comma;
	int q[ENCODING_UNKNOWN];

	while (rest.n) {
		comma = memchr(rest.p, ',', rest.n);
		part = (struct text){rest.p,
		    comma ? (size_t)(comma - rest.p) : rest.n};
		take_wish(&w, part);
		rest.p += part.n + (comma != NULL);
		rest.n -= part.n + (comma != NULL);
	}
	first = w.first == ENCODING_DEFLATE ? ENCODING_DEFLATE
	                                    : ENCODING_GZIP;
	second = first == ENCODING_GZIP ? ENCODING_DEFLATE : ENCODING_GZIP;
	q[first] = w.named[first] < 0 ? w.any : w.named[first];
	q[second] = w.named[second] < 0 ? w.any : w.named[second];
	if (q[second] > q[first])
		first = second;
	return q[first] > 0 ? first : ENCODING_NONE;
}

/* --- streams -------------------------------------------------------------- */

/* One stream of `z`'s input appended to `out`: 0, -1 or -2. */
static int
decode_one(z_stream *z, struct buf *out)
{
	int rc;

	do {
		if (buf_reserve(out, out->max - out->len < PIECE ?
		    out->max - out->len : PIECE) < 0)
			return -2;
		z->next_out = (unsigned char *)out->data + out->len;
		z->avail_out = (unsigned)(out->room - out->len - 1);
		if (z->avail_out > out->max - out->len)
			z->avail_out = (unsigned)(out->max - out->len);
		if (z->avail_out == 0)
			return -2;
		rc = inflate(z, Z_NO_FLUSH);
		out->len = (size_t)((char *)z->next_out - out->data);
		out->data[out->len] = '\0';
	} while (rc == Z_OK && (z->avail_in || z->avail_out == 0));
	return rc == Z_STREAM_END ? 0 : -1;
}

int
encoding_decode(enum encoding e, const void *p, size_t n, struct buf *out)
{
	z_stream z = {0};
	int rc;

	if (e != ENCODING_GZIP && e != ENCODING_DEFLATE)
		return -1;
	if (inflateInit2(&z, e == ENCODING_GZIP ? GZIP_BITS : DEFLATE_BITS) !=
	    Z_OK)
		return -1;
	z.next_in = p;
	z.avail_in = (unsigned)n;
	do
		rc = decode_one(&z, out);
	while (rc == 0 && z.avail_in && inflateReset(&z) == Z_OK);
	inflateEnd(&z);
	return rc;
}

int
encoding_encode(enum encoding e, const void *p, size_t n, struct buf *out)
{
	z_stream z = {0};
	size_t most;
	int rc = -1;

	if (e != ENCODING_GZIP && e != ENCODING_DEFLATE)
		return -1;
	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED,
	    e == ENCODING_GZIP ? GZIP_BITS : DEFLATE_BITS, MEMORY_LEVEL,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	most = deflateBound(&z, n);
	if (buf_reserve(out, most) == 0) {
		z.next_in = p;
		z.avail_in = (unsigned)n;
		z.next_out = (unsigned char *)out->data + out->len;
		z.avail_out = (unsigned)most;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
			out->len += z.total_out;
			out->data[out->len] = '\0';
			rc = 0;
		}
	}
	deflateEnd(&z);
	return rc;
}
