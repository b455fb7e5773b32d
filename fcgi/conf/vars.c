/*
 * The grammar of variables: finding them in text, fallbacks, nesting.  What a
 * source has for an address is varsource.c's business.  Runs where a
 * configuration is loaded; never reads a secret.
 */
#include "vars.h"

#include "yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum vars_result expression(struct vars *v, const struct node *at,
    const char *s, size_t n, struct node **out);

enum vars_result
vars_fail(struct vars *v, const struct node *at, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	errlist_add(v->errors, at->file, at->line, at->col, "%s", text);
	return VARS_BAD;
}

struct node *
vars_scalar(struct vars *v, const struct node *at, const char *text,
    size_t len)
{
	struct node *n = zone_alloc(v->zone, sizeof *n);

	if (!n)
		return NULL;
	*n = (struct node){
		.type = NODE_SCALAR,
		.file = at->file,
		.line = at->line,
		.col = at->col,
		.text = zone_strndup(v->zone, text, len),
		.weight = 1,
		.state = NODE_DONE,
		.walked = true,
	};
	n->value = n;
	return n->text ? n : NULL;
}

/*
 * `s` stands behind "${" and has `n` bytes: the offset of the brace that
 * closes it, quotes and inner variables skipped; `n` if there is none.
 */
static size_t
closing(const char *s, size_t n)
{
	size_t depth = 1, i;
	char quote = '\0';

	for (i = 0; i < n; i++) {
		if (quote) {
			if (s[i] == quote)
				quote = '\0';
		} else if (s[i] == '\'' || s[i] == '"') {
			quote = s[i];
		} else if (s[i] == '$' && i + 1 < n && s[i + 1] == '{') {
			depth++;
			i++;
		} else if (s[i] == '}' && --depth == 0) {
			return i;
		}
	}
	return n;
}

/* --- text with variables in it ------------------------------------------- */

#define SECRET_OPEN "${secret:"

static size_t
count_secrets(const char *s)
{
	size_t n = 0;

	while ((s = strstr(s, SECRET_OPEN))) {
		s += sizeof SECRET_OPEN - 1;
		n++;
	}
	return n;
}

/* Adds what one variable stands for; its length with braces is *used. */
static enum vars_result
add_variable(struct vars *v, const struct node *at, const char *s, size_t n,
    struct buf *out, size_t *used, size_t *secrets)
{
	size_t inner = closing(s + 2, n - 2);
	struct node *value = NULL;
	enum vars_result rc;

	if (inner == n - 2)
		return vars_fail(v, at, "'${' without its '}'; a literal ${ "
		    "is written \\${");
	*used = inner + 3;
	rc = expression(v, at, s + 2, inner, &value);
	if (rc == VARS_MISSING)
		return vars_fail(v, at, "no value for ${%.*s}: %s",
		    inner > 80 ? 80 : (int)inner, s + 2, v->why);
	if (rc != VARS_FOUND)
		return rc;
	if (value->type != NODE_SCALAR)
		return vars_fail(v, at, "${%.*s} is %s; inside other text it "
		    "must be a single value", inner > 80 ? 80 : (int)inner,
		    s + 2, node_kind(value));
	if (value->secret)
		*secrets += count_secrets(value->text);
	buf_puts(out, value->text);
	return VARS_FOUND;
}

/* `n` bytes of text with its variables replaced, as a new scalar. */
static enum vars_result
template(struct vars *v, const struct node *at, const char *s, size_t n,
    struct node **out)
{
	struct buf text;
	size_t i = 0, used = 1, secrets = 0;
	enum vars_result rc = VARS_FOUND;

	buf_init(&text, YAML_MAX_SCALAR);
	while (i < n && rc == VARS_FOUND) {
		used = 1;
		if (n - i >= 3 && memcmp(s + i, "\\${", 3) == 0) {
			buf_puts(&text, "${");
			used = 3;
		} else if (n - i >= 2 && memcmp(s + i, "${", 2) == 0) {
			rc = add_variable(v, at, s + i, n - i, &text, &used,
			    &secrets);
		} else {
			buf_putc(&text, s[i]);
		}
		i += used;
	}
	if (rc == VARS_FOUND && !buf_ok(&text))
		rc = vars_fail(v, at, "variables make this longer than %d "
		    "bytes", YAML_MAX_SCALAR);
	if (rc == VARS_FOUND && count_secrets(buf_str(&text)) != secrets)
		rc = vars_fail(v, at, "a literal " SECRET_OPEN " can't be "
		    "written");
	if (rc == VARS_FOUND) {
		*out = vars_scalar(v, at, buf_str(&text), text.len);
		if (*out)
			(*out)->secret = secrets > 0;
		else
			rc = VARS_BAD;
	}
	buf_release(&text);
	return rc;
}

/* --- what stands inside ${} ---------------------------------------------- */

/* The part up to the next comma that is not in quotes or braces. */
static size_t
piece_length(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && s[i] != ','; i++) {
		if (s[i] == '\'' || s[i] == '"') {
			const char *end = memchr(s + i + 1, s[i], n - i - 1);

			if (!end)
				return n;
			i = (size_t)(end - s);
		} else if (s[i] == '$' && i + 1 < n && s[i + 1] == '{') {
			i += 2 + closing(s + i + 2, n - i - 2);
		}
	}
	return i < n ? i : n;
}

static void
trim(const char **s, size_t *n)
{
	while (*n && (**s == ' ' || **s == '\t' || **s == '\n')) {
		++*s;
		--*n;
	}
	while (*n && strchr(" \t\n", (*s)[*n - 1]))
		--*n;
}

