/*
 * Comma-separated values, for csv.h.
 */
#include "csv.h"


#include <string.h>

/* --- fields ------------------------------------------------------------------ */

/* One field from *at on; what comes behind it is a separator or the end. */
static int
read_field(struct arena *a, const char *p, size_t n, size_t *at,
    char separator, struct text *out, struct err *e)
{
	char *to = arena_alloc(a, n - *at + 1);
	bool quoted = *at < n && p[*at] == '"';
	size_t i = *at + quoted, k = 0;

	if (!to)
		return op_no_memory(e);
	for (; i < n; i++) {
		if (quoted && p[i] == '"') {
			if (i + 1 >= n || p[i + 1] != '"')
				break;
			i++;
		} else if (!quoted && p[i] == separator)
			break;
		to[k++] = p[i];
	}
	if (quoted && (i >= n || p[i] != '"' ||
	                  (i + 1 < n && p[i + 1] != separator)))
		return err_set(e, FAULT_VALIDATION, "a quote that isn't "
		    "closed, or has something behind it");
	*at = i + quoted;
	*out = (struct text){to, k};
	return 0;
}

int
csv_read(struct arena *a, const char *p, size_t n, char separator,
    struct csv_names *out, struct err *e)
{
	size_t room = 1, at = 0, i;

	if (n && p[n - 1] == '\r')
		n--;
	for (i = 0; i < n; i++)
		room += p[i] == separator;
	if (room > CSV_COLUMNS_MAX)
		return err_set(e, FAULT_VALIDATION, "a line of more than %d "
		    "columns", CSV_COLUMNS_MAX);
	*out = (struct csv_names){arena_array(a, room, sizeof *out->names), 0};
	if (!out->names)
		return op_no_memory(e);
	for (;;) {
		if (read_field(a, p, n, &at, separator,
		        &out->names[out->count++], e) < 0)
			return -1;
		if (at >= n)
			return 0;
		at++;
	}
}

/* --- items ------------------------------------------------------------------- */

static enum value_type
type_in(const struct key_schema *k, const struct text *name)
{
	size_t i;

	for (i = 0; i < k->nhash + k->nrange; i++) {
		const struct key_part *p =
		    i < k->nhash ? &k->hash[i] : &k->range[i - k->nhash];

		if (strlen(p->name) == name->n &&
		    memcmp(p->name, name->p, name->n) == 0)
			return p->type;
	}
	return VALUE_TYPES;
}

static enum value_type
type_of(const struct table *t, const struct text *name)
{
	enum value_type type = type_in(&t->key, name);
	size_t i;

	for (i = 0; type == VALUE_TYPES && i < t->nindexes; i++)
		type = type_in(&t->indexes[i].key, name);
	return type == VALUE_TYPES ? VALUE_S : type;
}

/* As typed JSON, which is read as all items are. */
static int
write_value(struct buf *b, enum value_type type, const struct text *field)
{
	buf_printf(b, ":{\"%s\":", value_type_name(type));
	buf_json(b, field->p, field->n);
	return buf_putc(b, '}');
}

int
csv_item(struct arena *a, const struct table *t,
    const struct csv_names *names, const char *p, size_t n, char separator,
    struct value *out, struct err *e)
{
	struct csv_names fields;
	struct buf b;
	char *copy;
	size_t i;
	int rc;

	if (csv_read(a, p, n, separator, &fields, e) < 0)
		return -1;
	if (fields.count > names->count)
		return err_set(e, FAULT_VALIDATION, "%zu columns, but names "
		    "for %zu", fields.count, names->count);
	buf_init(&b, VALUE_ITEM_MAX * 8);
	buf_putc(&b, '{');
	for (i = 0; i < fields.count; i++) {
		buf_puts(&b, i ? "," : "");
		buf_json(&b, names->names[i].p, names->names[i].n);
		write_value(&b, type_of(t, &names->names[i]),
		    &fields.names[i]);
	}
	buf_putc(&b, '}');
	copy = buf_ok(&b) ? arena_copy(a, b.data, b.len) : NULL;
	rc = copy ? typed_read_item(a, copy, b.len, out, e) : op_no_memory(e);
	buf_release(&b);
	return rc;
}
