/*
 * Command-line options by table: parsing, the help's lines and the shell
 * completion all come from it.
 *
 * Long options are --name, --name VALUE and --name=VALUE; letters are -x and
 * can't be joined.  "--" ends the options; they may stand before or after
 * positional arguments, of which "-" and what looks like -1 or -.5 are some.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_kind {
	OPT_SWITCH,	/* bool */
	OPT_VALUE,	/* const char * */
	OPT_MAYBE,	/* const char *; "" for --name without =VALUE */
	OPT_LIST	/* struct opt_list; may be repeated */
};

enum { OPT_LIST_MAX = 64, OPT_WIDTH = 78 };

struct opt_list {
	const char *items[OPT_LIST_MAX];
	size_t count;
};

struct opt {
	const char *name;	/* without dashes; NULL ends a table */
	char letter;		/* 0 for none */
	enum opt_kind kind;
	const char *value;	/* what the value is called in help */
	size_t at;		/* offset in the command's struct */
	const char *help;
};

/* A table with the struct that it fills. */
struct opt_set {
	const struct opt *opts;	/* NULL: none */
	void *values;
};

/*
 * Takes the options out of argv[0..*argc) and leaves the positional
 * arguments.  A name is looked up in `sets` in turn.  With `stop` the first
 * positional ends the search.  0, or -1 with the error set.
 */
int opt_parse(const struct opt_set *sets, size_t nsets, int *argc,
    char **argv, bool stop, struct err *e);

/*
 * Prints the help of each option to stdout; without `json`, --json is left
 * out.
 */
void opt_help(const struct opt *opts, bool json);

/*
 * Prints words to stdout in lines of OPT_WIDTH columns, the first from
 * `column` on, the others after `indent` spaces; ends the last line.
 */
void opt_wrap(const char *text, size_t column, size_t indent);

#endif