/* A number, true, false or null that stands for itself. */
static bool
is_literal(const char *s, size_t n)
{
	if (n == 0)
		return false;
	if ((n == 4 && memcmp(s, "true", 4) == 0) ||
	    (n == 5 && memcmp(s, "false", 5) == 0) ||
	    (n == 4 && memcmp(s, "null", 4) == 0))
		return true;
	return strspn(s, "0123456789.-") >= n;
}

/* Splits "file(a/b):c" and lets the source look. */
static enum vars_result
source(struct vars *v, const struct node *at, const char *s, struct node **out)
{
	size_t name = strcspn(s, ":(");
	const char *close = NULL;
	char *word, *arg = NULL;

	word = zone_strndup(v->zone, s, name);
	if (!word)
		return VARS_BAD;
	if (s[name] == '(') {
		close = strchr(s + name, ')');
		if (!close)
			return vars_fail(v, at, "'(' without its ')' in "
			    "${%.80s}", s);
		arg = zone_strndup(v->zone, s + name + 1,
		    (size_t)(close - s) - name - 1);
		if (!arg)
			return VARS_BAD;
		s = close + 1;
	} else {
		s += name;
	}
	if (*s && *s != ':')
		return vars_fail(v, at, "'%.40s' behind the ')' of a "
		    "variable; write ${file(path):key}", s);
	return vars_source(v, at, word, arg, *s ? s + 1 : NULL, out);
}

/* One alternative: a variable, a quoted text, a literal, a source. */
static enum vars_result
piece(struct vars *v, const struct node *at, const char *s, size_t n,
    struct node **out)
{
	struct node *text = NULL;
	enum vars_result rc;

	trim(&s, &n);
	if (n == 0)
		return vars_fail(v, at, "a variable without a name; write "
		    "${param:x}, ${env:X}, ${self:a.b}, ${file(path):key} or "
		    "${secret:NAME}");
	if (n > 2 && memcmp(s, "${", 2) == 0 && closing(s + 2, n - 2) == n - 3)
		return expression(v, at, s + 2, n - 3, out);
	if (n >= 2 && (*s == '\'' || *s == '"') && s[n - 1] == *s)
		return template(v, at, s + 1, n - 2, out);
	rc = template(v, at, s, n, &text);
	if (rc != VARS_FOUND)
		return rc;
	if (text->secret)
		return vars_fail(v, at, "a secret can't choose a variable");
	if (is_literal(s, n)) {
		text->plain = true;
		*out = text;
		return VARS_FOUND;
	}
	return source(v, at, text->text, out);
}

static enum vars_result
expression(struct vars *v, const struct node *at, const char *s, size_t n,
    struct node **out)
{
	enum vars_result rc = VARS_MISSING;
	size_t len;

	if (++v->steps > VARS_MAX_STEPS)
		return vars_fail(v, at, "more than %d variables in all",
		    VARS_MAX_STEPS);
	if (v->depth == VARS_MAX_DEPTH)
		return vars_fail(v, at, "variables that need one another are "
		    "more than %d deep", VARS_MAX_DEPTH);
	v->depth++;
	for (;;) {
		len = piece_length(s, n);
		rc = piece(v, at, s, len, out);
		if (rc != VARS_MISSING || len == n)
			break;
		s += len + 1;
		n -= len + 1;
	}
	v->depth--;
	return rc;
}

/* --- nodes ---------------------------------------------------------------- */

static enum vars_result
resolve_scalar(struct vars *v, struct node *n, struct node **out)
{
	const char *s = n->text;
	size_t len = strlen(s);
	enum vars_result rc;

	if (len > 2 && memcmp(s, "${", 2) == 0 &&
	    closing(s + 2, len - 2) == len - 3) {
		rc = expression(v, n, s + 2, len - 3, out);
		if (rc == VARS_MISSING)
			return vars_fail(v, n, "no value for %.80s: %s", s,
			    v->why);
		return rc;
	}
	return template(v, n, s, len, out);
}

struct node *
vars_resolve(struct vars *v, struct node *n)
{
	struct node *value = NULL;

	if (n->type != NODE_SCALAR)
		return n;
	if (n->state == NODE_BUSY) {
		n->state = NODE_BAD;
		vars_fail(v, n, "%.80s leads back to itself", n->text);
		return NULL;
	}
	if (n->state == NODE_BAD)
		return NULL;
	if (n->state == NODE_DONE)
		return n->value;
	if (!strstr(n->text, "${")) {
		n->state = NODE_DONE;
		n->value = n;
		return n;
	}
	n->state = NODE_BUSY;
	if (resolve_scalar(v, n, &value) != VARS_FOUND ||
	    n->state == NODE_BAD) {
		n->state = NODE_BAD;
		return NULL;
	}
	n->state = NODE_DONE;
	n->value = value;
	return value;
}

static void
walk(struct vars *v, struct node *n, size_t depth)
{
	struct node *value;
	size_t i;

	if (n->walked)
		return;
	if (depth > VARS_MAX_DEPTH + YAML_MAX_DEPTH) {
		vars_fail(v, n, "variables make this too deep");
		return;
	}
	n->walked = true;
	value = vars_resolve(v, n);
	if (!value)
		return;
	if (value != n)
		walk(v, value, depth + 1);
	for (i = 0; value == n && i < n->count; i++)
		walk(v, n->items[i], depth + 1);
}

void
vars_walk(struct vars *v, struct node *n)
{
	walk(v, n, 0);
}
