/*
 * What the pusher sees (steps.h).  Line by line to stderr, which git passes on
 * as it comes.
 */
#include "steps.h"

#include "store/base/clock.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_BYTES = 2048 };

void
steps_begin(struct steps *s)
{
	s->began_us = clock_mono_us();
}

void
steps_done(struct steps *s, const char *fmt, ...)
{
	int64_t now_us = clock_mono_us();
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%7.2f s  %s\n",
	    (double)(now_us - s->began_us) / 1000000, line);
	s->began_us = now_us;
}

void
steps_say(const char *fmt, ...)
{
	char line[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	fprintf(stderr, "bothy: %s\n", line);
}

void
steps_text(const char *text, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			c = '?';
		putc(c, stderr);
	}
	fflush(stderr);
}
