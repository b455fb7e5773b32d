/*
 * Attribute values in requests, for schema.h: read as they come, and put aside
 * where they are wrong, since what is wrong with them comes late.
 */
#include "schema_internal.h"

#include "store/expr/expr.h"
#include "store/value/fault.h"
#include "store/value/plain.h"
#include "store/value/typed.h"

#include <stdio.h>
#include <string.h>

/* `name`: of the placeholder whose value it is. */
static int
put_aside(struct decoder *d, const char *param, const struct text *name,
    const char *why)
{
	struct put_aside *a = arena_alloc(d->arena, sizeof *a), **end;
	char text[sizeof d->err->text];

	if (name && !strstr(why, "Nesting Levels"))
		snprintf(text, sizeof text, "ExpressionAttributeValues "
		    "contains invalid value: %.300s for key %.*s", why,
		    (int)(name->n < 100 ? name->n : 100), name->p);
	else
		snprintf(text, sizeof text, "%s", why);
	if (!a)
		return schema_no_memory(d);
	*a = (struct put_aside){.param = param, .within = d->within,
	    .why = arena_copy(d->arena, text, strlen(text))};
	if (!a->why)
		return schema_no_memory(d);
	for (end = &d->aside; *end; end = &(*end)->next)
		continue;
	*end = a;
	return 0;
}

void
schema_prefer_keys(struct decoder *d, const struct param *p,
    const struct value *map)
{
	struct put_aside *a;
	struct err e;

	for (a = d->aside; a && strcmp(a->param, p->name) != 0; a = a->next)
		continue;
	if (a && expr_check_placeholders(map, &e) < 0)
		a->why = arena_copy(d->arena, e.text, strlen(e.text));
	if (a && !a->why)
		a->why = "no memory";
}

/*
 * The value that begins with `t`: 1; 0 if it was put aside (only the first of
 * a parameter's counts); or -1.
 */
int
schema_take(struct decoder *d, const struct json_token *t, bool item,
    const char *param, const struct text *name, struct value *out)
{
	struct json before = d->json;
	const char *why;
	int rc;

	if (d->plain)
		rc = item ? plain_take_item(&d->json, t, out) :
		    plain_take(&d->json, t, out);
	else
		rc = item ? typed_take_item(&d->json, t, out) :
		    typed_take(&d->json, t, out);
	why = rc < 0 ? d->err->text : schema_check_names(out);
	if (!why)
		return 1;
	if (rc < 0 && d->err->code != FAULT_VALIDATION)
		return -1;
	if (put_aside(d, param, name, why) < 0)
		return -1;
	d->json = before;
	return json_skip(&d->json, t, NULL);
}

int
schema_read_value(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t)
{
	struct value *v = arena_alloc(d->arena, sizeof *v);
	int rc;

	if (!v)
		return schema_no_memory(d);
	if (p->kind == PARAM_VALUE && !d->plain && t->type < JSON_LIST)
		return json_fail(&d->json, t->start, FAULT_SERIALIZATION,
		    "Unexpected field type");
	rc = schema_take(d, t, p->kind == PARAM_ITEM, p->name, NULL, v);
	if (rc > 0)
		memcpy(schema_at(target, p->at), &v, sizeof v);
	return rc < 0 ? -1 : 0;
}
