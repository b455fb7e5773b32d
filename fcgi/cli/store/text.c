/*
 * JSON for the terminal (storetext.h).
 */
#include "text.h"

#include "store/base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ARENA_MAX = 128 * 1024 * 1024,
	LABEL_SIZE = 64,
	LABEL_WIDTH = 26,
	COMMIT_SHOWN = 10,
	SHORT_DIGITS = 15
};

void
storetext_put(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		putchar(((unsigned char)p[i] < 0x20 && p[i] != '\n' &&
		    p[i] != '\t') || p[i] == 0x7f ? '?' : p[i]);
}

struct storecolors
storetext_colors(void)
{
	static const struct storecolors some = {"\033[32m", "\033[31m",
	    "\033[33m", "\033[2m", "\033[0m"}, none = {"", "", "", "", ""};

	return isatty(STDOUT_FILENO) && !getenv("NO_COLOR") ? some : none;
}

/* --- JSON --------------------------------------------------------------- */

static void
new_line(unsigned depth)
{
	printf("\n%*s", (int)depth * 2, "");
}

/* A token as it stands in the input; a name with its colon. */
static void
put_token(const struct json *j, const struct json_token *t, bool indent)
{
	size_t n = (size_t)(j->at - t->start);

	if (t->type == JSON_NAME)
		while (t->start[n - 1] != '"')
			n--;
	fwrite(t->start, 1, n, stdout);
	if (t->type == JSON_NAME)
		fputs(indent ? ": " : ":", stdout);
}

/* Prints token by token; `indent` false: in one line. */
static void
print(const struct text *raw, bool indent)
{
	bool opened = true, named = false, opens, closes;
	unsigned depth = 0;
	struct json_token t;
	struct arena a;
	struct json j;
	struct err e;

	arena_init(&a, ARENA_MAX);
	json_open(&j, &a, raw->p, raw->n, &e);
	while (json_next(&j, &t) == 0 && t.type != JSON_END) {
		opens = t.type == JSON_OBJECT || t.type == JSON_LIST;
		closes = t.type == JSON_CLOSE;
		depth -= closes;
		if (!opened && !named && !closes)
			putchar(',');
		if (indent && depth + closes && !named &&
		    !(opened && closes))
			new_line(depth);
		put_token(&j, &t, indent);
		depth += opens;
		opened = opens;
		named = t.type == JSON_NAME;
	}
	putchar('\n');
	arena_release(&a);
}

void
storetext_json(const struct text *raw)
{
	print(raw, true);
}

void
storetext_line(const struct text *raw)
{
	print(raw, false);
}

/* --- cells -------------------------------------------------------------- */

/* Characters that fit, with "..." behind them if some don't. */
static void
put_cut(struct storegrid *g, size_t column, const struct text *t)
{
	char out[STORETEXT_CELL * 4 + 4];
	size_t n = 0, count = 0, step;

	while (n < t->n && count < STORETEXT_CELL) {
		step = utf8_step(t->p + n, t->n - n);
		n += step ? step : 1;
		count++;
	}
	memcpy(out, t->p, n);
	if (n < t->n)
		memcpy(out + n, "...", 3);
	storegrid_text(g, column, out, n < t->n ? n + 3 : n);
}

static bool
is_short_integer(const struct text *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!isdigit((unsigned char)t->p[i]) &&
		    !(i == 0 && t->p[i] == '-'))
			return false;
	return t->n > 0 && t->n <= SHORT_DIGITS;
}

static long long
integer(const struct text *t)
{
	char digits[SHORT_DIGITS + 1];

	memcpy(digits, t->p, t->n);
	digits[t->n] = '\0';
	return strtoll(digits, NULL, 10);
}

void
storetext_cell(struct storegrid *g, size_t column, const struct json_node *n)
{
	if (!n)
		return;
	if (n->type == JSON_NUMBER && is_short_integer(&n->text))
		storegrid_integer(g, column, integer(&n->text));
	else
		put_cut(g, column, n->type == JSON_STRING ? &n->text :
		    &n->raw);
}

void
storetext_commit(struct storegrid *g, size_t column,
    const struct json_node *object)
{
	struct text id = storetext_member(object, "Commit");

	if (id.n)
		storegrid_text(g, column, id.p,
		    id.n < COMMIT_SHOWN ? id.n : COMMIT_SHOWN);
}

struct text
storetext_member(const struct json_node *object, const char *name)
{
	const struct json_node *n = json_member(object, name);

	if (!n)
		return (struct text){"", 0};
	return n->type == JSON_STRING ? n->text : n->raw;
}

long long
storetext_integer(const struct json_node *object, const char *name)
{
	const struct json_node *n = json_member(object, name);

	return n && n->type == JSON_NUMBER && is_short_integer(&n->text) ?
	    integer(&n->text) : 0;
}

/* --- units -------------------------------------------------------------- */

void
storetext_time(const struct json_node *n, char *out)
{
	char digits[32], day[24] = "-";
	double seconds;
	time_t whole;

	out[0] = '\0';
	if (!n || n->type != JSON_NUMBER || n->raw.n >= sizeof digits)
		return;
	memcpy(digits, n->raw.p, n->raw.n);
	digits[n->raw.n] = '\0';
	seconds = strtod(digits, NULL);
	whole = (time_t)seconds;
	strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", localtime(&whole));
	snprintf(out, 32, "%s", day);
	if (seconds > (double)whole)
		snprintf(out, 32, "%s.%03d", day,
		    (int)((seconds - (double)whole) * 1000 + 0.5) % 1000);
}

