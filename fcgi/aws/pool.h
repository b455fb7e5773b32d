/*
 * Connections to the store that are kept from request to request, shared by
 * all workers of a gateway.  One has shown its token once; whoever has the
 * same token gets it again, so that the store checks nothing twice.
 */
#ifndef AWS_POOL_H
#define AWS_POOL_H

#include "store/client/client.h"

#include <pthread.h>
#include <stddef.h>

enum { POOL_IDLE_MAX = 256 };	/* the store takes 1,000 in all */

struct pooled {
	struct pooled *next;
	struct client *client;
	char *token;			/* that it has */
};

struct pool {
	const char *socket;		/* borrowed */
	pthread_mutex_t lock;
	struct pooled *idle;		/* the last used first */
	size_t nidle;
};

void pool_init(struct pool *p, const char *socket);
void pool_release(struct pool *p);

/* A connection, perhaps new, with this token; NULL without memory. */
struct pooled *pool_take(struct pool *p, const char *token);
void pool_give(struct pool *p, struct pooled *c);

#endif
