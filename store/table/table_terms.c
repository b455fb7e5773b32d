/*
 * The terms of a table: copied, and as JSON.  Every member may be absent.
 *
 *   {"provisioned":true,"onDemand":1700000000000,
 *    "units":{"reads":5,"writes":5},
 *    "increased":1700000000000,"decreased":1700000000000,"decreases":1,
 *    "most":{"reads":100},"warm":{"writes":4000},
 *    "class":"STANDARD","classSince":1700000000000,
 *    "pitr":1700000000000,"pitrDays":35,
 *    "tags":[["key","value"],...]}
 */
#include "table_internal.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const classes[] = {
	[TABLE_CLASS_UNTOLD] = "", [TABLE_CLASS_STANDARD] = "STANDARD",
	[TABLE_CLASS_INFREQUENT] = "STANDARD_INFREQUENT_ACCESS", NULL
};

int
table_terms_copy(struct table_terms *to, const struct table_terms *from)
{
	struct table_tag *tags = NULL;

	if (from->ntags) {
		tags = calloc(from->ntags, sizeof *tags);
		if (!tags)
			return -1;
		memcpy(tags, from->tags, from->ntags * sizeof *tags);
	}
	free(to->tags);
	*to = *from;
	to->tags = tags;
	return 0;
}

const struct table_tag *
table_tag_named(const struct table *t, const char *key, size_t n)
{
	const struct table_tag *tag = t->terms.tags;
	size_t i;

	for (i = 0; i < t->terms.ntags; i++, tag++)
		if (strlen(tag->key) == n && memcmp(tag->key, key, n) == 0)
			return tag;
	return NULL;
}

/* --- reading --------------------------------------------------------------- */

static int
read_number(struct table_reader *r, const struct json_node *n, void *out)
{
	return table_read_count(r, n, INT64_MAX, out);
}

int
table_read_units(struct table_reader *r, const struct json_node *n, void *out)
{
	static const struct table_field fields[] = {
		{"reads", read_number, offsetof(struct table_units, reads)},
		{"writes", read_number, offsetof(struct table_units, writes)},
		{NULL, NULL, 0}
	};

	return table_read_fields(r, n, fields, out);
}

static int
read_class(struct table_reader *r, const struct json_node *n, void *out)
{
	int word = table_read_word(r, n, classes);

	if (word >= 0)
		*(enum table_class *)out = (enum table_class)word;
	return word < 0 ? -1 : 0;
}

static int
read_tag(struct table_reader *r, const struct json_node *n,
    struct table_tag *out)
{
	if (n->type != JSON_LIST || n->count != 2)
		return table_wrong(r, n, "a key and a value");
	if (table_read_text(r, n->first, out->key, 1, TABLE_TAG_KEY_MAX) < 0)
		return -1;
	return table_read_text(r, n->first->next, out->value, 0,
	    TABLE_TAG_VALUE_MAX);
}

static int
read_tags(struct table_reader *r, const struct json_node *n, void *out)
{
	struct table_terms *t = out;
	const struct json_node *tag;

	if (n->type != JSON_LIST || n->count > TABLE_TAGS_MAX || t->tags)
		return table_wrong(r, n, "a list of at most fifty tags");
	if (n->count == 0)
		return 0;
	t->tags = calloc(n->count, sizeof *t->tags);
	if (!t->tags)
		return table_no_memory(r);
	for (tag = n->first; tag; tag = tag->next)
		if (read_tag(r, tag, &t->tags[t->ntags++]) < 0)
			return -1;
	return 0;
}

int
table_read_terms(struct table_reader *r, const struct json_node *n, void *out)
{
#define AT(member) offsetof(struct table_terms, member)
	static const struct table_field fields[] = {
		{"provisioned", table_read_bool, AT(provisioned)},
		{"onDemand", table_read_ms, AT(on_demand_ms)},
		{"units", table_read_units, AT(units)},
		{"increased", table_read_ms, AT(increased_ms)},
		{"decreased", table_read_ms, AT(decreased_ms)},
		{"decreases", read_number, AT(decreases)},
		{"most", table_read_units, AT(most)},
		{"warm", table_read_units, AT(warm)},
		{"class", read_class, AT(class)},
		{"classSince", table_read_ms, AT(class_ms)},
		{"pitr", table_read_ms, AT(pitr_ms)},
		{"pitrDays", read_number, AT(pitr_days)},
		{"tags", read_tags, 0},
		{NULL, NULL, 0}
	};
#undef AT

	return table_read_fields(r, n, fields, out);
}

/* --- writing --------------------------------------------------------------- */

static void
write_number(struct buf *out, const char *name, uint64_t n)
{
	if (n)
		buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)n);
}

/* What begins with a comma, from `at` on, becomes an object's members. */
static void
open_object(struct buf *out, size_t at)
{
	if (buf_ok(out))
		out->data[at] = '{';
}

void
table_write_units(struct buf *out, const char *name,
    const struct table_units *u)
{
	size_t at;

	if (!u->reads && !u->writes)
		return;
	buf_printf(out, ",\"%s\":", name);
	at = out->len;
	write_number(out, "reads", u->reads);
	write_number(out, "writes", u->writes);
	open_object(out, at);
	buf_putc(out, '}');
}

static void
write_tags(struct buf *out, const struct table_terms *t)
{
	size_t i;

	if (t->ntags == 0)
		return;
	buf_puts(out, ",\"tags\":[");
	for (i = 0; i < t->ntags; i++) {
		buf_puts(out, i ? ",[" : "[");
		buf_json(out, t->tags[i].key, strlen(t->tags[i].key));
		buf_putc(out, ',');
		buf_json(out, t->tags[i].value, strlen(t->tags[i].value));
		buf_putc(out, ']');
	}
	buf_putc(out, ']');
}

void
table_write_terms(struct buf *out, const struct table_terms *t)
{
	size_t begin = out->len, at;

	buf_puts(out, ",\"terms\":");
	at = out->len;
	if (t->provisioned)
		buf_puts(out, ",\"provisioned\":true");
	write_number(out, "onDemand", (uint64_t)t->on_demand_ms);
	table_write_units(out, "units", &t->units);
	write_number(out, "increased", (uint64_t)t->increased_ms);
	write_number(out, "decreased", (uint64_t)t->decreased_ms);
	write_number(out, "decreases", t->decreases);
	table_write_units(out, "most", &t->most);
	table_write_units(out, "warm", &t->warm);
	if (t->class != TABLE_CLASS_UNTOLD)
		buf_printf(out, ",\"class\":\"%s\"", classes[t->class]);
	write_number(out, "classSince", (uint64_t)t->class_ms);
	write_number(out, "pitr", (uint64_t)t->pitr_ms);
	write_number(out, "pitrDays", t->pitr_days);
	write_tags(out, t);
	if (!buf_ok(out))
		return;
	if (out->len == at) {
		out->len = begin;
		return;
	}
	open_object(out, at);
	buf_putc(out, '}');
}
