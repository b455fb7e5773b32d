/*
 * Runs a fuzz target over its seeds: replay DIRECTORY...
 *
 * Linked with one target and no fuzzer, so that `make test` replays the seeds
 * under gcc's sanitizers.  An empty directory is an error: it tests nothing.
 */
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/io.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEED_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In a block of its own size, so that a byte read too far is seen. */
static void
run_exactly(const struct buf *b)
{
	uint8_t *copy = malloc(b->len ? b->len : 1);

	if (!copy)
		abort();
	memcpy(copy, buf_str(b), b->len);
	LLVMFuzzerTestOneInput(copy, b->len);
	free(copy);
}

static int
run_directory(const char *path, size_t *n_run, struct err *e)
{
	struct dirent *entry;
	struct buf b;
	DIR *dir;
	int rc = 0;

	dir = opendir(path);
	if (!dir)
		return err_sys(e, "cannot open %s", path);
	buf_init(&b, SEED_MAX);
	while (rc == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		buf_reset(&b);
		rc = io_read_file(dirfd(dir), entry->d_name, &b, e);
		if (rc == 0) {
			run_exactly(&b);
			++*n_run;
		}
	}
	buf_release(&b);
	closedir(dir);
	return rc;
}

int
main(int argc, char **argv)
{
	struct err e;
	size_t n_run;
	int i;

	for (i = 1; i < argc; i++) {
		n_run = 0;
		if (run_directory(argv[i], &n_run, &e) < 0) {
			err_print(&e, "replay");
			return 1;
		}
		if (n_run == 0) {
			fprintf(stderr, "replay: no seeds in %s\n", argv[i]);
			return 1;
		}
		printf("%s: %zu seeds\n", argv[i], n_run);
	}
	return argc > 1 ? 0 : 2;
}
