/*
 * The env file of envfile.h, line by line.  Runs where a configuration is
 * loaded; never puts anything into a process's own environment.
 */
#include "envfile.h"

#include "format.h"
#include "store/base/buf.h"
#include "store/base/utf8.h"

#include <string.h>

enum { ENVFILE_MAX_LINE = 64 * 1024 };

struct line {
	struct zone *zone;
	const char *file;
	int number;
	const char *begin;	/* of the line, for columns */
	struct errlist *errors;
	struct map *values;
};

static int
fail(const struct line *l, const char *at, const char *text)
{
	return errlist_add(l->errors, l->file, l->number,
	    (int)(at - l->begin) + 1, "%s", text);
}

static const char *
skip_space(const char *s)
{
	while (*s == ' ' || *s == '\t')
		s++;
	return s;
}

static char
unescape(char c)
{
	if (c == 'n')
		return '\n';
	return c == 't' ? '\t' : c;
}

/* A quoted value into `out`; where it ended, or NULL with the error added. */
static const char *
quoted(const struct line *l, const char *s, struct buf *out)
{
	char quote = *s;
	const char *p;

	for (p = s + 1; *p && *p != quote; p++) {
		if (quote == '"' && *p == '\\' && p[1] &&
		    strchr("nt\"\\$", p[1]))
			buf_putc(out, unescape(*++p));
		else
			buf_putc(out, *p);
	}
	if (!*p) {
		fail(l, s, "no closing quote in this line");
		return NULL;
	}
	p = skip_space(p + 1);
	if (*p && *p != '#') {
		fail(l, p, "text behind the closing quote");
		return NULL;
	}
	return p;
}

static void
bare(const char *s, struct buf *out)
{
	const char *end = s;

	while (*end && !(*end == '#' && end > s &&
	    (end[-1] == ' ' || end[-1] == '\t')))
		end++;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	buf_add(out, s, (size_t)(end - s));
}

static int
store(const struct line *l, const char *name, const struct buf *value)
{
	char *copy = zone_strdup(l->zone, buf_str(value));

	if (!copy || map_set(l->values, name, strlen(name), copy, NULL) < 0)
		return fail(l, l->begin, "no memory for this line");
	return 0;
}

/* `s` is one line, NUL-terminated. */
static int
read_line(const struct line *l, const char *s)
{
	const char *p = skip_space(s), *name = p;
	struct buf value;
	char *key;
	int rc = -1;

	if (*p == '\0' || *p == '#')
		return 0;
	if (strncmp(p, "export ", 7) == 0)
		name = p = skip_space(p + 7);
	p += strcspn(p, "= \t");
	key = zone_strndup(l->zone, name, (size_t)(p - name));
	p = skip_space(p);
	if (!key || *p != '=' || !format_identifier(key))
		return fail(l, name, "must be NAME=value, the name of "
		    "letters, digits and '_', with no digit first");
	if (map_get(l->values, key))
		return errlist_add(l->errors, l->file, l->number,
		    (int)(name - l->begin) + 1, "%s is here twice", key);
	p = skip_space(p + 1);
	buf_init(&value, ENVFILE_MAX_LINE);
	if (*p != '"' && *p != '\'')
		bare(p, &value);
	else if (!quoted(l, p, &value))
		goto out;
	rc = store(l, key, &value);
out:
	buf_release(&value);
	return rc;
}

int
envfile_read(struct zone *a, const char *file, const char *bytes, size_t n,
    struct map *values, struct errlist *errors)
{
	struct line l = {a, file, 0, NULL, errors, values};
	const char *end = bytes + n, *stop;
	size_t len;
	char *line;
	int rc = 0;

	for (; bytes < end; bytes = stop + 1) {
		stop = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!stop)
			stop = end;
		len = (size_t)(stop - bytes);
		if (len && bytes[len - 1] == '\r')
			len--;
		l.number++;
		l.begin = bytes;
		if (len > ENVFILE_MAX_LINE || memchr(bytes, '\0', len) ||
		    !utf8_valid(bytes, len)) {
			rc = fail(&l, bytes, "a line must be UTF-8 without "
			    "NUL bytes, at most 65536 of them");
			continue;
		}
		line = zone_strndup(a, bytes, len);
		if (!line)
			return fail(&l, bytes, "no memory for this line");
		l.begin = line;
		if (read_line(&l, line) < 0)
			rc = -1;
	}
	return rc;
}
