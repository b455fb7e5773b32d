/*
 * Constraints of parameters in DynamoDB's words, for schema.h.
 */
#include "schema_internal.h"

#include "store/expr/expr.h"
#include "store/value/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	SAID_MAX = 10,		/* violations that are told */
	VALUE_SHOWN = 2000	/* bytes of a value that are shown */
};

#define PATTERN "[a-zA-Z0-9_.-]+"

int
schema_fail(struct decoder *d, const char *fmt, ...)
{
	va_list ap;

	*d->err = (struct err){.code = FAULT_VALIDATION};
	va_start(ap, fmt);
	vsnprintf(d->err->text, sizeof d->err->text, fmt, ap);
	va_end(ap);
	return -1;
}

int
schema_value(struct decoder *d, const char *param)
{
	const struct put_aside *a;

	for (a = d->aside; a; a = a->next)
		if (!param || strcmp(a->param, param) == 0 ||
		    strcmp(a->within, param) == 0)
			return schema_fail(d, "%s", a->why);
	return 0;
}

/* --- names of attributes ------------------------------------------------------ */

static const char *
wrong_name(const struct text *name)
{
	if (name->n == 0)
		return "One or more parameter values were invalid: Empty "
		    "attribute name";
	if (name->n > EXPR_NAME_MAX)
		return "One or more parameter values were invalid: Attribute "
		    "name is too large, must be less than 65536 bytes";
	return NULL;
}

int
schema_attribute(struct decoder *d, const struct text *name)
{
	const char *why = wrong_name(name);

	return why ? schema_fail(d, "%s", why) : 0;
}

/* Values are no deeper than VALUE_DEPTH_MAX. */
const char *
schema_check_names(const struct value *v)
{
	const char *why = NULL;
	size_t i;

	if (v->type != VALUE_M && v->type != VALUE_L)
		return NULL;
	for (i = 0; !why && i < v->count; i++) {
		if (v->type == VALUE_L) {
			why = schema_check_names(&v->items[i]);
			continue;
		}
		why = wrong_name(&v->members[i].name);
		if (!why)
			why = schema_check_names(&v->members[i].value);
	}
	return why;
}

/* --- violations ----------------------------------------------------------- */

/* A parameter's name, its first letter in lower case. */
static void
say_place(struct buf *b, const struct place *at)
{
	char first;

	if (!at || !at->name.p)
		return;
	say_place(b, at->parent);
	if (at->parent && at->parent->name.p)
		buf_putc(b, '.');
	if (at->name.n) {
		first = at->name.p[0];
		if (first >= 'A' && first <= 'Z' && !at->exact)
			first = (char)(first - 'A' + 'a');
		buf_putc(b, first);
		buf_add(b, at->name.p + 1, at->name.n - 1);
	}
	if (at->index)
		buf_printf(b, ".%zu", at->index);
}

/* `value` as told, NULL for none; the constraint is printf text. */
static void
violate(struct decoder *d, const struct place *at, const struct text *value,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
violate(struct decoder *d, const struct place *at, const struct text *value,
    const char *fmt, ...)
{
	size_t shown;
	va_list ap;

	if (d->violations == SAID_MAX)
		return;
	if (d->violations++)
		buf_puts(&d->said, "; ");
	if (value) {
		shown = value->n < VALUE_SHOWN ? value->n : VALUE_SHOWN;
		buf_puts(&d->said, "Value '");
		buf_add(&d->said, value->p, shown);
		if (shown < value->n) {
			buf_puts(&d->said, "...");
			buf_putc(&d->said, value->p[value->n - 1]);
		}
		buf_puts(&d->said, "' at '");
	} else
		buf_puts(&d->said, "Value null at '");
	say_place(&d->said, at);
	buf_puts(&d->said, "' failed to satisfy constraint: ");
	va_start(ap, fmt);
	buf_vprintf(&d->said, fmt, ap);
	va_end(ap);
}

static bool
in_pattern(const struct text *s)
{
	size_t i;
	char c;

	for (i = 0; i < s->n; i++) {
		c = s->p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '_' && c != '.' &&
		    c != '-')
			return false;
	}
	return s->n > 0;
}

