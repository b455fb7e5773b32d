/*
 * An error that a person will read: what, where, what to do.
 *
 * Functions whose failure ends up on a terminal or in a reply take a
 * `struct err *` last and set it once, where the failure began; callers pass
 * it on untouched.  Messages are lower case, without a final full stop.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

struct err {
	int code;	/* an errno value, or 0 where none fits */
	int line, col;	/* from 1; 0 when there is no place in a file */
	char file[256];	/* "" when there is none */
	char text[512];
};

/* Sets the text; `code` is an errno value or 0.  Always gives -1. */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with ": " and strerror(errno) behind it, code = errno. */
int err_sys(struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Says where; a longer file name keeps its end. */
void err_at(struct err *e, const char *file, int line, int col);

/* Writes "file:line:col: text\n", or "who: text\n" without a file. */
void err_print(const struct err *e, const char *who);

#endif
