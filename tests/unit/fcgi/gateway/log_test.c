/*
 * fcgi/gateway/logfile.c, accesslog.c and fnlog.c: whole, clean, bounded
 * lines, also while files are rotated.
 */
#include "fcgi/gateway/accesslog.h"
#include "fcgi/gateway/fnlog.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static struct logs logs;
static struct buf text;

static int
set_up(void **state)
{
	struct err e;

	(void)state;
	strcpy(directory, "/tmp/log_test.XXXXXX");
	assert_non_null(mkdtemp(directory));
	strcat(directory, "/log");
	buf_init(&text, 16 * 1024 * 1024);
	return logs_open(&logs, directory, &e);
}

static int
tear_down(void **state)
{
	(void)state;
	logs_close(&logs);
	buf_release(&text);
	*strrchr(directory, '/') = '\0';
	return io_remove_tree(AT_FDCWD, directory);
}

/* The contents of a log, which is then removed. */
static const char *
contents(const char *name)
{
	struct err e;

	buf_reset(&text);
	assert_int_equal(io_read_file(logs.dir_fd, name, &text, &e), 0);
	assert_int_equal(unlinkat(logs.dir_fd, name, 0), 0);
	return buf_str(&text);
}

static bool
exists(const char *name)
{
	return faccessat(logs.dir_fd, name, F_OK, 0) == 0;
}

/* Takes the time, which no test can know, out of each line. */
static const char *
timeless(void)
{
	static char result[4096];
	const char *s = buf_str(&text);
	char *to = result;

	while (*s) {
		assert_int_equal(strncmp(s, "{\"time\":\"20", 11), 0);
		assert_int_equal(s[9 + 24], '"');
		s += 9 + 26;
		while ((*to++ = *s) != '\0' && *s++ != '\n')
			;
	}
	*to = '\0';
	return result;
}

static void
test_logfile(void **state)
{
	struct logfile f;
	struct stat st;
	struct err e;

	(void)state;
	assert_int_equal(logfile_open(&f, &logs, "a.jsonl", &e), 0);
	logfile_write(&f, "one\n", 4);
	assert_int_equal(fstat(f.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(
	    renameat(logs.dir_fd, "a.jsonl", logs.dir_fd, "a.1"), 0);
	logfile_write(&f, "two\n", 4);
	assert_false(exists("a.jsonl"));
	logs_reopen(&logs);
	logfile_write(&f, "three\n", 6);
	logfile_write(&f, "four\n", 5);
	assert_string_equal(contents("a.1"), "one\ntwo\n");
	assert_string_equal(contents("a.jsonl"), "three\nfour\n");
	assert_int_equal(f.lost, 0);
	logfile_close(&f);
	logfile_close(&f);
	assert_int_equal(logfile_open(&f, &logs, "no/file", &e), -1);
}

/* Another process's file: nobody told it, so it looks. */
static void
test_moved_away_is_seen(void **state)
{
	struct logfile f;
	struct err e;
	unsigned before;

	(void)state;
	assert_int_equal(logfile_open(&f, &logs, "c.jsonl", &e), 0);
	before = atomic_load(&logs.generation);
	logfile_look(&f);
	assert_int_equal(atomic_load(&logs.generation), before);

	assert_int_equal(
	    renameat(logs.dir_fd, "c.jsonl", logs.dir_fd, "c.1"), 0);
	logfile_write(&f, "one\n", 4);
	logfile_look(&f);
	logfile_write(&f, "two\n", 4);
	assert_string_equal(contents("c.1"), "one\n");

	/* Begun anew by another, before we look. */
	assert_int_equal(
	    renameat(logs.dir_fd, "c.jsonl", logs.dir_fd, "c.2"), 0);
	io_close(&(int){logs_append(&logs, "c.jsonl")});
	logfile_look(&f);
	logfile_write(&f, "three\n", 6);
	assert_string_equal(contents("c.2"), "two\n");
	assert_string_equal(contents("c.jsonl"), "three\n");
	assert_int_equal(f.lost, 0);
	logfile_close(&f);
}

enum { WRITERS = 4, LINES = 2000 };

static void *
writer(void *arg)
{
	struct logfile *f = arg;
	int i;

	for (i = 0; i < LINES; i++)
		logfile_write(f, "0123456789012345678901234567890\n", 32);
	return NULL;
}

static void
test_rotation_loses_nothing(void **state)
{
	struct logfile f;
	struct err e;
	pthread_t threads[WRITERS];
	char name[32];
	size_t sum = 0, at;
	int i;

	(void)state;
	assert_int_equal(logfile_open(&f, &logs, "b.jsonl", &e), 0);
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, writer, &f), 0);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "b.%d", i);
		renameat(logs.dir_fd, "b.jsonl", logs.dir_fd, name);
		logs_reopen(&logs);
		usleep(500);
	}
	for (i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	for (i = -1; i < 20; i++) {
		snprintf(name, sizeof(name), i < 0 ? "b.jsonl" : "b.%d", i);
		if (!exists(name))
			continue;
		contents(name);
		sum += text.len;
		for (at = 31; at < text.len; at += 32)
			assert_int_equal(text.data[at], '\n');
	}
	assert_int_equal(sum, (size_t)WRITERS * LINES * 32);
	logfile_close(&f);
}

