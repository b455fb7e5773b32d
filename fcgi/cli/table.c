/*
 * Lays rows out in columns (table.h).
 */
#include "table.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS_MAX = 16, CELL_MAX = 512 };

/* The text of a cell; true if it is a number. */
static bool
cell(const json_t *row, const char *key, char *out)
{
	const json_t *v = json_object_get(row, key);
	char *p;

	if (json_is_integer(v))
		snprintf(out, CELL_MAX, "%lld",
		    (long long)json_integer_value(v));
	else if (json_is_real(v))
		snprintf(out, CELL_MAX, "%.1f", json_real_value(v));
	else if (json_is_string(v))
		snprintf(out, CELL_MAX, "%s", json_string_value(v));
	else if (json_is_boolean(v))
		snprintf(out, CELL_MAX, "%s", json_is_true(v) ? "yes" : "no");
	else
		snprintf(out, CELL_MAX, "-");
	for (p = out; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return json_is_number(v);
}

/* Characters of UTF-8 text, not bytes. */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
put(const char *text, size_t columns, bool right, bool last)
{
	size_t n = width(text), pad = columns > n ? columns - n : 0;

	if (right)
		printf("%*s%s", (int)pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : (int)pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

void
table_print(const json_t *rows, const struct column *columns, bool json)
{
	size_t widths[COLUMNS_MAX] = {0}, n, i, j;
	bool numbers[COLUMNS_MAX] = {false}, words[COLUMNS_MAX] = {false};
	char text[CELL_MAX];
	const json_t *row;

	if (json) {
		table_json(rows);
		return;
	}
	for (n = 0; n < COLUMNS_MAX && columns[n].key; n++)
		widths[n] = width(columns[n].title);
	json_array_foreach(rows, i, row) {
		for (j = 0; j < n; j++) {
			if (cell(row, columns[j].key, text))
				numbers[j] = true;
			else if (strcmp(text, "-") != 0)
				words[j] = true;
			if (width(text) > widths[j])
				widths[j] = width(text);
		}
	}
	for (j = 0; j < n; j++)
		put(columns[j].title, widths[j], numbers[j] && !words[j],
		    j + 1 == n);
	json_array_foreach(rows, i, row) {
		for (j = 0; j < n; j++) {
			cell(row, columns[j].key, text);
			put(text, widths[j], numbers[j] && !words[j],
			    j + 1 == n);
		}
	}
}

void
table_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY |
	    JSON_REAL_PRECISION(15));
	putchar('\n');
}
