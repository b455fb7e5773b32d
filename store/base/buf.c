/*
 * The growable byte buffer of buf.h: memory doubles up to the limit.
 */
#include "buf.h"

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_ROOM = 256 };

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_release(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

int
buf_reserve(struct buf *b, size_t n)
{
	size_t room = b->room ? b->room : BUF_FIRST_ROOM;
	char *data;

	if (b->failed || n > b->max - b->len)
		goto fail;
	if (b->room > b->len && b->room - b->len > n)
		return 0;
	while (room - b->len <= n) {
		if (room > (size_t)-1 / 2)
			goto fail;
		room *= 2;
	}
	data = realloc(b->data, room);
	if (!data)
		goto fail;
	b->data = data;
	b->room = room;
	return 0;
fail:
	b->failed = true;
	return -1;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	if (buf_reserve(b, n) < 0)
		return -1;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
	return 0;
}

int
buf_puts(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_putc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || buf_reserve(b, (size_t)n) < 0) {
		b->failed = true;
		return -1;
	}
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
	return 0;
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return rc;
}

static int
json_escape(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		return buf_puts(b, "\\\"");
	case '\\':
		return buf_puts(b, "\\\\");
	case '\n':
		return buf_puts(b, "\\n");
	case '\r':
		return buf_puts(b, "\\r");
	case '\t':
		return buf_puts(b, "\\t");
	default:
		return buf_printf(b, "\\u%04x", c);
	}
}

int
buf_json(struct buf *b, const char *s, size_t n)
{
	size_t i = 0, plain = 0, step;
	unsigned char c;

	buf_putc(b, '"');
	while (i < n) {
		c = (unsigned char)s[i];
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			i++;
			continue;
		}
		step = utf8_step(s + i, n - i);
		if (step > 1) {
			i += step;
			continue;
		}
		buf_add(b, s + plain, i - plain);
		if (!step)
			buf_puts(b, "\xef\xbf\xbd");
		else
			json_escape(b, c);
		plain = ++i;
	}
	buf_add(b, s + plain, i - plain);
	return buf_putc(b, '"');
}

int
buf_shell(struct buf *b, const char *s)
{
	buf_putc(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_puts(b, "'\\'");
		buf_putc(b, *s);
	}
	return buf_putc(b, '\'');
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	b->len -= n;
	memmove(b->data, b->data + n, b->len + 1);
}

const char *
buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

char *
buf_take(struct buf *b)
{
	char *data;

	if (b->failed || buf_reserve(b, 0) < 0)
		return NULL;
	data = b->data;
	data[b->len] = '\0';
	buf_init(b, b->max);
	return data;
}