static void
check_length(struct decoder *d, const struct param *p, const struct place *at,
    size_t n, const struct text *shown)
{
	if (p->min && n < (size_t)p->min)
		violate(d, at, shown, "Member must have length greater than "
		    "or equal to %lld", (long long)p->min);
	if (p->max && n > (size_t)p->max)
		violate(d, at, shown, "Member must have length less than or "
		    "equal to %lld", (long long)p->max);
}

void
schema_check_text(struct decoder *d, const struct param *p,
    const struct place *at, const struct text *text)
{
	if ((p->flags & PARAM_FIRST) &&
	    (text->n < (size_t)p->min || text->n > (size_t)p->max)) {
		d->first = "TableName must be at least 3 characters long and "
		    "at most 255 characters long";
		return;
	}
	if ((p->flags & PARAM_PATTERN) && !in_pattern(text))
		violate(d, at, text, "Member must satisfy regular expression "
		    "pattern: " PATTERN);
	check_length(d, p, at, text->n, text);
}

void
schema_check_count(struct decoder *d, const struct param *p,
    const struct place *at, size_t count, const struct text *raw)
{
	check_length(d, p, at, count, raw);
}

void
schema_check_number(struct decoder *d, const struct param *p,
    const struct place *at, int64_t n)
{
	char digits[24];
	struct text shown = {digits, 0};

	shown.n = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)n);
	if (p->kind != PARAM_SIGNED && n < p->min)
		violate(d, at, &shown, "Member must have value greater than "
		    "or equal to %lld", (long long)p->min);
	if (p->max && n > p->max)
		violate(d, at, &shown, "Member must have value less than or "
		    "equal to %lld", (long long)p->max);
}

bool
schema_check_name(struct decoder *d, const struct param *p,
    const struct place *at, const struct text *name, const struct text *raw)
{
	if (!(p->flags & PARAM_PATTERN) ||
	    (name->n >= 3 && name->n <= 255 && in_pattern(name)))
		return true;
	violate(d, at, raw, "Map keys must satisfy constraint: [Member must "
	    "have length less than or equal to 255, Member must have length "
	    "greater than or equal to 3, Member must satisfy regular "
	    "expression pattern: " PATTERN "]");
	return false;
}

bool
schema_check_list(struct decoder *d, const struct param *p,
    const struct place *at, size_t count, const struct text *raw)
{
	if (count >= (size_t)p->min && count <= (size_t)p->max)
		return true;
	violate(d, at, raw, "Map value must satisfy constraint: [Member must "
	    "have length less than or equal to %lld, Member must have length "
	    "greater than or equal to %lld]", (long long)p->max,
	    (long long)p->min);
	return false;
}

void
schema_check_absent(struct decoder *d, const struct param *p,
    const struct place *at)
{
	if (p->flags & PARAM_FIRST)
		d->first = "The parameter 'TableName' is required but was not "
		    "present in the request";
	else
		violate(d, at, NULL, "Member must not be null");
}

int
schema_check_word(struct decoder *d, const struct param *p,
    const struct place *at, const struct text *text)
{
	struct buf set;
	const struct word *w;

	for (w = p->words; w->word; w++)
		if (strlen(w->word) == text->n &&
		    memcmp(w->word, text->p, text->n) == 0)
			return w->value;
	buf_init(&set, sizeof d->err->text);
	for (w = p->words; w->word; w++)
		buf_printf(&set, "%s%s", w > p->words ? ", " : "", w->word);
	violate(d, at, text, "Member must satisfy enum value set: [%s]",
	    buf_str(&set));
	buf_release(&set);
	return 0;
}

/* Of many there is more to say than an error has room for. */
static int
fail_violations(struct decoder *d)
{
	struct buf all;
	int rc;

	buf_init(&all, d->said.len + sizeof d->err->text);
	buf_printf(&all, "%u validation error%s detected: %s", d->violations,
	    d->violations > 1 ? "s" : "", buf_str(&d->said));
	if (all.len >= sizeof d->err->text)
		d->whole = arena_copy(d->arena, all.data, all.len);
	rc = schema_fail(d, "%s", buf_str(&all));
	buf_release(&all);
	return rc;
}

int
schema_verdict(struct decoder *d)
{
	if (d->first)
		return schema_fail(d, "%s", d->first);
	return d->violations ? fail_violations(d) : 0;
}