void
storetext_bytes(double n, char *out)
{
	static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
	size_t i = 0;

	while (n >= 1024 && i < 4) {
		n /= 1024;
		i++;
	}
	snprintf(out, 32, i ? "%.1f %s" : "%.0f %s", n, units[i]);
}

/* --- objects for people ------------------------------------------------- */

/* "BacklogBytes" is "backlog bytes". */
static void
label(const struct text *name, char *out)
{
	size_t i, n = 0;

	for (i = 0; i < name->n && n + 2 < LABEL_SIZE; i++) {
		if (i && isupper((unsigned char)name->p[i]) &&
		    !isupper((unsigned char)name->p[i - 1]))
			out[n++] = ' ';
		out[n++] = (char)tolower((unsigned char)name->p[i]);
	}
	out[n] = '\0';
}

static bool
ends_with(const struct text *t, const char *end)
{
	size_t n = strlen(end);

	return t->n >= n && memcmp(t->p + t->n - n, end, n) == 0;
}

static bool
says_nothing(const struct json_node *n)
{
	return n->type == JSON_NULL || n->type == JSON_FALSE ||
	    (n->type == JSON_STRING && n->text.n == 0) ||
	    (n->type == JSON_OBJECT && !n->first) ||
	    (n->type == JSON_LIST && !n->first);
}

static bool
is_time(const struct json_node *n)
{
	return n->type == JSON_NUMBER && (ends_with(&n->name, "Time") ||
	    ends_with(&n->name, "Until") || ends_with(&n->name, "Pushed"));
}

static void
put_scalar(const struct json_node *n)
{
	char text[32];

	if (is_time(n)) {
		storetext_time(n, text);
		puts(text);
	} else if (ends_with(&n->name, "Bytes") && n->type == JSON_NUMBER &&
	    is_short_integer(&n->text)) {
		storetext_bytes((double)integer(&n->text), text);
		puts(text);
	} else if (n->type == JSON_TRUE)
		puts("yes");
	else {
		const struct text *t = n->type == JSON_STRING ? &n->text :
		    &n->raw;

		storetext_put(t->p, t->n);
		putchar('\n');
	}
}

/* The column of a member: the first row has all of them. */
static size_t
column_of(const struct json_node *list, const struct json_node *member)
{
	const struct json_node *m;
	size_t i = 0;

	for (m = list->first->first; m && i < STOREGRID_COLUMNS; m = m->next) {
		if (text_compare(&m->name, &member->name) == 0)
			return i;
		i++;
	}
	return STOREGRID_COLUMNS;
}

static void
put_row(struct storegrid *g, const struct json_node *list,
    const struct json_node *row)
{
	const struct json_node *m;
	char time[32];
	size_t i;

	storegrid_row(g);
	for (m = row->first; m; m = m->next) {
		i = column_of(list, m);
		if (i == STOREGRID_COLUMNS)
			continue;
		if (is_time(m)) {
			storetext_time(m, time);
			storegrid_string(g, i, time);
		} else if (m->type == JSON_STRING)
			storegrid_text(g, i, m->text.p, m->text.n);
		else
			storetext_cell(g, i, m);
	}
}

static void
put_table(const struct json_node *list)
{
	char names[STOREGRID_COLUMNS][LABEL_SIZE];
	const char *titles[STOREGRID_COLUMNS + 1] = {NULL};
	const struct json_node *n;
	struct storegrid *g;
	size_t count = 0;
	char *p;

	for (n = list->first->first; n && count < STOREGRID_COLUMNS;
	     n = n->next) {
		label(&n->name, names[count]);
		for (p = names[count]; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		titles[count] = names[count];
		count++;
	}
	g = storegrid_new(titles);
	for (n = list->first; g && n; n = n->next)
		put_row(g, list, n);
	if (g)
		storegrid_print(g);
	storegrid_free(g);
}

/* A list: a table, or a line an element. */
static void
put_list(const struct json_node *list, const char *head)
{
	const struct json_node *n;

	if (list->first->type == JSON_OBJECT) {
		printf("%s:\n", head);
		put_table(list);
		return;
	}
	for (n = list->first; n; n = n->next) {
		printf("%-*s", LABEL_WIDTH, n == list->first ? head : "");
		put_scalar(n);
	}
}

static void
show(const struct json_node *object, const char *before)
{
	char name[LABEL_SIZE], head[2 * LABEL_SIZE];
	const struct json_node *n;

	for (n = object->first; n; n = n->next) {
		if (says_nothing(n))
			continue;
		label(&n->name, name);
		snprintf(head, sizeof head, "%s%s%s", before,
		    *before ? " " : "", name);
		if (n->type == JSON_OBJECT && !*before)
			show(n, name);
		else if (n->type == JSON_LIST)
			put_list(n, head);
		else {
			printf("%-*s", LABEL_WIDTH, head);
			put_scalar(n);
		}
	}
}

void
storetext_show(const struct json_node *object)
{
	show(object, "");
}
