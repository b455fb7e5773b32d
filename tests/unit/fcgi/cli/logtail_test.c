/*
 * Tests of reading logs: order, filter, what is added, rotation.
 */
#include "fcgi/cli/logtail.h"
#include "store/base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char state[64];
	struct logtail tail;
	struct buf seen;	/* "source:n " of each entry */
};

static void
append(struct fixture *x, const char *log, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/log/%s.jsonl", x->state, log);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
add(struct fixture *x, const char *log, int second, const char *function)
{
	char line[256];

	snprintf(line, sizeof line, "{\"time\":\"2026-11-22T10:00:%02d.000Z\","
	    "\"n\":%d,\"function\":\"%s\"}\n", second, second, function);
	append(x, log, line);
}

static void
see(void *arg, const struct logentry *entry)
{
	struct fixture *x = arg;

	buf_printf(&x->seen, "%s:%d ", entry->source,
	    (int)json_integer_value(json_object_get(entry->line, "n")));
}

/* What one read shows. */
static const char *
look(struct fixture *x, size_t last)
{
	buf_reset(&x->seen);
	logtail_read(&x->tail, last, see, x);
	return buf_str(&x->seen);
}

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);
	char path[128];
	struct err e;

	assert_non_null(x);
	snprintf(x->state, sizeof x->state, "/tmp/bothy-logs-XXXXXX");
	assert_non_null(mkdtemp(x->state));
	snprintf(path, sizeof path, "%s/log", x->state);
	assert_int_equal(io_mkdirs(path, 0700, &e), 0);
	buf_init(&x->seen, 1 << 20);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	logtail_close(&x->tail);
	buf_release(&x->seen);
	io_remove_tree(AT_FDCWD, x->state);
	free(x);
	return 0;
}

static void
start(struct fixture *x, const char *function)
{
	struct err e;

	assert_int_equal(logtail_open(&x->tail, x->state, function, &e), 0);
}

static void
test_order_and_count(void **state)
{
	struct fixture *x = *state;

	add(x, "access", 1, "hello");
	add(x, "access", 5, "hello");
	add(x, "hello", 3, "hello");
	add(x, "gateway", 2, "");
	append(x, "notes.txt", "no log\n");
	start(x, NULL);
	assert_string_equal(look(x, 3), "gateway:2 hello:3 access:5 ");
	assert_string_equal(look(x, 0), "");
}

static void
test_one_function(void **state)
{
	struct fixture *x = *state;

	add(x, "access", 1, "hello");
	add(x, "access", 2, "other");
	add(x, "hello", 3, "hello");
	add(x, "other", 4, "other");
	add(x, "launch", 5, "hello");
	add(x, "gateway", 6, "");
	start(x, "hello");
	assert_string_equal(look(x, 0), "access:1 hello:3 launch:5 ");
}

static void
test_follows(void **state)
{
	struct fixture *x = *state;

	start(x, NULL);
	assert_string_equal(look(x, 0), "");
	add(x, "access", 1, "hello");
	assert_string_equal(look(x, 0), "access:1 ");
	/* A line that is not finished waits. */
	append(x, "access", "{\"n\":");
	assert_string_equal(look(x, 0), "");
	append(x, "access", "7}\n");
	assert_string_equal(look(x, 0), "access:7 ");
	append(x, "new", "{\"n\":8}\n");
	assert_string_equal(look(x, 0), "new:8 ");
}

static void
test_rotation(void **state)
{
	struct fixture *x = *state;
	char from[128], to[128];

	add(x, "access", 1, "a");
	start(x, NULL);
	assert_string_equal(look(x, 0), "access:1 ");
	/* What was written just before the move is not lost. */
	add(x, "access", 2, "a");
	snprintf(from, sizeof from, "%s/log/access.jsonl", x->state);
	snprintf(to, sizeof to, "%s/log/access.jsonl.1", x->state);
	assert_int_equal(rename(from, to), 0);
	add(x, "access", 3, "a");
	assert_string_equal(look(x, 0), "access:2 access:3 ");
	assert_int_equal(truncate(from, 0), 0);
	append(x, "access", "{\"n\":4}\n");
	assert_string_equal(look(x, 0), "access:4 ");
}

static void
test_limits(void **state)
{
	struct fixture *x = *state;
	char *big = malloc(200001);
	int i;

	assert_non_null(big);
	memset(big, 'x', 200000);
	big[200000] = '\0';
	start(x, NULL);
	look(x, 0);
	append(x, "access", big);
	append(x, "access", "\n{\"n\":1}\n");
	assert_string_equal(look(x, 0), "access:1 ");
	free(big);
	logtail_close(&x->tail);
	/* Of a long log only the end is read, from a whole line on. */
	for (i = 0; i < 30000; i++)
		add(x, "long", 9, "a");
	start(x, "long");
	assert_string_equal(look(x, 1), "long:9 ");
	assert_string_equal(look(x, 0), "");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_order_and_count),
	    TEST(test_one_function),
	    TEST(test_follows),
	    TEST(test_rotation),
	    TEST(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
