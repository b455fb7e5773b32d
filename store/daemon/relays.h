/*
 * Which relay there is: none, that of the options, or that of the store's
 * settings, which may change while calls are under way.  A call holds the one
 * that it began with.
 */
#ifndef DAEMON_RELAYS_H
#define DAEMON_RELAYS_H

#include "store/base/err.h"
#include "store/engine/settings.h"
#include "store/relay/relay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct relay_ref;

struct relays {
	atomic_bool on;			/* there is one */
	bool fixed;			/* by the options: settings don't count */
	pthread_mutex_t lock;		/* of `now` */
	struct relay_ref *now;
};

void relays_init(struct relays *r);
void relays_release(struct relays *r);

/* That of the options, whatever is set. 0 or -1. */
int relays_fix(struct relays *r, const char *endpoint, const char *region,
    struct err *e);

/*
 * As the settings say.  0; or -1 and *e, with all as it was: there are no keys
 * for it.
 */
int relays_follow(struct relays *r, const struct settings *s, struct err *e);

/*
 * The same at the start, which settings that can't be followed don't hinder:
 * then calls are refused with the reason, until others come.
 */
void relays_begin(struct relays *r, const struct settings *s);

/* The relay of a call that begins, to be given back; NULL: none. */
struct relay_ref *relays_hold(struct relays *r);
void relays_give_back(struct relay_ref *ref);

/* NULL and *e: it can't be followed. */
struct relay *relays_of(const struct relay_ref *ref, struct err *e);

#endif
