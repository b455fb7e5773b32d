/*
 * The tokens of json.h: RFC 8259 as a state machine over bytes in memory, with
 * a bit for each open list or object in place of a stack.
 */
#include "json_internal.h"

#include "fault.h"
#include "store/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What may come next. */
enum {
	EXPECT_VALUE,
	EXPECT_VALUE_OR_CLOSE,	/* a list has been opened */
	EXPECT_NAME_OR_CLOSE,	/* an object has been opened */
	EXPECT_MORE,		/* a comma or the end of list or object */
	EXPECT_END,		/* nothing: the value is whole */
	EXPECT_NOTHING		/* the end was told */
};

void
json_open(struct json *j, struct arena *a, const char *p, size_t n,
    struct err *e)
{
	*j = (struct json){.arena = a, .err = e, .text = p, .at = p,
	    .end = p + n, .expect = EXPECT_VALUE};
}

/* --- errors --------------------------------------------------------------- */

int
json_fail(struct json *j, const char *at, int code, const char *fmt, ...)
{
	const char *p, *line = j->text;
	int lines = 1;
	va_list ap;

	for (p = j->text; p < at; p++)
		if (*p == '\n') {
			lines++;
			line = p + 1;
		}
	*j->err = (struct err){.code = code, .line = lines,
	    .col = (int)(at - line) + 1};
	va_start(ap, fmt);
	vsnprintf(j->err->text, sizeof j->err->text, fmt, ap);
	va_end(ap);
	return -1;
}

static int
fail(struct json *j, const char *text)
{
	if (j->at == j->end)
		text = "the text ends too early";
	return json_fail(j, j->at, FAULT_SERIALIZATION, "%s", text);
}

int
json_fail_memory(struct json *j)
{
	return json_fail(j, j->at, FAULT_LIMIT, "this needs more memory than "
	    "one operation may use");
}

const char *
json_type_name(enum json_type t)
{
	static const char *const names[] = {
		[JSON_NULL] = "null", [JSON_FALSE] = "false",
		[JSON_TRUE] = "true", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_LIST] = "a list",
		[JSON_OBJECT] = "an object", [JSON_NAME] = "a name",
		[JSON_CLOSE] = "the end of a list or object",
		[JSON_END] = "the end",
	};

	return names[t];
}

/* --- strings -------------------------------------------------------------- */

/*
 * On to the first character that isn't itself, from behind the quote: the
 * closing quote or a backslash.
 */
static int
scan_string(struct json *j)
{
	unsigned char c;
	size_t step;

	while (j->at < j->end) {
		c = (unsigned char)*j->at;
		if (c == '"' || c == '\\')
			return 0;
		if (c < 0x20)
			return fail(j, "a control character in a string must "
			    "be escaped");
		if (c < 0x80) {
			j->at++;
			continue;
		}
		step = utf8_step(j->at, (size_t)(j->end - j->at));
		if (step == 0)
			return fail(j, "this is not UTF-8");
		j->at += step;
	}
	return fail(j, "");
}

/* Four hexadecimal digits: the unit, or -1. */
static long
read_unit(struct json *j)
{
	long unit = 0;
	int i, c;

	for (i = 0; i < 4; i++) {
		if (j->at == j->end)
			return fail(j, "");
		c = *j->at;
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return fail(j, "\\u has four hexadecimal digits");
		unit = 16 * unit + c;
		j->at++;
	}
	return unit;
}

/* What stands behind \u, two of them for what is above U+FFFF; or -1. */
static long
read_point(struct json *j)
{
	const char *start = j->at - 2;
	long high = read_unit(j), low;

	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high < 0xdc00 && j->end - j->at >= 2 && j->at[0] == '\\' &&
	    j->at[1] == 'u') {
		j->at += 2;
		low = read_unit(j);
		if (low < 0)
			return -1;
		if (low >= 0xdc00 && low <= 0xdfff)
			return 0x10000 + ((high - 0xd800) << 10) +
			    (low - 0xdc00);
	}
	return json_fail(j, start, FAULT_SERIALIZATION,
	    "this is half of a surrogate pair");
}

