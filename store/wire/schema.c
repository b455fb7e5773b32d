/*
 * The reader that follows tables of parameters, for schema.h: one pass over
 * the body, as deep as the tables are.
 */
#include "schema_internal.h"

#include "request.h"
#include "store/value/fault.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_BYTES = 64 * 1024 };

void *
schema_at(void *target, size_t at)
{
	return (char *)target + at;
}

int
schema_no_memory(struct decoder *d)
{
	return json_fail(&d->json, d->json.at, FAULT_LIMIT,
	    "this needs more memory than one operation may use");
}

/* --- types ---------------------------------------------------------------- */

static int
fail_type(struct decoder *d, const struct json_token *t, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int
fail_type(struct decoder *d, const struct json_token *t, const char *fmt, ...)
{
	char text[sizeof d->err->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return json_fail(&d->json, t->start, FAULT_SERIALIZATION, "%s", text);
}

/* A token that isn't the scalar `type`, which is one of Java's. */
int
schema_fail_scalar(struct decoder *d, const struct json_token *t,
    const char *type)
{
	static const char *const words[] = {[JSON_FALSE] = "FALSE_VALUE",
	    [JSON_TRUE] = "TRUE_VALUE", [JSON_NUMBER] = "NUMBER_VALUE",
	    [JSON_STRING] = "STRING_VALUE"};
	const char *word = words[t->type == JSON_OBJECT ||
	    t->type == JSON_LIST ? JSON_STRING : t->type];
	size_t i;

	if (t->type == JSON_OBJECT)
		return fail_type(d, t,
		    "Start of structure or map found where not expected");
	if (t->type == JSON_LIST)
		return fail_type(d, t,
		    "Unrecognized collection type class java.lang.%s", type);
	for (i = 0; t->type == JSON_NUMBER && i < t->text.n; i++)
		if (strchr(".eE", t->text.p[i]))
			word = "DECIMAL_VALUE";
	return fail_type(d, t, "%s cannot be converted to %s", word, type);
}

int
schema_expect_list(struct decoder *d, const struct json_token *t)
{
	if (t->type == JSON_LIST)
		return 0;
	return fail_type(d, t, t->type == JSON_OBJECT ?
	    "Start of structure or map found where not expected" :
	    "Unexpected field type");
}

int
schema_expect_object(struct decoder *d, const struct json_token *t,
    enum shape shape, const char *type)
{
	static const struct { const char *before, *behind; } java[] = {
		[SHAPE_STRUCT] = {"class com.amazonaws.dynamodb.v20120810.",
		    ""},
		[SHAPE_MAP] = {"java.util.Map<java.lang.String, "
		    "com.amazonaws.dynamodb.v20120810.", ">"},
		[SHAPE_MAP_OF_TEXTS] = {"java.util.Map<java.lang.String, "
		    "java.lang.", ">"},
		[SHAPE_MAP_OF_LISTS] = {"java.util.Map<java.lang.String, "
		    "java.util.List<com.amazonaws.dynamodb.v20120810.", ">>"},
	};

	if (t->type == JSON_OBJECT)
		return 0;
	if (t->type != JSON_LIST)
		return fail_type(d, t, "Unexpected field type");
	return fail_type(d, t, "Unrecognized collection type %s%s%s",
	    java[shape].before, type, java[shape].behind);
}

/* Where a list of things without a type of their own should be. */
int
schema_fail_parameterized(struct decoder *d, const struct json_token *t)
{
	return fail_type(d, t, "class sun.reflect.generics.reflectiveObjects."
	    "ParameterizedTypeImpl cannot be cast to class java.lang.Class "
	    "(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and "
	    "java.lang.Class are in module java.base of loader 'bootstrap')");
}

int
schema_fail_twice(struct decoder *d, const struct text *name)
{
	return json_fail(&d->json, d->json.at, FAULT_SERIALIZATION,
	    "the name \"%.*s\" is there twice",
	    (int)(name->n < 255 ? name->n : 255), name->p);
}

/* --- scalars -------------------------------------------------------------- */

bool
schema_is_arn(const struct text *text)
{
	static const char BEGIN[] = "arn:";

	return text->n >= sizeof BEGIN - 1 &&
	    memcmp(text->p, BEGIN, sizeof BEGIN - 1) == 0;
}

/* The name that an ARN ends in: ".../table/name". */
struct text
schema_name_of(const struct text *text)
{
	static const char MARK[] = ":table/";
	const char *p;

	if (!schema_is_arn(text))
		return *text;
	p = memmem(text->p, text->n, MARK, sizeof MARK - 1);
	if (!p)
		return *text;
	p += sizeof MARK - 1;
	return (struct text){p, (size_t)(text->p + text->n - p)};
}

static int
read_text(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t, const struct place *at)
{
	struct text text = t->text;

	if (t->type != JSON_STRING)
		return schema_fail_scalar(d, t, "String");
	d->arns |= schema_is_arn(&text);
	if (p->flags & PARAM_ARN)
		text = schema_name_of(&text);
	schema_check_text(d, p, at, &text);
	if (p->words)
		schema_check_word(d, p, at, &text);
	*(struct text *)schema_at(target, p->at) = text;
	return 0;
}

static int
read_word(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t, const struct place *at)
{
	int word;

	if (t->type != JSON_STRING)
		return schema_fail_scalar(d, t, "String");
	word = schema_check_word(d, p, at, &t->text);
	memcpy(schema_at(target, p->at), &word, sizeof word);
	return 0;
}

/* Some texts count as truth values. */
static int
truth_of(struct decoder *d, const struct json_token *t, bool *truth)
{
	int rc = json_truth(t);

	*truth = rc > 0;
	if (rc >= 0)
		return 0;
	if (t->type != JSON_STRING)
		return schema_fail_scalar(d, t, "Boolean");
	return fail_type(d, t, "Unexpected token received from parser");
}

static int
read_truth(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t)
{
	enum choice choice;
	bool truth;

	if (truth_of(d, t, &truth) < 0)
		return -1;
	choice = truth ? CHOICE_YES : CHOICE_NO;
	if (p->kind == PARAM_FLAG)
		*(bool *)schema_at(target, p->at) = truth;
	else
		memcpy(schema_at(target, p->at), &choice, sizeof choice);
	return 0;
}

static int
read_integer(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t, const struct place *at)
{
	bool big = p->kind != PARAM_INTEGER;
	char digits[64];
	uint32_t small;
	uint64_t wide;
	int64_t whole;
	double number;

	if (t->type != JSON_NUMBER)
		return schema_fail_scalar(d, t, big ? "Long" : "Integer");
	snprintf(digits, sizeof digits, "%.*s",
	    (int)(t->text.n < 60 ? t->text.n : 60), t->text.p);
	number = floor(strtod(digits, NULL));
	if (t->text.n > 60 || fabs(number) > (big ? 9e18 : INT32_MAX))
		return fail_type(d, t, "Number out of range of %s",
		    big ? "Long" : "Integer");
	whole = (int64_t)number;
	schema_check_number(d, p, at, whole);
	wide = number > 0 ? (uint64_t)number : 0;
	small = (uint32_t)wide;
	if (p->kind == PARAM_SIGNED)
		memcpy(schema_at(target, p->at), &whole, sizeof whole);
	else if (big)
		memcpy(schema_at(target, p->at), &wide, sizeof wide);
	else
		memcpy(schema_at(target, p->at), &small, sizeof small);
	return 0;
}

/* Seconds, with or without a fraction. */
static int
read_time(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t)
{
	char digits[64];
	double seconds;
	int64_t ms;

	if (t->type != JSON_NUMBER)
		return schema_fail_scalar(d, t, "Date");
	snprintf(digits, sizeof digits, "%.*s",
	    (int)(t->text.n < 60 ? t->text.n : 60), t->text.p);
	seconds = strtod(digits, NULL);
	if (t->text.n > 60 || fabs(seconds) > 1e12)
		return fail_type(d, t, "Number out of range of Date");
	ms = (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
	memcpy(schema_at(target, p->at), &ms, sizeof ms);
	return 0;
}

/* --- structs -------------------------------------------------------------- */

static int
read_param(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t, const struct place *at)
{
	void *of;

	switch (p->kind) {
	case PARAM_TEXT:
		return read_text(d, p, target, t, at);
	case PARAM_CHOICE:
	case PARAM_FLAG:
		return read_truth(d, p, target, t);
	case PARAM_INTEGER:
	case PARAM_LONG:
	case PARAM_SIGNED:
		return read_integer(d, p, target, t, at);
	case PARAM_TIME:
		return read_time(d, p, target, t);
	case PARAM_THERE:
		*(bool *)schema_at(target, p->at) = true;
		return json_skip(&d->json, t, NULL);
	case PARAM_WORD:
		return read_word(d, p, target, t, at);
	case PARAM_ITEM:
	case PARAM_VALUE:
		return schema_read_value(d, p, target, t);
	case PARAM_NAMES:
	case PARAM_BINDS:
		return schema_read_placeholders(d, p, target, t);
	case PARAM_MAP:
	case PARAM_MAP_LISTS:
		return schema_read_map(d, p, target, t, at);
	case PARAM_STRUCT:
		of = arena_array(d->arena, 1, p->of->size);
		if (!of)
			return schema_no_memory(d);
		memcpy(schema_at(target, p->at), &of, sizeof of);
		return schema_read_struct(d, p->of, of, t, at);
	default:
		return schema_read_list(d, p, target, t, at);
	}
}

static const struct param *
find_param(const struct schema *schema, const struct text *name)
{
	size_t i;

	for (i = 0; i < schema->count; i++)
		if (strlen(schema->params[i].name) == name->n &&
		    memcmp(schema->params[i].name, name->p, name->n) == 0)
			return &schema->params[i];
	return NULL;
}

/* One member of an object: its name, then its value. */
static int
read_member(struct decoder *d, const struct schema *schema, void *target,
    const struct text *name, const struct place *at, uint64_t *seen)
{
	const struct param *p = find_param(schema, name);
	const struct place place = {at, *name, 0, false};
	struct json_token t;
	uint64_t bit;

	if (json_next(&d->json, &t) < 0)
		return -1;
	if (!p && d->strict)
		return fail_type(d, &t, "there is no parameter \"%.*s\"",
		    (int)(name->n < 255 ? name->n : 255), name->p);
	if (!p)
		return json_skip(&d->json, &t, NULL);
	bit = (uint64_t)1 << (p - schema->params);
	if (*seen & bit)
		return schema_fail_twice(d, name);
	if (t.type == JSON_NULL)
		return 0;
	*seen |= bit;
	if (p->has_at)
		*(bool *)schema_at(target, p->has_at) = true;
	if (!at)
		d->within = p->name;
	return read_param(d, p, target, &t, &place);
}

int
schema_read_struct(struct decoder *d, const struct schema *schema, void *target,
    const struct json_token *opened, const struct place *at)
{
	struct json_token t;
	uint64_t seen = 0;
	size_t i;

	if (at && at->exact && opened->type < JSON_LIST)
		return fail_type(d, opened, "Unexpected value type in payload");
	if (schema_expect_object(d, opened, SHAPE_STRUCT, schema->type) < 0)
		return -1;
	for (;;) {
		if (json_next(&d->json, &t) < 0)
			return -1;
		if (t.type == JSON_CLOSE)
			break;
		if (read_member(d, schema, target, &t.text, at, &seen) < 0)
			return -1;
	}
	for (i = 0; i < schema->count; i++) {
		const struct param *p = &schema->params[i];
		const struct place place = {at,
		    {p->name, strlen(p->name)}, 0, false};

		if ((p->flags & PARAM_REQUIRED) && !(seen >> i & 1))
			schema_check_absent(d, p, &place);
	}
	return 0;
}

int
schema_read(struct decoder *d, const struct schema *schema, void *target,
    const char *body, size_t n)
{
	struct json_token t;
	int rc = -1;

	json_open(&d->json, d->arena, body, n, d->err);
	buf_init(&d->said, SAID_BYTES);
	if (json_next(&d->json, &t) == 0 &&
	    schema_read_struct(d, schema, target, &t, NULL) == 0 &&
	    json_next(&d->json, &t) == 0)
		rc = schema_verdict(d);
	buf_release(&d->said);
	return rc;
}
