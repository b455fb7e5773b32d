/*
 * Tokens and errors, for reader.h.  Runs in the daemon wherever a statement is
 * read.
 */
#include "reader.h"

#include "store/value/fault.h"

#include <stdarg.h>
#include <stdio.h>

void
reader_tell(struct reader *r, const char *fmt, ...)
{
	char text[sizeof r->e->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(r->e, FAULT_VALIDATION, "%s", text);
}

void
reader_tell_memory(struct reader *r)
{
	err_set(r->e, FAULT_LIMIT, "the statement takes too much memory");
}

void
reader_place(const struct reader *r, unsigned *line, unsigned *col)
{
	const char *p;

	*line = *col = 1;
	for (p = r->scan.text; p < r->scan.token.p; p++) {
		++*col;
		if (*p == '\n') {
			++*line;
			*col = 1;
		}
	}
}

void
reader_tell_syntax(struct reader *r)
{
	const struct scan_token *t = &r->scan.token;
	unsigned line, col;

	if (r->scan.failed) {
		reader_tell_memory(r);
		return;
	}
	reader_place(r, &line, &col);
	reader_tell(r, "Statement wasn't well formed, can't be "
	    "processed: Unexpected %s at %u:%u: '%.*s'",
	    t->type == SCAN_END         ? "end"
	    : t->type >= SCAN_SELECT ? "keyword"
	                                : "term",
	    line, col, t->n < 64 ? (int)t->n : 64, t->p);
}

bool
reader_at(const struct reader *r, enum scan_type type)
{
	return r->scan.token.type == type;
}

bool
reader_take(struct reader *r, enum scan_type type)
{
	if (!reader_at(r, type))
		return false;
	scan_next(&r->scan);
	return true;
}

bool
reader_take_word(struct reader *r, const char *word)
{
	if (!scan_is(&r->scan.token, word))
		return false;
	scan_next(&r->scan);
	return true;
}

int
reader_expect(struct reader *r, enum scan_type type)
{
	return reader_take(r, type) ? 0 : reader_syntax(r);
}

int
reader_enter(struct reader *r)
{
	if (r->depth == PARTIQL_DEPTH_MAX)
		return reader_fail(r, "Statement wasn't well formed, can't be "
		    "processed: more than %d brackets, calls and NOTs in one "
		    "another", PARTIQL_DEPTH_MAX);
	r->depth++;
	return 0;
}

void
reader_leave(struct reader *r)
{
	r->depth--;
}
