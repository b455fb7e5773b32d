/*
 * bothy_log(): one JSON object a line on stderr, in one write, so that lines
 * of several processes don't mix.  Runs in a function's process.
 */
#include "bothy.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 3000 };	/* bytes of a message; the rest is cut */

static const char *const LEVELS[] = {
    [BOTHY_DEBUG] = "debug",
    [BOTHY_INFO] = "info",
    [BOTHY_WARN] = "warn",
    [BOTHY_ERROR] = "error",
};

static bool
compose(struct buf *b, enum bothy_level level, const char *text, size_t n)
{
	buf_reset(b);
	buf_printf(b, "{\"level\":\"%s\",\"message\":", LEVELS[level]);
	buf_json(b, text, n);
	buf_puts(b, "}\n");
	return buf_ok(b);
}

void
bothy_log(enum bothy_level level, const char *fmt, ...)
{
	char text[TEXT_MAX];
	struct buf b;
	va_list ap;
	size_t n;

	if ((unsigned)level > BOTHY_ERROR)
		level = BOTHY_ERROR;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_init(&b, PIPE_BUF);
	/* Escapes make a text up to six times longer: then it is cut. */
	for (n = strlen(text); !compose(&b, level, text, n) && n; n /= 2)
		;
	if (buf_ok(&b))
		io_write_all(STDERR_FILENO, b.data, b.len);
	buf_release(&b);
}
