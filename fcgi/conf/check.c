/*
 * The walk of check.h: a tree and the table of keys side by side.  Runs where
 * a configuration is loaded; opens nothing.
 */
#include "check.h"

#include "suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
check_fail(struct checker *c, const struct node *n, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return errlist_add(c->errors, n->file, n->line, n->col, "%s", text);
}

/* --- where we are --------------------------------------------------------- */

static size_t
enter(struct checker *c, const char *name)
{
	size_t before = c->path.len;

	buf_printf(&c->path, before ? ".%.64s" : "%.64s", name);
	return before;
}

static void
leave(struct checker *c, size_t before)
{
	c->path.len = before;
	c->path.failed = false;
	if (c->path.data)
		c->path.data[before] = '\0';
}

static const char *
here(const struct checker *c)
{
	return c->path.len ? buf_str(&c->path) : "the file";
}

/* --- single values -------------------------------------------------------- */

static void
put(const struct key *k, void *base, const void *value, size_t n)
{
	if (k->at)
		memcpy((char *)base + k->at - 1, value, n);
}

static void
put_number(const struct key *k, void *base, uint32_t value)
{
	put(k, base, &value, sizeof value);
}

/* Plain digits, with up to three behind a point where `scale` allows them. */
static int
parse_number(const char *s, uint32_t scale, double *out)
{
	size_t whole = strspn(s, "0123456789"), part = 0;

	if (s[whole] == '.' && scale > 1)
		part = strspn(s + whole + 1, "0123456789");
	if (whole == 0 || whole > 10 || part > 3 ||
	    s[whole + (part ? part + 1 : 0)] != '\0')
		return -1;
	*out = strtod(s, NULL);
	return 0;
}

static int
word_index(const struct key *k, const char *s)
{
	int i;

	for (i = 0; k->words[i]; i++)
		if (strcmp(k->words[i], s) == 0)
			return i;
	return -1;
}

/* Stores text that is known to be good. */
static void
store_text(const struct key *k, void *base, const char *s)
{
	double number = 0;

	if (k->shape & KEY_STRING)
		put(k, base, &s, sizeof s);
	else if (k->shape & KEY_WORD)
		put_number(k, base, (uint32_t)word_index(k, s));
	else if (k->shape & KEY_BOOL)
		put_number(k, base, strcmp(s, "true") == 0);
	else if (parse_number(s, k->scale, &number) == 0)
		put_number(k, base, (uint32_t)(number * k->scale + 0.5));
}

void
check_defaults(const struct key *table, void *base)
{
	const unsigned single = KEY_STRING | KEY_WORD | KEY_BOOL | KEY_NUMBER;
	const struct key *k;

	for (k = table; k->name; k++) {
		if (k->fallback && (k->shape & single))
			store_text(k, base, k->fallback);
		if ((k->shape & KEY_MAP) && !k->refused)
			check_defaults(k->keys, base);
	}
}

static int
check_word(struct checker *c, const struct node *n, const struct key *k)
{
	struct suggest near = {.word = n->text};
	char known[160] = "";
	size_t len = 0;
	int i;

	if (word_index(k, n->text) >= 0)
		return 0;
	for (i = 0; k->words[i]; i++) {
		suggest_offer(&near, k->words[i]);
		if (len < sizeof known)
			len += (size_t)snprintf(known + len,
			    sizeof known - len, "%s%s", i ? " or " : "",
			    k->words[i]);
	}
	if (near.best)
		return check_fail(c, n, "%s must be %s, not '%.64s'; did you "
		    "mean '%s'?", here(c), known, n->text, near.best);
	return check_fail(c, n, "%s must be %s, not '%.64s'", here(c), known,
	    n->text);
}

static int
check_number(struct checker *c, const struct node *n, const struct key *k)
{
	double number;

	if (parse_number(n->text, k->scale, &number) == 0 &&
	    number >= k->min && number <= k->max)
		return 0;
	return check_fail(c, n, "%s must be a %snumber of %s from %.10g to "
	    "%.10g, not '%.64s'", here(c), k->scale == 1 ? "whole " : "",
	    k->unit, k->min, k->max, n->text);
}

static int
check_string(struct checker *c, const struct node *n, const struct key *k)
{
	size_t len = strlen(n->text);
	const char *why = k->format ? k->format(n->text) : NULL;

	if ((double)len > k->max)
		return check_fail(c, n, "%s has %zu bytes; %.10g are the most",
		    here(c), len, k->max);
	if (why)
		return check_fail(c, n, "%s '%.64s' %s", here(c), n->text, why);
	return 0;
}

