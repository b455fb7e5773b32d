/*
 * The tables of cases in tests/cases/expr, read and run.  A line is one of
 *
 *	# a comment
 *	let ITEM-OF-THE-SURROUNDINGS	stays until the next of its kind
 *	ITEM-OF-THE-SURROUNDINGS	for the next case alone
 *	KIND TEXT			a case
 *	 RESULT				of it, indented
 *
 * Surroundings: item JSON|none, primary JSON, values JSON|none, names
 * JSON|none, keys NAME:TYPE... [/ NAME:TYPE...], guard NAME... [/
 * NAME:TYPE:INDEX...].  With values or names of its own a case has none of
 * those that stay, and must use all.
 *
 * Kinds: condition, filter, update, projection, key; expected, queryfilter
 * (before their JSON AND or OR), updates, keyconditions, toget.
 *
 * Results: true, false, error TEXT (parsing), refused TEXT (later), for an
 * update the new item, then "old JSON", "new JSON" of what was touched; for a
 * projection its part; for a key its parts.
 */
#ifndef TESTS_EXPR_SCRIPT_H
#define TESTS_EXPR_SCRIPT_H

#include "store/expr/legacy.h"

#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/value/json.h"
#include "store/value/typed.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SCRIPT_LINES = 6 };

/* What surrounds a case: texts into the file, NULL for none. */
struct script_around {
	const char *item, *primary, *values, *names, *keys, *guard;
};

struct script_case {
	const char *file;
	int line;
	struct script_around around;
	bool own;			/* values or names of its own */
	char kind[16];
	const char *text;
	const char *results[SCRIPT_LINES];
	size_t nresults;
};

/* --- reading -------------------------------------------------------------- */

static const char **
script_slot(struct script_around *a, const char *word)
{
	if (strcmp(word, "item") == 0)
		return &a->item;
	if (strcmp(word, "primary") == 0)
		return &a->primary;
	if (strcmp(word, "values") == 0)
		return &a->values;
	if (strcmp(word, "names") == 0)
		return &a->names;
	if (strcmp(word, "keys") == 0)
		return &a->keys;
	return strcmp(word, "guard") == 0 ? &a->guard : NULL;
}

/* The rest of a line behind its first word, which is cut into `word`. */
static char *
script_word(char *line, char *word, size_t room)
{
	size_t n = strcspn(line, " ");

	assert_true(n < room);
	memcpy(word, line, n);
	word[n] = '\0';
	return line[n] ? line + n + 1 : line + n;
}

/* Runs `each` for every case of a file; the number of cases. */
static size_t
script_run(const char *file, void (*each)(const struct script_case *))
{
	struct script_around stays = {0}, next = {0};
	struct script_case c = {.file = file};
	bool open = false, own = false;
	struct buf text;
	struct err e;
	char *line, *end, *rest, word[32];
	const char **slot;
	size_t count = 0;
	int number = 0;

	buf_init(&text, 1 << 20);
	if (io_read_file(AT_FDCWD, file, &text, &e) < 0)
		fail_msg("%s", e.text);
	for (line = text.data; line && *line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		number++;
		if (*line == '#')
			continue;
		if (*line == ' ' || *line == '\t') {
			assert_true(open && c.nresults < SCRIPT_LINES);
			c.results[c.nresults++] = line + 1;
			continue;
		}
		if (open)
			each(&c);
		open = false;
		if (!*line)
			continue;
		rest = script_word(line, word, sizeof word);
		if (strcmp(word, "let") == 0) {
			rest = script_word(rest, word, sizeof word);
			slot = script_slot(&stays, word);
			if (!slot)
				fail_msg("%s:%d: let %s?", file, number, word);
			*slot = rest;
			*script_slot(&next, word) = rest;
			continue;
		}
		slot = script_slot(&next, word);
		if (slot) {
			if (!own && (word[0] == 'v' || word[0] == 'n')) {
				next.values = next.names = NULL;
				own = true;
			}
			*slot = rest;
			continue;
		}
		c = (struct script_case){.file = file, .line = number,
		    .around = next, .own = own, .text = rest};
		assert_true(strlen(word) < sizeof c.kind);
		snprintf(c.kind, sizeof c.kind, "%s", word);
		open = true;
		own = false;
		next = stays;
		count++;
	}
	if (open)
		each(&c);
	buf_release(&text);
	return count;
}

