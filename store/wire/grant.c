/*
 * What a token's grants allow, for token.h.  Runs in the daemon, before every
 * operation on a table.
 */
#include "token.h"

#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>

enum { RESOURCE_MAX = 600 };	/* "table/" 255 "/index/" 255 */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * True if `s` fits the pattern, in which * stands for any bytes and ? for one.
 * Goes back to the last * only, so it takes n * m steps at most.
 */
static bool
fits(const struct text *pattern, const char *s, size_t n, bool any_case)
{
	const char *p = pattern->p;
	size_t at = 0, star = SIZE_MAX, mark = 0, i = 0;

	while (i < n) {
		if (at < pattern->n && p[at] == '*') {
			star = at++;
			mark = i;
		} else if (at < pattern->n && (p[at] == '?' || p[at] == s[i] ||
		    (any_case && lower(p[at]) == lower(s[i])))) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			i = ++mark;
		} else
			return false;
	}
	while (at < pattern->n && p[at] == '*')
		at++;
	return at == pattern->n;
}

/* What stands behind "arn:aws:dynamodb:region:account:". */
static struct text
resource_of(const struct text *pattern)
{
	const char *end = pattern->p + pattern->n, *p = pattern->p;
	int colons = 0;

	if (pattern->n < 4 || memcmp(p, "arn:", 4) != 0)
		return *pattern;
	while (p < end && colons < 5)
		if (*p++ == ':')
			colons++;
	return colons == 5 ? (struct text){p, (size_t)(end - p)} : *pattern;
}

static bool
any_fits(const struct text *patterns, size_t n, const char *s, size_t len,
    bool any_case)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fits(&patterns[i], s, len, any_case))
			return true;
	return false;
}

static bool
resource_fits(const struct grant *g, const char *resource, size_t n)
{
	struct text pattern;
	size_t i;

	for (i = 0; i < g->nresources; i++) {
		pattern = resource_of(&g->resources[i]);
		if (fits(&pattern, resource, n, false))
			return true;
	}
	return false;
}

/* Where the key isn't known, a Deny is about it and an Allow is not. */
static bool
key_fits(const struct grant *g, const struct text *key)
{
	if (!g->by_key)
		return true;
	return key->p ? any_fits(g->keys, g->nkeys, key->p, key->n, false) :
	    g->deny;
}

/* "table/name/index/name" into RESOURCE_MAX bytes: its length. */
static size_t
name_resource(const struct wish *w, char *out)
{
	int n = 0;

	if (w->table.p)
		n = snprintf(out, RESOURCE_MAX, "table/%.*s", (int)w->table.n,
		    w->table.p);
	if (w->index.p)
		n += snprintf(out + n, RESOURCE_MAX - (size_t)n, "/index/%.*s",
		    (int)w->index.n, w->index.p);
	else if (w->stream.p)
		n += snprintf(out + n, RESOURCE_MAX - (size_t)n,
		    "/stream/%.*s", (int)w->stream.n, w->stream.p);
	return (size_t)n;
}

static int
refuse(struct err *e, const struct token *t, const struct wish *w,
    const char *resource, const char *why)
{
	return err_set(e, FAULT_DENIED, "%.*s is not authorized to perform: %s "
	    "on resource: %.200s %s",
	    (int)(t->function.n < 128 ? t->function.n : 128), t->function.p,
	    w->action, *resource ? resource : "*", why);
}

int
token_allows(const struct token *t, const struct wish *w, struct err *e)
{
	char resource[RESOURCE_MAX] = "";
	const struct grant *g;
	bool allowed = false;
	size_t n, i;

	if (t->all)
		return 0;
	if (w->table.n > 255 || w->index.n > 255 || w->stream.n > 64)
		return refuse(e, t, w, "", "because the name is too long");
	n = name_resource(w, resource);
	for (i = 0; i < t->ngrants; i++) {
		g = &t->grants[i];
		if (!any_fits(g->actions, g->nactions, w->action,
		    strlen(w->action), true) ||
		    !resource_fits(g, resource, n) || !key_fits(g, &w->key))
			continue;
		if (g->deny)
			return refuse(e, t, w, resource,
			    "with an explicit deny");
		allowed = true;
	}
	return allowed ? 0 : refuse(e, t, w, resource,
	    "because no statement of its iam.role.statements allows it");
}
