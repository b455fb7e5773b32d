/*
 * The table of keys as a JSON Schema.  Runs in the CLI (bothy check
 * --schema); knows nothing that the table does not say.
 */
#include "schema.h"

#include "keys.h"

#include <string.h>

static void write_value(struct buf *out, const struct key *k);

static void
write_string(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, ",\"");
	buf_puts(out, name);
	buf_puts(out, "\":");
	buf_json(out, value, strlen(value));
}

/* --- what a value may be -------------------------------------------------- */

static void
write_keys(struct buf *out, const struct key *table)
{
	const char *separator = "";
	const struct key *k;

	buf_puts(out, "{\"type\":\"object\",\"additionalProperties\":false,"
	    "\"properties\":{");
	for (k = table; k->name; k++) {
		if (k->refused)
			continue;
		buf_puts(out, separator);
		buf_json(out, k->name, strlen(k->name));
		buf_putc(out, ':');
		write_value(out, k);
		separator = ",";
	}
	buf_puts(out, "},\"required\":[");
	separator = "";
	for (k = table; k->name; k++) {
		if (!k->required)
			continue;
		buf_puts(out, separator);
		buf_json(out, k->name, strlen(k->name));
		separator = ",";
	}
	buf_puts(out, "]}");
}

static void
write_names(struct buf *out, const struct key *k)
{
	buf_printf(out, "{\"type\":\"object\",\"maxProperties\":%.10g",
	    k->max);
	if (k->pattern) {
		buf_puts(out, ",\"propertyNames\":{\"type\":\"string\"");
		write_string(out, "pattern", k->pattern);
		buf_putc(out, '}');
	}
	buf_puts(out, ",\"additionalProperties\":");
	write_value(out, k->item);
	buf_putc(out, '}');
}

static void
write_list(struct buf *out, const struct key *k)
{
	buf_printf(out, "{\"type\":\"array\",\"maxItems\":%.10g,\"items\":",
	    k->max);
	write_value(out, k->item);
	buf_putc(out, '}');
}

static void
write_words(struct buf *out, const struct key *k)
{
	int i;

	buf_puts(out, "{\"enum\":[");
	for (i = 0; k->words[i]; i++) {
		if (i)
			buf_putc(out, ',');
		buf_json(out, k->words[i], strlen(k->words[i]));
	}
	buf_puts(out, "]}");
}

static void
write_number(struct buf *out, const struct key *k)
{
	buf_printf(out, "{\"type\":\"%s\"",
	    k->scale == 1 ? "integer" : "number");
	if (k->unit)
		buf_printf(out, ",\"minimum\":%.10g,\"maximum\":%.10g",
		    k->min, k->max);
	buf_putc(out, '}');
}

/* A string that is no variable: those have an alternative of their own. */
static void
write_text(struct buf *out, const struct key *k)
{
	buf_printf(out, "{\"type\":\"string\",\"maxLength\":%.10g", k->max);
	if (k->pattern && !(k->shape & KEY_NAMES))
		write_string(out, "pattern", k->pattern);
	buf_putc(out, '}');
}

/* --- a key ---------------------------------------------------------------- */

static void
write_shape(struct buf *out, const struct key *k, unsigned shape)
{
	switch (shape) {
	case KEY_STRING:
		write_text(out, k);
		break;
	case KEY_NUMBER:
		write_number(out, k);
		break;
	case KEY_BOOL:
		buf_puts(out, "{\"type\":\"boolean\"}");
		break;
	case KEY_WORD:
		write_words(out, k);
		break;
	case KEY_MAP:
		write_keys(out, k->keys);
		break;
	case KEY_NAMES:
		write_names(out, k);
		break;
	case KEY_LIST:
		write_list(out, k);
		break;
	default:
		buf_puts(out, "true");
		break;
	}
}

/* {"anyOf":[shapes, a variable]}, with its description and default. */
static void
write_value(struct buf *out, const struct key *k)
{
	unsigned shape;

	buf_puts(out, "{\"anyOf\":[");
	for (shape = KEY_STRING; shape <= KEY_FREE; shape <<= 1) {
		if (!(k->shape & shape))
			continue;
		write_shape(out, k, shape);
		buf_putc(out, ',');
	}
	buf_puts(out, "{\"$ref\":\"#/$defs/variable\"}]");
	write_string(out, "description", k->text);
	if (k->fallback && (k->shape & (KEY_STRING | KEY_WORD)))
		write_string(out, "default", k->fallback);
	else if (k->fallback && (k->shape & (KEY_NUMBER | KEY_BOOL)))
		buf_printf(out, ",\"default\":%s", k->fallback);
	buf_putc(out, '}');
}

void
schema_write(struct buf *out)
{
	buf_puts(out, "{\"$schema\":"
	    "\"https://json-schema.org/draft/2020-12/schema\","
	    "\"title\":\"deploy.yaml of Bothy\","
	    "\"$defs\":{\"variable\":{\"type\":\"string\","
	    "\"pattern\":\"\\\\$\\\\{.+\\\\}\"}},\"allOf\":[");
	write_keys(out, keys_root.keys);
	buf_puts(out, "]}\n");
}
