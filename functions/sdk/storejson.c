/*
 * Jansson's values on their way to the store and back, and bodies of requests.
 * Runs in a function's process.
 */
#include "store.h"

#include "jsontext.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

int
store_encode(struct buf *b, const json_t *json)
{
	return jsontext_write(b, json, DEPTH_MAX);
}

/* --- from the store ------------------------------------------------------- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The end of a string that begins at `p`. */
static const char *
string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

/* A number as it is; an integer of more than 18 digits becomes a real. */
static const char *
copy_number(struct buf *b, const char *p, const char *end)
{
	const char *start = p;
	bool real = false;

	while (p < end && (is_digit(*p) || strchr("+-.eE", *p))) {
		real = real || *p == '.' || *p == 'e' || *p == 'E';
		p++;
	}
	buf_add(b, start, (size_t)(p - start));
	if (!real && p - start > 18)
		buf_puts(b, ".0");
	return p;
}

/* For numbers that Jansson would refuse. */
static json_t *
decode_big(const char *text, size_t n)
{
	const char *p = text, *end = text + n, *stop;
	json_t *json = NULL;
	struct buf b;

	buf_init(&b, 2 * n + 16);
	while (p < end)
		if (*p == '"') {
			stop = string_end(p, end);
			buf_add(&b, p, (size_t)(stop - p));
			p = stop;
		} else if (is_digit(*p) || *p == '-')
			p = copy_number(&b, p, end);
		else
			buf_putc(&b, *p++);
	if (buf_ok(&b))
		json = json_loadb(b.data, b.len, JSON_ALLOW_NUL, NULL);
	buf_release(&b);
	return json;
}

json_t *
store_decode(const char *p, size_t n)
{
	json_t *json = json_loadb(p, n, JSON_ALLOW_NUL, NULL);

	return json ? json : decode_big(p, n);
}

/* --- bodies --------------------------------------------------------------- */

static void
member(struct buf *b, const char *name)
{
	buf_printf(b, "%s\"%s\":", b->data[b->len - 1] == '{' ? "" : ",", name);
}

void
store_body_begin(struct buf *b, const char *table)
{
	buf_reset(b);
	buf_putc(b, '{');
	store_body_text(b, "TableName", table);
}

void
store_body_text(struct buf *b, const char *name, const char *text)
{
	if (!text || !buf_ok(b))
		return;
	member(b, name);
	buf_json(b, text, strlen(text));
}

void
store_body_raw(struct buf *b, const char *name, const char *json)
{
	if (!json || !buf_ok(b))
		return;
	member(b, name);
	buf_puts(b, json);
}

/* What can't be encoded makes the whole body fail. */
void
store_body_json(struct buf *b, const char *name, const json_t *json)
{
	if (!json || !buf_ok(b))
		return;
	member(b, name);
	if (store_encode(b, json) < 0)
		b->failed = true;
}

/* Those members of `values` that begin with `first`. */
static size_t
pick_values(struct buf *b, const char *name, const json_t *values, char first)
{
	json_t *object = jsontext_iterable(values), *value;
	const char *key;
	size_t n = 0;

	json_object_foreach(object, key, value) {
		if (*key != first || !buf_ok(b))
			continue;
		if (n == 0) {
			member(b, name);
			buf_putc(b, '{');
		} else
			buf_putc(b, ',');
		n++;
		buf_json(b, key, strlen(key));
		buf_putc(b, ':');
		if (store_encode(b, value) < 0)
			b->failed = true;
	}
	if (n)
		buf_putc(b, '}');
	return n;
}

int
store_body_values(struct store *s, struct buf *b, const json_t *values)
{
	size_t n;

	if (!values)
		return 0;
	if (!json_is_object(values))
		return store_fail(s, "values are an object of \":v\" and "
		    "\"#n\"");
	n = pick_values(b, "ExpressionAttributeNames", values, '#');
	n += pick_values(b, "ExpressionAttributeValues", values, ':');
	if (n != json_object_size(values))
		return store_fail(s, "the names of values begin with ':' or "
		    "'#'");
	return 0;
}
