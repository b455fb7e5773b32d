/*
 * Looking up header fields, for request.h.  Runs in bothy-fcgi's workers.
 */
#include "request.h"

#include <string.h>

static char
fold(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c == '_' ? '-' : c;
}

bool
aws_field_is(const struct aws_field *f, const char *name, size_t n)
{
	size_t i;

	if (f->name.n != n)
		return false;
	for (i = 0; i < n; i++)
		if (fold(f->name.p[i]) != fold(name[i]))
			return false;
	return true;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text
aws_trim(struct text t)
{
	while (t.n && is_space(t.p[0])) {
		t.p++;
		t.n--;
	}
	while (t.n && is_space(t.p[t.n - 1]))
		t.n--;
	return t;
}

struct text
aws_header(const struct aws_request *r, const char *name)
{
	struct text found = {NULL, 0};
	size_t i, n = strlen(name);

	for (i = 0; i < r->nfields; i++) {
		if (!aws_field_is(&r->fields[i], name, n))
			continue;
		if (found.p)
			return (struct text){NULL, 0};
		found = r->fields[i].value;
	}
	return found.p ? aws_trim(found) : found;
}

bool
aws_text_is(const struct text *t, const char *s)
{
	size_t n = strlen(s);

	return t->p && t->n == n && memcmp(t->p, s, n) == 0;
}
