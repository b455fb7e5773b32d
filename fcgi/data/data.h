/*
 * A site's store: where it lies, that its daemon runs, that it has the tables
 * of deploy.yaml.  For bothy-fcgi and bothy; a function gets the socket and a
 * token, and never starts anything.
 *
 *   STATE/store/           the store (store/engine/store.h)
 *   STATE/run/store.sock   where its daemon listens
 */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include "fcgi/conf/snapshot.h"
#include "store/base/err.h"
#include "store/client/client.h"

#include <stdbool.h>

struct data_place {
	char dir[4096], socket[4096], key[4096];
};

/* Where the store of the site with this state directory lies: 0 or -1. */
int data_place(struct data_place *p, const char *state_dir, struct err *e);

/* True if the site has tables. */
bool data_wanted(const struct snapshot *s);

/* Starts the daemon if it doesn't listen: 0, or -1 with its reason. */
int data_start(const struct data_place *p, const struct snapshot *s,
    struct err *e);

/*
 * Ends the daemon, if one runs, and waits until it has left the store clean,
 * but no longer than `wait_ms`.
 */
void data_stop(const struct data_place *p, int wait_ms);

/* A client that proves itself by the store's key; NULL without memory. */
struct client *data_client(const struct data_place *p, int timeout_ms);

/*
 * Sees to it that the store has the tables of the snapshot: missing ones are
 * made, indexes and settings follow, the store's own too; nothing is dropped.
 * 0 or -1.
 */
int data_declare(struct client *c, const struct snapshot *s, struct err *e);

#endif
