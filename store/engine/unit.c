/*
 * The text of a unit, as unit.h shows it.
 */
#include "unit.h"

#include "store/value/fault.h"
#include "store/value/json.h"
#include "store/value/typed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- writing -------------------------------------------------------------- */

void
unit_begin(struct buf *b, const struct unit *u)
{
	buf_printf(b, "{\"at\":%" PRId64, u->at_ms);
	if (u->by_ttl)
		buf_puts(b, ",\"by\":\"ttl\"");
	if (u->token.p) {
		buf_puts(b, ",\"token\":[");
		buf_json(b, u->token.p, u->token.n);
		buf_putc(b, ',');
		buf_json(b, u->token_hash.p, u->token_hash.n);
		buf_putc(b, ']');
	}
	buf_puts(b, ",\"changes\":[");
}

void
unit_add(struct buf *b, const struct change *c, bool first)
{
	buf_printf(b, "%s{\"t\":%" PRIu64, first ? "" : ",", c->table_id);
	if (c->bytes.p) {
		buf_puts(b, ",\"new\":");
		buf_add(b, c->bytes.p, c->bytes.n);
	} else if (c->table_id) {
		buf_puts(b, ",\"key\":");
		typed_write_item(b, &c->key);
	}
	if (c->old.p) {
		buf_puts(b, ",\"old\":");
		buf_add(b, c->old.p, c->old.n);
	}
	buf_putc(b, '}');
}

void
unit_end(struct buf *b)
{
	buf_puts(b, "]}");
}

void
unit_write_table(struct buf *b, int64_t at_ms, const struct table *t)
{
	buf_printf(b, "{\"at\":%" PRId64 ",\"table\":", at_ms);
	table_write(t, b);
	buf_putc(b, '}');
}

void
unit_write_drop(struct buf *b, int64_t at_ms, const struct table *t)
{
	buf_printf(b, "{\"at\":%" PRId64 ",\"drop\":%" PRIu64 ",\"name\":",
	    at_ms, t->id);
	buf_json(b, t->name, strlen(t->name));
	buf_putc(b, '}');
}

/* --- looking ---------------------------------------------------------------- */

/* True if `word` stands behind the time, as unit_begin and the others put it. */
static bool
goes_on_with(const char *p, size_t n, const char *word)
{
	const char *comma = memchr(p, ',', n);
	size_t left = comma ? n - (size_t)(comma - p) : 0, len = strlen(word);

	return left > len && memcmp(comma, word, len) == 0;
}

bool
unit_tells_table(const char *p, size_t n)
{
	return goes_on_with(p, n, ",\"table\"") ||
	    goes_on_with(p, n, ",\"drop\"");
}

bool
unit_tells_more(const char *p, size_t n)
{
	return unit_tells_table(p, n) || goes_on_with(p, n, ",\"token\"");
}

/* --- reading -------------------------------------------------------------- */

struct reader {
	struct json json;
	struct arena *arena;
	struct err *err;
};

static int
strange(struct reader *r)
{
	return err_set(r->err, FAULT_INTERNAL, "journal: a line that this "
	    "version doesn't know; was it written by a later one?");
}

static bool
is(const struct text *t, const char *name)
{
	return t->n == strlen(name) && memcmp(t->p, name, t->n) == 0;
}

static int
read_number(struct reader *r, uint64_t *out)
{
	struct json_token t;

	if (json_next(&r->json, &t) < 0)
		return -1;
	if (t.type != JSON_NUMBER || t.text.n == 0 || t.text.n > 20 ||
	    *t.text.p == '-')
		return strange(r);
	*out = strtoull(t.text.p, NULL, 10);	/* ends at what follows */
	return 0;
}

static int
read_text(struct reader *r, struct text *out)
{
	struct json_token t;

	if (json_next(&r->json, &t) < 0)
		return -1;
	if (t.type != JSON_STRING)
		return strange(r);
	*out = t.text;
	return 0;
}

static int
expect(struct reader *r, enum json_type type)
{
	struct json_token t;

	if (json_next(&r->json, &t) < 0)
		return -1;
	return t.type == type ? 0 : strange(r);
}

