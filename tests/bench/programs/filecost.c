/*
 * What it costs to put documents into files on this machine (store/engine's
 * files.h, linked with the archives of store/engine and below):
 *
 *   filecost DIRECTORY DOCUMENTS MILLISECONDS
 *
 * fills a store in DIRECTORY with DOCUMENTS of 400 bytes, replaces random ones
 * for MILLISECONDS by exchange and as long by plain rename, scans all twice,
 * and prints one line of JSON, microseconds and documents a second.
 */
#include "store/files/files_scan.h"

#include "store/base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 400, SAMPLES_MAX = 1000000 };

static int64_t samples[SAMPLES_MAX];

static void
fatal(const struct err *e)
{
	fprintf(stderr, "filecost: %s\n", e->text);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Prints the percentiles of `n` samples. */
static void
report(const char *what, size_t n, int64_t took_ns)
{
	qsort(samples, n, sizeof *samples, compare);
	printf("\"%s\": {\"p50\": %.1f, \"p99\": %.1f, \"per_s\": %.0f}, ",
	    what, (double)samples[n / 2] / 1000,
	    (double)samples[n - 1 - n / 100] / 1000,
	    (double)n * 1e9 / (double)took_ns);
}

static void
put(struct files_table *t, unsigned number, unsigned version)
{
	char key[32], bytes[BYTES];
	struct path_key k = {.hash = {VALUE_S, {key, 0}}};
	struct path_name name;
	struct err e;

	k.hash.text.n = (size_t)snprintf(key, sizeof key, "document-%08u",
	    number);
	memset(bytes, 'a' + (int)(version % 26), sizeof bytes);
	if (path_name(&k, &name) == -1 ||
	    files_write(t, 0, &name, bytes, sizeof bytes, 0, NULL, &e) == -1)
		fatal(&e);
}

static void
fill(struct files *f, struct files_table *t, unsigned documents)
{
	int64_t start = now_ns(), from;
	size_t n = 0;
	struct err e;
	unsigned i;

	for (i = 0; i < documents; i++) {
		from = now_ns();
		put(t, i, i);
		if (n < SAMPLES_MAX)
			samples[n++] = now_ns() - from;
		if (i % 16 == 0 && files_grow(f, 0, 64, &e) == -1)
			fatal(&e);
	}
	report("new", n, now_ns() - start);
	while (files_grow(f, 0, 1024, &e) > 0)
		;
	if (files_sync(f, &e) == -1)
		fatal(&e);
}

static void
replace(struct files_table *t, unsigned documents, int64_t ms,
    const char *what)
{
	int64_t start = now_ns(), from = start;
	size_t n = 0;

	while (n < SAMPLES_MAX && from - start < ms * 1000000) {
		from = now_ns();
		put(t, (unsigned)random() % documents, (unsigned)n);
		samples[n++] = now_ns() - from;
	}
	report(what, n, now_ns() - start);
}

static int
count(void *arg, const struct files_found *found, struct err *e)
{
	(void)arg;
	(void)e;
	return found->kind == FILES_UNREADABLE;
}

static double
scan(struct files *f)
{
	struct files_scan_options o = {
	    .threads = 2, .read = true, .each = count,
	};
	int64_t start = now_ns();
	struct err e = {.text = "a document can't be read"};

	if (files_scan(f, &o, &e) != 0)
		fatal(&e);
	return (double)(now_ns() - start) / 1e9;
}

int
main(int argc, char **argv)
{
	struct files_options o = {.threads = 1};
	unsigned documents = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	struct files_table *t;
	struct files *f;
	struct err e;
	int fd;

	if (documents == 0) {
		fputs("usage: filecost DIRECTORY DOCUMENTS MILLISECONDS\n",
		    stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f = fd == -1 ? NULL : files_open(fd, &o, &e);
	if (fd == -1)
		err_sys(&e, "can't open %s", argv[1]);
	if (!f || !(t = files_table(f, "t", 0, &e)))
		fatal(&e);
	printf("{\"documents\": %u, ", documents);
	fill(f, t, documents);
	replace(t, documents, atoi(argv[3]), "replace_exchange");
	files_close(f);
	o.plain = true;
	f = files_open(fd, &o, &e);
	if (!f || !(t = files_table(f, "t", documents, &e)))
		fatal(&e);
	replace(t, documents, atoi(argv[3]), "replace_rename");
	printf("\"scan_s\": %.2f, ", scan(f));
	printf("\"scan_again_s\": %.2f}\n", scan(f));
	files_close(f);
	close(fd);
	return 0;
}
