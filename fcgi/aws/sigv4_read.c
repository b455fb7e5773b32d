/*
 * What a request says of its signature, for sigv4.h: out of Authorization, or
 * out of a presigned query.
 */
#include "sigv4.h"

#include "fault.h"

#include "store/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

enum { SHOWN_MAX = 120 };	/* bytes of a client's text in an answer */

/* --- times ---------------------------------------------------------------- */

/* "20150830T123600Z": seconds since 1970, or -1. */
static int64_t
parse_time(const struct text *t)
{
	static const char SHAPE[] = "00000000T000000Z";
	struct tm tm = {0};
	char s[SIGV4_TIME_LENGTH + 1];
	size_t i;

	if (!t->p || t->n != SIGV4_TIME_LENGTH)
		return -1;
	for (i = 0; i < t->n; i++)
		if (SHAPE[i] == '0' ? t->p[i] < '0' || t->p[i] > '9'
		                    : t->p[i] != SHAPE[i])
			return -1;
	memcpy(s, t->p, t->n);
	s[t->n] = '\0';
	return strptime(s, "%Y%m%dT%H%M%SZ", &tm) ? timegm(&tm) : -1;
}

/* The Date field, as the signature has it. */
static int
take_http_date(struct sigv4 *s, const struct text *date, struct arena *a)
{
	char text[CLOCK_HTTP_SIZE], *out;
	struct tm tm;
	time_t t;

	if (date->n >= sizeof text)
		return -1;
	memcpy(text, date->p, date->n);
	text[date->n] = '\0';
	out = arena_alloc(a, SIGV4_TIME_LENGTH + 1);
	if (!out || clock_http_parse(text, &t) < 0 || !gmtime_r(&t, &tm) ||
	    strftime(out, SIGV4_TIME_LENGTH + 1, "%Y%m%dT%H%M%SZ", &tm) !=
	        SIGV4_TIME_LENGTH)
		return -1;
	s->time = (struct text){out, SIGV4_TIME_LENGTH};
	s->time_s = t;
	return 0;
}

/* --- parts ---------------------------------------------------------------- */

/* Up to the next `c`, which is passed; all of it if there is none. */
static struct text
cut(struct text *t, char c)
{
	const char *at = t->n ? memchr(t->p, c, t->n) : NULL;
	struct text part = {t->p, at ? (size_t)(at - t->p) : t->n};

	t->p += part.n + (at != NULL);
	t->n -= part.n + (at != NULL);
	return part;
}

/* KEY/date/region/service/end; what is missing is empty. */
static void
take_credential(struct sigv4 *s, struct text t)
{
	s->key_id = cut(&t, '/');
	s->scope = t;
	s->date = cut(&t, '/');
	s->region = cut(&t, '/');
	s->service = cut(&t, '/');
	s->end = t;
}

/* --- Authorization -------------------------------------------------------- */