/* --- surroundings --------------------------------------------------------- */

/* All that a case needs; what it borrows from lies in `arena`. */
struct script_world {
	struct arena arena;
	struct value item, primary, values, names;
	bool has_item, has_values, has_names;
	struct expr_keys keys;
	struct expr_guard guard;
	bool has_keys, has_guard;
};

static bool
script_none(const char *s)
{
	return !s || strcmp(s, "none") == 0;
}

static struct value
script_item(struct arena *a, const char *json)
{
	struct value v;
	struct err e;

	if (typed_read_item(a, json, strlen(json), &v, &e) < 0)
		fail_msg("%s: %s", json, e.text);
	return v;
}

/* {"#n":"name"} as a map of S. */
static struct value
script_names(struct arena *a, const char *json)
{
	struct err e;
	const struct json_node *n, *tree = json_read(a, json, strlen(json), 1,
	    &e);
	struct value v = {.type = VALUE_M};
	struct text twice;

	if (!tree)
		fail_msg("%s: %s", json, e.text);
	v.members = arena_array(a, tree->count, sizeof *v.members);
	for (n = tree->first; n; n = n->next)
		v.members[v.count++] = (struct member){
			n->name, {.type = VALUE_S, .text = n->text}
		};
	assert_int_equal(value_sort_map(&v, &twice), 0);
	return v;
}

static char *
script_copy(struct arena *a, const char *s)
{
	char *copy = arena_copy(a, s, strlen(s));

	assert_non_null(copy);
	return copy;
}

static enum value_type
script_type(const char *s)
{
	enum value_type t = value_type_parse(s, strlen(s));

	assert_true(t < VALUE_TYPES);
	return t;
}

static void
script_keys(struct script_world *w, const char *text)
{
	char *at = script_copy(&w->arena, text), *word, *colon;
	struct expr_key_part *part;
	bool range = false;

	while ((word = strsep(&at, " "))) {
		if (strcmp(word, "/") == 0) {
			range = true;
			continue;
		}
		colon = strchr(word, ':');
		assert_non_null(colon);
		*colon = '\0';
		part = range ? &w->keys.range[w->keys.nrange++] :
		    &w->keys.hash[w->keys.nhash++];
		*part = (struct expr_key_part){word, script_type(colon + 1)};
	}
	w->has_keys = true;
}

static void
script_guard(struct script_world *w, const char *text)
{
	static const char *keys[8];
	static struct expr_indexed indexed[8];
	char *at = script_copy(&w->arena, text), *word, *type, *index;
	bool second = false;

	w->guard = (struct expr_guard){.keys = keys, .indexed = indexed};
	while ((word = strsep(&at, " "))) {
		if (strcmp(word, "/") == 0) {
			second = true;
			continue;
		}
		if (!second) {
			keys[w->guard.nkeys++] = word;
			continue;
		}
		type = strchr(word, ':');
		assert_non_null(type);
		*type++ = '\0';
		index = strchr(type, ':');
		assert_non_null(index);
		*index++ = '\0';
		indexed[w->guard.nindexed++] = (struct expr_indexed){
			word, script_type(type), index
		};
	}
	w->has_guard = true;
}

static void
script_open(struct script_world *w, const struct script_case *c)
{
	const struct script_around *s = &c->around;

	*w = (struct script_world){0};
	arena_init(&w->arena, 1 << 24);
	w->primary.type = VALUE_M;
	if ((w->has_item = !script_none(s->item)))
		w->item = script_item(&w->arena, s->item);
	if (!script_none(s->primary))
		w->primary = script_item(&w->arena, s->primary);
	if ((w->has_values = !script_none(s->values)))
		w->values = script_item(&w->arena, s->values);
	if ((w->has_names = !script_none(s->names)))
		w->names = script_names(&w->arena, s->names);
	if (!script_none(s->keys))
		script_keys(w, s->keys);
	if (!script_none(s->guard))
		script_guard(w, s->guard);
}

static void
script_close(struct script_world *w)
{
	arena_release(&w->arena);
}

#endif