static char *
put_point(char *out, long point)
{
	if (point < 0x80) {
		*out++ = (char)point;
		return out;
	}
	if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
	} else {
		if (point < 0x10000) {
			*out++ = (char)(0xe0 | point >> 12);
		} else {
			*out++ = (char)(0xf0 | point >> 18);
			*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (point & 0x3f));
	return out;
}

/* An escape, from behind its backslash: the character, or -1. */
static long
read_escape(struct json *j)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (j->at == j->end)
		return fail(j, "");
	if (*j->at == 'u') {
		j->at++;
		return read_point(j);
	}
	found = memchr(plain, *j->at, sizeof plain - 1);
	if (!found)
		return fail(j, "there is no such escape");
	j->at++;
	return meant[found - plain];
}

/* Room for the rest of a string, which is no shorter undecoded. */
static char *
room_for_rest(struct json *j, const char *start)
{
	const char *p = j->at;

	while (p < j->end && *p != '"')
		p += *p == '\\' ? 2 : 1;
	if (p > j->end)
		p = j->end;
	return arena_alloc(j->arena, (size_t)(p - start));
}

/* The rest of a string that began at `start` and has an escape at `at`. */
static int
decode_string(struct json *j, const char *start, struct text *t)
{
	char *room = j->skipping ? NULL : room_for_rest(j, start), *out = room;
	const char *plain = start;
	long point;

	if (!room && !j->skipping)
		return json_fail_memory(j);
	for (;;) {
		if (room && j->at > plain) {
			memcpy(out, plain, (size_t)(j->at - plain));
			out += j->at - plain;
		}
		if (*j->at == '"')
			break;
		j->at++;
		point = read_escape(j);
		if (point < 0)
			return -1;
		if (room)
			out = put_point(out, point);
		plain = j->at;
		if (scan_string(j) < 0)
			return -1;
	}
	*t = (struct text){room, room ? (size_t)(out - room) : 0};
	j->at++;
	return 0;
}

static int
read_string(struct json *j, struct text *t)
{
	const char *start = ++j->at;

	if (scan_string(j) < 0)
		return -1;
	if (*j->at == '\\')
		return decode_string(j, start, t);
	*t = (struct text){start, (size_t)(j->at - start)};
	j->at++;
	return 0;
}

/* --- numbers and words ---------------------------------------------------- */

static bool
skip_digits(struct json *j)
{
	const char *start = j->at;

	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return j->at > start;
}

static bool
skip_char(struct json *j, char c)
{
	if (j->at == j->end || *j->at != c)
		return false;
	j->at++;
	return true;
}

static int
read_number(struct json *j, struct text *t)
{
	const char *start = j->at;

	skip_char(j, '-');
	if (!skip_char(j, '0') && !skip_digits(j))
		return fail(j, "a digit is expected");
	if (skip_char(j, '.') && !skip_digits(j))
		return fail(j, "a digit is expected");
	if (skip_char(j, 'e') || skip_char(j, 'E')) {
		if (!skip_char(j, '-'))
			skip_char(j, '+');
		if (!skip_digits(j))
			return fail(j, "a digit is expected");
	}
	*t = (struct text){start, (size_t)(j->at - start)};
	return 0;
}

static int
read_word(struct json *j, const char *word, size_t n)
{
	if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n) != 0)
		return fail(j, "a value is expected");
	j->at += n;
	return 0;
}

/* --- structure ------------------------------------------------------------ */

static void
skip_space(struct json *j)
{
	while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' ||
	    *j->at == '\r' || *j->at == '\t'))
		j->at++;
}

static bool
in_object(const struct json *j)
{
	unsigned level = j->depth - 1;

	return j->objects[level / 64] >> level % 64 & 1;
}

/* Behind a value. */
static void
expect_more(struct json *j)
{
	j->expect = j->depth ? EXPECT_MORE : EXPECT_END;
}