static bool
is_between(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* "Credential=..., SignedHeaders=..., Signature=...", however separated. */
static void
take_parts(struct text t, struct text *credential, struct text *headers,
    struct text *signature)
{
	struct text part, name;
	size_t n;

	while (t.n) {
		for (n = 0; n < t.n && !is_between(t.p[n]); n++)
			;
		part = (struct text){t.p, n};
		n += n < t.n;
		t = (struct text){t.p + n, t.n - n};
		name = cut(&part, '=');
		if (aws_text_is(&name, "Credential"))
			*credential = part;
		else if (aws_text_is(&name, "SignedHeaders"))
			*headers = part;
		else if (aws_text_is(&name, "Signature"))
			*signature = part;
	}
}

static int
incomplete_header(const struct sigv4 *s, bool credential,
    const struct text *authorization, struct err *e)
{
	return err_set(e, AWS_INCOMPLETE_SIGNATURE, "%s%s%s%s"
	    "Authorization=%.*s",
	    credential ? ""
	               : "Authorization header requires 'Credential' "
	                 "parameter. ",
	    s->signature.n ? ""
	                   : "Authorization header requires 'Signature' "
	                     "parameter. ",
	    s->signed_headers.n ? ""
	                        : "Authorization header requires "
	                          "'SignedHeaders' parameter. ",
	    s->time.n ? ""
	              : "Authorization header requires existence of either a "
	                "'X-Amz-Date' or a 'Date' header. ",
	    (int)(authorization->n < SHOWN_MAX ? authorization->n : SHOWN_MAX),
	    authorization->p);
}

static void
take_header_time(struct sigv4 *s, const struct aws_request *r,
    struct arena *a)
{
	struct text own = aws_header(r, "x-amz-date");
	struct text date = aws_header(r, "date");

	if (own.p || !date.p) {
		s->time = own;
		s->time_s = parse_time(&own);
	} else if (take_http_date(s, &date, a) < 0) {
		s->time = date;
		s->time_s = parse_time(&date);
	}
}

static int
bad_time(const struct sigv4 *s, struct err *e)
{
	return err_set(e, AWS_INCOMPLETE_SIGNATURE, "Date must be in ISO-8601 "
	    "'basic format'. Got '%.*s'. See http://en.wikipedia.org/wiki/"
	    "ISO_8601",
	    (int)(s->time.n < SHOWN_MAX ? s->time.n : SHOWN_MAX), s->time.p);
}

static int
bad_credential(struct err *e)
{
	return err_set(e, AWS_INCOMPLETE_SIGNATURE, "Credential must have "
	    "exactly 5 slash-delimited elements, e.g. keyid/date/region/"
	    "service/term");
}

static int
read_header(struct sigv4 *s, const struct aws_request *r,
    const struct text *authorization, struct arena *a, struct err *e)
{
	struct text credential = {NULL, 0}, rest = *authorization;

	rest.p += sizeof ALGORITHM - 1;
	rest.n -= sizeof ALGORITHM - 1;
	take_parts(rest, &credential, &s->signed_headers, &s->signature);
	take_header_time(s, r, a);
	s->token = aws_header(r, "x-amz-security-token");
	if (!credential.n || !s->signed_headers.n || !s->signature.n ||
	    !s->time.n)
		return incomplete_header(s, credential.n != 0, authorization,
		    e);
	take_credential(s, credential);
	if (s->time_s < 0)
		return bad_time(s, e);
	return s->key_id.n && s->end.n ? 0 : bad_credential(e);
}

/* --- the query ------------------------------------------------------------ */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct text
sigv4_decode(struct text t, struct arena *a)
{
	char *out = arena_alloc(a, t.n + 1);
	size_t i, n = 0;
	int high, low;

	if (!out)
		return (struct text){NULL, 0};
	for (i = 0; i < t.n; i++) {
		high = t.p[i] == '%' && i + 2 < t.n ? hex_digit(t.p[i + 1]) :
		    -1;
		low = high >= 0 ? hex_digit(t.p[i + 2]) : -1;
		if (low >= 0)
			i += 2;
		out[n++] = low >= 0 ? (char)(high * 16 + low) : t.p[i];
	}
	out[n] = '\0';
	return (struct text){out, n};
}

/* A parameter of the query, decoded; p NULL if it isn't there. */
static struct text
parameter(const struct aws_request *r, const char *name, struct arena *a)
{
	struct text rest = r->query, part, key;

	while (rest.n) {
		part = cut(&rest, '&');
		key = cut(&part, '=');
		if (aws_text_is(&key, name))
			return sigv4_decode(part, a);
	}
	return (struct text){NULL, 0};
}

static int
incomplete_query(const struct sigv4 *s, bool credential, bool expires,
    struct err *e)
{
	static const char MUST[] = "AWS query-string parameters must include ";

	return err_set(e, AWS_INCOMPLETE_SIGNATURE, "%s%s%s%s%s%s%s%s%s%s"
	    "Re-examine the query-string parameters.",
	    credential ? "" : MUST, credential ? "" : "'X-Amz-Credential'. ",
	    s->signature.n ? "" : MUST,
	    s->signature.n ? "" : "'X-Amz-Signature'. ",
	    s->signed_headers.n ? "" : MUST,
	    s->signed_headers.n ? "" : "'X-Amz-SignedHeaders'. ",
	    s->time.n ? "" : MUST, s->time.n ? "" : "'X-Amz-Date'. ",
	    expires ? "" : MUST, expires ? "" : "'X-Amz-Expires'. ");
}

/* A number of seconds from 1 to a week, or -1. */
static int64_t
parse_expires(const struct text *t)
{
	char *end;
	long n;

	if (t->n == 0 || t->n > 7 || t->p[0] < '0' || t->p[0] > '9')
		return -1;
	n = strtol(t->p, &end, 10);
	return end == t->p + t->n && n >= 1 && n <= SIGV4_EXPIRES_MAX_S ? n
	                                                                : -1;
}

static int
read_query(struct sigv4 *s, const struct aws_request *r, struct arena *a,
    struct err *e)
{
	struct text credential = parameter(r, "X-Amz-Credential", a);
	struct text expires = parameter(r, "X-Amz-Expires", a);

	s->presigned = true;
	s->signature = parameter(r, "X-Amz-Signature", a);
	s->signed_headers = parameter(r, "X-Amz-SignedHeaders", a);
	s->time = parameter(r, "X-Amz-Date", a);
	s->token = parameter(r, "X-Amz-Security-Token", a);
	if (!credential.n || !s->signature.n || !s->signed_headers.n ||
	    !s->time.n || !expires.n)
		return incomplete_query(s, credential.n != 0, expires.n != 0,
		    e);
	take_credential(s, credential);
	s->time_s = parse_time(&s->time);
	s->expires_s = parse_expires(&expires);
	if (s->time_s < 0)
		return bad_time(s, e);
	if (s->expires_s < 0)
		return err_set(e, AWS_INCOMPLETE_SIGNATURE, "X-Amz-Expires "
		    "must be a number of seconds from 1 to %d",
		    SIGV4_EXPIRES_MAX_S);
	return s->key_id.n && s->end.n ? 0 : bad_credential(e);
}

int
sigv4_read(struct sigv4 *s, const struct aws_request *r, struct arena *a,
    struct err *e)
{
	struct text authorization = aws_header(r, "authorization");
	struct text algorithm = parameter(r, "X-Amz-Algorithm", a);

	*s = (struct sigv4){0};
	if (authorization.n && algorithm.p)
		return err_set(e, AWS_INVALID_SIGNATURE, "Found both "
		    "'X-Amz-Algorithm' as a query-string param and "
		    "'Authorization' as HTTP header.");
	if (authorization.n > sizeof ALGORITHM - 1 &&
	    memcmp(authorization.p, ALGORITHM, sizeof ALGORITHM - 1) == 0)
		return read_header(s, r, &authorization, a, e);
	if (aws_text_is(&algorithm, ALGORITHM))
		return read_query(s, r, a, e);
	if (!algorithm.p && authorization.n)
		algorithm = cut(&authorization, ' ');
	if (algorithm.p)
		return err_set(e, AWS_INCOMPLETE_SIGNATURE, "Unsupported AWS "
		    "'algorithm': '%.*s'. ",
		    (int)(algorithm.n < 32 ? algorithm.n : 32), algorithm.p);
	return err_set(e, AWS_MISSING_TOKEN, "Request is missing "
	    "Authentication Token");
}
