/*
 * The sorter of changes: any order in, the order of paths out, also where most
 * of them lie in a file.
 */
#include "store/history/history_sort.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
sorts(unsigned n, unsigned runs)
{
	struct sort_record rec;
	char last[HISTORY_PATH_MAX + 1] = "";
	struct sort s;
	struct err e;
	unsigned i, seen = 0, gone = 0;
	int dir_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	assert_true(dir_fd >= 0);
	sort_init(&s, dir_fd);
	for (i = 0; i < n; i++) {
		unsigned number = (unsigned)((uint64_t)i * 2654435761u % n);
		char path[100];
		git_oid id;

		memset(&id, (int)(number & 255), sizeof id);
		snprintf(path, sizeof path, "table/%02x/%08u-with-a-longer-"
		    "name-as-keys-are.json", number % 256, number);
		assert_int_equal(sort_add(&s, path,
		    number % 5 ? &id : NULL, &e), 0);
	}
	assert_int_equal(sort_rewind(&s, &e), 0);
	assert_int_equal(s.nruns, runs);
	while ((r = sort_next(&s, &rec, &e)) > 0) {
		unsigned number = (unsigned)atoi(rec.path + 9);

		assert_int_equal(rec.len, strlen(rec.path));
		assert_true(strcmp(last, rec.path) < 0);
		strcpy(last, rec.path);
		assert_int_equal(rec.gone, number % 5 == 0);
		if (!rec.gone)
			assert_int_equal(rec.id.id[7], number & 255);
		seen++;
		gone += rec.gone;
	}
	assert_int_equal(r, 0);
	assert_int_equal(seen, n);
	assert_int_equal(gone, (n + 4) / 5);
	sort_release(&s);
	close(dir_fd);
}

/* (The factor and the numbers have no divisor in common: each comes once.) */
static void
sorts_in_memory(void **state)
{
	(void)state;
	sorts(0, 0);
	sorts(1, 0);
	sorts(20011, 0);
}

static void
sorts_in_a_file(void **state)
{
	(void)state;
	sorts(300007, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_in_memory),
		cmocka_unit_test(sorts_in_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
