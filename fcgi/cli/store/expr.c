/*
 * Placeholders for what people write out (storeexpr.h).
 */
#include "expr.h"

#include "store/value/number.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { MAPS_MAX = 2 * 1024 * 1024, TEXT_MAX = 64 * 1024 };

void
storeexpr_init(struct storeexpr *x)
{
	buf_init(&x->names, MAPS_MAX);
	buf_init(&x->values, MAPS_MAX);
	x->count = 0;
}

void
storeexpr_release(struct storeexpr *x)
{
	buf_release(&x->names);
	buf_release(&x->values);
}

void
storeexpr_name(struct storeexpr *x, const struct text *name,
    struct buf *out)
{
	x->count++;
	buf_printf(&x->names, "%s\"#n%u\":", x->names.len ? "," : "",
	    x->count);
	buf_json(&x->names, name->p, name->n);
	buf_printf(out, "#n%u", x->count);
}

void
storeexpr_value(struct storeexpr *x, const char *json, size_t n,
    struct buf *out)
{
	x->count++;
	buf_printf(&x->values, "%s\":v%u\":", x->values.len ? "," : "",
	    x->count);
	buf_add(&x->values, json, n);
	buf_printf(out, ":v%u", x->count);
}

void
storeexpr_end(const struct storeexpr *x, struct reply *r)
{
	static const char *const members[] = {"ExpressionAttributeNames",
	    "ExpressionAttributeValues"};
	const struct buf *bufs[] = {&x->names, &x->values};
	struct buf braced;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!bufs[i]->len)
			continue;
		buf_init(&braced, MAPS_MAX + 2);
		buf_putc(&braced, '{');
		buf_add(&braced, bufs[i]->data, bufs[i]->len);
		buf_putc(&braced, '}');
		reply_raw(r, members[i], buf_str(&braced), braced.len);
		if (!buf_ok(bufs[i]) || !buf_ok(&braced))
			r->failed = true;
		buf_release(&braced);
	}
}

/* --- tokens ------------------------------------------------------------- */

struct rewriter {
	struct storeexpr *x;
	const char *text, *at;
	char before;		/* the last character that was no space */
	struct buf out;
	struct err *e;
};

static bool
in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c > 127;
}

/* A quoted text or name, the quote written twice standing for itself. */
static int
take_quoted(struct rewriter *w, struct buf *out)
{
	char quote = *w->at++;

	for (; *w->at; w->at++) {
		if (*w->at == quote && *++w->at != quote)
			return 0;
		buf_putc(out, *w->at);
	}
	return err_set(w->e, EINVAL, "a %c is not closed: %.200s", quote,
	    w->text);
}

static int
put_quoted(struct rewriter *w)
{
	bool name = *w->at == '`';
	struct buf text, json;
	int rc;

	buf_init(&text, TEXT_MAX);
	buf_init(&json, (size_t)6 * TEXT_MAX);
	rc = take_quoted(w, &text);
	buf_json(&json, buf_str(&text), text.len);
	if (name)
		storeexpr_name(w->x, &(struct text){buf_str(&text), text.len},
		    &w->out);
	else
		storeexpr_value(w->x, buf_str(&json), json.len, &w->out);
	buf_release(&text);
	buf_release(&json);
	return rc;
}

/* An index in brackets stays, any other number is a value. */
static int
put_number(struct rewriter *w)
{
	const char *p = w->at++;
	char text[NUMBER_TEXT_MAX];
	struct number n;

	while (in_name(*w->at) || *w->at == '.' ||
	    ((*w->at == '-' || *w->at == '+') &&
	    (w->at[-1] == 'e' || w->at[-1] == 'E')))
		w->at++;
	if (w->before == '[') {
		buf_add(&w->out, p, (size_t)(w->at - p));
		return 0;
	}
	if (number_read(&n, p, (size_t)(w->at - p), w->e) < 0)
		return err_set(w->e, EINVAL, "%.*s is no number: %.200s",
		    (int)(w->at - p), p, w->text);
	storeexpr_value(w->x, text, number_write(&n, text), &w->out);
	return 0;
}

static bool
is_one_of(const char *const *words, const char *p, size_t n)
{
	for (; *words; words++)
		if (strlen(*words) == n && strncasecmp(*words, p, n) == 0)
			return true;
	return false;
}

/* An operator, a function, a constant or a name. */
static void
put_word(struct rewriter *w)
{
	static const char *const operators[] = {"AND", "OR", "NOT", "IN",
	    "BETWEEN", NULL};
	static const char *const constants[] = {"true", "false", "null",
	    NULL};
	const char *p = w->at, *next;
	size_t n;

	while (in_name(*w->at))
		w->at++;
	n = (size_t)(w->at - p);
	for (next = w->at; isspace((unsigned char)*next); next++)
		continue;
	if (w->before != '.' && (is_one_of(operators, p, n) || *next == '('))
		buf_add(&w->out, p, n);
	else if (w->before != '.' && is_one_of(constants, p, n))
		storeexpr_value(w->x, *p == 't' || *p == 'T' ? "true" :
		    *p == 'f' || *p == 'F' ? "false" : "null", n, &w->out);
	else
		storeexpr_name(w->x, &(struct text){p, n}, &w->out);
}

static int
put_next(struct rewriter *w)
{
	char c = *w->at;

	if (c == '"' || c == '\'' || c == '`')
		return put_quoted(w);
	if (isdigit((unsigned char)c) ||
	    (c == '-' && isdigit((unsigned char)w->at[1])))
		return put_number(w);
	if (in_name(c)) {
		put_word(w);
		return 0;
	}
	if (c == '#' || c == ':')
		return err_set(w->e, EINVAL, "names and values stand in the "
		    "expression itself, without # and :, as in likes > 3 AND "
		    "author = \"ann\": %.200s", w->text);
	buf_putc(&w->out, c);
	w->at++;
	return 0;
}

int
storeexpr_write(struct storeexpr *x, struct reply *r, const char *member,
    const char *text, struct err *e)
{
	struct rewriter w = {.x = x, .text = text, .at = text, .e = e};
	const char *last;
	int rc = 0;

	buf_init(&w.out, TEXT_MAX);
	while (*w.at && rc == 0) {
		rc = put_next(&w);
		for (last = w.at; last > text; last--)
			if (!isspace((unsigned char)last[-1]))
				break;
		w.before = last > text ? last[-1] : '\0';
	}
	if (rc == 0 && !buf_ok(&w.out))
		rc = err_set(e, EFBIG, "the expression is too long");
	if (rc == 0)
		reply_text(r, member, w.out.data, w.out.len);
	buf_release(&w.out);
	return rc;
}
