/*
 * Signatures of AWS's version 4 checked, for sigv4.h.  Runs in bothy-fcgi's
 * workers; sigv4_read.c has what a request says, sigv4_canonical.c what is
 * signed.
 */
#include "sigv4.h"

#include "fault.h"

#include "store/base/hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"

enum { SECRET_MAX = 512 };

static const char MISMATCH[] = "The request signature we calculated does not "
    "match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details.";

/* --- what can be said without the key ------------------------------------- */

/* "20150830T123600Z" */
static void
write_time(int64_t t, char out[SIGV4_TIME_LENGTH + 1])
{
	time_t seconds = (time_t)t;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) ||
	    strftime(out, SIGV4_TIME_LENGTH + 1, "%Y%m%dT%H%M%SZ", &tm) == 0)
		out[0] = '\0';
}

static int
expired(const struct sigv4 *s, int64_t bound_s, int64_t now_s,
    const char *minus, struct err *e)
{
	char bound[SIGV4_TIME_LENGTH + 1], now[SIGV4_TIME_LENGTH + 1];

	write_time(bound_s, bound);
	write_time(now_s, now);
	return err_set(e, AWS_INVALID_SIGNATURE, "Signature expired: %.*s is "
	    "now earlier than %s (%s%s)", (int)s->time.n, s->time.p, bound,
	    now, minus);
}

static int
check_time(const struct sigv4 *s, int64_t now_s, struct err *e)
{
	char bound[SIGV4_TIME_LENGTH + 1], now[SIGV4_TIME_LENGTH + 1];

	if (s->time_s > now_s + SIGV4_SKEW_S) {
		write_time(now_s + SIGV4_SKEW_S, bound);
		write_time(now_s, now);
		return err_set(e, AWS_INVALID_SIGNATURE, "Signature not yet "
		    "current: %.*s is still later than %s (%s + 5 min.)",
		    (int)s->time.n, s->time.p, bound, now);
	}
	if (s->presigned && s->time_s + s->expires_s < now_s)
		return expired(s, now_s - s->expires_s, now_s,
		    " - X-Amz-Expires", e);
	if (!s->presigned && s->time_s < now_s - SIGV4_SKEW_S)
		return expired(s, now_s - SIGV4_SKEW_S, now_s, " - 5 min.",
		    e);
	return 0;
}

static int
check_scope(const struct sigv4 *s, const char *service, struct err *e)
{
	if (s->date.n != 8 || memcmp(s->date.p, s->time.p, 8) != 0)
		return err_set(e, AWS_INVALID_SIGNATURE, "Date in Credential "
		    "scope does not match YYYYMMDD from ISO-8601 version of "
		    "date from HTTP: '%.*s' != '%.8s', from '%.*s'.",
		    (int)(s->date.n < 64 ? s->date.n : 64), s->date.p,
		    s->time.p, (int)s->time.n, s->time.p);
	if (s->region.n == 0)
		return err_set(e, AWS_INVALID_SIGNATURE, "Credential should "
		    "be scoped to a valid region. ");
	if (!aws_text_is(&s->service, service))
		return err_set(e, AWS_INVALID_SIGNATURE, "Credential should "
		    "be scoped to correct service: '%s'. ", service);
	if (!aws_text_is(&s->end, TERMINATOR))
		return err_set(e, AWS_INVALID_SIGNATURE, "Credential should "
		    "be scoped with a valid terminator: '" TERMINATOR "', not "
		    "'%.*s'. ", (int)(s->end.n < 64 ? s->end.n : 64),
		    s->end.p);
	return 0;
}

/* Is `name` among the signed headers? */
static bool
is_signed(const struct sigv4 *s, const char *name)
{
	const char *p = s->signed_headers.p, *end = p + s->signed_headers.n;
	size_t n = strlen(name);
	const char *semicolon;

	for (; p < end; p = semicolon + 1) {
		semicolon = memchr(p, ';', (size_t)(end - p));
		if (!semicolon)
			semicolon = end;
		if ((size_t)(semicolon - p) == n && memcmp(p, name, n) == 0)
			return true;
	}
	return false;
}

/* What decides where the request goes and what it does is signed. */
static int
check_headers(const struct sigv4 *s, const struct aws_request *r,
    struct err *e)
{
	static const char *const WHEN_THERE[] = {"x-amz-target",
	    "x-amz-date"};
	size_t i;

