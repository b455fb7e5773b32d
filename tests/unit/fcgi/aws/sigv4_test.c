/*
 * Signatures of version 4 against AWS's own vectors, which lie beside the
 * project in ../shared/vectors/sigv4; and what those don't have.
 */
#include "fcgi/aws/fault.h"
#include "fcgi/aws/sigv4.h"

#include "store/base/hash.h"
#include "store/base/io.h"
#include "store/value/json.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 64 * 1024 };

static const char VECTORS[] = "../shared/vectors/sigv4";
static const char SECRET[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/* A request in memory that can be written to. */
struct message {
	struct aws_request request;
	struct aws_field fields[AWS_FIELDS_MAX];
	struct buf bytes;
	struct text body;
	struct arena arena;
	char method[16];
};

static void
message_init(struct message *m)
{
	memset(m, 0, sizeof *m);
	buf_init(&m->bytes, TEXT_MAX);
	arena_init(&m->arena, 1 << 20);
	m->request.fields = m->fields;
	m->request.method = m->method;
}

static void
message_release(struct message *m)
{
	buf_release(&m->bytes);
	arena_release(&m->arena);
}

/* "GET /a b?q HTTP/1.1" */
static void
parse_line(struct message *m, char *line)
{
	char *target = strchr(line, ' ') + 1, *end = strstr(target,
	    " HTTP/1.1"), *query;

	snprintf(m->method, sizeof m->method, "%.*s",
	    (int)(target - line - 1), line);
	query = memchr(target, '?', (size_t)(end - target));
	m->request.path = (struct text){target,
	    (size_t)((query ? query : end) - target)};
	m->request.query = query ? (struct text){query + 1,
	    (size_t)(end - query - 1)} : (struct text){"", 0};
}

/* The bytes as a request, a folded line being part of the one before. */
static void
parse(struct message *m)
{
	char *p = m->bytes.data, *end, *colon;
	struct aws_field *f;

	end = strchr(p, '\n');
	parse_line(m, p);
	for (p = end + 1; *p && *p != '\n'; p = end + 1) {
		end = strchr(p, '\n');
		assert_non_null(end);
		while (end[1] == ' ')
			end = strchr(end + 1, '\n');
		colon = memchr(p, ':', (size_t)(end - p));
		assert_non_null(colon);
		f = &m->fields[m->request.nfields++];
		*f = (struct aws_field){{p, (size_t)(colon - p)},
		    {colon + 1, (size_t)(end - colon - 1)}};
	}
	p += *p == '\n';
	m->body = (struct text){p,
	    (size_t)(m->bytes.data + m->bytes.len - p)};
}

static void
load(const char *name, const char *file, struct buf *out)
{
	char path[512];
	struct err e;

	snprintf(path, sizeof path, "%s/%s/%s", VECTORS, name, file);
	buf_init(out, TEXT_MAX);
	assert_int_equal(io_read_file(AT_FDCWD, path, out, &e), 0);
}

/* `kind` "header" or "query", `what` "signature.txt". */
static void
expect(const char *name, const char *kind, const char *what,
    const struct buf *got)
{
	char file[64];
	struct buf want;

	snprintf(file, sizeof file, "%s-%s", kind, what);
	load(name, file, &want);
	if (strcmp(buf_str(&want), buf_str(got)) != 0)
		fail_msg("%s %s: wanted\n%s\ngot\n%s", name, file,
		    buf_str(&want), buf_str(got));
	buf_release(&want);
}

static void
check_request(const char *name, const char *kind)
{
	unsigned char key[SIGV4_KEY_SIZE];
	char payload[HASH_HEX_SIZE], file[64];
	struct buf canonical, string;
	struct message m;
	struct sigv4 s;
	struct err e;

	message_init(&m);
	snprintf(file, sizeof file, "%s-signed-request.txt", kind);
	load(name, file, &m.bytes);
	parse(&m);
	if (sigv4_read(&s, &m.request, &m.arena, &e) < 0)
		fail_msg("%s: %s", name, e.text);
	assert_int_equal(s.presigned, strcmp(kind, "query") == 0);
	hash_hex(m.body.p, m.body.n, payload);
	buf_init(&canonical, TEXT_MAX);
	buf_init(&string, TEXT_MAX);
	assert_int_equal(sigv4_canonical(&s, &m.request, payload, false,
	    &m.arena, &canonical), 0);
	expect(name, kind, "canonical-request.txt", &canonical);
	assert_int_equal(sigv4_string_to_sign(&s, canonical.data,
	    canonical.len, &string), 0);
	expect(name, kind, "string-to-sign.txt", &string);
	sigv4_key(SECRET, &s, key);
	assert_int_equal(sigv4_verify(&s, &m.request, payload, key, &m.arena,
	    &canonical, &e), 0);
	key[0] ^= 1;
	assert_int_equal(sigv4_verify(&s, &m.request, payload, key, &m.arena,
	    &canonical, &e), -1);
	assert_int_equal(e.code, AWS_INVALID_SIGNATURE);
	buf_release(&canonical);
	buf_release(&string);
	message_release(&m);
}

static bool
is_true(const char *context, const char *name)
{
	char text[64];

	snprintf(text, sizeof text, "\"%s\": true", name);
	return strstr(context, text) != NULL;
}

/*
 * Paths that are not to be normalised, S3's way, are left out where it
 * matters; and a token that a presigned query does not sign.
 */
static void
vectors(void **state)
{
	DIR *dir = opendir(VECTORS);
	unsigned passed = 0, left_out = 0;
	struct dirent *d;
	struct buf context, line;

	(void)state;
	if (!dir) {
		print_message("SKIPPED: %s is not there\n", VECTORS);
		skip();
	}
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		load(d->d_name, "context.json", &context);
		load(d->d_name, "request.txt", &line);
		line.data[strcspn(line.data, "\n")] = '\0';
		if (!is_true(buf_str(&context), "normalize") &&
		    (strstr(line.data, "//") || strstr(line.data, "/.")))
			left_out += 2;
		else {
			check_request(d->d_name, "header");
			passed++;
			if (is_true(buf_str(&context), "omit_session_token"))
				left_out++;
			else {
				check_request(d->d_name, "query");
				passed++;
			}
		}
		buf_release(&context);
		buf_release(&line);
	}
	closedir(dir);
	print_message("%u of AWS's signing vectors passed, %u don't apply\n",
	    passed, left_out);
	assert_true(passed > 60);
}

