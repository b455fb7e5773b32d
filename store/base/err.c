/*
 * Errors for people, as err.h describes them.
 */
#include "err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	*e = (struct err){.code = code};
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	size_t n;
	va_list ap;

	*e = (struct err){.code = saved};
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(saved));
	errno = saved;
	return -1;
}

void
err_at(struct err *e, const char *file, int line, int col)
{
	size_t n = strlen(file);

	if (n >= sizeof e->file)
		file += n - sizeof e->file + 1;
	memmove(e->file, file, strlen(file) + 1);
	e->line = line;
	e->col = col;
}

void
err_print(const struct err *e, const char *who)
{
	if (e->file[0] && e->line)
		fprintf(stderr, "%s:%d:%d: %s\n", e->file, e->line, e->col,
		    e->text);
	else if (e->file[0])
		fprintf(stderr, "%s: %s\n", e->file, e->text);
	else
		fprintf(stderr, "%s: %s\n", who, e->text);
}