static int
open_level(struct json *j, struct json_token *t, bool object)
{
	uint64_t *bits, bit;

	if (j->depth == JSON_DEPTH_MAX)
		return fail(j, "lists and objects are nested more than 128 "
		    "deep");
	bits = &j->objects[j->depth / 64];
	bit = (uint64_t)1 << j->depth % 64;
	*bits = object ? *bits | bit : *bits & ~bit;
	j->depth++;
	j->at++;
	t->type = object ? JSON_OBJECT : JSON_LIST;
	j->expect = object ? EXPECT_NAME_OR_CLOSE : EXPECT_VALUE_OR_CLOSE;
	return 0;
}

static int
close_level(struct json *j, struct json_token *t)
{
	j->at++;
	j->depth--;
	t->type = JSON_CLOSE;
	expect_more(j);
	return 0;
}

static int
read_scalar(struct json *j, struct json_token *t)
{
	int rc;

	switch (*j->at) {
	case '"':
		t->type = JSON_STRING;
		rc = read_string(j, &t->text);
		break;
	case 't':
		t->type = JSON_TRUE;
		rc = read_word(j, "true", 4);
		break;
	case 'f':
		t->type = JSON_FALSE;
		rc = read_word(j, "false", 5);
		break;
	case 'n':
		t->type = JSON_NULL;
		rc = read_word(j, "null", 4);
		break;
	default:
		if (*j->at != '-' && (*j->at < '0' || *j->at > '9'))
			return fail(j, "a value is expected");
		t->type = JSON_NUMBER;
		rc = read_number(j, &t->text);
	}
	expect_more(j);
	return rc;
}

static int
read_value(struct json *j, struct json_token *t)
{
	if (j->at == j->end)
		return fail(j, "");
	if (*j->at == '{' || *j->at == '[')
		return open_level(j, t, *j->at == '{');
	return read_scalar(j, t);
}

/* A name and its colon. */
static int
read_name(struct json *j, struct json_token *t)
{
	if (j->at == j->end || *j->at != '"')
		return fail(j, "a name in quotes is expected");
	t->type = JSON_NAME;
	if (read_string(j, &t->text) < 0)
		return -1;
	skip_space(j);
	if (!skip_char(j, ':'))
		return fail(j, "a colon is expected");
	j->expect = EXPECT_VALUE;
	return 0;
}

/* Behind a value within a list or object. */
static int
read_more(struct json *j, struct json_token *t)
{
	bool object = in_object(j);

	if (j->at < j->end && *j->at == (object ? '}' : ']'))
		return close_level(j, t);
	if (!skip_char(j, ','))
		return fail(j, object ? "a comma or } is expected" :
		    "a comma or ] is expected");
	skip_space(j);
	t->start = j->at;
	return object ? read_name(j, t) : read_value(j, t);
}

int
json_next(struct json *j, struct json_token *t)
{
	skip_space(j);
	t->start = j->at;
	switch (j->expect) {
	case EXPECT_VALUE:
		return read_value(j, t);
	case EXPECT_VALUE_OR_CLOSE:
		if (j->at < j->end && *j->at == ']')
			return close_level(j, t);
		return read_value(j, t);
	case EXPECT_NAME_OR_CLOSE:
		if (j->at < j->end && *j->at == '}')
			return close_level(j, t);
		return read_name(j, t);
	case EXPECT_MORE:
		return read_more(j, t);
	default:
		break;
	}
	t->type = JSON_END;
	j->expect = EXPECT_NOTHING;
	if (j->at < j->end)
		return fail(j, "something stands behind the end");
	return 0;
}

int
json_skip(struct json *j, const struct json_token *t, struct text *raw)
{
	bool skipping = j->skipping;
	unsigned depth = j->depth;
	const char *start = t->start;
	struct json_token inner;
	int rc = 0;

	if (t->type == JSON_LIST || t->type == JSON_OBJECT) {
		j->skipping = true;
		while (rc == 0 && j->depth >= depth)
			rc = json_next(j, &inner);
		j->skipping = skipping;
	}
	if (raw)
		*raw = (struct text){start, (size_t)(j->at - start)};
	return rc;
}
