/*
 * ExpressionAttributeNames and ExpressionAttributeValues: checked once, looked
 * up while expressions are parsed, and asked at last whether all were used.
 * Runs in the daemon wherever a request is decoded.
 */
#include "scope.h"

#include "store/base/buf.h"
#include "store/value/fault.h"

#include <errno.h>
#include <string.h>

#define NAMES "ExpressionAttributeNames"
#define VALUES "ExpressionAttributeValues"

int
scope_no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "this request needs too much memory");
}

/* --- the two maps, as they came ------------------------------------------- */

static bool
is_placeholder(const struct text *key, char mark)
{
	size_t i;
	char c;

	if (key->n < 2 || *key->p != mark)
		return false;
	for (i = 1; i < key->n; i++) {
		c = key->p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

/* The keys of either map; *total grows by their bytes. */
static int
check_keys(const struct value *map, const char *what, char mark, size_t *total,
    struct err *e)
{
	const struct text *key;
	size_t i;

	if (map->count == 0)
		return err_set(e, FAULT_VALIDATION, "%s must not be empty",
		    what);
	for (i = 0; i < map->count; i++) {
		key = &map->members[i].name;
		if (key->n > EXPR_PLACEHOLDER_MAX)
			return err_set(e, FAULT_VALIDATION, "%s contains "
			    "invalid key: The expression attribute map "
			    "contains a key that is too long; size of key: "
			    "%zu", what, key->n);
		if (!is_placeholder(key, mark))
			return err_set(e, FAULT_VALIDATION, "%s contains "
			    "invalid key: Syntax error; key: \"%.*s\"", what,
			    (int)key->n, key->p);
		*total += key->n;
	}
	return 0;
}

static int
check_names(const struct value *names, size_t *total, struct err *e)
{
	const struct member *m;
	size_t i;

	if (check_keys(names, NAMES, '#', total, e) < 0)
		return -1;
	for (i = 0; i < names->count; i++) {
		m = &names->members[i];
		if (m->value.text.n == 0)
			return err_set(e, FAULT_VALIDATION, NAMES " contains "
			    "invalid value: Empty attribute name for key %.*s",
			    (int)m->name.n, m->name.p);
		if (m->value.text.n > EXPR_NAME_MAX)
			return err_set(e, FAULT_VALIDATION, NAMES " contains "
			    "invalid value: Attribute name is too large, must "
			    "be less than 65536 bytes for key %.*s",
			    (int)m->name.n, m->name.p);
		*total += m->value.text.n;
	}
	return 0;
}

static int
check_values(const struct value *values, size_t *total, struct err *e)
{
	size_t i;

	if (check_keys(values, VALUES, ':', total, e) < 0)
		return -1;
	for (i = 0; i < values->count && *total <= EXPR_MAPS_MAX; i++)
		*total += value_size(&values->members[i].value);
	return 0;
}

int
expr_check_placeholders(const struct value *values, struct err *e)
{
	size_t total = 0;

	return check_keys(values, VALUES, ':', &total, e);
}

int
expr_scope_init(struct expr_scope *s, struct arena *a,
    const struct value *names, const struct value *values, struct err *e)
{
	size_t total = 0;

	*s = (struct expr_scope){.arena = a, .names = names, .values = values};
	if (names && check_names(names, &total, e) < 0)
		return -1;
	if (values && check_values(values, &total, e) < 0)
		return -1;
	if (total > EXPR_MAPS_MAX)
		return err_set(e, FAULT_VALIDATION, VALUES " exceeds max size");
	if (names) {
		s->name_used = arena_array(a, names->count, sizeof(bool));
		if (!s->name_used)
			return scope_no_memory(e);
	}
	if (values) {
		s->value_used = arena_array(a, values->count, sizeof(bool));
		if (!s->value_used)
			return scope_no_memory(e);
	}
	return 0;
}

/* --- look-ups ------------------------------------------------------------- */

/* The member of that name, marked; or NULL. */
static const struct member *
find(const struct value *map, bool *used, const char *p, size_t n)
{
	struct text key = {p, n};
	size_t low = 0, high = map ? map->count : 0, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = text_compare(&key, &map->members[middle].name);
		if (order == 0) {
			used[middle] = true;
			return &map->members[middle];
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct text *
scope_name(struct expr_scope *s, const char *p, size_t n)
{
	const struct member *m = find(s->names, s->name_used, p, n);

	return m ? &m->value.text : NULL;
}

const struct value *
scope_value(struct expr_scope *s, const char *p, size_t n)
{
	const struct member *m = find(s->values, s->value_used, p, n);

	return m ? &m->value : NULL;
}

/* --- at last -------------------------------------------------------------- */

static int
check_used(const struct value *map, const bool *used, const char *what,
    struct err *e)
{
	struct buf keys;
	const struct text *key;
	size_t i;

	buf_init(&keys, sizeof e->text);
	for (i = 0; map && i < map->count; i++) {
		if (used[i])
			continue;
		key = &map->members[i].name;
		buf_printf(&keys, "%s%.*s", keys.len ? ", " : "", (int)key->n,
		    key->p);
	}
	if (keys.len == 0)
		return 0;
	err_set(e, FAULT_VALIDATION, "Value provided in %s unused in "
	    "expressions: keys: {%s%s}", what, buf_str(&keys),
	    buf_ok(&keys) ? "" : ", ...");
	buf_release(&keys);
	return -1;
}

int
expr_scope_finish(const struct expr_scope *s, struct err *e)
{
	if (check_used(s->names, s->name_used, NAMES, e) < 0)
		return -1;
	return check_used(s->values, s->value_used, VALUES, e);
}
