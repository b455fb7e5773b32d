/*
 * The launcher's state as JSON, for bothy status.
 */
#include "launcher.h"

#include "containment.h"

#include "store/base/buf.h"
#include "store/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
put_pool(struct buf *b, const struct pool *p, int64_t now_ms)
{
	const char *name = snapshot_str(p->release->snapshot, p->fn->name);
	unsigned leased = p->alive > p->nstock ? p->alive - p->nstock : 0;

	buf_puts(b, "{\"function\":");
	buf_json(b, name, strlen(name));
	buf_printf(b,
	    ",\"zygote\":%d,\"ready\":%s,\"children\":%u,\"idle\":%u,"
	    "\"leased\":%u,\"slots\":%u,\"throttled_ms\":%lld,\"failure\":",
	    p->zygote ? (int)p->zygote->pid : 0,
	    p->zygote && p->zygote->ready ? "true" : "false", p->alive,
	    p->nstock, leased, p->nslots,
	    (long long)(p->not_before_ms > now_ms ? p->not_before_ms - now_ms
	                                          : 0));
	buf_json(b, p->failure, strlen(p->failure));
	buf_putc(b, '}');
}

void
status_send(struct launcher *l, struct client *c)
{
	struct launch_msg m = {.type = LAUNCH_STATUS};
	const struct probe *probe = &l->containment->probe;
	const struct pool *p;
	int64_t now_ms = clock_mono_ms();
	struct buf b, text;

	buf_init(&b, LAUNCH_TEXT_MAX);
	buf_init(&text, 8192);
	buf_printf(&b, "{\"pid\":%d,\"containment\":\"%s\",\"landlock\":%d,"
	    "\"clients\":%zu,\"children\":%zu,\"text\":", (int)getpid(),
	    contain_name(probe->rung), probe->landlock_abi, l->nclients,
	    l->nchildren);
	probe_text(probe, &text);
	buf_json(&b, buf_str(&text), text.len);
	buf_reset(&text);
	probe_missing(probe, &text);
	buf_puts(&b, ",\"missing\":");
	buf_json(&b, buf_str(&text), text.len);
	buf_puts(&b, ",\"functions\":[");
	for (p = l->pools; p && b.len < LAUNCH_TEXT_MAX - 2048; p = p->next) {
		if (p != l->pools)
			buf_putc(&b, ',');
		put_pool(&b, p, now_ms);
	}
	buf_puts(&b, "]}");
	client_say(l, c, &m, buf_str(&b), NULL, 0);
	buf_release(&text);
	buf_release(&b);
}
