/*
 * The launcher's own log, and what zygotes print before they serve: one JSON
 * line each.
 */
#include "launcher.h"

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
put(struct launcher *l, const char *name, const char *level,
    const char *function, const char *text, size_t len)
{
	char path[128], when[CLOCK_ISO_SIZE];
	struct buf b;
	int fd;

	snprintf(path, sizeof path, "log/%s.jsonl", name);
	fd = openat(l->state_fd, path,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	clock_iso(clock_wall_ms(), when);
	buf_init(&b, 16 * 1024);
	buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\"", when, level);
	if (function) {
		buf_puts(&b, ",\"function\":");
		buf_json(&b, function, strlen(function));
	}
	buf_puts(&b, ",\"message\":");
	buf_json(&b, text, len);
	buf_puts(&b, "}\n");
	if (buf_ok(&b))
		io_write_all(fd, b.data, b.len);
	buf_release(&b);
	close(fd);
}

void
launchlog(struct launcher *l, const char *level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	put(l, "launch", level, NULL, text, strlen(text));
}

void
launchlog_function(struct launcher *l, const char *function,
    const char *level, const char *text, size_t len)
{
	put(l, function, level, function, text, len);
}
