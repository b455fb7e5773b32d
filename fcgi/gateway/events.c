/*
 * The gateway's own log, log/gateway.jsonl: starts, reloads, refusals.
 */
#include "gateway.h"

#include "store/base/buf.h"
#include "store/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
gateway_log(struct gateway *g, const char *level, const char *fmt, ...)
{
	char text[1024], when[CLOCK_ISO_SIZE];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (g->cgi) {		/* the web server's error log is ours */
		fprintf(stderr, "bothy-fcgi: %s\n", text);
		return;
	}
	clock_iso(clock_wall_ms(), when);
	buf_init(&b, 8192);
	buf_printf(&b, "{\"time\":\"%s\",\"pid\":%d,\"level\":\"%s\","
	    "\"message\":", when, (int)getpid(), level);
	buf_json(&b, text, strlen(text));
	buf_puts(&b, "}\n");
	if (buf_ok(&b))
		logfile_write(&g->events, b.data, b.len);
	buf_release(&b);
}
