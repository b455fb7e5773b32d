/*
 * Grants of functions, for grants.h.  Runs where a configuration is loaded;
 * decides nothing: the store does, by what is written here.
 */
#include "grants.h"

#include "suggest.h"

#include "store/wire/operation.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { STATEMENTS_MAX = 64, TEXTS_MAX = 256 };	/* store/wire/token.h */

struct maker {
	struct checker *c;
	struct buf json;
	size_t statements;
	bool quiet;		/* it was said for another function already */
};

static void fail(struct maker *m, const struct node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fail(struct maker *m, const struct node *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (m->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	check_fail(m->c, at, "%s", text);
}

static struct node *
member(struct maker *m, const struct node *map, const char *name)
{
	struct node *n = map && map->type == NODE_MAP ? node_get(map, name) :
	    NULL;

	return n ? vars_resolve(m->c->vars, n) : NULL;
}

/* --- what the texts must be ----------------------------------------------- */

bool
grants_action(const char *action, const char **near)
{
	static const char *const others[] = {	/* of transactions, PartiQL */
		"dynamodb:ConditionCheckItem", "dynamodb:PartiQLSelect",
		"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate",
		"dynamodb:PartiQLDelete",
	};
	const char *colon = strchr(action, ':');
	struct suggest words = {.word = colon ? colon + 1 : action};
	const struct operation_info *op;
	int i;

	*near = NULL;
	for (i = 0; i < (int)(sizeof others / sizeof *others); i++)
		if (fnmatch(action, others[i], FNM_CASEFOLD) == 0)
			return true;
	for (i = 0; i < OP_END; i++) {
		op = operation_info(i);
		if (!op || (i >= OP_EXECUTE_STATEMENT &&
		    i <= OP_EXECUTE_TRANSACTION))
			continue;
		if (fnmatch(action, op->action, FNM_CASEFOLD) == 0)
			return true;
		suggest_offer(&words, op->name);
		if (words.best == op->name)
			*near = op->action;
	}
	return false;
}

/* An action that stands for no operation is a slip of the pen. */
static void
check_action(struct maker *m, const struct node *at, const char *action)
{
	const char *near;

	if (grants_action(action, &near))
		return;
	if (near)
		fail(m, at, "there is no action '%.64s'; did you mean '%s'?",
		    action, near);
	else
		fail(m, at, "there is no action '%.64s'; actions are "
		    "dynamodb:GetItem, dynamodb:* and their like", action);
}

/* The store takes * and ? in a key for others. */
static void
check_equal(struct maker *m, const struct node *at, const char *key)
{
	if (strpbrk(key, "*?"))
		fail(m, at, "'%.64s' has * or ? in it: write "
		    "ForAllValues:StringLike", key);
}

/* --- statements ----------------------------------------------------------- */

typedef void check_fn(struct maker *m, const struct node *at, const char *s);

/* ,"name":[...] of a text or a list of them. */
static void
write_texts(struct maker *m, const char *name, const struct node *n,
    check_fn *check)
{
	const struct node *one;
	size_t i, count = n->type == NODE_LIST ? n->count : 1;

	if (count > TEXTS_MAX)
		fail(m, n, "these are %zu; %d are the most", count,
		    TEXTS_MAX);
	if (count == 0)
		fail(m, n, "an empty list is about nothing");
	buf_printf(&m->json, ",\"%s\":[", name);
	for (i = 0; i < count; i++) {
		one = n->type == NODE_LIST ? vars_resolve(m->c->vars,
		    n->items[i]) : n;
		if (!one || one->type != NODE_SCALAR)
			continue;
		if (check)
			check(m, one, one->text);
		if (i)
			buf_putc(&m->json, ',');
		buf_json(&m->json, one->text, strlen(one->text));
	}
	buf_putc(&m->json, ']');
}

static void
write_condition(struct maker *m, const struct node *condition)
{
	static const char keys[] = "dynamodb:LeadingKeys";
	const struct node *equal = member(m, member(m, condition,
	    "ForAllValues:StringEquals"), keys);
	const struct node *like = member(m, member(m, condition,
	    "ForAllValues:StringLike"), keys);

	if (!equal && !like) {
		fail(m, condition, "a condition says what the "
		    "partition keys are: {'ForAllValues:StringLike': "
		    "{'dynamodb:LeadingKeys': ...}}");
		return;
	}
	if (equal && like)
		fail(m, condition, "one kind of condition at a "
		    "time: both would have to hold");
	if (equal)
		write_texts(m, "k", equal, check_equal);
	else
		write_texts(m, "k", like, NULL);
}

static void
write_statement(struct maker *m, const struct node *n)
{
	const struct node *effect = member(m, n, "Effect");
	const struct node *action = member(m, n, "Action");
	const struct node *resource = member(m, n, "Resource");
	const struct node *condition = member(m, n, "Condition");

	if (!effect || effect->type != NODE_SCALAR || !action || !resource)
		return;
	buf_puts(&m->json, m->statements++ ? ",{\"e\":" : "{\"e\":");
	buf_json(&m->json, effect->text, strlen(effect->text));
	write_texts(m, "a", action, check_action);
	write_texts(m, "t", resource, NULL);
	if (condition)
		write_condition(m, condition);
	buf_putc(&m->json, '}');
}

static void
write_statements(struct maker *m, struct node *list)
{
	const struct node *n;
	size_t i;

	list = list ? vars_resolve(m->c->vars, list) : NULL;
	for (i = 0; list && list->type == NODE_LIST && i < list->count; i++) {
		n = vars_resolve(m->c->vars, list->items[i]);
		if (n && n->type == NODE_MAP)
			write_statement(m, n);
	}
}

void
grants_make(struct checker *c, struct conf_function *f, struct node *all,
    struct node *own)
{
	struct maker m = {.c = c, .quiet = f != c->conf->functions};

	buf_init(&m.json, CONF_MAX_GRANTS);
	buf_putc(&m.json, '[');
	write_statements(&m, all);
	m.quiet = false;
	write_statements(&m, own);
	buf_putc(&m.json, ']');
	if (!buf_ok(&m.json) || m.statements > STATEMENTS_MAX)
		fail(&m, own ? own : all, "the statements for '%.64s' are too "
		    "many: %d and %d bytes are the most", f->name,
		    STATEMENTS_MAX, CONF_MAX_GRANTS);
	else if (m.statements)
		f->grants = zone_strndup(c->zone, buf_str(&m.json),
		    m.json.len);
	buf_release(&m.json);
}
