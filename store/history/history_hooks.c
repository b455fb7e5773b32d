/*
 * What stands between a push and the repository: git's settings, and two hooks
 * that have another program judge and merge it (githooks(5): pre-receive,
 * proc-receive).  Runs in the daemon when a store is opened.
 *
 * All refs are given to proc-receive, so git itself never writes one, and
 * nobody's lock file is in our way.
 */
#include "history_internal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_BYTES = 1 << 20, HOOK_BYTES = 2 * PATH_MAX };

const char history_config[] =
    "[core]\n"
    "\trepositoryformatversion = 0\n"
    "\tfilemode = true\n"
    "\tbare = true\n"
    "\tlogAllRefUpdates = false\n"
    "\thooksPath = hooks\n"
    "[gc]\n"
    "\tauto = 0\n"
    "[transfer]\n"
    "\tfsckObjects = true\n"
    "\tunpackLimit = 1\n"
    "[receive]\n"
    "\tautogc = false\n"
    "\tadvertisePushOptions = true\n"
    "\tprocReceiveRefs = refs\n"
    "\tmaxInputSize = 1g\n"
    "\thideRefs = refs/bothy\n";

/* A program that has moved since is looked for where others are. */
static void
write_hook(struct buf *b, const char *program, const char *name)
{
	buf_puts(b, "#!/bin/sh\n# Of bothy-store, which writes it anew when it "
	    "opens the store.\nfor bothy in ");
	buf_shell(b, program);
	buf_printf(b, " bothy; do\n\tcommand -v \"$bothy\" >/dev/null 2>&1 "
	    "&&\n\t\texec \"$bothy\" store --dir .. receive %s\ndone\n"
	    "echo \"bothy is not to be found: nothing was changed\" >&2\n"
	    "exit 1\n", name);
}

static bool
is_same(int dir_fd, const char *path, const struct buf *text)
{
	struct buf now;
	struct err ignored;
	bool same;

	buf_init(&now, HOOK_BYTES);
	same = io_read_file(dir_fd, path, &now, &ignored) == 0 &&
	    now.len == text->len &&
	    memcmp(now.data, text->data, now.len) == 0;
	buf_release(&now);
	return same;
}

static int
put_hook(struct history *h, const char *program, const char *name,
    struct err *e)
{
	char path[PATH_MAX];
	struct buf b;
	int r = 0;

	buf_init(&b, HOOK_BYTES);
	write_hook(&b, program, name);
	if (snprintf(path, sizeof path, "%s/hooks/%s", h->path, name) >=
	    (int)sizeof path || !buf_ok(&b))
		r = err_set(e, ENAMETOOLONG, "%s: too long", h->path);
	else if (!is_same(AT_FDCWD, path, &b))
		r = io_replace_file(path, b.data, b.len, 0700, e);
	buf_release(&b);
	return r;
}

/* One of before pushes could be merged; what somebody set since stays. */
static int
renew_config(struct history *h, struct err *e)
{
	char path[PATH_MAX];
	struct buf b;
	int r;

	if (snprintf(path, sizeof path, "%s/config", h->path) >=
	    (int)sizeof path)
		return err_set(e, ENAMETOOLONG, "%s: too long", h->path);
	buf_init(&b, CONFIG_BYTES);
	r = io_read_file(AT_FDCWD, path, &b, e);
	if (!r && !strcasestr(buf_str(&b), "procReceiveRefs"))
		r = io_replace_file(path, history_config,
		    sizeof history_config - 1, 0600, e);
	buf_release(&b);
	return r;
}

int
history_hooks(struct history *h, const char *program, struct err *e)
{
	if (renew_config(h, e))
		return -1;
	if (mkdirat(h->dir_fd, "hooks", 0700) && errno != EEXIST)
		return err_sys(e, "make %s/hooks", h->path);
	return put_hook(h, program, "pre-receive", e) ||
	    put_hook(h, program, "proc-receive", e) ? -1 : 0;
}
