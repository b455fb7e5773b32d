/*
 * Escapes, UTF-8 and tokens of text.h; runs in a function's process.
 */
#include "text.h"

#include "store/base/utf8.h"

#include <string.h>

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t
text_unescape(char *s, size_t n)
{
	size_t from, to = 0;
	int high, low;

	for (from = 0; from < n; from++, to++) {
		s[to] = s[from] == '+' ? ' ' : s[from];
		if (s[from] != '%' || n - from < 3)
			continue;
		high = hex(s[from + 1]);
		low = hex(s[from + 2]);
		if (high < 0 || low < 0)
			continue;
		s[to] = (char)(high << 4 | low);
		from += 2;
	}
	return to;
}

const char *
text_clean(struct bag *a, char *s, size_t n)
{
	size_t i, step, bad = 0;
	char *copy, *to;

	for (i = 0; i < n; i += step ? step : 1) {
		step = utf8_step(s + i, n - i);
		bad += !step || !s[i];
	}
	s[n] = '\0';
	if (!bad)
		return s;
	copy = to = bag_alloc(a, n + 2 * bad + 1);
	if (!copy)
		return NULL;
	for (i = 0; i < n; i += step ? step : 1) {
		step = utf8_step(s + i, n - i);
		if (step && s[i]) {
			memcpy(to, s + i, step);
			to += step;
		} else {
			memcpy(to, "\xef\xbf\xbd", 3);
			to += 3;
		}
	}
	*to = '\0';
	return copy;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

bool
text_is_token_char(char c)
{
	return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool
text_is_token(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n && text_is_token_char(s[i]); i++)
		;
	return n && i == n;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool
text_same(const char *a, size_t an, const char *b)
{
	size_t i;

	for (i = 0; i < an && b[i]; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return i == an && !b[i];
}

static const char *
skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

/* A quoted-string without its opening quote: what follows it, or NULL. */
static const char *
take_quoted(const char *s, char *value, size_t room)
{
	size_t n = 0;

	for (; *s != '"'; s++) {
		if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		if (!*s || n + 1 >= room)
			return NULL;
		value[n++] = *s;
	}
	value[n] = '\0';
	return s + 1;
}

/* Without quotes: more than a token, as many senders forget them. */
static const char *
take_bare(const char *s, char *value, size_t room)
{
	size_t n = 0;

	while (s[n] > ' ' && s[n] != 0x7f && !strchr(";\"\\", s[n]))
		n++;
	if (n == 0 || n >= room)
		return NULL;
	memcpy(value, s, n);
	value[n] = '\0';
	return s + n;
}

int
text_next_param(const char **at, const char **name, size_t *name_len,
    char *value, size_t room)
{
	const char *s = skip_space(*at);

	if (*s == ';')
		s = skip_space(s + 1);
	else if (*s)
		return -1;
	*at = s;
	if (!*s)
		return 0;
	*name = s;
	while (text_is_token_char(*s))
		s++;
	*name_len = (size_t)(s - *name);
	if (*name_len == 0 || *s != '=')
		return -1;
	s++;
	s = *s == '"' ? take_quoted(s + 1, value, room)
	              : take_bare(s, value, room);
	if (!s)
		return -1;
	*at = s;
	return 1;
}
