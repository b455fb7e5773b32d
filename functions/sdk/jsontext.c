/*
 * Jansson's values as text, compact, with no digit that isn't needed: 0.1
 * stays 0.1.  (json_dumps() writes 0.10000000000000001.)  Runs in a function's
 * process.
 */
#include "jsontext.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *
jsontext_iterable(const json_t *json)
{
	return (json_t *)(uintptr_t)json;
}

/* The author's locale may write a comma. */
static void
point(char *text)
{
	const char *own = localeconv()->decimal_point;
	char *at = strcmp(own, ".") != 0 ? strstr(text, own) : NULL;
	size_t n = strlen(own);

	if (!at)
		return;
	*at = '.';
	memmove(at + 1, at + n, strlen(at + n) + 1);
}

/* The shortest text that reads back as the same number, and as a real. */
static int
encode_real(struct buf *b, double d)
{
	char text[40];
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, d);
		if (fabs(strtod(text, NULL) - d) <= 0)
			break;
	}
	point(text);
	buf_puts(b, text);
	return strpbrk(text, ".e") ? 0 : buf_puts(b, ".0");
}

static int encode(struct buf *b, const json_t *json, int deeper);

static int
encode_object(struct buf *b, const json_t *json, int deeper)
{
	json_t *object = jsontext_iterable(json);
	const char *name;
	json_t *value;
	size_t n = 0;

	buf_putc(b, '{');
	json_object_foreach(object, name, value) {
		if (n++)
			buf_putc(b, ',');
		buf_json(b, name, strlen(name));
		buf_putc(b, ':');
		if (encode(b, value, deeper - 1) < 0)
			return -1;
	}
	return buf_putc(b, '}');
}

static int
encode_array(struct buf *b, const json_t *json, int deeper)
{
	size_t i, n = json_array_size(json);

	buf_putc(b, '[');
	for (i = 0; i < n; i++) {
		if (i)
			buf_putc(b, ',');
		if (encode(b, json_array_get(json, i), deeper - 1) < 0)
			return -1;
	}
	return buf_putc(b, ']');
}

static int
encode(struct buf *b, const json_t *json, int deeper)
{
	if (!json || deeper < 0)
		return -1;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return encode_object(b, json, deeper);
	case JSON_ARRAY:
		return encode_array(b, json, deeper);
	case JSON_STRING:
		return buf_json(b, json_string_value(json),
		    json_string_length(json));
	case JSON_INTEGER:
		return buf_printf(b, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(json));
	case JSON_REAL:
		return encode_real(b, json_real_value(json));
	case JSON_TRUE:
		return buf_puts(b, "true");
	case JSON_FALSE:
		return buf_puts(b, "false");
	default:
		return buf_puts(b, "null");
	}
}

int
jsontext_write(struct buf *b, const json_t *json, int depth)
{
	return encode(b, json, depth);
}
