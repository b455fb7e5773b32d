/*
 * A growable byte buffer with a limit.
 *
 * The one place where text and messages are put together.  An append that
 * would pass the limit, or finds no memory, leaves the buffer as it was, sets
 * `failed`, and every later append fails too: callers append freely and test
 * buf_ok() once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data;	/* len bytes, then a NUL that is not counted */
	size_t len;	/* bytes in use */
	size_t room;	/* bytes allocated, 0 before the first append */
	size_t max;	/* len never passes this */
	bool failed;	/* an append did not fit: contents are incomplete */
};

/* An empty buffer that will hold at most `max` bytes; allocates nothing. */
void buf_init(struct buf *b, size_t max);

/* Frees the bytes; the buffer is empty and usable again. */
void buf_release(struct buf *b);

/* Forgets the contents and a failure, keeps the memory. */
void buf_reset(struct buf *b);

/* True if every append since the last reset fitted. */
bool buf_ok(const struct buf *b);

/* Makes room for `n` more bytes: 0, or -1 with `failed` set. */
int buf_reserve(struct buf *b, size_t n);

/* Append bytes, a C string, a character, printf text. 0 or -1. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_puts(struct buf *b, const char *s);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/*
 * Append `n` bytes as a JSON string with its quotes (RFC 8259 section 7).
 * Bytes that are no UTF-8 become U+FFFD, control bytes become \u00xx.
 */
int buf_json(struct buf *b, const char *s, size_t n);

/* Appends a text as one word of the shell's, in quotes. */
int buf_shell(struct buf *b, const char *s);

/* Drops the first `n` bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);

/* The contents as a C string, never NULL; borrowed until the next append. */
const char *buf_str(const struct buf *b);

/* Gives the malloc'ed NUL-terminated contents away; NULL after a failure. */
char *buf_take(struct buf *b);

#endif