static int
check_bool(struct checker *c, const struct node *n)
{
	if (strcmp(n->text, "true") == 0 || strcmp(n->text, "false") == 0)
		return 0;
	return check_fail(c, n, "%s must be true or false, not '%.64s'",
	    here(c), n->text);
}

static void
check_scalar(struct checker *c, const struct node *n, const struct key *k,
    void *base)
{
	int rc;

	if (n->secret && !(k->shape & KEY_SECRET)) {
		check_fail(c, n, "%s can't hold a secret; only values in "
		    "environment can", here(c));
		return;
	}
	if (k->shape & KEY_STRING)
		rc = check_string(c, n, k);
	else if (k->shape & KEY_WORD)
		rc = check_word(c, n, k);
	else if (k->shape & KEY_BOOL)
		rc = check_bool(c, n);
	else
		rc = check_number(c, n, k);
	if (rc == 0)
		store_text(k, base, n->text);
}

/* --- maps ----------------------------------------------------------------- */

static void
unknown_key(struct checker *c, const struct node *name,
    const struct key *table)
{
	struct suggest near = {.word = name->text};
	char known[200] = "";
	const struct key *k;
	size_t len = 0;

	for (k = table; k->name; k++) {
		if (k->refused)
			continue;
		suggest_offer(&near, k->name);
		if (len < sizeof known)
			len += (size_t)snprintf(known + len,
			    sizeof known - len, "%s%s", len ? ", " : "",
			    k->name);
	}
	if (near.best)
		check_fail(c, name, "unknown key '%.64s' in %s; did you mean "
		    "'%s'?", name->text, here(c), near.best);
	else if (len < sizeof known)
		check_fail(c, name, "unknown key '%.64s' in %s; there are %s",
		    name->text, here(c), known);
	else
		check_fail(c, name, "unknown key '%.64s' in %s", name->text,
		    here(c));
}

static void
check_map(struct checker *c, struct node *n, const struct key *table,
    void *base)
{
	const struct key *k;
	size_t i, before;
	long at;

	for (i = 0; i < n->count; i++) {
		k = keys_find(table, n->keys[i]->text);
		if (!k)
			unknown_key(c, n->keys[i], table);
		else if (k->refused)
			check_fail(c, n->keys[i], "unsupported key '%s' in "
			    "%s: %s", k->name, here(c), k->refused);
	}
	for (k = table; k->name; k++) {
		if (k->refused)
			continue;
		at = node_index(n, k->name, strlen(k->name));
		if (at >= 0) {
			before = enter(c, k->name);
			check_value(c, n->items[at], k, base);
			leave(c, before);
		} else if (k->required) {
			check_fail(c, n, "%s needs the key '%s'", here(c),
			    k->name);
		}
	}
}

/* --- functions and their events ------------------------------------------- */

/* Keys that were written where they mean nothing. */
static void
check_where(struct checker *c, const struct node *n, const struct key *table,
    const struct conf_function *f)
{
	const struct key *k;
	long at;

	for (k = table; k->name; k++) {
		at = node_index(n, k->name, strlen(k->name));
		if (at < 0)
			continue;
		if (k->where == KEY_RUNTIME_C && f->runtime != SNAP_RUNTIME_C)
			check_fail(c, n->keys[at], "%s.%s has a meaning for "
			    "runtime: c only; remove it", here(c), k->name);
		if (k->where == KEY_STREAM &&
		    f->response != SNAP_RESPONSE_STREAM)
			check_fail(c, n->keys[at], "%s.%s has a meaning for "
			    "response: stream only; remove one or add the "
			    "other", here(c), k->name);
	}
}

static void
check_function(struct checker *c, const struct node *name, struct node *n,
    const struct key *k)
{
	struct conf *conf = c->conf;
	struct conf_function *f = &conf->functions[conf->nfunctions++];

	f->name = name->text;
	f->place = (struct conf_place){name->file, name->line, name->col};
	f->reserved_concurrency = SNAP_UNLIMITED;
	check_defaults(k->keys, f);
	f->runtime = c->site.runtime;
	f->timeout_ms = c->site.timeout_ms;
	f->memory_mb = c->site.memory_mb;
	check_value(c, n, k, f);
	n = vars_resolve(c->vars, n);
	if (n && n->type == NODE_MAP)
		check_where(c, n, k->keys, f);
}

static void
check_event(struct checker *c, struct node *n, const struct key *k)
{
	struct event_keys event = {0};
	uint32_t function = (uint32_t)c->conf->nfunctions - 1;
	size_t errors = c->errors->count + c->errors->dropped;

	check_value(c, n, k, &event);
	n = vars_resolve(c->vars, n);
	if (!n || c->errors->count + c->errors->dropped > errors)
		return;
	if (n->count != 1)
		check_fail(c, n, "%s must have exactly one key", here(c));
	else if (event.http_short)
		route_add_short(c, n->items[0], function, event.http_short);
	else if (event.path)
		route_add(c, n->items[0], function, event.method, event.path);
}

