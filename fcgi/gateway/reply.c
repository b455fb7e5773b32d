/*
 * The reply of a function (reply.h): RFC 3875 section 6, by line.
 */
#include "reply.h"

#include "answer.h"

#include <string.h>
#include <strings.h>

/* What a field is to us. */
enum {
	FIELD_PLAIN,
	FIELD_STATUS,
	FIELD_LOCATION,
	FIELD_TYPE,
	FIELD_LENGTH,
	FIELD_CORS,	/* left out where the site has rules of its own */
	FIELD_DROPPED,
	FIELD_REFUSED
};

struct field_rule {
	const char *name;
	unsigned char len;
	unsigned char kind;
};

#define RULE(name, kind) {name, sizeof(name) - 1, kind}

static const struct field_rule field_rules[] = {
    RULE("Status", FIELD_STATUS),
    RULE("Location", FIELD_LOCATION),
    RULE("Content-Type", FIELD_TYPE),
    RULE("Content-Length", FIELD_LENGTH),
    /* Ours to say. */
    RULE("X-Request-Id", FIELD_DROPPED),
    /* About a connection that a function doesn't have; harmless. */
    RULE("Connection", FIELD_DROPPED),
    RULE("Keep-Alive", FIELD_DROPPED),
    RULE("Proxy-Connection", FIELD_DROPPED),
    /* These tell the web server to send files that we can't see. */
    RULE("X-Sendfile", FIELD_DROPPED),
    RULE("X-Sendfile2", FIELD_DROPPED),
    RULE("X-LIGHTTPD-send-file", FIELD_DROPPED),
    RULE("X-LIGHTTPD-send-tempfile", FIELD_DROPPED),
    /* These change how the body is framed. */
    RULE("Transfer-Encoding", FIELD_REFUSED),
    RULE("TE", FIELD_REFUSED),
    RULE("Trailer", FIELD_REFUSED),
    RULE("Upgrade", FIELD_REFUSED),
    RULE("Proxy-Authenticate", FIELD_REFUSED),
    RULE("Proxy-Authorization", FIELD_REFUSED),
};

static enum reply_state
bad(struct reply *r, const char *reason)
{
	r->reason = reason;
	r->state = REPLY_BAD;
	return REPLY_BAD;
}

void
reply_init(struct reply *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->text, REPLY_HEADER_MAX + 2);
	reply_begin(r, false);
}

void
reply_release(struct reply *r)
{
	buf_release(&r->text);
}

void
reply_begin(struct reply *r, bool head)
{
	r->state = REPLY_MORE;
	r->reason = NULL;
	r->status = 0;
	r->head = head;
	r->no_body = r->surplus = false;
	r->location = NULL;
	r->content_length = -1;
	r->seen_bytes = r->sent_bytes = 0;
	buf_reset(&r->text);
	r->line_at = 0;
	r->count = 0;
	r->content_type = r->location_field = r->phrase_field = -1;
}

static bool
token_byte(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c && strchr(others, c));
}

static unsigned char
field_kind(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(field_rules) / sizeof(field_rules[0]); i++)
		if (field_rules[i].len == len &&
		    strncasecmp(field_rules[i].name, name, len) == 0)
			return field_rules[i].kind;
	if (len > 8 && strncasecmp(name, "X-Accel-", 8) == 0)
		return FIELD_DROPPED;
	if (len > 15 && strncasecmp(name, "Access-Control-", 15) == 0)
		return FIELD_CORS;
	return FIELD_PLAIN;
}

/* "404" or "404 Not Found" (RFC 3875 6.3.3). */
static enum reply_state
read_status(struct reply *r, const char *s, size_t n)
{
	size_t i;

	if (r->status)
		return bad(r, "two Status fields");
	if (n < 3 || (n > 3 && s[3] != ' '))
		return bad(r, "a Status that is no number");
	for (i = 0; i < 3; i++) {
		if (s[i] < '0' || s[i] > '9')
			return bad(r, "a Status that is no number");
		r->status = r->status * 10 + (s[i] - '0');
	}
	if (r->status < 200 || r->status > 599)
		return bad(r, "a Status outside of 200 to 599");
	if (n > 4)
		r->phrase_field = (int)r->count;
	return r->state;
}

static enum reply_state
read_length(struct reply *r, const char *s, size_t n)
{
	int64_t v = 0;
	size_t i;

	if (n == 0 || n > 18)
		return bad(r, "a Content-Length that is no number");
	for (i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return bad(r, "a Content-Length that is no number");
		v = v * 10 + (s[i] - '0');
	}
	if (r->content_length >= 0)
		return bad(r, "two Content-Length fields");
	r->content_length = v;
	return r->state;
}

