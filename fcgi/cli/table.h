/*
 * Tables for the terminal, and the same rows as JSON.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>
#include <stdbool.h>

struct column {
	const char *key;	/* in the row's object; NULL ends the list */
	const char *title;
};

/*
 * Prints an array of objects to stdout: as it is for `json`, else one line a
 * row under the titles, columns of numbers to the right, null and absent as
 * "-".
 * Control bytes are shown as "?".
 */
void table_print(const json_t *rows, const struct column *columns, bool json);

/* Prints any JSON to stdout, indented, with a newline. */
void table_json(const json_t *value);

#endif
