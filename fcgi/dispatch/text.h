/*
 * The few things with strings that bothy-dispatch does, which has no C
 * library.  Part of that program only.
 */
#ifndef DISPATCH_TEXT_H
#define DISPATCH_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline size_t
text_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* What follows `name` at the start of `s`, or NULL. */
static inline const char *
text_after(const char *s, const char *name)
{
	while (*name && *s == *name) {
		s++;
		name++;
	}
	return *name ? NULL : s;
}

/* The value of NAME= (with its '=') in the environment, or NULL. */
static inline const char *
text_variable(char *const *envp, const char *name)
{
	const char *value = NULL;

	for (; *envp && !value; envp++)
		value = text_after(*envp, name);
	return value;
}

/* A string that is put together; what would not fit sets `full`. */
struct text {
	char *s;
	size_t len, room;
	bool full;
};

static inline void
text_add(struct text *t, const char *p, size_t n)
{
	size_t i;

	if (n >= t->room - t->len) {
		t->full = true;
		return;
	}
	for (i = 0; i < n; i++)
		t->s[t->len++] = p[i];
	t->s[t->len] = '\0';
}

static inline void
text_puts(struct text *t, const char *s)
{
	text_add(t, s, text_length(s));
}

/* A whole number without sign; -1 if it is none, or above 10^15. */
static inline int64_t
text_number(const char *s)
{
	int64_t n = 0;

	if (!s || !*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > 100000000000000)
			return -1;
		n = 10 * n + (*s - '0');
	}
	return n;
}

#endif
