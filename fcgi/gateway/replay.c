/*
 * Crash replays, as replay.h describes them.
 */
#include "replay.h"

#include "store/base/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static void
add_argument(struct buf *out, const char *s)
{
	buf_putc(out, ' ');
	buf_shell(out, s);
}

/* Names begin with the time, so the first in order is the oldest. */
static void
forget_old(int dir_fd)
{
	struct dirent **names;
	int copy = dup(dir_fd), n, i;

	if (copy < 0)
		return;
	n = scandirat(copy, ".", &names, NULL, alphasort);
	close(copy);
	for (i = 0; i < n; i++) {
		if (i < n - REPLAY_KEPT && names[i]->d_name[0] != '.')
			unlinkat(dir_fd, names[i]->d_name, 0);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* 0 with the body in crash/<request id>, or -1. */
static int
keep_body(const struct replay *r, int state_fd)
{
	off_t at = 0;
	int dir_fd, fd = -1;

	if (r->body_bytes > REPLAY_BODY_MAX)
		return -1;
	mkdirat(state_fd, "crash", 0700);
	dir_fd = openat(state_fd, "crash", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return -1;
	fd = openat(dir_fd, r->request_id,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	while (fd >= 0 && (uint64_t)at < r->body_bytes)
		if (sendfile(fd, r->body_fd, &at,
		        r->body_bytes - (uint64_t)at) <= 0)
			break;
	forget_old(dir_fd);
	close(dir_fd);
	if (fd < 0)
		return -1;
	close(fd);
	return (uint64_t)at == r->body_bytes ? 0 : -1;
}

void
replay_command(const struct replay *r, int state_fd, const char *state_dir,
    struct buf *out)
{
	char text[4096];

	buf_printf(out, "again: bothy invoke %s --method %s --path",
	    r->function, r->method);
	add_argument(out, r->target);
	if (r->content_type && r->content_type[0]) {
		snprintf(text, sizeof text, "Content-Type: %s",
		    r->content_type);
		buf_puts(out, " --header");
		add_argument(out, text);
	}
	if (r->body_fd < 0)
		return;
	if (keep_body(r, state_fd) < 0) {
		buf_printf(out, " --data @FILE, its body of %llu bytes was "
		    "not kept", (unsigned long long)r->body_bytes);
		return;
	}
	snprintf(text, sizeof text, "@%s/crash/%s", state_dir, r->request_id);
	buf_puts(out, " --data");
	add_argument(out, text);
}
