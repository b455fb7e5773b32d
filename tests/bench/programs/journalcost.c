/*
 * What it costs to append and sync, and nothing else: CLIENTS threads, each of
 * which wants its BYTES on the disk before it goes on.  Whoever comes while
 * another syncs waits, and the next one syncs for all who did.  All goes into
 * space that was written before, as with a journal that is prepared.
 *
 *   journalcost FILE BYTES CLIENTS MILLISECONDS
 *
 * prints one line of JSON, as storeload does.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	CLIENTS_MAX = 256,
	SAMPLES_MAX = 1 << 22,
	FILE_BYTES = 64 << 20,
	PIECE_BYTES = 1 << 20
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t synced_more = PTHREAD_COND_INITIALIZER;
static int fd;
static size_t bytes;
static off_t end, synced;	/* of what was written */
static bool syncing;
static int64_t until_us;
static uint32_t *samples;
static size_t count;

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Until all before `mine` is synced; by ourselves if nobody does. */
static void
wait_synced(off_t mine)
{
	off_t to;

	while (synced < mine) {
		if (syncing) {
			pthread_cond_wait(&synced_more, &lock);
			continue;
		}
		syncing = true;
		to = end;
		pthread_mutex_unlock(&lock);
		if (fdatasync(fd) < 0) {
			perror("journalcost: fdatasync");
			exit(1);
		}
		pthread_mutex_lock(&lock);
		syncing = false;
		synced = to;
		pthread_cond_broadcast(&synced_more);
	}
}

static void *
client(void *arg)
{
	char *line = malloc(bytes);
	int64_t begin_us;

	(void)arg;
	memset(line, 'x', bytes);
	pthread_mutex_lock(&lock);
	while ((begin_us = now_us()) < until_us) {
		off_t at = end % FILE_BYTES;

		end += (off_t)bytes;
		if (pwrite(fd, line, bytes, at) != (ssize_t)bytes) {
			perror("journalcost: write");
			exit(1);
		}
		wait_synced(end);
		if (count < SAMPLES_MAX)
			samples[count++] = (uint32_t)(now_us() - begin_us);
	}
	pthread_mutex_unlock(&lock);
	free(line);
	return NULL;
}

/* Zeros, one piece more than is gone round in; and on the disk. */
static int
prepare(void)
{
	char *zeros = calloc(1, PIECE_BYTES);
	off_t at;

	for (at = 0; zeros && at <= FILE_BYTES; at += PIECE_BYTES)
		if (pwrite(fd, zeros, PIECE_BYTES, at) != PIECE_BYTES)
			return -1;
	free(zeros);
	return fsync(fd);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	pthread_t threads[CLIENTS_MAX];
	int clients = argc > 4 ? atoi(argv[3]) : 0, i;
	int64_t begin_us;

	if (clients < 1 || clients > CLIENTS_MAX) {
		fputs("usage: journalcost FILE BYTES CLIENTS MILLISECONDS\n",
		    stderr);
		return 2;
	}
	bytes = (size_t)atol(argv[2]);
	samples = calloc(SAMPLES_MAX, sizeof *samples);
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || bytes > PIECE_BYTES || prepare() < 0) {
		perror(argv[1]);
		return 1;
	}
	begin_us = now_us();
	until_us = begin_us + atol(argv[4]) * 1000;
	for (i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, client, NULL);
	for (i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	qsort(samples, count, sizeof *samples, compare);
	printf("{\"operations\": %zu, \"seconds\": %.3f, \"errors\": 0, "
	    "\"p50_us\": %u, \"p99_us\": %u, \"most_us\": %u}\n", count,
	    (double)(now_us() - begin_us) / 1e6, samples[count / 2],
	    samples[count * 99 / 100], count ? samples[count - 1] : 0);
	unlink(argv[1]);
	return 0;
}
