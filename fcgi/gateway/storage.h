/*
 * The gateway's side of the site's store: it runs before a function that may
 * use it does, and the function gets a token for this request alone.
 */
#ifndef GATEWAY_STORAGE_H
#define GATEWAY_STORAGE_H

#include "fcgi/conf/snapshot.h"
#include "fcgi/data/data.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/wire/token.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct storage {
	struct data_place place;
	pthread_mutex_t lock;		/* of what follows */
	int fd;				/* held open, so that it stays; or -1 */
	unsigned char secret[TOKEN_SECRET_SIZE];
	char declared[SNAP_ID_SIZE];	/* snapshot whose tables are there */
	int64_t failed_ms;
	struct err failure;
};

/* A function's grants, read once; NULL: it may use nothing. */
struct storage_grants {
	struct arena arena;
	const struct grant *grants;
	size_t count;
};

int storage_init(struct storage *s, const char *state_dir, struct err *e);
void storage_release(struct storage *s);

/* Of a function's `grants` text; "" gives NULL and 0. */
int storage_grants(const char *json, struct storage_grants **out,
    struct err *e);
void storage_grants_free(struct storage_grants *g);

/*
 * Sees to it that the store runs with the snapshot's tables, and tells its
 * secret.  0, or -1 and *e.
 */
int storage_ready(struct storage *s, const struct snapshot *snapshot,
    unsigned char secret[TOKEN_SECRET_SIZE], struct err *e);

/*
 * The same, and appends the token of a request to `out`.  0, or
 * -1 and *e.
 */
int storage_token(struct storage *s, const struct snapshot *snapshot,
    const struct storage_grants *g, const char *function,
    int64_t deadline_ms, struct buf *out, struct err *e);

#endif