static void
test_access(void **state)
{
	struct accesslog_entry e = {
	    .time_ms = 1700000000007,
	    .request_id = "ID",
	    .method = "GET",
	    .path = "/a\"b\nc?",
	    .path_len = 6,
	    .status = 200,
	    .bytes_out = 12,
	    .duration_us = 1234567,
	    .wait_us = 5,
	    .cpu_us = -1,
	    .peak_kb = -1,
	    .client = "::1",
	};
	struct accesslog a;
	struct logfile f;
	struct err err;

	(void)state;
	accesslog_init(&a);
	assert_int_equal(logfile_open(&f, &logs, "access.jsonl", &err), 0);
	accesslog_write(&a, &f, &e);
	assert_string_equal(contents("access.jsonl"),
	    "{\"time\":\"2023-11-14T22:13:20.007Z\",\"id\":\"ID\","
	    "\"method\":\"GET\",\"path\":\"/a\\\"b\\nc\",\"status\":200,"
	    "\"outcome\":\"ok\",\"bytes_out\":12,\"duration_ms\":1234.567,"
	    "\"wait_ms\":0.005,\"client\":\"::1\"}\n");
	e.time_ms += 991;
	e.outcome = OUTCOME_CLIENT_LEFT;
	e.function = "hello";
	e.route = "GET /";
	e.cpu_us = 1050;
	e.peak_kb = 2048;
	e.query_len = 7;
	e.bytes_in = 3;
	e.signal = 11;
	e.exit_status = 1;
	e.detail = "d";
	logs_reopen(&logs);
	accesslog_write(&a, &f, &e);
	assert_string_equal(contents("access.jsonl"),
	    "{\"time\":\"2023-11-14T22:13:20.998Z\",\"id\":\"ID\","
	    "\"method\":\"GET\",\"path\":\"/a\\\"b\\nc\",\"query_bytes\":7,"
	    "\"status\":200,\"outcome\":\"client-left\",\"bytes_out\":12,"
	    "\"bytes_in\":3,\"function\":\"hello\",\"route\":\"GET /\","
	    "\"duration_ms\":1234.567,\"wait_ms\":0.005,\"cpu_ms\":1.050,"
	    "\"peak_kb\":2048,\"signal\":11,\"exit\":1,\"client\":\"::1\","
	    "\"detail\":\"d\"}\n");
	e.time_ms += 2;	/* into the next second */
	logs_reopen(&logs);
	accesslog_write(&a, &f, &e);
	assert_int_equal(strncmp(contents("access.jsonl"),
	    "{\"time\":\"2023-11-14T22:13:21.000Z\"", 34), 0);
	logfile_close(&f);
	accesslog_release(&a);
}

