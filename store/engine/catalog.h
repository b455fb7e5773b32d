/*
 * The catalogue: which tables there are.  Part of bothy-store.  Each change
 * makes a new one in one step; who holds an older one goes on with it.
 */
#ifndef ENGINE_CATALOG_H
#define ENGINE_CATALOG_H

#include "store/base/err.h"
#include "store/table/table.h"

#include <pthread.h>
#include <stdatomic.h>

enum { CATALOG_TABLES_MAX = 2500 };	/* as DynamoDB's largest quota */

/* Read only, and shared: catalog_release() gives it back. */
struct catalog {
	unsigned refs;
	size_t count;
	struct catalog_entry {
		unsigned *refs;		/* of the table, over catalogues */
		struct table *table;
	} *entries;			/* in the order of the names */
};

/* Where the newest stands. */
struct catalog_place {
	pthread_mutex_t lock;
	struct catalog *newest;
	atomic_bool limited;		/* some table has a limit: table_limit() */
};

int catalog_init(struct catalog_place *p, struct err *e);
void catalog_destroy(struct catalog_place *p);

struct catalog *catalog_hold(struct catalog_place *p);
void catalog_release(struct catalog_place *p, struct catalog *c);

const struct table *catalog_named(const struct catalog *c, const char *name,
    size_t n);
const struct table *catalog_id(const struct catalog *c, uint64_t id);

/* Where `name` stands, or the first behind it. */
size_t catalog_from(const struct catalog *c, const char *name, size_t n);

/* Takes a table in, in the place of one with its id; takes `t`, always. */
int catalog_put(struct catalog_place *p, struct table *t, struct err *e);
int catalog_remove(struct catalog_place *p, uint64_t id, struct err *e);

#endif