	if (!is_signed(s, "host"))
		return err_set(e, AWS_INVALID_SIGNATURE, "'Host' must be a "
		    "'SignedHeader' in the AWS Authorization.");
	for (i = 0; i < sizeof WHEN_THERE / sizeof WHEN_THERE[0]; i++)
		if (aws_header(r, WHEN_THERE[i]).p &&
		    !is_signed(s, WHEN_THERE[i]))
			return err_set(e, AWS_INVALID_SIGNATURE, "'%s' must "
			    "be a 'SignedHeader' in the AWS Authorization.",
			    WHEN_THERE[i]);
	return 0;
}

int
sigv4_check(const struct sigv4 *s, const struct aws_request *r,
    const char *service, int64_t now_s, struct err *e)
{
	if (check_time(s, now_s, e) < 0 || check_scope(s, service, e) < 0)
		return -1;
	return check_headers(s, r, e);
}

/* --- the signature -------------------------------------------------------- */

void
sigv4_key(const char *secret, const struct sigv4 *s,
    unsigned char key[SIGV4_KEY_SIZE])
{
	char first[SECRET_MAX + 5];
	int n = snprintf(first, sizeof first, "AWS4%s", secret);

	hash_hmac(first, (size_t)n < sizeof first ? (size_t)n :
	    sizeof first - 1, s->date.p, s->date.n, key);
	explicit_bzero(first, sizeof first);
	hash_hmac(key, SIGV4_KEY_SIZE, s->region.p, s->region.n, key);
	hash_hmac(key, SIGV4_KEY_SIZE, s->service.p, s->service.n, key);
	hash_hmac(key, SIGV4_KEY_SIZE, TERMINATOR, sizeof TERMINATOR - 1, key);
}

int
sigv4_string_to_sign(const struct sigv4 *s, const char *canonical, size_t n,
    struct buf *out)
{
	char hex[HASH_HEX_SIZE];

	hash_hex(canonical, n, hex);
	buf_puts(out, ALGORITHM "\n");
	buf_add(out, s->time.p, s->time.n);
	buf_putc(out, '\n');
	buf_add(out, s->scope.p, s->scope.n);
	buf_putc(out, '\n');
	buf_puts(out, hex);
	return buf_ok(out) ? 0 : -1;
}

void
sigv4_sign(const unsigned char key[SIGV4_KEY_SIZE], const char *string,
    size_t n, char hex[SIGV4_HEX_SIZE])
{
	static const char DIGITS[] = "0123456789abcdef";
	unsigned char mac[HASH_SIZE];
	size_t i;

	hash_hmac(key, SIGV4_KEY_SIZE, string, n, mac);
	for (i = 0; i < sizeof mac; i++) {
		hex[2 * i] = DIGITS[mac[i] >> 4];
		hex[2 * i + 1] = DIGITS[mac[i] & 15];
	}
	hex[2 * sizeof mac] = '\0';
}

/* One way to see the headers: true if the signature is right then. */
static bool
is_right(const struct sigv4 *s, const struct aws_request *r,
    const char *payload, bool tight, const unsigned char *key,
    struct arena *a, struct buf *scratch)
{
	char hex[SIGV4_HEX_SIZE];
	size_t n;

	buf_reset(scratch);
	if (sigv4_canonical(s, r, payload, tight, a, scratch) < 0)
		return false;
	n = scratch->len;
	if (sigv4_string_to_sign(s, scratch->data, n, scratch) < 0)
		return false;
	sigv4_sign(key, scratch->data + n, scratch->len - n, hex);
	return s->signature.n == sizeof hex - 1 &&
	    hash_same(hex, s->signature.p, sizeof hex - 1);
}

/* True if a header's value could be joined from several fields. */
static bool
may_be_joined(const struct aws_request *r)
{
	size_t i;

	for (i = 0; i < r->nfields; i++)
		if (memmem(r->fields[i].value.p, r->fields[i].value.n, ", ",
		    2))
			return true;
	return false;
}

int
sigv4_verify(const struct sigv4 *s, const struct aws_request *r,
    const char *payload, const unsigned char key[SIGV4_KEY_SIZE],
    struct arena *a, struct buf *scratch, struct err *e)
{
	if (is_right(s, r, payload, false, key, a, scratch) ||
	    (may_be_joined(r) &&
	        is_right(s, r, payload, true, key, a, scratch)))
		return 0;
	return err_set(e, AWS_INVALID_SIGNATURE, "%s", MISMATCH);
}