/* --- what is refused ------------------------------------------------------ */

/* A request of DynamoDB's with these headers, read: 0 or -1 and *e. */
static int
read_text(struct message *m, struct sigv4 *s, const char *text,
    struct err *e)
{
	message_init(m);
	buf_puts(&m->bytes, text);
	parse(m);
	return sigv4_read(s, &m->request, &m->arena, e);
}

struct refused {
	const char *request;
	int code;
	const char *text;
};

#define POST "POST / HTTP/1.1\nHost:h\n"
#define DATE "X-Amz-Date:20150830T123600Z\n"
#define CREDENTIAL "Credential=A/20150830/r/dynamodb/aws4_request"
#define AUTH "Authorization:AWS4-HMAC-SHA256 "

static const struct refused unread[] = {
	{POST "\n", AWS_MISSING_TOKEN, "Request is missing Authentication "
	    "Token"},
	{POST DATE "Authorization:Bearer x\n\n", AWS_INCOMPLETE_SIGNATURE,
	    "Unsupported AWS 'algorithm': 'Bearer'"},
	{POST DATE AUTH CREDENTIAL "\n\n", AWS_INCOMPLETE_SIGNATURE,
	    "requires 'Signature' parameter. Authorization header requires "
	    "'SignedHeaders'"},
	{POST DATE AUTH "Signature=1, SignedHeaders=host\n\n",
	    AWS_INCOMPLETE_SIGNATURE, "requires 'Credential' parameter."},
	{POST AUTH CREDENTIAL ", SignedHeaders=host, Signature=1\n\n",
	    AWS_INCOMPLETE_SIGNATURE, "existence of either a 'X-Amz-Date'"},
	{POST "X-Amz-Date:today\n" AUTH CREDENTIAL
	    " SignedHeaders=host Signature=1\n\n", AWS_INCOMPLETE_SIGNATURE,
	    "Date must be in ISO-8601 'basic format'. Got 'today'"},
	{POST DATE AUTH "Credential=A/20150830,SignedHeaders=host,Signature=1"
	    "\n\n", AWS_INCOMPLETE_SIGNATURE, "5 slash-delimited elements"},
	{"POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1\nHost:h\n" DATE
	    AUTH CREDENTIAL ",SignedHeaders=host,Signature=1\n\n",
	    AWS_INVALID_SIGNATURE, "Found both"},
	{"POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1\nHost:h\n\n",
	    AWS_INCOMPLETE_SIGNATURE, "must include 'X-Amz-Credential'."},
	{"POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F"
	    "20150830%2Fr%2Fdynamodb%2Faws4_request&X-Amz-Signature=1&"
	    "X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z&"
	    "X-Amz-Expires=604801 HTTP/1.1\nHost:h\n\n",
	    AWS_INCOMPLETE_SIGNATURE, "from 1 to 604800"},
};

