/*
 * Meters: what tables with a limit of throughput have left, as token buckets
 * that hold up to 300 seconds' worth, as DynamoDB's.  Part of bothy-store; in
 * memory alone, so that a start begins with full ones.
 *
 * Any thread may call.
 */
#ifndef ENGINE_METER_H
#define ENGINE_METER_H

#include "store/base/map.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { METER_BURST_S = 300, METERS_MAX = 20000 };

struct meters {
	pthread_mutex_t lock;
	struct map buckets;
};

/* Of a table (index 0), or of an index; for reading, or for writing. */
struct meter_name {
	uint64_t table;
	uint32_t index;
	bool write;
};

void meters_init(struct meters *m);
void meters_release(struct meters *m);

/* True if more than `used` is left; `limit` is in units a second. */
bool meter_has(struct meters *m, const struct meter_name *name,
    uint64_t limit, double used, int64_t now_ms);

/* Takes what was used, also more than is left: later ones wait for it. */
void meter_take(struct meters *m, const struct meter_name *name,
    uint64_t limit, double units, int64_t now_ms);

#endif
