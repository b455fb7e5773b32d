/*
 * The option parser of options.h.  Runs in bothy only; knows no command.
 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HELP_COLUMN = 24 };

struct found {
	const struct opt *opt;
	char *values;
};

static struct found
find(const struct opt_set *sets, size_t nsets, const char *arg, size_t n)
{
	const struct opt *o;
	size_t i;

	for (i = 0; i < nsets; i++) {
		for (o = sets[i].opts; o && o->name; o++) {
			if (arg[1] != '-') {
				if (n == 2 && o->letter == arg[1])
					break;
			} else if (strlen(o->name) == n - 2 &&
			    memcmp(o->name, arg + 2, n - 2) == 0)
				break;
		}
		if (o && o->name)
			return (struct found){o, sets[i].values};
	}
	return (struct found){NULL, NULL};
}

/* Stores the value in the struct, as the option's kind asks. */
static int
store(struct found f, const char *value, struct err *e)
{
	char *at = f.values + f.opt->at;
	struct opt_list *list;

	switch (f.opt->kind) {
	case OPT_SWITCH:
		*(bool *)(void *)at = true;
		break;
	case OPT_VALUE:
	case OPT_MAYBE:
		*(const char **)(void *)at = value;
		break;
	case OPT_LIST:
		list = (struct opt_list *)(void *)at;
		if (list->count == OPT_LIST_MAX)
			return err_set(e, E2BIG,
			    "--%s may be given %d times at most", f.opt->name,
			    (int)OPT_LIST_MAX);
		list->items[list->count++] = value;
		break;
	}
	return 0;
}

/* One option at argv[*i], whose value may be argv[*i + 1]. */
static int
parse_one(const struct opt_set *sets, size_t nsets, int argc, char **argv,
    int *i, struct err *e)
{
	const char *arg = argv[*i];
	const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	struct found f = find(sets, nsets, arg, n);
	const char *value = equals ? equals + 1 : "";

	if (!f.opt)
		return err_set(e, EINVAL, "there is no option %.*s", (int)n,
		    arg);
	if (f.opt->kind == OPT_SWITCH && equals)
		return err_set(e, EINVAL, "%.*s takes no value", (int)n, arg);
	if ((f.opt->kind == OPT_VALUE || f.opt->kind == OPT_LIST) &&
	    !equals) {
		if (*i + 1 >= argc)
			return err_set(e, EINVAL, "%s needs a value: %s %s",
			    arg, arg, f.opt->value);
		value = argv[++*i];
	}
	return store(f, value, e);
}

/* "-" alone is none, and neither is a negative number. */
static bool
is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0' && arg[1] != '.' &&
	    !(arg[1] >= '0' && arg[1] <= '9');
}

int
opt_parse(const struct opt_set *sets, size_t nsets, int *argc, char **argv,
    bool stop, struct err *e)
{
	int i, left = 0;

	for (i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (!is_option(argv[i])) {
			if (stop)
				break;
			argv[left++] = argv[i];
			continue;
		}
		if (parse_one(sets, nsets, *argc, argv, &i, e) < 0)
			return -1;
	}
	while (i < *argc)
		argv[left++] = argv[i++];
	*argc = left;
	return 0;
}

void
opt_wrap(const char *text, size_t column, size_t indent)
{
	size_t n;

	while (*text) {
		n = strcspn(text, " \n");
		if (column > indent && column + 1 + n > OPT_WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += n;
		text += n;
		if (*text == '\n') {
			printf("\n%*s", text[1] ? (int)indent : 0, "");
			column = indent;
		}
		text += *text != '\0';
	}
	putchar('\n');
}

void
opt_help(const struct opt *opts, bool json)
{
	const struct opt *o;
	int n;

	for (o = opts; o->name; o++) {
		if (!json && strcmp(o->name, "json") == 0)
			continue;
		if (o->letter)
			n = printf("  -%c, --%s", o->letter, o->name);
		else
			n = printf("  --%s", o->name);
		if (o->kind == OPT_MAYBE)
			n += printf("[=%s]", o->value);
		else if (o->kind != OPT_SWITCH)
			n += printf(" %s", o->value);
		if (n >= HELP_COLUMN) {
			putchar('\n');
			n = 0;
		}
		printf("%*s", HELP_COLUMN - n, "");
		opt_wrap(o->help, HELP_COLUMN, HELP_COLUMN);
	}
}
