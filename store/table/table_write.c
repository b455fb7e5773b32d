/*
 * Tables as JSON, one line, for journal, files and configuration; table_read.c
 * reads them.
 *
 *   {"name":"messages","id":1,"created":1700000000000,
 *    "hash":[{"name":"room","type":"S"}],"range":[{"name":"at","type":"S"}],
 *    "indexes":[{"name":"byAuthor","id":1,"global":true,"filling":false,
 *      "hash":[...],"range":[...],"projection":"INCLUDE","nonkey":["text"]}],
 *    "nextIndex":2,"ttl":"expires","ttlFilling":false,"stream":"NEW_IMAGE",
 *    "streamSince":1700000000000,"streamFrom":4711,
 *    "streamWas":"OLD_IMAGE","streamUntil":1700000000000,   if one was
 *    "streamWasSince":1700000000000,"streamWasFrom":42,
 *    "history":true,"protected":false,
 *    "terms":{...},"more":{...}}                    table_terms.c
 *
 * All but name, hash and what an index needs may be absent; an unknown member
 * is an error, so that nothing of a later version is lost silently.
 */
#include "table_internal.h"

#include <string.h>

const char *const table_projections[] = {
	[PROJECT_ALL] = "ALL", [PROJECT_KEYS] = "KEYS_ONLY",
	[PROJECT_INCLUDE] = "INCLUDE", NULL
};

const char *const table_views[] = {
	[STREAM_OFF] = "OFF", [STREAM_KEYS] = "KEYS_ONLY",
	[STREAM_NEW] = "NEW_IMAGE", [STREAM_OLD] = "OLD_IMAGE",
	[STREAM_BOTH] = "NEW_AND_OLD_IMAGES", NULL
};

static void
write_text(struct buf *out, const char *name, const char *s)
{
	buf_printf(out, "\"%s\":", name);
	buf_json(out, s, strlen(s));
}

static void
write_bool(struct buf *out, const char *name, bool b)
{
	buf_printf(out, ",\"%s\":%s", name, b ? "true" : "false");
}

static void
write_parts(struct buf *out, const char *name, const struct key_part *parts,
    size_t n)
{
	size_t i;

	buf_printf(out, ",\"%s\":[", name);
	for (i = 0; i < n; i++) {
		buf_puts(out, i ? ",{" : "{");
		write_text(out, "name", parts[i].name);
		buf_printf(out, ",\"type\":\"%s\"}",
		    value_type_name(parts[i].type));
	}
	buf_putc(out, ']');
}

static void
write_index(struct buf *out, const struct table_index *ix)
{
	size_t i;

	buf_putc(out, '{');
	write_text(out, "name", ix->name);
	buf_printf(out, ",\"id\":%lu", (unsigned long)ix->id);
	write_bool(out, "global", ix->global);
	write_bool(out, "filling", ix->filling);
	write_parts(out, "hash", ix->key.hash, ix->key.nhash);
	write_parts(out, "range", ix->key.range, ix->key.nrange);
	buf_putc(out, ',');
	write_text(out, "projection", table_projections[ix->projection]);
	buf_puts(out, ",\"nonkey\":[");
	for (i = 0; i < ix->nnonkey; i++) {
		if (i)
			buf_putc(out, ',');
		buf_json(out, ix->nonkey[i], strlen(ix->nonkey[i]));
	}
	buf_putc(out, ']');
	table_write_units(out, "units", &ix->units);
	table_write_units(out, "most", &ix->most);
	table_write_units(out, "warm", &ix->warm);
	buf_putc(out, '}');
}

int
table_write(const struct table *t, struct buf *out)
{
	size_t i;

	buf_putc(out, '{');
	write_text(out, "name", t->name);
	buf_printf(out, ",\"id\":%llu,\"created\":%lld",
	    (unsigned long long)t->id, (long long)t->created_ms);
	write_parts(out, "hash", t->key.hash, t->key.nhash);
	write_parts(out, "range", t->key.range, t->key.nrange);
	buf_puts(out, ",\"indexes\":[");
	for (i = 0; i < t->nindexes; i++) {
		if (i)
			buf_putc(out, ',');
		write_index(out, &t->indexes[i]);
	}
	buf_printf(out, "],\"nextIndex\":%lu,",
	    (unsigned long)t->next_index);
	write_text(out, "ttl", t->ttl);
	write_bool(out, "ttlFilling", t->ttl_filling);
	buf_putc(out, ',');
	write_text(out, "stream", table_views[t->stream]);
	buf_printf(out, ",\"streamSince\":%lld",
	    (long long)t->stream_since_ms);
	if (t->stream_from)
		buf_printf(out, ",\"streamFrom\":%lld",
		    (long long)t->stream_from);
	if (t->stream_was != STREAM_OFF) {
		buf_putc(out, ',');
		write_text(out, "streamWas", table_views[t->stream_was]);
		buf_printf(out, ",\"streamUntil\":%lld,"
		    "\"streamWasSince\":%lld,\"streamWasFrom\":%lld",
		    (long long)t->stream_until_ms,
		    (long long)t->stream_was_since_ms,
		    (long long)t->stream_was_from);
	}
	write_bool(out, "history", t->history);
	write_bool(out, "protected", t->protected);
	if (t->restoring)
		write_bool(out, "restoring", true);
	if (t->unfilled)
		write_bool(out, "unfilled", true);
	table_write_terms(out, &t->terms);
	if (t->more)
		buf_printf(out, ",\"more\":%s", t->more);
	buf_putc(out, '}');
	return buf_ok(out) ? 0 : -1;
}
