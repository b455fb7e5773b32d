/*
 * Grants of keys as text, for keytext.h.
 */
#include "keytext.h"

#include "fcgi/conf/stages.h"

#include "fcgi/aws/bearer.h"
#include "fcgi/conf/grants.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DAYS_MAX = 365 };

/* --- options to statements ------------------------------------------------ */

static int
check_actions(const struct opt_list *actions, struct err *e)
{
	const char *near;
	size_t i;

	for (i = 0; i < actions->count; i++)
		if (!grants_action(actions->items[i], &near))
			return err_set(e, EINVAL, "there is no action '%.64s'; "
			    "%s'%s'%s", actions->items[i],
			    near ? "did you mean " : "actions are ",
			    near ? near : "dynamodb:GetItem",
			    near ? "?" : ", 'dynamodb:*' and their like");
	return 0;
}

static int
check_tables(const struct opt_list *tables, struct err *e)
{
	const char *s;
	size_t i, n;

	for (i = 0; i < tables->count; i++) {
		s = tables->items[i];
		n = strlen(s);
		if (n == 0 || n > 255 || strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789_-.*?") != n)
			return err_set(e, EINVAL, "'%.64s' is no name of a "
			    "table; it may have * and ? in it", s);
	}
	return 0;
}

static void
add_string(struct buf *out, const char *before, const char *s,
    const char *after)
{
	buf_puts(out, before);
	buf_puts(out, s);
	buf_puts(out, after);
}

static void
add_statement(struct buf *out, const char *effect,
    const struct opt_list *actions, const struct opt_list *tables)
{
	size_t i;

	add_string(out, "{\"e\":\"", effect, "\",\"a\":[");
	for (i = 0; i < actions->count; i++) {
		if (i)
			buf_putc(out, ',');
		buf_json(out, actions->items[i], strlen(actions->items[i]));
	}
	buf_puts(out, "],\"t\":[");
	for (i = 0; i < tables->count; i++) {
		add_string(out, i ? ",\"table/" : "\"table/",
		    tables->items[i], "\"");
		add_string(out, ",\"table/", tables->items[i], "/index/*\"");
		add_string(out, ",\"table/", tables->items[i],
		    "/stream/*\"");
	}
	buf_puts(out, tables->count ? "]}" : "\"*\"]}");
}

static bool
is_deploy(const char *action)
{
	return strcmp(action, BEARER_DEPLOY) == 0 ||
	    strncmp(action, BEARER_BRANCH, sizeof BEARER_BRANCH - 1) == 0;
}

/* Takes deploy, which is about no table, and deploy:BRANCH out of the list. */
static int
take_deploy(struct opt_list *actions, struct opt_list *taken, struct err *e)
{
	size_t i, n = 0;
	const char *action, *why;

	for (i = 0; i < actions->count; i++) {
		action = actions->items[i];
		if (!is_deploy(action)) {
			actions->items[n++] = action;
			continue;
		}
		taken->items[taken->count++] = action;
		if (strcmp(action, BEARER_DEPLOY) == 0)
			continue;
		action += sizeof BEARER_BRANCH - 1;
		why = stages_pattern_wrong(action);
		if (why)
			return err_set(e, EINVAL, "deploy:%.100s: what is "
			    "deployed %s", action, why);
	}
	actions->count = n;
	return 0;
}

int
keytext_grants(const struct keytext_options *o, struct buf *out,
    struct err *e)
{
	static const struct opt_list ALL = {{"dynamodb:*"}, 1};
	static const struct opt_list EVERYWHERE = {.count = 0};
	struct opt_list allow = o->allow.count ? o->allow : ALL;
	struct opt_list deploy = {.count = 0};

	if (take_deploy(&allow, &deploy, e) < 0 ||
	    check_actions(&allow, e) < 0 || check_actions(&o->deny, e) < 0 ||
	    check_tables(&o->tables, e) < 0)
		return -1;
	if (!allow.count && (o->deny.count || o->tables.count))
		return err_set(e, EINVAL, "deploy is about no table; allow "
		    "something of dynamodb besides, or leave --table and "
		    "--deny out");
	buf_putc(out, '[');
	if (deploy.count)
		add_statement(out, "Allow", &deploy, &EVERYWHERE);
	if (deploy.count && allow.count)
		buf_putc(out, ',');
	if (allow.count)
		add_statement(out, "Allow", &allow, &o->tables);
	if (o->deny.count) {
		buf_putc(out, ',');
		add_statement(out, "Deny", &o->deny, &o->tables);
	}
	buf_putc(out, ']');
	return buf_ok(out) ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* --- statements to words -------------------------------------------------- */

static void
show_actions(const json_t *actions, struct buf *out)
{
	const json_t *a;
	size_t i;

	json_array_foreach(actions, i, a) {
		add_string(out, i ? ", " : "", json_string_value(a), "");
	}
}

/* Tables alone: their indexes and streams come with them. */
static void
show_tables(const json_t *resources, struct buf *out)
{
	static const char TABLE[] = "table/";
	const char *between = " on ", *s;
	const json_t *r;
	size_t i;

	json_array_foreach(resources, i, r) {
		s = json_string_value(r);
		if (strncmp(s, TABLE, sizeof TABLE - 1) != 0) {
			buf_puts(out, " on every table");
			return;
		}
		s += sizeof TABLE - 1;
		if (strchr(s, '/'))
			continue;
		add_string(out, between, s, "");
		between = ", ";
	}
}

static bool
are_deploy(const json_t *actions)
{
	const char *first = json_string_value(json_array_get(actions, 0));

	return first && is_deploy(first);
}

void
keytext_show(const struct text *grants, struct buf *out)
{
	json_t *all = json_loadb(grants->p, grants->n, 0, NULL);
	const json_t *s;
	size_t i;

	json_array_foreach(all, i, s) {
		if (i)
			buf_puts(out, "; ");
		if (strcmp(json_string_value(json_object_get(s, "e")),
		    "Deny") == 0)
			buf_puts(out, "never ");
		show_actions(json_object_get(s, "a"), out);
		if (!are_deploy(json_object_get(s, "a")))
			show_tables(json_object_get(s, "t"), out);
	}
	json_decref(all);
}

/* --- times ---------------------------------------------------------------- */

int
keytext_seconds(const char *text, int64_t *seconds, struct err *e)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	long n = strtol(text, &end, 10);
	size_t i;

	for (i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (!isdigit((unsigned char)*text) || n < 1 ||
		    end[0] != units[i].unit || end[1] != '\0' ||
		    n > DAYS_MAX * (int64_t)86400 / units[i].seconds)
			continue;
		*seconds = n * units[i].seconds;
		return 0;
	}
	return err_set(e, EINVAL, "'%.32s' is no time; write 15m, 12h or 7d, "
	    "%d days at most", text, DAYS_MAX);
}
