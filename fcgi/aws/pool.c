/*
 * The kept connections of pool.h.  A worker has one while it calls; those that
 * wait are bounded.
 */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

enum { CALL_MS = 60000 };	/* as long as SDKs wait for an answer */

void
pool_init(struct pool *p, const char *socket)
{
	*p = (struct pool){.socket = socket};
	pthread_mutex_init(&p->lock, NULL);
}

static void
pooled_free(struct pooled *c)
{
	if (!c)
		return;
	client_free(c->client);
	free(c->token);
	free(c);
}

void
pool_release(struct pool *p)
{
	struct pooled *c;

	while ((c = p->idle)) {
		p->idle = c->next;
		pooled_free(c);
	}
	pthread_mutex_destroy(&p->lock);
}

static struct pooled *
new_one(const struct pool *p, const char *token)
{
	const struct client_options o = {.socket = p->socket,
	    .token = token,
	    .timeout_ms = CALL_MS,
	    .starts = true};
	struct pooled *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->client = client_new(&o);
	c->token = strdup(token);
	if (c->client && c->token)
		return c;
	pooled_free(c);
	return NULL;
}

struct pooled *
pool_take(struct pool *p, const char *token)
{
	struct pooled **at = &p->idle, *c;

	pthread_mutex_lock(&p->lock);
	while ((c = *at) && strcmp(c->token, token) != 0)
		at = &c->next;
	if (c) {
		*at = c->next;
		p->nidle--;
	}
	pthread_mutex_unlock(&p->lock);
	return c ? c : new_one(p, token);
}

/* With the lock: takes out the one that has been idle longest. */
static struct pooled *
take_oldest(struct pool *p)
{
	struct pooled **at = &p->idle, *c;

	while ((*at)->next)
		at = &(*at)->next;
	c = *at;
	*at = NULL;
	p->nidle--;
	return c;
}

void
pool_give(struct pool *p, struct pooled *c)
{
	struct pooled *oldest = NULL;

	client_rest(c->client);
	pthread_mutex_lock(&p->lock);
	c->next = p->idle;
	p->idle = c;
	if (++p->nidle > POOL_IDLE_MAX)
		oldest = take_oldest(p);
	pthread_mutex_unlock(&p->lock);
	pooled_free(oldest);
}