static void
refuses_what_says_too_little(void **state)
{
	struct message m;
	struct sigv4 s;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof unread / sizeof unread[0]; i++) {
		assert_int_equal(read_text(&m, &s, unread[i].request, &e),
		    -1);
		assert_int_equal(e.code, unread[i].code);
		if (!strstr(e.text, unread[i].text))
			fail_msg("%zu: %s", i, e.text);
		message_release(&m);
	}
}

#define SIGNED(scope, headers) POST "X-Amz-Target:T\n" DATE AUTH \
	"Credential=A/" scope ",SignedHeaders=" headers ",Signature=1\n\n"
#define ALL "host;x-amz-date;x-amz-target"

static const int64_t THEN = 1440938160;	/* 2015-08-30 12:36:00 */

static const struct {
	const char *request;
	int64_t late_s;		/* now is so much later */
	const char *text;	/* NULL: it passes */
} judged[] = {
	{SIGNED("20150830/r/dynamodb/aws4_request", ALL), 0, NULL},
	{SIGNED("20150830/r/dynamodb/aws4_request", ALL), 299, NULL},
	{SIGNED("20150830/r/dynamodb/aws4_request", ALL), -299, NULL},
	{SIGNED("20150830/r/dynamodb/aws4_request", ALL), 301, "Signature "
	    "expired: 20150830T123600Z is now earlier than 20150830T123601Z "
	    "(20150830T124101Z - 5 min.)"},
	{SIGNED("20150830/r/dynamodb/aws4_request", ALL), -301, "Signature "
	    "not yet current: 20150830T123600Z is still later than "
	    "20150830T123559Z (20150830T123059Z + 5 min.)"},
	{SIGNED("20150831/r/dynamodb/aws4_request", ALL), 0, "Date in "
	    "Credential scope does not match"},
	{SIGNED("20150830//dynamodb/aws4_request", ALL), 0, "valid region"},
	{SIGNED("20150830/r/s3/aws4_request", ALL), 0, "scoped to correct "
	    "service: 'dynamodb'"},
	{SIGNED("20150830/r/dynamodb/aws5_request", ALL), 0, "valid "
	    "terminator: 'aws4_request', not 'aws5_request'"},
	{SIGNED("20150830/r/dynamodb/aws4_request", "x-amz-date"), 0,
	    "'Host' must be"},
	{SIGNED("20150830/r/dynamodb/aws4_request", "host;x-amz-date"), 0,
	    "'x-amz-target' must be"},
	{SIGNED("20150830/r/dynamodb/aws4_request", "host;x-amz-target"), 0,
	    "'x-amz-date' must be"},
};

static void
judges_time_scope_and_headers(void **state)
{
	struct message m;
	struct sigv4 s;
	struct err e;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof judged / sizeof judged[0]; i++) {
		assert_int_equal(read_text(&m, &s, judged[i].request, &e), 0);
		assert_int_equal(s.time_s, THEN);
		rc = sigv4_check(&s, &m.request, "dynamodb",
		    THEN + judged[i].late_s, &e);
		assert_int_equal(rc, judged[i].text ? -1 : 0);
		if (rc < 0 && !strstr(e.text, judged[i].text))
			fail_msg("%zu: %s", i, e.text);
		if (rc < 0)
			assert_int_equal(e.code, AWS_INVALID_SIGNATURE);
		message_release(&m);
	}
}

