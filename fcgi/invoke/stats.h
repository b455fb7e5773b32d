/*
 * Counters and latency histograms in shared memory, <state>/run/stats.
 *
 * Every copy of bothy-fcgi maps the file and adds with relaxed atomics; bothy
 * status and the benchmark map it and read.  A copy that dies loses nothing
 * but its share of in-flight requests, which is taken back when another copy
 * opens the file.
 *
 * Layout, version 1, in the machine's byte order (stats.c has the table): a
 * header, STATS_PROCESSES process slots, then 1 + STATS_FUNCTIONS + 1 slots
 * of counters: the total, the functions, and "other" for those without room.
 */
#ifndef INVOKE_STATS_H
#define INVOKE_STATS_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STATS_FUNCTIONS = 1024,
	STATS_OUTCOMES = 16,	/* numbers 0 to 15; larger count as 15 */
	STATS_CLASSES = 6,	/* status / 100: 1xx..5xx; 0 is none */
	STATS_NAME_SIZE = 128,
	STATS_BUCKETS = 256,
	STATS_PROCESSES = 64,
	STATS_TOTAL = 0,	/* slot of all requests */
	STATS_OTHER = 1 + STATS_FUNCTIONS	/* slot of the rest */
};

struct stats;

/*
 * Maps <state directory>/run/stats, made if it is not there or is of another
 * version (run/ must exist).  NULL with the error set: the gateway then goes
 * on without, all calls take NULL.
 */
struct stats *stats_open(const char *state_dir, struct err *e);

/* Unmaps, and gives back this process's in-flight share. */
void stats_close(struct stats *s);

/*
 * The slot of a function, claimed on first use; STATS_OTHER when all are
 * taken.  Takes a lock: once per configuration, not per request.
 */
unsigned stats_slot(struct stats *s, const char *function);

struct stats_sample {
	unsigned outcome;	/* enum outcome (outcome.h) */
	int status;		/* HTTP */
	uint64_t duration_us, wait_us;
	uint64_t bytes_in, bytes_out;
	uint64_t cpu_us;	/* of the function */
	uint64_t peak_kb;	/* of the function; the largest is kept */
};

/* A request begins, and ends.  `slot` 0: no function (total only). */
void stats_begin(struct stats *s);

/* What has begun in one ends in the other. */
void stats_move(struct stats *from, struct stats *to);
void stats_end(struct stats *s, unsigned slot, const struct stats_sample *x);

/* A copy of one slot, for readers. */
struct stats_view {
	char name[STATS_NAME_SIZE];	/* "" total, "other" the rest */
	uint64_t requests;
	uint64_t outcomes[STATS_OUTCOMES];
	uint64_t classes[STATS_CLASSES];
	uint64_t duration_us, wait_us, cpu_us;	/* sums */
	uint64_t bytes_in, bytes_out;
	uint64_t peak_kb;
	uint64_t buckets[STATS_BUCKETS];	/* durations */
};

/* Maps for reading only; NULL with the error set (ENOENT: never run). */
struct stats *stats_open_read(const char *state_dir, struct err *e);

/* Slots in use are 0 to stats_used() - 1, and STATS_OTHER. */
unsigned stats_used(const struct stats *s);

/* Copies slot `i`: 0, or -1 for one that is not in use. */
int stats_read(const struct stats *s, unsigned i, struct stats_view *v);

/* Requests in flight in all living copies, and how many copies live. */
uint64_t stats_in_flight(const struct stats *s, unsigned *copies);

/* Wall clock, in milliseconds, of when counting began. */
int64_t stats_since_ms(const struct stats *s);

/* The duration that `percent` of the requests did not pass; 0 if none ran. */
uint64_t stats_percentile_us(const struct stats_view *v, double percent);

/* Bucket of a duration, and the largest duration of a bucket. */
unsigned stats_bucket(uint64_t us);
uint64_t stats_bucket_top_us(unsigned bucket);

#endif
