/*
 * The relay of relays.h.  Keys come from the environment that the daemon was
 * started in, and from nowhere else.
 */
#include "relays.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct relay_ref {
	atomic_uint refs;
	char endpoint[SETTINGS_ENDPOINT_MAX + 1];
	char region[SETTINGS_REGION_MAX + 1];
	struct relay *relay;		/* or NULL, and the reason */
	struct err why;
};

void
relays_init(struct relays *r)
{
	*r = (struct relays){.now = NULL};
	pthread_mutex_init(&r->lock, NULL);
}

void
relays_release(struct relays *r)
{
	relays_give_back(r->now);
	pthread_mutex_destroy(&r->lock);
}

/* NULL and *e; but for want of a relay only if it is `wanted`. */
static struct relay_ref *
make(const char *endpoint, const char *region, bool wanted, struct err *e)
{
	const struct relay_options o = {.endpoint = endpoint,
	    .region = region, .key_id = getenv("AWS_ACCESS_KEY_ID"),
	    .secret = getenv("AWS_SECRET_ACCESS_KEY"),
	    .token = getenv("AWS_SESSION_TOKEN")};
	struct relay_ref *ref = calloc(1, sizeof *ref);

	if (!ref) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	ref->relay = relay_new(&o, &ref->why);
	if (!ref->relay && wanted) {
		*e = ref->why;
		free(ref);
		return NULL;
	}
	atomic_init(&ref->refs, 1);
	snprintf(ref->endpoint, sizeof ref->endpoint, "%s", endpoint);
	snprintf(ref->region, sizeof ref->region, "%s", region);
	return ref;
}

static void
put(struct relays *r, struct relay_ref *ref)
{
	struct relay_ref *old;

	pthread_mutex_lock(&r->lock);
	old = r->now;
	r->now = ref;
	atomic_store(&r->on, ref != NULL);
	pthread_mutex_unlock(&r->lock);
	relays_give_back(old);
}

int
relays_fix(struct relays *r, const char *endpoint, const char *region,
    struct err *e)
{
	struct relay_ref *ref = make(endpoint, region, true, e);

	if (!ref)
		return -1;
	put(r, ref);
	r->fixed = true;
	return 0;
}

/* It is the one already. */
static bool
is_same(struct relays *r, const struct settings *s)
{
	struct relay_ref *now = relays_hold(r);
	bool same = now ? now->relay &&
	        strcmp(now->endpoint, s->endpoint) == 0 &&
	        strcmp(now->region, s->region) == 0
	                : *s->endpoint == '\0';

	relays_give_back(now);
	return same;
}

int
relays_follow(struct relays *r, const struct settings *s, struct err *e)
{
	struct relay_ref *ref = NULL;

	if (r->fixed || is_same(r, s))
		return 0;
	if (*s->endpoint) {
		ref = make(s->endpoint, s->region, true, e);
		if (!ref)
			return -1;
	}
	put(r, ref);
	return 0;
}

void
relays_begin(struct relays *r, const struct settings *s)
{
	struct relay_ref *ref = NULL;
	struct err e;

	if (*s->endpoint)
		ref = make(s->endpoint, s->region, false, &e);
	put(r, ref);
}

struct relay_ref *
relays_hold(struct relays *r)
{
	struct relay_ref *ref;

	if (!atomic_load(&r->on))
		return NULL;
	pthread_mutex_lock(&r->lock);
	ref = r->now;
	if (ref)
		atomic_fetch_add(&ref->refs, 1);
	pthread_mutex_unlock(&r->lock);
	return ref;
}

void
relays_give_back(struct relay_ref *ref)
{
	if (!ref || atomic_fetch_sub(&ref->refs, 1) > 1)
		return;
	relay_free(ref->relay);
	free(ref);
}

struct relay *
relays_of(const struct relay_ref *ref, struct err *e)
{
	if (!ref->relay)
		err_set(e, FAULT_READ_ONLY, "%.450s", ref->why.text);
	return ref->relay;
}
