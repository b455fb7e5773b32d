/*
 * What is said to the launcher about one leased child, and about a unit of
 * its function's concurrency.
 */
#include "invoke_internal.h"

#include "store/base/clock.h"

#include <errno.h>
#include <signal.h>

void
lease_signal(const struct invoke_pool *p, const struct lease *l, int sig)
{
	struct launch_msg m = invoke_message(p, LAUNCH_KILL, 0);

	m.id = l->id;
	m.code = (uint32_t)sig;
	invoke_tell(p->owner, &m);
}

void
lease_drop(struct invoke_pool *p, struct lease *l, bool kill)
{
	if (kill)
		lease_signal(p, l, SIGKILL);
	else if (p->owner->single) {
		/* We close our connection before it may be gone. */
		struct launch_msg m = invoke_message(p, LAUNCH_DONE, 0);

		m.id = l->id;
		invoke_tell(p->owner, &m);
	}
	lease_discard(p, l);
}

void
lease_watch(struct invoke_pool *p, const struct lease *l,
    int64_t deadline_mono_ms)
{
	struct launch_msg m = invoke_message(p, LAUNCH_WATCH, 0);

	m.id = l->id;
	m.deadline_mono_ms = deadline_mono_ms;
	invoke_tell(p->owner, &m);
}

void
lease_rest(struct invoke_pool *p, const struct lease *l)
{
	struct launch_msg m = invoke_message(p, LAUNCH_REST, 0);

	m.id = l->id;
	invoke_tell(p->owner, &m);
}

void
lease_retire(struct invoke_pool *p, const struct lease *l)
{
	struct launch_msg m = invoke_message(p, LAUNCH_RETIRE, 0);

	m.id = l->id;
	invoke_tell(p->owner, &m);
	pthread_mutex_lock(&p->lock);
	invoke_drop_stock(p);
	pthread_mutex_unlock(&p->lock);
}

int
lease_report(struct invoke_pool *p, const struct lease *l, int wait_ms,
    struct launch_msg *m)
{
	struct launch_msg question = invoke_message(p, LAUNCH_REPORT, 0);
	struct invoke_waiter w = {0};
	struct err e;

	question.id = l->id;
	if (invoke_ask(p->owner, &question, &w, clock_mono_ms() + wait_ms,
	        &e) < 0)
		return -1;
	*m = w.answer;
	return 0;
}

int
slot_take(struct invoke_pool *p, int64_t deadline_mono_ms, uint64_t *id,
    struct err *e)
{
	struct launch_msg m = invoke_message(p, LAUNCH_ACQUIRE, 0);
	char text[512] = "";
	struct invoke_waiter w = {.text = text, .text_size = sizeof text};

	int tries;

	*id = 0;
	if (p->fn->reserved_concurrency == SNAP_UNLIMITED)
		return 0;
	for (tries = 0; tries < INVOKE_ASKS; tries++) {
		if (invoke_ask(p->owner, &m, &w, deadline_mono_ms, e) == 0) {
			if (w.answer.type == LAUNCH_GRANTED) {
				*id = w.answer.id;
				return 0;
			}
			err_set(e, 0, "%s", text);
			if (w.answer.code != LAUNCH_LEAVING)
				return (int)w.answer.code;
		} else if (e->code == ETIMEDOUT)
			return -1;
		else if (e->code != EPIPE)
			break;
		if (clock_mono_ms() >= deadline_mono_ms)
			break;
		invoke_pause(tries);
	}
	return LAUNCH_LEAVING;
}

void
slot_give(struct invoke_pool *p, uint64_t id)
{
	struct launch_msg m = invoke_message(p, LAUNCH_RELEASE, 0);

	if (!id)
		return;
	m.id = id;
	invoke_tell(p->owner, &m);
}
