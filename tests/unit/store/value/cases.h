/*
 * Tables of cases: lines of tests/cases/value, with tabs between their fields;
 * `#` begins a line that is none.
 */
#ifndef TESTS_VALUE_CASES_H
#define TESTS_VALUE_CASES_H

#include "store/base/buf.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CASE_FIELDS = 6 };

/* Calls `check` for each case, absent fields are ""; how many there were. */
static inline int
cases_run(const char *name, void (*check)(char **fields))
{
	char path[256], *line, *next, *fields[CASE_FIELDS];
	struct buf b;
	struct err e;
	int i, n = 0;

	snprintf(path, sizeof path, "tests/cases/value/%s", name);
	buf_init(&b, 4 << 20);
	if (io_read_file(AT_FDCWD, path, &b, &e) < 0)
		fail_msg("%s", e.text);
	for (next = b.data; (line = strsep(&next, "\n"));) {
		if (!*line || *line == '#')
			continue;
		for (i = 0; i < CASE_FIELDS; i++) {
			fields[i] = strsep(&line, "\t");
			if (!fields[i])
				fields[i] = b.data + b.len;
		}
		check(fields);
		n++;
	}
	buf_release(&b);
	return n;
}

#endif