static void
test_outcome_names(void **state)
{
	int i, k;

	(void)state;
	for (i = 0; i < OUTCOME_COUNT; i++) {
		assert_non_null(outcome_name((enum outcome)i));
		for (k = 0; k < i; k++)
			assert_string_not_equal(outcome_name((enum outcome)i),
			    outcome_name((enum outcome)k));
	}
	assert_string_equal(outcome_name(OUTCOME_COUNT), "unknown");
}

#define LINE(rest) "\"id\":\"ID\",\"function\":\"fn\"," rest "}\n"

static void
test_fnlog_lines(void **state)
{
	static const char said[] =
	    "plain\n<3>bad\r\n\nquote \" \\ \ttab\n\x1b[31mred\n\xff\xc2\x9b\n"
	    "<9>no level\n<7>debug\nlast";
	struct fnlog l;
	size_t step, i;

	(void)state;
	fnlog_init(&l, &logs);
	for (step = 1; step < sizeof(said); step += 7) {
		fnlog_begin(&l, "fn", "ID");
		for (i = 0; i < sizeof(said) - 1; i += step)
			fnlog_feed(&l, said + i, sizeof(said) - 1 - i < step
			        ? sizeof(said) - 1 - i : step);
		assert_false(exists("fn.jsonl"));
		fnlog_end(&l);
		contents("fn.jsonl");
		assert_string_equal(timeless(), LINE("\"text\":\"plain\"")
		    LINE("\"level\":\"error\",\"text\":\"bad\"")
		    LINE("\"text\":\"quote \\\" \\\\ \\ttab\"")
		    LINE("\"text\":\"\xef\xbf\xbd[31mred\"")
		    LINE("\"text\":\"\xef\xbf\xbd\xef\xbf\xbd\"")
		    LINE("\"text\":\"<9>no level\"")
		    LINE("\"level\":\"debug\",\"text\":\"debug\"")
		    LINE("\"text\":\"last\""));
	}
	fnlog_release(&l);
}

static void
test_fnlog_sdk(void **state)
{
	static const char said[] =
	    "{\"level\":\"warn\",\"message\":\"a\\n\\u001b\\\\\xc3\xbc\"}\n"
	    "{\"level\":\"error\",\"message\":\"\"}\r\n"
	    /* Not from there: kept as text, whatever it is. */
	    "{\"level\":\"loud\",\"message\":\"x\"}\n"
	    "{\"level\":\"info\",\"message\":\"x\",\"y\":\"z\"}\n"
	    "{\"level\":\"info\",\"message\":\"\\\"}\n"
	    "{\"level\":\"info\",\"message\":\"\\u12\"}\n"
	    "{\"level\":\"info\",\"message\":\"\x07\"}\n"
	    "{\"level\":\"info\",\"message\":\"\xff\"}\n"
	    "{\"level\":\"info\",\"message\":\"}\n"
	    "{\"level\":\"info\",\"message\":}\n"
	    "{\"level\":\"info\",\"message\":\"\\\0\"}\n"
	    "{\"level\":\"info\",\"message\":\n";
	static const char expected[] =
	    LINE("\"level\":\"warning\","
	         "\"text\":\"a\\n\\u001b\\\\\xc3\xbc\"")
	    LINE("\"level\":\"error\",\"text\":\"\"")
	    LINE("\"text\":\"{\\\"level\\\":\\\"loud\\\","
	         "\\\"message\\\":\\\"x\\\"}\"");
	struct fnlog l;
	const char *text_at;
	int lines;

	(void)state;
	fnlog_init(&l, &logs);
	fnlog_begin(&l, "fn", "ID");
	fnlog_feed(&l, said, sizeof(said) - 1);
	fnlog_end(&l);
	contents("fn.jsonl");
	text_at = timeless();
	assert_int_equal(
	    strncmp(text_at, expected, strlen(expected)), 0);
	for (lines = 0; *text_at; text_at += strcspn(text_at, "\n") + 1) {
		assert_int_equal(strncmp(text_at, "\"id\":\"ID\"", 9), 0);
		if (lines++ >= 2)
			assert_int_equal(strncmp(text_at + 26,
			    "\"text\":\"{\\\"level", 16), 0);
	}
	assert_int_equal(lines, 12);
	fnlog_release(&l);
}

