/*
 * Strings of JSON: found where they lie, or decoded where they have escapes.
 */
#include "json_internal.h"

#include "fault.h"
#include "store/base/utf8.h"

#include <string.h>

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
			return json_fail_here(j, "a control character in a "
			    "string must be escaped");
		if (c < 0x80) {
			j->at++;
			continue;
		}
		step = utf8_step(j->at, (size_t)(j->end - j->at));
		if (step == 0)
			return json_fail_here(j, "this is not UTF-8");
		j->at += step;
	}
	return json_fail_here(j, "");
}

/* Four hexadecimal digits: the unit, or -1. */
static long
read_unit(struct json *j)
{
	long unit = 0;
	int i, c;

	for (i = 0; i < 4; i++) {
		if (j->at == j->end)
			return json_fail_here(j, "");
		c = (unsigned char)*j->at;
		if (c >= '0' && c <= '9')
			c -= '0';
		else if (c >= 'a' && c <= 'f')
			c -= 'a' - 10;
		else if (c >= 'A' && c <= 'F')
			c -= 'A' - 10;
		else
			return json_fail_here(j, "\\u has four hexadecimal "
			    "digits");
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
		return json_fail_here(j, "");
	if (*j->at == 'u') {
		j->at++;
		return read_point(j);
	}
	found = memchr(plain, *j->at, sizeof plain - 1);
	if (!found)
		return json_fail_here(j, "there is no such escape");
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

int
json_decode(struct json *j, struct text *t)
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
