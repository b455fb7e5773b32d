/*
 * Forms of both kinds as handlers see them, files in memory and in scratch.
 */
#include "request_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define TYPE "multipart/form-data; boundary=b"
#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\""
#define FILE_PART(name, file) PART(name) "; filename=\"" file "\""

static char scratch[64];

static int
make_scratch(void **state)
{
	(void)state;
	snprintf(scratch, sizeof scratch, "/tmp/form-test-XXXXXX");
	return mkdtemp(scratch) ? 0 : -1;
}

static int
drop_scratch(void **state)
{
	(void)state;
	return rmdir(scratch);	/* fails if a request left something there */
}

static int
in_scratch(void **state)
{
	empty_environment(state);
	setenv("CONTENT_TYPE", TYPE, 1);
	return setenv("TMPDIR", scratch, 1);
}

static int
urlencoded(struct bothy_req *req)
{
	assert_string_equal(bothy_form(req, "a"), "1 2");
	assert_string_equal(bothy_form(req, "b"), "");
	assert_null(bothy_form(req, "c"));
	assert_string_equal(bothy_form_at(req, 2)->value, "3");
	assert_null(bothy_form_at(req, 3));
	assert_null(bothy_file(req, "a"));
	assert_null(bothy_file_at(req, 0));
	/* The body is as it came. */
	assert_string_equal(bothy_body(req, NULL), "a=1+2&b&a=3");
	assert_int_equal(bothy_failed(req), 0);
	return 0;
}

static void
test_urlencoded(void **state)
{
	(void)state;
	setenv("CONTENT_TYPE",
	    "Application/X-WWW-Form-Urlencoded; charset=utf-8", 1);
	serve_body(urlencoded, "a=1+2&b&a=3");
}

static int
no_form(struct bothy_req *req)
{
	assert_null(bothy_form(req, "a"));
	assert_int_equal(bothy_failed(req), 0);
	assert_string_equal(bothy_body(req, NULL), "a=1");
	return 0;
}

static void
test_no_form(void **state)
{
	(void)state;
	serve_body(no_form, "a=1");
	setenv("CONTENT_TYPE", "application/json", 1);
	serve_body(no_form, "a=1");
}

static int
multipart(struct bothy_req *req)
{
	const struct bothy_file *f;

	assert_string_equal(bothy_form(req, "text"), "h\xc3\xa4llo\r\n");
	assert_string_equal(bothy_form(req, "raw"),
	    "\xef\xbf\xbd\xef\xbf\xbd");
	assert_null(bothy_form(req, "f"));
	f = bothy_file(req, "f");
	assert_non_null(f);
	assert_string_equal(f->name, "f");
	assert_string_equal(f->filename, "x.png");
	assert_string_equal(f->type, "image/png");
	assert_int_equal(f->size, 3);
	assert_memory_equal(f->data, "a\0b", 3);
	assert_null(f->path);
	assert_ptr_equal(bothy_file_at(req, 0), f);
	f = bothy_file_at(req, 1);
	assert_string_equal(f->filename, "passwd");
	assert_string_equal(f->type, "text/plain");
	assert_int_equal(f->size, 0);
	assert_non_null(f->data);
	assert_null(bothy_file_at(req, 2));	/* none was chosen there */
	assert_null(bothy_body(req, NULL));
	return 0;
}

static void
test_multipart(void **state)
{
	static const char BODY[] = PART("text") "\r\n\r\nh\xc3\xa4llo\r\n\r\n"
	    PART("raw") "\r\n\r\n\0\xff\r\n"
	    FILE_PART("f", "C:\\tmp\\x.png")
	    "\r\nContent-Type: image/png\r\n\r\na\0b\r\n"
	    FILE_PART("f", "../../etc/passwd") "\r\n\r\n\r\n"
	    FILE_PART("g", "") "\r\nContent-Type: application/octet-stream\r\n"
	    "\r\n\r\n--b--\r\n";

	(void)state;
	serve_told(multipart, BODY, sizeof BODY - 1, sizeof BODY - 1);
	serve_told(multipart, BODY, sizeof BODY - 1, SDK_BODY_UNKNOWN);
}

static size_t file_size;

static void
check_bytes(int fd)
{
	size_t i;
	char c;

	assert_true(fd >= 0);
	for (i = 0; i < file_size; i += 997) {
		assert_int_equal(pread(fd, &c, 1, (off_t)i), 1);
		assert_int_equal(c, (char)(i % 251));
	}
	assert_int_equal(lseek(fd, 0, SEEK_END), file_size);
	close(fd);
}