static void
test_fnlog_silent(void **state)
{
	struct fnlog l;

	(void)state;
	fnlog_init(&l, &logs);
	fnlog_begin(&l, "fn", "ID");
	fnlog_end(&l);
	assert_false(exists("fn.jsonl"));
	/* Nothing of one request is left in the next. */
	fnlog_begin(&l, "fn", "ID");
	fnlog_feed(&l, "half", 4);
	fnlog_begin(&l, "fn", "ID");
	fnlog_note(&l, "error", "killed by signal 9");
	fnlog_end(&l);
	contents("fn.jsonl");
	assert_string_equal(timeless(),
	    LINE("\"level\":\"error\",\"text\":\"killed by signal 9\""));
	fnlog_release(&l);
}

static void
test_fnlog_cut(void **state)
{
	char *large = malloc(FNLOG_LINE_MAX + 100);
	struct fnlog l;

	(void)state;
	assert_non_null(large);
	memset(large, 0xff, FNLOG_LINE_MAX + 99);
	large[FNLOG_LINE_MAX + 99] = '\n';
	fnlog_init(&l, &logs);
	fnlog_begin(&l, "fn", "ID");
	fnlog_feed(&l, large, FNLOG_LINE_MAX + 100);
	fnlog_feed(&l, "next\n", 5);
	fnlog_end(&l);
	assert_true(buf_ok(&l.batch) && buf_ok(&l.line));
	contents("fn.jsonl");
	assert_non_null(strstr(text.data, "\",\"cut_bytes\":99}\n"));
	assert_non_null(strstr(text.data, "\"text\":\"next\"}\n"));
	assert_true(text.len > 3 * FNLOG_LINE_MAX);
	fnlog_release(&l);
	free(large);
}

static void
test_fnlog_dropped(void **state)
{
	static const char line[] = "0123456789012345678901234567890\n";
	struct fnlog l;
	size_t i;

	(void)state;
	fnlog_init(&l, &logs);
	fnlog_begin(&l, "fn", "ID");
	for (i = 0; i < FNLOG_REQUEST_MAX / 32 + 100; i++)
		fnlog_feed(&l, line, 32);
	fnlog_feed(&l, line, 3);
	assert_int_equal(l.dropped, 3203);
	assert_true(buf_ok(&l.batch));
	fnlog_note(&l, "error", "still told");
	fnlog_end(&l);
	contents("fn.jsonl");
	assert_non_null(strstr(text.data, "still told"));
	assert_non_null(strstr(text.data, "\"text\":\"3203 bytes dropped: "
	    "more than 64 KB from one request\"}\n"));
	/* A first feed that is larger than all. */
	fnlog_begin(&l, "fn", "ID");
	fnlog_feed(&l, text.data, text.len);
	assert_int_equal(l.dropped, text.len - FNLOG_REQUEST_MAX);
	fnlog_end(&l);
	contents("fn.jsonl");
	fnlog_release(&l);
}

static void
test_fnlog_name(void **state)
{
	struct fnlog l;

	(void)state;
	fnlog_init(&l, &logs);
	fnlog_begin(&l, "../evil", "ID");
	fnlog_note(&l, "error", "x");
	fnlog_end(&l);
	assert_false(exists("../evil.jsonl"));
	fnlog_release(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_logfile),
	    cmocka_unit_test(test_moved_away_is_seen),
	    cmocka_unit_test(test_rotation_loses_nothing),
	    cmocka_unit_test(test_access),
	    cmocka_unit_test(test_outcome_names),
	    cmocka_unit_test(test_fnlog_lines),
	    cmocka_unit_test(test_fnlog_sdk),
	    cmocka_unit_test(test_fnlog_silent),
	    cmocka_unit_test(test_fnlog_cut),
	    cmocka_unit_test(test_fnlog_dropped),
	    cmocka_unit_test(test_fnlog_name),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
