/*
 * What comes of a case of script.h, as the lines that its file has.
 */
#ifndef TESTS_EXPR_OUTCOME_H
#define TESTS_EXPR_OUTCOME_H

#include "script.h"

struct outcome {
	struct buf lines[SCRIPT_LINES];
	size_t count;
	int code;			/* of the error, or 0 */
};

/* What a case is run with: its world, and an arena that may be small. */
struct outcome_run {
	const struct script_case *c;
	struct script_world *w;
	struct arena *arena;
	struct outcome *out;
	struct err e;
};

static struct buf *
outcome_line(struct outcome *o)
{
	struct buf *b = &o->lines[o->count++];

	assert_true(o->count <= SCRIPT_LINES);
	buf_init(b, 1 << 20);
	return b;
}

static void
outcome_release(struct outcome *o)
{
	while (o->count > 0)
		buf_release(&o->lines[--o->count]);
}

/* "error" or "refused", and the text. */
static void
outcome_error(struct outcome_run *r, const char *how)
{
	assert_true(r->e.code == FAULT_VALIDATION || r->e.code == ENOMEM);
	r->out->code = r->e.code;
	buf_printf(outcome_line(r->out), "%s %s", how, r->e.text);
}

static void
outcome_item(struct outcome_run *r, const char *how, const struct value *item)
{
	struct buf *b = outcome_line(r->out);

	buf_puts(b, how);
	assert_int_equal(typed_write_item(b, item), 0);
}

static const struct value *
outcome_old(struct outcome_run *r)
{
	return r->w->has_item ? &r->w->item : NULL;
}

/* --- conditions ----------------------------------------------------------- */

static void
outcome_condition(struct outcome_run *r, const struct expr *x)
{
	const struct script_world *w = r->w;
	bool filter = strstr(r->c->kind, "filter") != NULL;
	const char *what = strcmp(r->c->kind, "filter") == 0 ?
	    "Filter Expression" : "QueryFilter";

	if (w->has_keys && (expr_check_paths(x, &w->keys, false, &r->e) < 0 ||
	    (filter && expr_check_filter(x, &w->keys, what, &r->e) < 0))) {
		outcome_error(r, "refused");
		return;
	}
	buf_puts(outcome_line(r->out), !x || expr_true(x, outcome_old(r)) ?
	    "true" : "false");
}

static void
outcome_key_values(struct buf *b, const char *name, const char *op,
    const struct value *v, const struct value *more)
{
	buf_printf(b, "%s%s %s ", b->len ? ", " : "", name, op);
	typed_write(b, v);
	if (more) {
		buf_putc(b, ' ');
		typed_write(b, more);
	}
}

static void
outcome_key(struct outcome_run *r, const struct expr *x)
{
	const struct expr_keys *keys = &r->w->keys;
	struct expr_key_range range;
	struct buf *b;
	size_t i;

	if (expr_key_find(x, keys, &range, &r->e) < 0) {
		outcome_error(r, "refused");
		return;
	}
	b = outcome_line(r->out);
	for (i = 0; i < keys->nhash; i++)
		outcome_key_values(b, keys->hash[i].name, "=", range.hash[i],
		    NULL);
	for (i = 0; i < range.nequal; i++)
		outcome_key_values(b, keys->range[i].name, "=",
		    range.equal[i], NULL);
	if (range.op != EXPR_NONE)
		outcome_key_values(b, keys->range[i].name,
		    expr_op_name(range.op), range.low, range.high);
}

/* --- updates and projections ---------------------------------------------- */

static void
outcome_update(struct outcome_run *r, const struct expr_update *u)
{
	const struct script_world *w = r->w;
	const struct expr_guard *g = w->has_guard ? &w->guard : NULL;
	struct value item, part;

	if ((g && expr_check_update(u, g, &r->e) < 0) ||
	    expr_apply(r->arena, u, outcome_old(r), &w->primary, g, &item,
	    &r->e) < 0) {
		outcome_error(r, "refused");
		return;
	}
	if (!w->has_item && !expr_creates(u)) {
		buf_puts(outcome_line(r->out), "absent");
		return;
	}
	outcome_item(r, "", &item);
	if (expr_touched(r->arena, u, outcome_old(r), &part, &r->e) < 0) {
		outcome_error(r, "refused");
		return;
	}
	outcome_item(r, "old ", &part);
	if (expr_touched(r->arena, u, &item, &part, &r->e) < 0) {
		outcome_error(r, "refused");
		return;
	}
	outcome_item(r, "new ", &part);
}

static void
outcome_projection(struct outcome_run *r, const struct expr_projection *p)
{
	struct value part;

	if ((r->w->has_keys &&
	    expr_check_projection(p, &r->w->keys, false, &r->e) < 0) ||
	    expr_project(r->arena, p, outcome_old(r), &part, &r->e) < 0)
		outcome_error(r, "refused");
	else
		outcome_item(r, "", &part);
}

/* --- the older parameters ------------------------------------------------- */

static const struct json_node *
outcome_json(struct outcome_run *r, const char *text, unsigned levels)
{
	struct err e;
	const struct json_node *n = json_read(&r->w->arena, text, strlen(text),
	    levels, &e);

	if (!n)
		fail_msg("%s:%d: %s", r->c->file, r->c->line, e.text);
	return n;
}

static const struct value *
outcome_value(struct outcome_run *r, const struct json_node *n)
{
	struct value *v;

	if (!n)
		return NULL;
	v = arena_alloc(&r->w->arena, sizeof *v);
	assert_int_equal(typed_read(&r->w->arena, n->raw.p, n->raw.n, v,
	    &r->e), 0);
	return v;
}

