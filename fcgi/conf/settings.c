/*
 * The store's settings as JSON, for settings.h.  Runs where a configuration is
 * loaded; knows no store.
 */
#include "settings.h"

#include "store/base/buf.h"

#include <inttypes.h>
#include <string.h>

enum { JSON_MAX = 128 * 1024, SECOND_MS = 1000, MEGABYTE = 1 << 20 };

static void
add(struct buf *b, const char *name, uint32_t n, uint64_t unit)
{
	buf_printf(b, "\"%s\":%" PRIu64 ",", name, n * unit);
}

static void
add_elsewhere(struct buf *b, const struct store_keys *k)
{
	if (!k->endpoint)
		return;
	buf_puts(b, "\"endpoint\":");
	buf_json(b, k->endpoint, strlen(k->endpoint));
	buf_puts(b, ",\"region\":");
	buf_json(b, k->region, strlen(k->region));
	buf_putc(b, ',');
}

static void
add_mirrors(struct buf *b, const struct conf_pairs *mirrors)
{
	size_t i;

	buf_puts(b, "\"mirrors\":{");
	for (i = 0; i < mirrors->count; i++) {
		const struct conf_pair *m = &mirrors->items[i];

		buf_puts(b, i ? "," : "");
		buf_json(b, m->name, strlen(m->name));
		buf_putc(b, ':');
		buf_json(b, m->value, strlen(m->value));
	}
	buf_putc(b, '}');
}

const char *
settings_json(struct zone *z, const struct store_keys *k)
{
	const char *json = NULL;
	struct buf b;

	buf_init(&b, JSON_MAX);
	buf_putc(&b, '{');
	add(&b, "idleMs", k->idle_s, SECOND_MS);
	add(&b, "checkpointMs", k->interval_ms, 1);
	add(&b, "ttlSweepMs", k->sweep_ms, 1);
	add(&b, "pitrMs", k->recovery_s, SECOND_MS);
	add(&b, "feedMs", k->streams_s, SECOND_MS);
	add(&b, "journalBytes", k->journal_mb, MEGABYTE);
	add(&b, "dayBytes", k->budget_mb, MEGABYTE);
	add(&b, "allMs", k->all_s, SECOND_MS);
	add(&b, "minutesMs", k->minutes_s, SECOND_MS);
	add(&b, "hoursMs", k->hours_s, SECOND_MS);
	buf_printf(&b, "\"anyPlace\":%s,",
	    k->any_file_system ? "true" : "false");
	add_elsewhere(&b, k);
	add_mirrors(&b, &k->mirrors);
	buf_putc(&b, '}');
	if (buf_ok(&b))
		json = zone_strndup(z, buf_str(&b), b.len);
	buf_release(&b);
	return json;
}
