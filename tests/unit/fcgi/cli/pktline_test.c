/*
 * pkt-lines, read and written: what git sends, and what nobody should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fcgi/cli/store/pktline.h"
#include "store/base/io.h"

#include <string.h>
#include <unistd.h>

/* What the lines of `sent` are read as, until one gives `end`. */
static void
expect(const char *sent, size_t n, const char *const *lines, int end)
{
	int fd[2];
	struct buf text;

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(io_write_all(fd[1], sent, n), 0);
	close(fd[1]);
	buf_init(&text, PKTLINE_MAX);
	for (; *lines; lines++) {
		assert_int_equal(pktline_read(fd[0], &text), 1);
		assert_string_equal(buf_str(&text), *lines);
	}
	assert_int_equal(pktline_read(fd[0], &text), end);
	buf_release(&text);
	close(fd[0]);
}

static void
reads(void **state)
{
	static const char TWO[] = "0006a\n0005b0000", EMPTY[] = "00040000";
	static const char *const two[] = {"a", "b", NULL};
	static const char *const empty[] = {"", NULL}, *const none[] = {NULL};
	char features[] = "000fversion=1_x0000";
	static const char *const version[] = {"version=1", NULL};

	(void)state;
	features[13] = '\0';
	expect(TWO, sizeof TWO - 1, two, 0);
	expect(EMPTY, sizeof EMPTY - 1, empty, 0);
	expect(features, sizeof features - 1, version, 0);
	expect("", 0, none, -1);
	expect("00", 2, none, -1);
	expect("0001", 4, none, -1);
	expect("-001a", 5, none, -1);
	expect("0009abc", 7, none, -1);
	expect("fffxa", 5, none, -1);
	expect("fffe", 4, none, -1);
}

static void
writes(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(pktline_add(&out, "ok x", 4), 0);
	assert_int_equal(pktline_add(&out, "", 0), 0);
	assert_int_equal(pktline_end(&out), 0);
	assert_string_equal(buf_str(&out), "0008ok x00040000");
	buf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