static int
one_file(struct bothy_req *req)
{
	const struct bothy_file *f = bothy_file(req, "f");
	char kept[128];
	struct stat st;

	assert_non_null(f);
	assert_int_equal(f->size, file_size);
	assert_true((f->data != NULL) == (file_size <= 65536));
	assert_true((f->path != NULL) == (file_size > 65536));
	if (f->path)
		check_bytes(open(f->path, O_RDONLY));
	snprintf(kept, sizeof kept, "%s/kept", scratch);
	assert_int_equal(bothy_file_save(req, f, kept), 0);
	assert_int_equal(stat(kept, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	check_bytes(open(kept, O_RDONLY));
	/* Never over a file that is there. */
	assert_int_equal(bothy_file_save(req, f, kept), -1);
	assert_int_equal(bothy_failed(req), 500);
	unlink(kept);
	snprintf(kept, sizeof kept, "%s/none/kept", scratch);
	assert_int_equal(bothy_file_save(req, f, kept), -1);
	/* On another file system. */
	snprintf(kept, sizeof kept, "/dev/shm/form-test-%d", (int)getpid());
	assert_int_equal(bothy_file_save(req, f, kept), 0);
	check_bytes(open(kept, O_RDONLY));
	unlink(kept);
	return 0;
}

static void
test_sizes(void **state)
{
	static const char HEAD[] = FILE_PART("f", "x") "\r\n\r\n";
	static const char TAIL[] = "\r\n--b--";
	static const size_t SIZES[] = {1, 16384, 65536, 65537, 1000000};
	size_t i, k, n;
	char *body;

	(void)state;
	for (i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
		file_size = SIZES[i];
		n = sizeof HEAD - 1 + file_size + sizeof TAIL - 1;
		body = malloc(n);
		memcpy(body, HEAD, sizeof HEAD - 1);
		for (k = 0; k < file_size; k++)
			body[sizeof HEAD - 1 + k] = (char)(k % 251);
		memcpy(body + n - (sizeof TAIL - 1), TAIL, sizeof TAIL - 1);
		serve_told(one_file, body, n, n);
		free(body);
	}
}

static const struct {
	enum bothy_limit what;
	uint64_t most;		/* what is just allowed */
	const char *body, *text;
} LIMITED[] = {
    {BOTHY_MAX_FIELDS, 2, PART("a") "\r\n\r\n\r\n" PART("a") "\r\n\r\n\r\n"
     "--b--", "the form has more than 1 fields"},
    {BOTHY_MAX_FILES, 2, FILE_PART("a", "x") "\r\n\r\n\r\n"
     FILE_PART("a", "") "\r\n\r\n\r\n--b--", "the form has more than 1 files"},
    {BOTHY_MAX_BODY, 4, PART("a") "\r\n\r\n12\r\n" PART("a") "\r\n\r\n34\r\n"
     "--b--", "the form's fields are larger than 3 bytes"},
    {BOTHY_MAX_UPLOAD, 4, FILE_PART("a", "x") "\r\n\r\n12\r\n"
     FILE_PART("b", "y") "\r\n\r\n34\r\n--b--",
     "the form's files are larger than 3 bytes"},
};

static size_t at;
static bool allowed;

static int
limited(struct bothy_req *req)
{
	bothy_limit(req, LIMITED[at].what, LIMITED[at].most - !allowed);
	bothy_form(req, "a");
	assert_int_equal(bothy_failed(req), allowed ? 0 : 413);
	assert_string_equal(bothy_error_text(req),
	    allowed ? "" : LIMITED[at].text);
	assert_null(bothy_file(req, "none"));
	return 0;
}

static void
test_limits(void **state)
{
	(void)state;
	for (at = 0; at < sizeof LIMITED / sizeof LIMITED[0]; at++) {
		allowed = true;
		serve_body(limited, LIMITED[at].body);
		allowed = false;
		serve_body(limited, LIMITED[at].body);
	}
}

static int
malformed(struct bothy_req *req)
{
	assert_null(bothy_form(req, "a"));
	assert_int_equal(bothy_failed(req), 400);
	assert_null(bothy_file_at(req, 0));
	return bothy_refuse(req);
}

static void
test_malformed(void **state)
{
	static char body[100100];
	int n = snprintf(body, sizeof body, "%s%*s\r\n--b\r\n",
	    FILE_PART("f", "x") "\r\n\r\n", 100000, "x");

	(void)state;
	serve_body(malformed, PART("a") "\r\n\r\n1");
	assert_string_equal(reply_body(),
	    "{\"message\":\"the form ended before its last boundary\"}\n");
	/* The spooled file before the fault goes too: see drop_scratch. */
	serve_told(malformed, body, (size_t)n, (size_t)n);
}

static int
no_tmpdir(struct bothy_req *req)
{
	setenv("TMPDIR", "/nonexistent", 1);
	assert_null(bothy_file(req, "f"));
	assert_int_equal(bothy_failed(req), 500);
	return 0;
}

static void
test_no_tmpdir(void **state)
{
	static char body[100000];
	int n = snprintf(body, sizeof body, "%s%*s\r\n--b--",
	    FILE_PART("f", "x") "\r\n\r\n", 80000, "x");

	(void)state;
	serve_told(no_tmpdir, body, (size_t)n, (size_t)n);
}

#define FORM_TEST(f) cmocka_unit_test_setup(f, in_scratch)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REQUEST_TEST(test_urlencoded),
	    REQUEST_TEST(test_no_form),
	    FORM_TEST(test_multipart),
	    FORM_TEST(test_sizes),
	    FORM_TEST(test_limits),
	    FORM_TEST(test_malformed),
	    FORM_TEST(test_no_tmpdir),
	};

	return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
