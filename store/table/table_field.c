/*
 * Reading members of a table's JSON into a struct, one by one, for
 * table_read.c and table_terms.c.
 */
#include "table_internal.h"

#include <errno.h>
#include <string.h>

enum { SHOWN_MAX = 80 };	/* bytes of what is wrong */

/* What is wrong, as printf has it: "%.*s". */
static int
shown(const struct text *t)
{
	return (int)(t->n < SHOWN_MAX ? t->n : SHOWN_MAX);
}

int
table_wrong(struct table_reader *r, const struct json_node *n,
    const char *wanted)
{
	return table_refuse(r->table, r->err, "%.*s is %.*s, not %s",
	    shown(&n->name), n->name.p, shown(&n->raw), n->raw.p, wanted);
}

int
table_no_memory(struct table_reader *r)
{
	return err_set(r->err, ENOMEM, "no memory for a table");
}

int
table_read_text(struct table_reader *r, const struct json_node *n, char *out,
    size_t least, size_t max)
{
	if (n->type != JSON_STRING)
		return table_wrong(r, n, "a string");
	if (n->text.n < least || n->text.n > max)
		return table_refuse(r->table, r->err,
		    "%.*s has %zu bytes, not %zu to %zu", shown(&n->name),
		    n->name.p, n->text.n, least, max);
	if (n->text.n && memchr(n->text.p, '\0', n->text.n))
		return table_wrong(r, n, "without NUL");
	if (n->text.n)
		memcpy(out, n->text.p, n->text.n);
	out[n->text.n] = '\0';
	return 0;
}

int
table_read_bool(struct table_reader *r, const struct json_node *n, void *out)
{
	if (n->type != JSON_TRUE && n->type != JSON_FALSE)
		return table_wrong(r, n, "true or false");
	*(bool *)out = n->type == JSON_TRUE;
	return 0;
}

int
table_read_count(struct table_reader *r, const struct json_node *n,
    uint64_t max, uint64_t *out)
{
	uint64_t v = 0, digit;
	size_t i;

	if (n->type != JSON_NUMBER)
		return table_wrong(r, n, "a number");
	for (i = 0; i < n->text.n; i++) {
		digit = (uint64_t)(n->text.p[i] - '0');
		if (digit > 9 || v > (max - digit) / 10)
			return table_wrong(r, n, "a whole number in range");
		v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

int
table_read_ms(struct table_reader *r, const struct json_node *n, void *out)
{
	uint64_t v = 0;

	if (table_read_count(r, n, INT64_MAX, &v) < 0)
		return -1;
	*(int64_t *)out = (int64_t)v;
	return 0;
}

int
table_read_word(struct table_reader *r, const struct json_node *n,
    const char *const *words)
{
	int i;

	for (i = 0; n->type == JSON_STRING && words[i]; i++)
		if (strlen(words[i]) == n->text.n &&
		    memcmp(words[i], n->text.p, n->text.n) == 0)
			return i;
	return table_wrong(r, n, "a word known here");
}

int
table_read_fields(struct table_reader *r, const struct json_node *n,
    const struct table_field *fields, void *base)
{
	const struct json_node *m;
	const struct table_field *f;

	if (n->type != JSON_OBJECT)
		return table_wrong(r, n, "an object");
	for (m = n->first; m; m = m->next) {
		for (f = fields; f->name; f++)
			if (strlen(f->name) == m->name.n &&
			    memcmp(f->name, m->name.p, m->name.n) == 0)
				break;
		if (!f->name)
			return table_refuse(r->table, r->err,
			    "%.*s is an unknown member", shown(&m->name),
			    m->name.p);
		if (f->read(r, m, (char *)base + f->at) < 0)
			return -1;
	}
	return 0;
}
