/*
 * Who gives way to whom: a function that takes all it can get must not slow
 * down its neighbours.  Runs in the launcher.
 *
 * A tree that computes long, or takes more than its limit, makes its function
 * give way: that has the least share against all others, and the tree has the
 * least within the function.  Meanwhile all others are prompt: as they work
 * usually, in batches, nobody interrupts anybody.
 */
#include "launcher.h"

#include "containment.h"
#include "schedule.h"

#include "store/base/clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void
yield_self(struct launcher *l)
{
	bool prompt = l->nwatched || l->hasty;

	if (l->prompt == prompt)
		return;
	l->prompt = prompt;
	schedule_thread(0, prompt ? SCHEDULE_PROMPT : SCHEDULE_USUAL);
}

/* How those are scheduled that don't give way. */
static enum schedule
as_others(const struct launcher *l)
{
	return l->hasty ? SCHEDULE_PROMPT : SCHEDULE_USUAL;
}

/* A zygote, its children and those that it forks from now on. */
static void
schedule_zygote(struct launcher *l, struct zygote_host *z, enum schedule how)
{
	size_t i;

	schedule_process(z->pid, how);
	for (i = 0; i < sizeof z->children / sizeof *z->children; i++)
		if (z->children[i])
			containment_schedule(l->containment,
			    z->children[i]->pidfd, z->uid, how);
}

/* Only who works in batches as we do: a gateway, not a terminal's command. */
static void
schedule_client(struct client *c, bool prompt)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (prompt == c->prompt || c->gone ||
	    getsockopt(c->source.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) <
	        0 ||
	    peer.pid <= 0 || (prompt && !schedule_is_usual(peer.pid)))
		return;
	c->prompt = prompt;
	schedule_process(
	    peer.pid, prompt ? SCHEDULE_PROMPT : SCHEDULE_USUAL);
}

void
yield_client_came(struct launcher *l, struct client *c)
{
	schedule_client(c, l->hasty);
}

/* To another launcher, perhaps, which knows nothing of our haste. */
void
yield_client_goes(struct client *c)
{
	schedule_client(c, false);
}

static void
make_haste(struct launcher *l, bool hasty)
{
	struct zygote_host *z;
	struct client *c;

	if (l->hasty == hasty)
		return;
	l->hasty = hasty;
	yield_self(l);
	for (c = l->clients; c; c = c->next)
		schedule_client(c, hasty);
	for (z = l->zygotes; z; z = z->next)
		if (!z->yields && !z->reaped)
			schedule_zygote(l, z, as_others(l));
}

/*
 * It has to lead its session by then, or another's share would be set.  Tried
 * again at each look where it may not be changed so soon.
 */
static void
set_share(struct zygote_host *z)
{
	if (z->least != z->yields && getsid(z->pid) == z->pid &&
	    (schedule_session(z->pid, z->yields) == 0 || errno != EAGAIN))
		z->least = z->yields;
}

static void
set_yields(struct launcher *l, struct zygote_host *z)
{
	bool yields = z->pool->yields_until_ms;

	if (!z->ready || z->reaped)
		return;
	if (z->yields != yields) {
		z->yields = yields;
		schedule_zygote(l, z,
		    yields ? SCHEDULE_LONG_TURNS : as_others(l));
	}
	set_share(z);
}

/* It may have begun with what held when it was forked. */
void
yield_zygote_came(struct launcher *l, struct zygote_host *z)
{
	if (!z->yields)
		schedule_zygote(l, z, as_others(l));
	set_yields(l, z);
}

void
yield_function(struct launcher *l, struct pool *p)
{
	struct zygote_host *z;

	p->yields_until_ms = clock_mono_ms() + YIELD_FUNCTION_MS;
	make_haste(l, true);
	for (z = l->zygotes; z; z = z->next)
		if (z->pool == p)
			set_yields(l, z);
}

void
yield_look(struct launcher *l, int64_t now_ms)
{
	struct zygote_host *z;
	struct pool *p;
	bool any = false;

	for (p = l->pools; p; p = p->next) {
		if (now_ms >= p->yields_until_ms)
			p->yields_until_ms = 0;
		any = any || p->yields_until_ms;
	}
	if (!any)
		make_haste(l, false);
	for (z = l->zygotes; z; z = z->next)
		set_yields(l, z);
}
