/*
 * Lines of the log, for serverlog.h.  What can't be written is lost: a full
 * disk is no reason to stop.
 */
#include "serverlog.h"

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_BYTES = 1 << 20, TEXT_SIZE = 1024, LINE_MAX_BYTES = 8 * 1024 };

static const char NAME[] = "store.log", OLD[] = "store.log.1";

void
serverlog_init(struct serverlog *l)
{
	l->dir_fd = -1;
	pthread_mutex_init(&l->lock, NULL);
}

void
serverlog_release(struct serverlog *l)
{
	pthread_mutex_destroy(&l->lock);
}

static int
open_log(int dir_fd)
{
	return openat(dir_fd, NAME,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static void
put(struct serverlog *l, const struct buf *line)
{
	int fd = open_log(l->dir_fd);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= LOG_BYTES) {
		(void)renameat(l->dir_fd, NAME, l->dir_fd, OLD);
		io_close(&fd);
		fd = open_log(l->dir_fd);
	}
	if (fd >= 0)
		(void)io_write_all(fd, line->data, line->len);
	io_close(&fd);
}

void
serverlog_say(struct serverlog *l, const char *level, const char *fmt, ...)
{
	char text[TEXT_SIZE], when[CLOCK_ISO_SIZE];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	clock_iso(clock_wall_ms(), when);
	buf_init(&b, LINE_MAX_BYTES);
	buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", when,
	    level);
	buf_json(&b, text, strlen(text));
	buf_puts(&b, "}\n");
	pthread_mutex_lock(&l->lock);
	if (buf_ok(&b))
		put(l, &b);
	pthread_mutex_unlock(&l->lock);
	buf_release(&b);
}
