/*
 * The multipart parser: every way to cut a form into pieces gives the same
 * parts, and what is not strictly a form is refused.
 */
#include "functions/sdk/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=AaB03x"
#define NAMED(name) "Content-Disposition: form-data; name=\"" name "\"\r\n"

/* What was parsed, as text: "[name|filename|type]data;" for each part. */
static char parsed[4096];
static size_t parsed_len;

static int
say(const char *p, size_t n)
{
	assert_true(parsed_len + n < sizeof parsed);
	memcpy(parsed + parsed_len, p, n);
	parsed_len += n;
	parsed[parsed_len] = '\0';
	return 0;
}

static int
begin(void *arg, struct multipart_part *part)
{
	char text[sizeof *part + 8];

	(void)arg;
	snprintf(text, sizeof text, "[%s|%s|%s]", part->name,
	    part->has_filename ? part->filename : "-", part->type);
	return say(text, strlen(text));
}

static int
data(void *arg, const char *p, size_t n)
{
	(void)arg;
	assert_true(n > 0);
	return say(p, n);
}

static int
end(void *arg)
{
	(void)arg;
	return say(";", 1);
}

static const struct multipart_ops OPS = {begin, data, end};

static int
parse(const char *type, const char *form, size_t n, size_t piece,
    const char **reason)
{
	static struct multipart m;
	size_t i, k;
	int rc = multipart_init(&m, type, &OPS, NULL);

	parsed_len = 0;
	parsed[0] = '\0';
	for (i = 0; i < n && rc == 0; i += k) {
		k = piece < n - i ? piece : n - i;
		rc = multipart_feed(&m, form + i, k);
	}
	if (rc == 0)
		rc = multipart_finish(&m);
	*reason = m.reason;
	return rc;
}

static const struct {
	const char *form, *parts;
} FORMS[] = {
    {"--AaB03x\r\n" NAMED("a") "\r\n1\r\n--AaB03x--", "[a|-|]1;"},
    {"--AaB03x\r\n" NAMED("a") "\r\n\r\n--AaB03x--\r\n", "[a|-|];"},
    {"preamble\r\n--AaB03x\r\n" NAMED("a") "\r\n1\r\n--AaB03x\r\n" NAMED("b")
     "\r\n2\r\n--AaB03x--\r\nepilogue\r\n--AaB03x\r\n", "[a|-|]1;[b|-|]2;"},
    {"\r\n--AaB03x \t\r\n" NAMED("a") "\r\n1\r\n--AaB03x--", "[a|-|]1;"},
    /* Near misses of the delimiter are data. */
    {"--AaB03x\r\n" NAMED("a") "\r\n\r\r\n\r\n-\r\n--\r\n--AaB03\r\n--AaB03y"
     "--AaB03x\n--AaB03x\r\r\n--AaB03x--",
     "[a|-|]\r\r\n\r\n-\r\n--\r\n--AaB03\r\n--AaB03y--AaB03x\n--AaB03x\r;"},
    {"--AaB03x\r\nContent-Disposition: form-data; name=f; "
     "filename=\"C:\\dir\\a\\\"b.txt\"\r\ncontent-type:\timage/png \r\n"
     "X-Other: 1\r\nContent-Transfer-Encoding: Binary\r\n\r\nx\r\n--AaB03x--",
     "[f|C:\\dir\\a\"b.txt|image/png]x;"},
    {"--AaB03x\r\ncontent-disposition:FORM-DATA ;filename=\"\";NAME=\"\"\r\n"
     "\r\n\r\n--AaB03x--", "[||];"},
    {"--AaB03x\r\nContent-Disposition: form-data; filename*=UTF-8''x; "
     "name=\"\xc3\xa4;=\"\r\n\r\n\r\n--AaB03x--", "[\xc3\xa4;=|-|];"},
    {"--AaB03x--", ""},
};

static void
test_forms(void **state)
{
	const char *reason;
	size_t i, piece, n;

	(void)state;
	for (i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
		n = strlen(FORMS[i].form);
		for (piece = 1; piece <= n; piece++) {
			assert_int_equal(parse(TYPE, FORMS[i].form, n, piece,
			    &reason), 0);
			assert_string_equal(parsed, FORMS[i].parts);
		}
	}
}

