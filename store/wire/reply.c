/*
 * The writer of replies, for reply.h.  Runs in the daemon.
 */
#include "reply.h"

#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <math.h>
#include <string.h>

void
reply_open(struct reply *r, struct buf *out, struct arena *arena, bool plain)
{
	*r = (struct reply){.out = out, .arena = arena, .plain = plain};
	reply_object(r, NULL);
}

int
reply_close_all(struct reply *r)
{
	while (r->depth)
		reply_close(r);
	return r->failed || !buf_ok(r->out) ? -1 : 0;
}

/* What stands before a part: a comma, and the name of a member. */
static void
begin(struct reply *r, const char *name)
{
	if (r->more)
		buf_putc(r->out, ',');
	if (name) {
		buf_putc(r->out, '"');
		buf_puts(r->out, name);
		buf_add(r->out, "\":", 2);
	}
	r->more = true;
}

static void
open_level(struct reply *r, const char *name, bool object)
{
	begin(r, name);
	buf_putc(r->out, object ? '{' : '[');
	r->more = false;
	if (r->depth == 64) {
		r->failed = true;
		return;
	}
	r->objects = r->objects << 1 | object;
	r->depth++;
}

void
reply_object(struct reply *r, const char *name)
{
	open_level(r, name, true);
}

void
reply_list(struct reply *r, const char *name)
{
	open_level(r, name, false);
}

void
reply_close(struct reply *r)
{
	if (r->depth == 0) {
		r->failed = true;
		return;
	}
	buf_putc(r->out, r->objects & 1 ? '}' : ']');
	r->objects >>= 1;
	r->depth--;
	r->more = true;
}

void
reply_name(struct reply *r, const struct text *name)
{
	begin(r, NULL);
	buf_json(r->out, name->p, name->n);
	buf_putc(r->out, ':');
	r->more = false;
}

void
reply_text(struct reply *r, const char *name, const char *p, size_t n)
{
	begin(r, name);
	buf_json(r->out, p, n);
}

void
reply_string(struct reply *r, const char *name, const char *s)
{
	reply_text(r, name, s, strlen(s));
}

void
reply_integer(struct reply *r, const char *name, int64_t n)
{
	begin(r, name);
	buf_printf(r->out, "%lld", (long long)n);
}

void
reply_bool(struct reply *r, const char *name, bool b)
{
	begin(r, name);
	buf_puts(r->out, b ? "true" : "false");
}

void
reply_number(struct reply *r, const char *name, double d)
{
	begin(r, name);
	if (!isfinite(d))
		buf_puts(r->out, "null");
	else if (fabs(d) < 1e15 && floor(d) == d)
		buf_printf(r->out, "%.1f", d);
	else
		buf_printf(r->out, "%.15g", d);
}

void
reply_time(struct reply *r, const char *name, int64_t wall_ms)
{
	begin(r, name);
	buf_printf(r->out, "%lld.%03d", (long long)(wall_ms / 1000),
	    (int)(wall_ms % 1000));
}

void
reply_raw(struct reply *r, const char *name, const char *p, size_t n)
{
	begin(r, name);
	buf_add(r->out, p, n);
}

void
reply_item_bytes(struct reply *r, const char *name, const char *p, size_t n)
{
	struct value item;
	struct err e;

	if (!r->plain) {
		reply_raw(r, name, p, n);
		return;
	}
	begin(r, name);
	if (typed_read_item(r->arena, p, n, &item, &e) < 0 ||
	    plain_write_line(r->out, &item) < 0)
		r->failed = true;
}

void
reply_item(struct reply *r, const char *name, const struct value *item)
{
	begin(r, name);
	if ((r->plain ? plain_write_line(r->out, item) :
	    typed_write_item(r->out, item)) < 0)
		r->failed = true;
}

/* --- capacity ------------------------------------------------------------- */

static void
units(struct reply *r, const char *name, double all, const char *kind)
{
	if (name)
		reply_object(r, name);
	reply_number(r, "CapacityUnits", all);
	if (kind)
		reply_number(r, kind, all);
	if (name)
		reply_close(r);
}

static void
index_units(struct reply *r, const struct capacity *c, bool global,
    const char *kind)
{
	struct text name;
	bool any = false;
	size_t i;

	for (i = 0; i < c->nindexes; i++) {
		if (c->indexes[i].global != global)
			continue;
		if (!any)
			reply_object(r, global ? "GlobalSecondaryIndexes" :
			    "LocalSecondaryIndexes");
		any = true;
		name = (struct text){c->indexes[i].name,
		    strlen(c->indexes[i].name)};
		reply_name(r, &name);
		reply_object(r, NULL);
		units(r, NULL, c->indexes[i].units, kind);
		reply_close(r);
	}
	if (any)
		reply_close(r);
}

void
reply_capacity(struct reply *r, const char *name, const struct text *table,
    const struct capacity *c, bool indexes, bool both)
{
	const char *kind = NULL;

	if (both)
		kind = c->write > 0 ? "WriteCapacityUnits" :
		    "ReadCapacityUnits";
	reply_object(r, name);
	reply_text(r, "TableName", table->p, table->n);
	units(r, NULL, c->read + c->write, kind);
	if (indexes) {
		units(r, "Table", c->table, kind);
		index_units(r, c, true, kind);
		index_units(r, c, false, kind);
	}
	reply_close(r);
}

/* --- failures ------------------------------------------------------------- */

int
reply_fault(struct buf *out, struct arena *arena, bool plain,
    const struct err *e, const char *item, size_t nitem)
{
	struct reply r;

	reply_open(&r, out, arena, plain);
	reply_string(&r, "message", e->text);
	if (item)
		reply_item_bytes(&r, "Item", item, nitem);
	return reply_close_all(&r);
}

struct text
reply_code(int fault)
{
	const char *name = fault ? fault_name(fault) : "None";
	size_t n = strlen(name), tail = strlen("Exception");

	if (fault == FAULT_VALIDATION)
		return (struct text){"ValidationError", 15};
	if (n > tail && strcmp(name + n - tail, "Exception") == 0)
		n -= tail;
	return (struct text){name, n};
}

static void
canceled_message(struct buf *out, const struct cancel_reason *reasons,
    size_t n)
{
	struct text code;
	size_t i;

	buf_puts(out, "{\"message\":\"Transaction cancelled, please refer "
	    "cancellation reasons for specific reasons [");
	for (i = 0; i < n; i++) {
		code = reply_code(reasons[i].fault);
		if (i)
			buf_add(out, ", ", 2);
		buf_add(out, code.p, code.n);
	}
	buf_puts(out, "]\"");
}

int
reply_canceled(struct buf *out, struct arena *arena, bool plain,
    const struct cancel_reason *reasons, size_t n)
{
	struct reply r = {.out = out, .arena = arena, .plain = plain,
	    .more = true, .depth = 1, .objects = 1};
	struct text code;
	size_t i;

	canceled_message(out, reasons, n);
	reply_list(&r, "CancellationReasons");
	for (i = 0; i < n; i++) {
		code = reply_code(reasons[i].fault);
		reply_object(&r, NULL);
		reply_text(&r, "Code", code.p, code.n);
		if (reasons[i].text)
			reply_string(&r, "Message", reasons[i].text);
		if (reasons[i].item)
			reply_item_bytes(&r, "Item", reasons[i].item,
			    reasons[i].nitem);
		reply_close(&r);
	}
	return reply_close_all(&r);
}