/* --- names and lists ------------------------------------------------------ */

static int
check_count(struct checker *c, const struct node *n, const struct key *k)
{
	if ((double)n->count <= k->max)
		return 0;
	return check_fail(c, n, "%s has %zu entries; %.10g are the most",
	    here(c), n->count, k->max);
}

/* Params of a stage that is not in use may need what isn't there. */
static bool
in_use(const struct checker *c, const char *stage)
{
	return strcmp(stage, c->vars->stage) == 0 ||
	    strcmp(stage, "default") == 0;
}

static void
check_names(struct checker *c, struct node *n, const struct key *k,
    void *base)
{
	const struct key *item = k->item;
	struct conf_pairs pairs = {0};
	size_t i, before;
	const char *why;

	if (check_count(c, n, k) < 0)
		return;
	if (item->scope == KEY_FUNCTION)
		c->conf->functions = zone_alloc(c->zone,
		    n->count * sizeof *c->conf->functions);
	else if (item->at)
		pairs.items = zone_alloc(c->zone,
		    n->count * sizeof *pairs.items);
	if (zone_failed(c->zone))
		return;
	for (i = 0; i < n->count; i++) {
		why = k->format(n->keys[i]->text);
		if (why)
			check_fail(c, n->keys[i], "the name '%.64s' in %s %s",
			    n->keys[i]->text, here(c), why);
		before = enter(c, n->keys[i]->text);
		if (item->scope == KEY_FUNCTION) {
			check_function(c, n->keys[i], n->items[i], item);
		} else if (pairs.items) {
			struct conf_pair *p = &pairs.items[pairs.count++];

			*p = (struct conf_pair){n->keys[i]->text, ""};
			check_value(c, n->items[i], item, p);
		} else if (item->scope != KEY_STAGE ||
		    in_use(c, n->keys[i]->text)) {
			check_value(c, n->items[i], item, base);
		}
		leave(c, before);
	}
	put(k, base, &pairs, sizeof pairs);
}

static void
check_list(struct checker *c, struct node *n, const struct key *k, void *base)
{
	const bool events = k->item->scope == KEY_EVENT;
	struct conf_list list = {0};
	char number[24];
	size_t i, before;

	if (check_count(c, n, k) < 0)
		return;
	if (!events)
		list.items = zone_alloc(c->zone,
		    n->count * sizeof *list.items);
	if (zone_failed(c->zone))
		return;
	for (i = 0; i < n->count; i++) {
		snprintf(number, sizeof number, "%zu", i);
		before = enter(c, number);
		if (events) {
			check_event(c, n->items[i], k->item);
		} else if (list.items) {
			list.items[list.count] = "";
			check_value(c, n->items[i], k->item,
			    &list.items[list.count++]);
		}
		leave(c, before);
	}
	put(k, base, &list, sizeof list);
}

/* --- any value ------------------------------------------------------------ */

/* What a key takes, for a value of the wrong kind. */
static const char *
shape_name(const struct key *k)
{
	if (k->shape & KEY_LIST)
		return "a list";
	if ((k->shape & KEY_MAP) && (k->shape & (KEY_STRING | KEY_BOOL)))
		return "a single value or a map";
	if (k->shape & (KEY_MAP | KEY_NAMES))
		return "a map";
	return "a single value";
}

void
check_value(struct checker *c, struct node *n, const struct key *k,
    void *base)
{
	const unsigned single = KEY_STRING | KEY_WORD | KEY_BOOL | KEY_NUMBER;

	if (c->errors->dropped)
		return;		/* enough is known to be wrong */
	if (k->shape & KEY_FREE) {
		vars_walk(c->vars, n);
		return;
	}
	n = vars_resolve(c->vars, n);
	if (!n)
		return;
	if (node_null(n)) {
		check_fail(c, n, "%s has no value; give it one or remove it",
		    here(c));
	} else if (n->type == NODE_SCALAR && (k->shape & single)) {
		check_scalar(c, n, k, base);
	} else if (n->type == NODE_MAP && (k->shape & KEY_MAP)) {
		if (k->shape & KEY_BOOL)
			put_number(k, base, 1);
		check_map(c, n, k->keys, base);
	} else if (n->type == NODE_MAP && (k->shape & KEY_NAMES)) {
		check_names(c, n, k, base);
	} else if (n->type == NODE_LIST && (k->shape & KEY_LIST)) {
		check_list(c, n, k, base);
	} else {
		check_fail(c, n, "%s must be %s, not %s", here(c),
		    shape_name(k), node_kind(n));
	}
}