static const struct {
	const char *form, *reason;
} BAD[] = {
    {"", "the form ended before its last boundary"},
    {"no boundary", "the form ended before its last boundary"},
    {"--AaB03x\r\n" NAMED("a") "\r\n1\r\n--AaB03x",
     "the form ended before its last boundary"},
    {"--AaB03x\r\n" NAMED("a") "\r\n1\r\n--AaB03x-",
     "the form ended before its last boundary"},
    {"--AaB03x\r\n" NAMED("a") "\r\n1\r\n--AaB03xy\r\n",
     "a boundary's line is malformed"},
    {"--AaB03x -\r\n", "a boundary's line is malformed"},
    {"--AaB03x\n", "a boundary's line is malformed"},
    {"--AaB03x\r\r\n", "a boundary's line is malformed"},
    {"--AaB03x-x", "a boundary's line is malformed"},
    {"--AaB03x\r\n\r\n1\r\n--AaB03x--", "a part has no Content-Disposition"},
    {"--AaB03x\r\nContent-Type: text/plain\r\n\r\n1",
     "a part has no Content-Disposition"},
    {"--AaB03x\r\nContent-Disposition: form-data\r\n\r\n1",
     "a part of the form has no name"},
    {"--AaB03x\r\nContent-Disposition: attachment; name=a\r\n\r\n1",
     "a part of the form is not form-data"},
    {"--AaB03x\r\n" NAMED("a") NAMED("b") "\r\n1",
     "a part has two Content-Dispositions"},
    {"--AaB03x\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1",
     "a part has two names"},
    {"--AaB03x\r\nContent-Disposition: form-data; name=a; filename=b; "
     "filename=c\r\n\r\n1", "a part has two filenames"},
    {"--AaB03x\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1",
     "a part's Content-Disposition is malformed"},
    {"--AaB03x\r\nContent-Disposition: form-data; name\r\n\r\n1",
     "a part's Content-Disposition is malformed"},
    {"--AaB03x\r\n" NAMED("a") "Content-Type: multipart/mixed; boundary=b\r\n"
     "\r\n1", "a form within a form is not accepted"},
    {"--AaB03x\r\n" NAMED("a") "Content-Type: a/b\r\nContent-Type: c/d\r\n"
     "\r\n1", "a part has two content types"},
    {"--AaB03x\r\n" NAMED("a") "Content-Transfer-Encoding: base64\r\n\r\n1",
     "a part's Content-Transfer-Encoding is not accepted"},
    {"--AaB03x\r\n" NAMED("a") " folded\r\n\r\n1",
     "a part's header line is malformed"},
    {"--AaB03x\r\n" NAMED("a") "X\rY: 1\r\n\r\n1",
     "a part's header line is malformed"},
    {"--AaB03x\r\n" NAMED("a") "no colon\r\n\r\n1",
     "a part's header line is malformed"},
    {"--AaB03x\r\n" NAMED("a") "X: \x01\r\n\r\n1",
     "a part's header has control bytes"},
    {"--AaB03x\r\n" NAMED("a") "X: 1\nY: 2\r\n\r\n1",
     "a part's header has control bytes"},
};

static void
test_bad_forms(void **state)
{
	const char *reason;
	size_t i, piece, n;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
		n = strlen(BAD[i].form);
		for (piece = 1; piece <= (n ? n : 1); piece++) {
			assert_int_equal(parse(TYPE, BAD[i].form, n, piece,
			    &reason), -1);
			assert_string_equal(reason, BAD[i].reason);
		}
	}
}

static void
test_long_head(void **state)
{
	static char form[2 * MULTIPART_HEAD_MAX];
	const char *reason;
	size_t n;

	(void)state;
	n = (size_t)snprintf(form, sizeof form, "--AaB03x\r\n%sX: %*s",
	    NAMED("a"), MULTIPART_HEAD_MAX, "1");
	assert_int_equal(parse(TYPE, form, n, n, &reason), -1);
	assert_string_equal(reason, "a part's header is too long");
	n = (size_t)snprintf(form, sizeof form,
	    "--AaB03x\r\nContent-Disposition: form-data; name=\"%*s\"\r\n\r\n",
	    MULTIPART_VALUE_MAX, "a");
	assert_int_equal(parse(TYPE, form, n, n, &reason), -1);
	assert_string_equal(reason,
	    "a part's Content-Disposition is malformed");
}

static const struct {
	const char *type, *reason;
} TYPES[] = {
    {"multipart/form-data; boundary=AaB03x", NULL},
    {"Multipart/Form-Data;charset=utf-8; BOUNDARY=\"AaB03x\"", NULL},
    {"multipart/form-data; a=b=(c)/d; boundary=AaB03x", NULL},
    {"multipart/form-data; boundary=a\"b", "the form's content type is "
     "malformed"},
    {"multipart/form-data", "the form's content type has no boundary"},
    {"multipart/form-data;", "the form's content type has no boundary"},
    {"multipart/form-data; boundary=", "the form's content type is malformed"},
    {"multipart/form-data; boundary=\"\"", "the form's boundary is malformed"},
    {"multipart/form-data; boundary=\"a \"", "the form's boundary is malformed"},
    {"multipart/form-data; boundary=\"a\tb\"",
     "the form's boundary is malformed"},
    {"multipart/form-data; boundary=a; boundary=b",
     "the form's boundary is malformed"},
    {"multipart/form-data; boundary=AaB03x garbage",
     "the form's content type is malformed"},
    {"multipart/form-data; boundary=1234567890123456789012345678901234567890"
     "1234567890123456789012345678901", "the form's boundary is malformed"},
    {"multipart/mixed; boundary=a", "the body is no multipart/form-data"},
    {"", "the body is no multipart/form-data"},
};

static void
test_types(void **state)
{
	const char *reason;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
		rc = parse(TYPES[i].type, "--AaB03x--", 10, 10, &reason);
		assert_int_equal(rc, TYPES[i].reason ? -1 : 0);
		if (TYPES[i].reason)
			assert_string_equal(reason, TYPES[i].reason);
	}
}

static int
stop(void *arg, const char *p, size_t n)
{
	(void)arg;
	(void)p;
	(void)n;
	return 7;
}

static void
test_stopped(void **state)
{
	static const struct multipart_ops STOPPING = {begin, stop, end};
	static const char FORM[] = "--AaB03x\r\n" NAMED("a") "\r\n1";
	static struct multipart m;

	(void)state;
	parsed_len = 0;
	assert_int_equal(multipart_init(&m, TYPE, &STOPPING, NULL), 0);
	assert_int_equal(multipart_feed(&m, FORM, sizeof FORM - 1), -1);
	assert_null(m.reason);
	assert_int_equal(multipart_feed(&m, "x", 1), -1);
	assert_int_equal(multipart_finish(&m), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_bad_forms),
	    cmocka_unit_test(test_long_head),
	    cmocka_unit_test(test_types),
	    cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