static void
outcome_condition_part(struct outcome_run *r, const struct json_node *n,
    struct legacy_condition *c)
{
	const struct json_node *m = json_member(n, "ComparisonOperator");
	struct value *values;

	*c = (struct legacy_condition){.name = n->name};
	if (m)
		c->op = legacy_op_parse(m->text.p, m->text.n);
	assert_true(c->op < LEGACY_OPS);
	c->value = outcome_value(r, json_member(n, "Value"));
	if ((m = json_member(n, "Exists"))) {
		c->has_exists = true;
		c->exists = m->type == JSON_TRUE;
	}
	if (!(m = json_member(n, "AttributeValueList")))
		return;
	values = arena_array(&r->w->arena, m->count, sizeof *values);
	c->has_values = true;
	c->values = values;
	for (m = m->first; m; m = m->next)
		values[c->nvalues++] = *outcome_value(r, m);
}

static void
outcome_conditions(struct outcome_run *r, const char *json, bool any)
{
	const struct json_node *n, *tree = outcome_json(r, json, 3);
	struct legacy_condition list[8];
	const struct expr *x = NULL;
	size_t count = 0;
	int rc;

	for (n = tree->first; n; n = n->next)
		outcome_condition_part(r, n, &list[count++]);
	if (strcmp(r->c->kind, "keyconditions") == 0)
		rc = legacy_keys(r->arena, list, count, &x, &r->e);
	else if (strcmp(r->c->kind, "expected") == 0)
		rc = legacy_expected(r->arena, list, count, any, &x, &r->e);
	else
		rc = legacy_filter(r->arena, list, count, any, &x, &r->e);
	if (rc < 0)
		outcome_error(r, "error");
	else if (strcmp(r->c->kind, "keyconditions") == 0)
		outcome_key(r, x);
	else
		outcome_condition(r, x);
}

static void
outcome_updates(struct outcome_run *r)
{
	const struct json_node *n, *m, *tree = outcome_json(r, r->c->text, 2);
	struct legacy_update list[8];
	const struct expr_update *u;
	size_t count = 0;

	for (n = tree->first; n; n = n->next) {
		m = json_member(n, "Action");
		list[count++] = (struct legacy_update){
			n->name, !m || *m->text.p == 'P' ? LEGACY_PUT :
			*m->text.p == 'A' ? LEGACY_ADD : LEGACY_DELETE,
			outcome_value(r, json_member(n, "Value"))
		};
	}
	if (legacy_updates(r->arena, list, count, &u, &r->e) < 0)
		outcome_error(r, "error");
	else
		outcome_update(r, u);
}

static void
outcome_to_get(struct outcome_run *r)
{
	const struct json_node *n, *tree = outcome_json(r, r->c->text, 1);
	const struct expr_projection *p;
	struct text list[8];
	size_t count = 0;

	for (n = tree->first; n; n = n->next)
		list[count++] = n->text;
	if (legacy_projection(r->arena, list, count, &p, &r->e) < 0)
		outcome_error(r, "error");
	else
		outcome_projection(r, p);
}

/* --- any case ------------------------------------------------------------- */

static bool
outcome_legacy(struct outcome_run *r)
{
	const char *kind = r->c->kind, *text = r->c->text;
	bool any = strncmp(text, "OR ", 3) == 0;

	if (strcmp(kind, "updates") == 0)
		outcome_updates(r);
	else if (strcmp(kind, "toget") == 0)
		outcome_to_get(r);
	else if (strcmp(kind, "keyconditions") == 0)
		outcome_conditions(r, text, false);
	else if (strcmp(kind, "expected") == 0 ||
	    strcmp(kind, "queryfilter") == 0)
		outcome_conditions(r, strchr(text, '{'), any);
	else
		return false;
	return true;
}

static void
outcome_expression(struct outcome_run *r)
{
	const char *kind = r->c->kind, *text = r->c->text;
	const struct script_world *w = r->w;
	const struct expr_projection *p = NULL;
	const struct expr_update *u = NULL;
	const struct expr *x = NULL;
	struct expr_scope s;
	size_t n = strlen(text);
	int rc;

	rc = expr_scope_init(&s, r->arena, w->has_names ? &w->names : NULL,
	    w->has_values ? &w->values : NULL, &r->e);
	if (rc < 0)
		;
	else if (strcmp(kind, "condition") == 0)
		rc = expr_parse_condition(&s, text, n, &x, &r->e);
	else if (strcmp(kind, "filter") == 0)
		rc = expr_parse_filter(&s, text, n, &x, &r->e);
	else if (strcmp(kind, "key") == 0)
		rc = expr_parse_key(&s, text, n, &x, &r->e) < 0 ? -1 :
		    expr_check_key(x, &r->e);
	else if (strcmp(kind, "update") == 0)
		rc = expr_parse_update(&s, text, n, &u, &r->e);
	else if (strcmp(kind, "projection") == 0)
		rc = expr_parse_projection(&s, text, n, &p, &r->e);
	else
		fail_msg("%s:%d: %s?", r->c->file, r->c->line, kind);
	if (rc == 0 && r->c->own)
		rc = expr_scope_finish(&s, &r->e);
	if (rc < 0)
		outcome_error(r, "error");
	else if (u)
		outcome_update(r, u);
	else if (p)
		outcome_projection(r, p);
	else if (strcmp(kind, "key") == 0)
		outcome_key(r, x);
	else
		outcome_condition(r, x);
}

/* Runs a case with `arena` for all that expr/ makes. */
static void
outcome_make(const struct script_case *c, struct script_world *w,
    struct arena *arena, struct outcome *out)
{
	struct outcome_run r = {.c = c, .w = w, .arena = arena, .out = out};

	*out = (struct outcome){0};
	if (!outcome_legacy(&r))
		outcome_expression(&r);
}

#endif