/* A presigned request holds as long as it says, and not before its time. */
static void
presigned_ones_expire(void **state)
{
	struct message m;
	struct sigv4 s;
	struct err e;

	(void)state;
	assert_int_equal(read_text(&m, &s, "POST /?X-Amz-Algorithm=AWS4-HMAC-"
	    "SHA256&X-Amz-Credential=A%2F20150830%2Fr%2Fdynamodb%2F"
	    "aws4_request&X-Amz-Signature=1&X-Amz-SignedHeaders=host&"
	    "X-Amz-Date=20150830T123600Z&X-Amz-Expires=3600&"
	    "X-Amz-Security-Token=a%2Bb%2F HTTP/1.1\nHost:h\n\n", &e), 0);
	assert_true(aws_text_is(&s.token, "a+b/"));
	assert_int_equal(sigv4_check(&s, &m.request, "dynamodb", THEN + 3600,
	    &e), 0);
	assert_int_equal(sigv4_check(&s, &m.request, "dynamodb", THEN + 3601,
	    &e), -1);
	assert_non_null(strstr(e.text, "Signature expired"));
	assert_int_equal(sigv4_check(&s, &m.request, "dynamodb", THEN - 301,
	    &e), -1);
	message_release(&m);
}

/* The Date field counts where there is no X-Amz-Date. */
static void
takes_a_date(void **state)
{
	struct message m;
	struct sigv4 s;
	struct err e;

	(void)state;
	assert_int_equal(read_text(&m, &s, POST "Date:Sun, 30 Aug 2015 "
	    "12:36:00 GMT\n" AUTH CREDENTIAL ", SignedHeaders=host, "
	    "Signature=1\n\n", &e), 0);
	assert_int_equal(s.time_s, THEN);
	assert_true(aws_text_is(&s.time, "20150830T123600Z"));
	message_release(&m);
}

/* --- through web servers -------------------------------------------------- */

/* Signs what `as_sent` is, and verifies `as_seen` with that signature. */
static int
verify_other(const char *as_sent, const char *as_seen)
{
	unsigned char key[SIGV4_KEY_SIZE];
	char hex[SIGV4_HEX_SIZE];
	struct message sent, seen;
	struct buf scratch;
	struct sigv4 s;
	struct err e;
	size_t n;
	int rc;

	assert_int_equal(read_text(&sent, &s, as_sent, &e), 0);
	sigv4_key(SECRET, &s, key);
	buf_init(&scratch, TEXT_MAX);
	assert_int_equal(sigv4_canonical(&s, &sent.request, "", false,
	    &sent.arena, &scratch), 0);
	n = scratch.len;
	assert_int_equal(sigv4_string_to_sign(&s, scratch.data, n, &scratch),
	    0);
	sigv4_sign(key, scratch.data + n, scratch.len - n, hex);
	assert_int_equal(read_text(&seen, &s, as_seen, &e), 0);
	s.signature = (struct text){hex, SIGV4_HEX_SIZE - 1};
	rc = sigv4_verify(&s, &seen.request, "", key, &seen.arena, &scratch,
	    &e);
	buf_release(&scratch);
	message_release(&sent);
	message_release(&seen);
	return rc;
}

#define WITH(fields) POST DATE fields AUTH CREDENTIAL \
	",SignedHeaders=host;x-a;x-amz-date,Signature=1\n\n"

static void
sees_through_joined_fields(void **state)
{
	(void)state;
	assert_int_equal(verify_other(WITH("X-A:1\nX-A:2\n"),
	    WITH("X-A:1, 2\n")), 0);
	assert_int_equal(verify_other(WITH("X-A:1, 2\n"),
	    WITH("X-A:1,  2\n")), 0);
	assert_int_equal(verify_other(WITH("X-A:1,2\n"),
	    WITH("X_A:1\nX-A:2\n")), 0);
	assert_int_equal(verify_other(WITH("X-A:12\n"),
	    WITH("X-A:1, 2\n")), -1);
	assert_int_equal(verify_other(WITH("X-A:1\n"),
	    WITH("X-A:1\nX-A:1\n")), -1);
	assert_int_equal(verify_other(WITH("X-A:a b\n"),
	    WITH("x_a:  a \t b \n")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(refuses_what_says_too_little),
	    cmocka_unit_test(judges_time_scope_and_headers),
	    cmocka_unit_test(presigned_ones_expire),
	    cmocka_unit_test(takes_a_date),
	    cmocka_unit_test(sees_through_joined_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
