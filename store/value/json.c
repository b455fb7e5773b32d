/*
 * The tokens of json.h: RFC 8259 as a state machine over bytes in memory, with
 * a bit for each open list or object in place of a stack.
 */
#include "json_internal.h"

#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

int
json_fail_here(struct json *j, const char *text)
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

int
json_truth(const struct json_token *t)
{
	static const struct {
		const char *word;
		int truth;
	} words[] = {{"true", 1}, {"1", 1}, {"yes", 1}, {"false", 0},
	    {"0", 0}, {"no", 0}};
	size_t i;

	if (t->type != JSON_STRING)
		return t->type == JSON_TRUE ? 1 : t->type == JSON_FALSE ? 0 : -1;
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strlen(words[i].word) == t->text.n &&
		    strncasecmp(words[i].word, t->text.p, t->text.n) == 0)
			return words[i].truth;
	return -1;
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
		return json_fail_here(j, "a digit is expected");
	if (skip_char(j, '.') && !skip_digits(j))
		return json_fail_here(j, "a digit is expected");
	if (skip_char(j, 'e') || skip_char(j, 'E')) {
		if (!skip_char(j, '-'))
			skip_char(j, '+');
		if (!skip_digits(j))
			return json_fail_here(j, "a digit is expected");
	}
	*t = (struct text){start, (size_t)(j->at - start)};
	return 0;
}

static int
read_word(struct json *j, const char *word, size_t n)
{
	if ((size_t)(j->end - j->at) < n || memcmp(j->at, word, n) != 0)
		return json_fail_here(j, "a value is expected");
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
		return json_fail_here(j, "lists and objects are nested more "
		    "than 128 deep");
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
		rc = json_decode(j, &t->text);
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
			return json_fail_here(j, "a value is expected");
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
		return json_fail_here(j, "");
	if (*j->at == '{' || *j->at == '[')
		return open_level(j, t, *j->at == '{');
	return read_scalar(j, t);
}

/* A name and its colon. */
static int
read_name(struct json *j, struct json_token *t)
{
	if (j->at == j->end || *j->at != '"')
		return json_fail_here(j, "a name in quotes is expected");
	t->type = JSON_NAME;
	if (json_decode(j, &t->text) < 0)
		return -1;
	skip_space(j);
	if (!skip_char(j, ':'))
		return json_fail_here(j, "a colon is expected");
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
		return json_fail_here(j, object ? "a comma or } is expected" :
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
		return json_fail_here(j, "something stands behind the end");
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

int
json_take_whole(struct arena *a, const char *p, size_t n, json_take_fn *take,
    struct value *out, struct err *e)
{
	struct json_token t;
	struct json j;

	json_open(&j, a, p, n, e);
	if (json_next(&j, &t) < 0 || take(&j, &t, out) < 0)
		return -1;
	return json_next(&j, &t);
}
