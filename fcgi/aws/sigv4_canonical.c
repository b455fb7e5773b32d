/*
 * The canonical request of sigv4.h: what a signature is over.
 */
#include "sigv4.h"

#include <stdlib.h>
#include <string.h>

/* --- the path ------------------------------------------------------------- */

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
	    c == '~';
}

static void
add_encoded(struct buf *out, struct text t)
{
	static const char DIGITS[] = "0123456789ABCDEF";
	unsigned char c;
	size_t i;

	for (i = 0; i < t.n; i++) {
		c = (unsigned char)t.p[i];
		if (is_unreserved(t.p[i]))
			buf_putc(out, t.p[i]);
		else {
			buf_putc(out, '%');
			buf_putc(out, DIGITS[c >> 4]);
			buf_putc(out, DIGITS[c & 15]);
		}
	}
}

/* Takes the last segment of what begins at `begin` away. */
static void
drop_segment(struct buf *out, size_t begin)
{
	while (out->len > begin && out->data[--out->len] != '/')
		;
}

/* RFC 3986 5.2.4, and empty segments are left out. */
static void
add_path(struct buf *out, struct text path)
{
	const char *p = path.p, *end = p + path.n, *slash;
	size_t begin = out->len, n;

	while (p < end) {
		slash = memchr(p, '/', (size_t)(end - p));
		n = (size_t)((slash ? slash : end) - p);
		if (n == 2 && p[0] == '.' && p[1] == '.')
			drop_segment(out, begin);
		else if (n > 0 && !(n == 1 && p[0] == '.')) {
			buf_putc(out, '/');
			add_encoded(out, (struct text){p, n});
		}
		p += n + 1;
	}
	if (out->len == begin || (path.n && path.p[path.n - 1] == '/'))
		buf_putc(out, '/');
}

/* --- the query ------------------------------------------------------------ */

struct parameter {
	struct text name, value;	/* encoded */
};

static int
compare_texts(const struct text *a, const struct text *b)
{
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	if (c)
		return c;
	return a->n < b->n ? -1 : a->n > b->n;
}

static int
compare(const void *a, const void *b)
{
	const struct parameter *x = a, *y = b;
	int c = compare_texts(&x->name, &y->name);

	return c ? c : compare_texts(&x->value, &y->value);
}

/* As a client encodes it: decoded, then encoded. p NULL without memory. */
static struct text
normal(struct text t, struct arena *a)
{
	struct text plain = sigv4_decode(t, a), out = {NULL, 0};
	struct buf b;

	buf_init(&b, SIGV4_CANONICAL_MAX);
	if (plain.p)
		add_encoded(&b, plain);
	if (plain.p && buf_ok(&b)) {
		out.p = arena_copy(a, buf_str(&b), b.len);
		out.n = b.len;
	}
	buf_release(&b);
	return out;
}

/* The next parameter of `t`: 1; 0 at the end; -1 without memory. */
static int
next_parameter(struct text *t, struct arena *a, struct parameter *out)
{
	struct text part = *t, name;
	const char *and, *equals;

	if (!t->n)
		return 0;
	and = memchr(t->p, '&', t->n);
	if (and)
		part.n = (size_t)(and - t->p);
	t->p += part.n + (and != NULL);
	t->n -= part.n + (and != NULL);
	equals = part.n ? memchr(part.p, '=', part.n) : NULL;
	name = (struct text){part.p,
	    equals ? (size_t)(equals - part.p) : part.n};
	out->name = normal(name, a);
	part.p += name.n + (equals != NULL);
	part.n -= name.n + (equals != NULL);
	out->value = normal(part, a);
	return out->name.p && out->value.p ? 1 : -1;
}

static int
add_query(struct buf *out, struct text query, bool presigned,
    struct arena *a)
{
	struct parameter *all, *p;
	size_t n = 0, i;
	int rc;

	if (!query.n)
		return 0;
	all = arena_array(a, SIGV4_PARAMETERS_MAX, sizeof *all);
	if (!all)
		return -1;
	while (n < SIGV4_PARAMETERS_MAX) {
		p = &all[n];
		rc = next_parameter(&query, a, p);
		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		if (p->name.n && !(presigned &&
		        aws_text_is(&p->name, "X-Amz-Signature")))
			n++;
	}
	if (query.n)
		return -1;
	qsort(all, n, sizeof *all, compare);
	for (i = 0; i < n; i++) {
		if (i)
			buf_putc(out, '&');
		buf_add(out, all[i].name.p, all[i].name.n);
		buf_putc(out, '=');
		buf_add(out, all[i].value.p, all[i].value.n);
	}
	return 0;
}

/* --- headers -------------------------------------------------------------- */

/* Runs of white space become one space; with `tight`, none after a comma. */
static void
add_value(struct buf *out, struct text value, bool tight)
{
	struct text t = aws_trim(value);
	bool space = false;
	size_t i;
	char c;

	for (i = 0; i < t.n; i++) {
		c = t.p[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			space = true;
			continue;
		}
		if (space && !(tight && out->data[out->len - 1] == ','))
			buf_putc(out, ' ');
		space = false;
		buf_putc(out, c);
	}
}

/* "name:value,value" of all fields of that name. */
static void
add_header(struct buf *out, const struct aws_request *r, struct text name,
    bool tight)
{
	bool first = true;
	size_t i;

	buf_add(out, name.p, name.n);
	buf_putc(out, ':');
	for (i = 0; i < r->nfields; i++) {
		if (!aws_field_is(&r->fields[i], name.p, name.n))
			continue;
		if (!first)
			buf_putc(out, ',');
		first = false;
		add_value(out, r->fields[i].value, tight);
	}
	buf_putc(out, '\n');
}

static int
add_headers(struct buf *out, const struct sigv4 *s,
    const struct aws_request *r, bool tight)
{
	const char *p = s->signed_headers.p, *end = p + s->signed_headers.n;
	const char *semicolon;
	size_t count = 0;

	while (p < end) {
		if (++count > SIGV4_HEADERS_MAX)
			return -1;
		semicolon = memchr(p, ';', (size_t)(end - p));
		if (!semicolon)
			semicolon = end;
		add_header(out, r, (struct text){p, (size_t)(semicolon - p)},
		    tight);
		p = semicolon + 1;
	}
	return 0;
}

int
sigv4_canonical(const struct sigv4 *s, const struct aws_request *r,
    const char *payload, bool tight, struct arena *a, struct buf *out)
{
	buf_puts(out, r->method);
	buf_putc(out, '\n');
	add_path(out, r->path);
	buf_putc(out, '\n');
	if (add_query(out, r->query, s->presigned, a) < 0)
		return -1;
	buf_putc(out, '\n');
	if (add_headers(out, s, r, tight) < 0)
		return -1;
	buf_putc(out, '\n');
	buf_add(out, s->signed_headers.p, s->signed_headers.n);
	buf_putc(out, '\n');
	buf_puts(out, payload);
	return buf_ok(out) ? 0 : -1;
}