/* An item, and the bytes that it was. */
static int
read_item(struct reader *r, struct value *item, struct text *bytes)
{
	struct json_token t;

	if (json_next(&r->json, &t) < 0)
		return -1;
	if (t.type != JSON_OBJECT)
		return strange(r);
	if (typed_take_item(&r->json, &t, item) < 0)
		return -1;
	if (bytes)
		*bytes = (struct text){t.start, (size_t)(r->json.at - t.start)};
	return 0;
}

static int
read_raw(struct reader *r, struct text *bytes)
{
	struct json_token t;

	if (json_next(&r->json, &t) < 0)
		return -1;
	return json_skip(&r->json, &t, bytes);
}

static int
read_change(struct reader *r, struct change *c)
{
	struct json_token t;
	int rc = 0;

	*c = (struct change){.item.type = VALUE_M, .key.type = VALUE_M};
	while (rc == 0 && (rc = json_next(&r->json, &t)) == 0 &&
	    t.type == JSON_NAME) {
		if (is(&t.text, "t"))
			rc = read_number(r, &c->table_id);
		else if (is(&t.text, "new"))
			rc = read_item(r, &c->item, &c->bytes);
		else if (is(&t.text, "key"))
			rc = read_item(r, &c->key, NULL);
		else if (is(&t.text, "old"))
			rc = read_raw(r, &c->old);
		else
			rc = strange(r);
	}
	if (rc == 0 && c->table_id && !c->bytes.p && c->key.count == 0)
		rc = strange(r);
	return rc;
}

/* Into an array that doubles in the arena. */
static int
read_changes(struct reader *r, struct unit *u)
{
	struct json_token t;
	struct change *more;
	size_t room = 0;

	if (expect(r, JSON_LIST) < 0)
		return -1;
	for (;;) {
		if (json_next(&r->json, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			return 0;
		if (t.type != JSON_OBJECT)
			return strange(r);
		if (u->count == room) {
			room = room ? 2 * room : 1;
			more = arena_alloc(r->arena, room * sizeof *more);
			if (!more)
				return err_set(r->err, FAULT_LIMIT,
				    "journal: a line takes too much memory");
			if (u->count)
				memcpy(more, u->changes,
				    u->count * sizeof *more);
			u->changes = more;
		}
		if (read_change(r, &u->changes[u->count]) < 0)
			return -1;
		u->count++;
	}
}

static int
read_token(struct reader *r, struct unit *u)
{
	if (expect(r, JSON_LIST) < 0 || read_text(r, &u->token) < 0 ||
	    read_text(r, &u->token_hash) < 0)
		return -1;
	return expect(r, JSON_CLOSE);
}

static int
read_member(struct reader *r, const struct text *name, struct unit *u)
{
	struct text by;
	uint64_t n = 0;

	if (is(name, "at")) {
		if (read_number(r, &n) < 0)
			return -1;
		u->at_ms = (int64_t)n;
		return 0;
	}
	if (is(name, "by")) {
		u->by_ttl = true;
		return read_text(r, &by);
	}
	if (is(name, "token"))
		return read_token(r, u);
	if (is(name, "changes"))
		return read_changes(r, u);
	if (is(name, "table")) {
		u->kind = UNIT_TABLE;
		return read_raw(r, &u->table);
	}
	if (is(name, "drop")) {
		u->kind = UNIT_DROP;
		return read_number(r, &u->table_id);
	}
	if (is(name, "name"))
		return read_text(r, &u->name);
	return strange(r);
}

int
unit_read(struct arena *a, const char *p, size_t n, struct unit *u,
    struct err *e)
{
	struct reader r = {.arena = a, .err = e};
	struct json_token t;
	int rc;

	*u = (struct unit){.kind = UNIT_CHANGES};
	json_open(&r.json, a, p, n, e);
	rc = expect(&r, JSON_OBJECT);
	while (rc == 0 && (rc = json_next(&r.json, &t)) == 0 &&
	    t.type == JSON_NAME)
		rc = read_member(&r, &t.text, u);
	return rc;
}