/* What the gateway has to know of a field; it is fields[count]. */
static enum reply_state
read_field(struct reply *r, unsigned char kind, const char *value, size_t n)
{
	switch (kind) {
	case FIELD_STATUS:
		return read_status(r, value, n);
	case FIELD_LENGTH:
		return read_length(r, value, n);
	case FIELD_TYPE:
		if (r->content_type >= 0)
			return bad(r, "two Content-Type fields");
		if (n == 0)
			return bad(r, "an empty Content-Type");
		r->content_type = (int)r->count;
		return r->state;
	case FIELD_LOCATION:
		if (r->location_field >= 0)
			return bad(r, "two Location fields");
		if (n == 0)
			return bad(r, "an empty Location");
		r->location_field = (int)r->count;
		return r->state;
	case FIELD_REFUSED:
		return bad(r, "a header field that is not a function's to "
		              "send (Transfer-Encoding, Upgrade, Trailer)");
	default:
		return r->state;
	}
}

/* One line without its end, in text[at..at + n). */
static enum reply_state
read_line(struct reply *r, size_t at, size_t n)
{
	const char *s = r->text.data + at, *colon = memchr(s, ':', n);
	size_t name_len = colon ? (size_t)(colon - s) : 0, i, from, to;
	unsigned char kind, c;

	if (*s == ' ' || *s == '\t')
		return bad(r, "a header field that goes on in a second line");
	if (!colon && n > 5 && memcmp(s, "HTTP/", 5) == 0)
		return bad(r, "an HTTP status line: write 'Status: 200' "
		              "instead");
	if (!colon)
		return bad(r, "a header line without a colon");
	for (i = 0; i < name_len; i++)
		if (!token_byte((unsigned char)s[i]))
			return bad(r, "a header field with a bad name");
	if (name_len == 0)
		return bad(r, "a header field without a name");
	from = name_len + 1;
	to = n;
	while (from < to && (s[from] == ' ' || s[from] == '\t'))
		from++;
	while (to > from && (s[to - 1] == ' ' || s[to - 1] == '\t'))
		to--;
	for (i = from; i < to; i++) {
		c = (unsigned char)s[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return bad(r, "a control byte in a header field");
	}
	if (r->count == REPLY_FIELDS_MAX)
		return bad(r, "more than 128 header fields");
	kind = field_kind(s, name_len);
	r->fields[r->count] = (struct reply_field){
	    .name_at = (unsigned)at,
	    .name_len = (unsigned)name_len,
	    .value_at = (unsigned)(at + from),
	    .value_len = (unsigned)(to - from),
	    .kind = kind,
	};
	if (read_field(r, kind, s + from, to - from) == REPLY_BAD)
		return REPLY_BAD;
	r->count++;
	return r->state;
}

/* RFC 3875 6.2.2: a path, not "//host", and nothing else in the header. */
static bool
is_local_redirect(struct reply *r)
{
	struct reply_field *f = &r->fields[r->location_field];
	char *value = r->text.data + f->value_at;

	if (r->count != 1 || value[0] != '/' ||
	    (f->value_len > 1 && value[1] == '/') ||
	    memchr(value, '#', f->value_len))
		return false;
	value[f->value_len] = '\0';	/* at least the line's end was there */
	r->location = value;
	return true;
}

/* The empty line was there. */
static enum reply_state
finish(struct reply *r)
{
	if (r->count == 0)
		return bad(r, "an empty header");
	if (r->location_field >= 0) {
		if (r->status == 0 && is_local_redirect(r)) {
			r->state = REPLY_LOCAL_REDIRECT;
			return r->state;
		}
		if (r->status == 0)
			r->status = 302;
	} else if (r->status == 0) {
		if (r->content_type < 0)
			return bad(r, "neither Content-Type nor Location nor "
			              "Status in the header");
		r->status = 200;
	}
	/* A redirect without a type has no body (6.2.3): echo's line ends. */
	r->no_body = r->head || r->status == 204 || r->status == 304 ||
	    (r->location_field >= 0 && r->content_type < 0);
	r->state = REPLY_READY;
	return r->state;
}

enum reply_state
reply_feed(struct reply *r, const char *p, size_t n, size_t *used)
{
	const char *newline;
	size_t take, len;

	*used = 0;
	while (r->state == REPLY_MORE && *used < n) {
		newline = memchr(p + *used, '\n', n - *used);
		take = newline ? (size_t)(newline - p) + 1 - *used : n - *used;
		if (r->text.len - r->line_at + take > REPLY_LINE_MAX + 2)
			return bad(r, "a header line of more than 8 KB");
		if (r->text.len + take > REPLY_HEADER_MAX)
			return bad(r, "a header of more than 32 KB");
		if (buf_add(&r->text, p + *used, take) < 0)
			return bad(r, "no memory for the header");
		*used += take;
		if (!newline)
			break;
		len = r->text.len - 1 - r->line_at;
		if (len && r->text.data[r->line_at + len - 1] == '\r')
			len--;
		if (len == 0)
			return finish(r);
		if (read_line(r, r->line_at, len) == REPLY_BAD)
			return REPLY_BAD;
		r->line_at = r->text.len;
	}
	return r->state;
}

enum reply_state
reply_feed_end(struct reply *r)
{
	if (r->state != REPLY_MORE)
		return r->state;
	return bad(r, r->text.len ? "an end before the header was whole"
	                          : "no output at all");
}

static void
add_status(const struct reply *r, struct buf *out)
{
	const struct reply_field *f;

	if (r->phrase_field < 0) {
		buf_printf(out, "Status: %d %s\r\n", r->status,
		    answer_phrase(r->status));
		return;
	}
	f = &r->fields[r->phrase_field];
	buf_puts(out, "Status: ");
	buf_add(out, r->text.data + f->value_at, f->value_len);
	buf_puts(out, "\r\n");
}

/* The function's own fields, in its order. */
static void
add_fields(const struct reply *r, bool cors, struct buf *out)
{
	const struct reply_field *f;
	size_t i;

	for (i = 0; i < r->count; i++) {
		f = &r->fields[i];
		if (f->kind == FIELD_STATUS || f->kind == FIELD_LENGTH ||
		    f->kind == FIELD_DROPPED ||
		    (f->kind == FIELD_CORS && cors))
			continue;
		buf_add(out, r->text.data + f->name_at, f->name_len);
		buf_add(out, ": ", 2);
		buf_add(out, r->text.data + f->value_at, f->value_len);
		buf_add(out, "\r\n", 2);
	}
}

/* The Content-Length that goes out, or -1 for none. */
static int64_t
length_out(const struct reply *r, int64_t body_bytes)
{
	if (r->status == 204 || r->status == 304)
		return -1;
	if (r->head) {
		/* A function that left the body out says nothing by that. */
		if (r->content_length >= 0 || body_bytes <= 0)
			return r->content_length;
		return r->content_type < 0 ? -1 : body_bytes;
	}
	if (r->no_body)
		return 0;
	return r->content_length >= 0 ? r->content_length : body_bytes;
}

int
reply_head(struct reply *r, const struct reply_extra *x, struct buf *out)
{
	int64_t length;

	if (x->body_bytes > 0 && r->content_type < 0 && !r->no_body) {
		bad(r, "a body without a Content-Type");
		return -1;
	}
	if (x->body_bytes >= 0 && x->body_bytes < r->content_length &&
	    !r->no_body) {
		bad(r, "a body shorter than its Content-Length");
		return -1;
	}
	add_status(r, out);
	add_fields(r, x->cors && x->cors->enabled, out);
	length = length_out(r, x->body_bytes);
	if (length >= 0)
		buf_printf(out, "Content-Length: %lld\r\n", (long long)length);
	buf_puts(out, "X-Request-Id: ");
	buf_puts(out, x->request_id);
	buf_puts(out, x->stream ? "\r\nX-Accel-Buffering: no\r\n" : "\r\n");
	if (x->cors)
		cors_lines(x->cors, x->origin, out);
	buf_puts(out, "\r\n");
	return 0;
}

size_t
reply_body(struct reply *r, size_t n)
{
	uint64_t left;

	r->seen_bytes += n;
	if (n == 0 || r->state != REPLY_READY)
		return 0;
	if (r->no_body) {
		r->surplus = r->surplus || !r->head;
		return 0;
	}
	if (r->content_type < 0) {
		bad(r, "a body without a Content-Type");
		return 0;
	}
	if (r->content_length >= 0) {
		left = (uint64_t)r->content_length - r->sent_bytes;
		if (n > left) {
			r->surplus = true;
			n = (size_t)left;
		}
	}
	r->sent_bytes += n;
	return n;
}

bool
reply_short(const struct reply *r)
{
	return r->state == REPLY_READY && !r->no_body &&
	    r->content_length >= 0 &&
	    r->sent_bytes < (uint64_t)r->content_length;
}
