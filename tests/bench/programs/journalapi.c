/*
 * What a line of 300 bytes costs until it is on the disk, one writer:
 *
 *   journalapi DIRECTORY LINES
 *
 * prints one line of JSON, medians and 99th percentiles in microseconds:
 *   growing      write and fdatasync at the end of a file
 *   allocated    the same into space that fallocate made
 *   journal      journal_add and journal_sync, another thread preparing
 *   ratio        journal to growing, by their medians
 *
 * The three take turns, 100 lines each, so that the disk's moods hit them all.
 */
#include "store/base/io.h"
#include "store/journal/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 300, TURN = 100, WAYS = 3 };

struct way {
	const char *name;
	int (*put)(struct way *w, const char *line);
	int fd;
	off_t at;
	struct journal *j;
	double *us;
	size_t count;
};

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
put_raw(struct way *w, const char *line)
{
	if (pwrite(w->fd, line, LINE, w->at) != LINE)
		return -1;
	w->at += LINE;
	return fdatasync(w->fd);
}

static int
put_line(struct way *w, const char *line)
{
	const struct iovec iov = {(char *)(uintptr_t)line,
	    LINE - JOURNAL_OVERHEAD};
	struct err e;

	if (journal_add(w->j, &iov, 1, NULL, &e) == 0 &&
	    journal_sync(w->j, &e) == 0)
		return 0;
	err_print(&e, "journalapi");
	return -1;
}

static atomic_bool done;

static void *
prepare(void *arg)
{
	struct err e;

	while (!done) {
		if (journal_wants_segment(arg) && journal_prepare(arg, &e) < 0)
			err_print(&e, "journalapi");
		usleep(5000);
	}
	return NULL;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
quantile(struct way *w, double q)
{
	qsort(w->us, w->count, sizeof *w->us, by_size);
	return w->us[(size_t)((double)(w->count - 1) * q)];
}

static int
measure(struct way *w, const char *line, int n)
{
	double begin;

	for (; n--; w->count++) {
		begin = now_us();
		if (w->put(w, line) < 0)
			return -1;
		w->us[w->count] = now_us() - begin;
	}
	return 0;
}

static int
set_up(struct way *ways, int dir_fd, size_t lines)
{
	const struct journal_options o = {.segment_bytes = 1 << 20};
	struct err e;
	int i;

	for (i = 0; i < WAYS; i++) {
		ways[i].us = calloc(lines + TURN, sizeof(double));
		if (ways[i].us == NULL)
			return -1;
		if (ways[i].put == put_raw)
			ways[i].fd = openat(dir_fd, ways[i].name,
			    O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (ways[i].fd < 0)
			return -1;
	}
	if (posix_fallocate(ways[1].fd, 0, (off_t)(lines + TURN) * LINE) ||
	    fsync(ways[1].fd) < 0)
		return -1;
	if (journal_open(dir_fd, &o, &ways[2].j, &e) < 0) {
		err_print(&e, "journalapi");
		return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct way ways[WAYS] = {{"growing", put_raw, 0, 0, NULL, NULL, 0},
	    {"allocated", put_raw, 0, 0, NULL, NULL, 0},
	    {"journal", put_line, 0, 0, NULL, NULL, 0}};
	size_t lines = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, n;
	int dir_fd = lines ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1, i;
	pthread_t helper;
	char line[LINE];

	if (dir_fd < 0 || set_up(ways, dir_fd, lines) < 0 ||
	    pthread_create(&helper, NULL, prepare, ways[2].j) != 0) {
		perror("journalapi DIRECTORY LINES");
		return 1;
	}
	memset(line, '1', sizeof line);
	for (n = 0; n < lines; n += TURN)
		for (i = 0; i < WAYS; i++)
			if (measure(&ways[i], line, TURN) < 0)
				return 1;
	done = true;
	(void)pthread_join(helper, NULL);
	(void)printf("{");
	for (i = 0; i < WAYS; i++)
		(void)printf("\"%s\": {\"p50\": %.0f, \"p99\": %.0f}, ",
		    ways[i].name, quantile(&ways[i], 0.5),
		    quantile(&ways[i], 0.99));
	(void)printf("\"ratio\": %.2f}\n",
	    quantile(&ways[2], 0.5) / quantile(&ways[0], 0.5));
	journal_close(ways[2].j);
	return 0;
}
