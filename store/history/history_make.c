/*
 * The repository itself: made, and cleared of what a crash left.  Runs in the
 * daemon when a store is opened; plain calls only, for it must last.
 */
#include "history_internal.h"
#include "pack_internal.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_NEW "HEAD.new"
#define ANEW "bothy-anew"	/* milliseconds since 1970, a line */

enum { INCOMING_S = 24 * 3600 };	/* since then nobody pushes it */

static const char *const DIRS[] = {
	"objects", "objects/pack", "objects/info", "refs", "refs/heads",
	"refs/tags", "refs/bothy", "refs/bothy/held", "hooks"
};

static int
make_file(int dir_fd, const char *name, const char *text, struct err *e)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	int r = 0;

	if (fd < 0)
		return err_sys(e, "make history.git/%s", name);
	if (io_write_all(fd, text, strlen(text)) || fsync(fd))
		r = err_sys(e, "write history.git/%s", name);
	io_close(&fd);
	return r;
}

static int
sync_dir(int dir_fd, const char *name, struct err *e)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (fd < 0 || fsync(fd))
		r = err_sys(e, "sync history.git/%s", name);
	io_close(&fd);
	return r;
}

/*
 * HEAD comes last, and is on the disk before it has its name: what has one is
 * whole, also if the daemon was killed in midst of this and the power went.
 */
int
history_make(int dir_fd, struct err *e)
{
	size_t i;

	for (i = 0; i < sizeof DIRS / sizeof *DIRS; i++)
		if (mkdirat(dir_fd, DIRS[i], 0700) && errno != EEXIST)
			return err_sys(e, "make history.git/%s", DIRS[i]);
	for (i = sizeof DIRS / sizeof *DIRS; i-- > 0;)
		if (sync_dir(dir_fd, DIRS[i], e))
			return -1;
	if (make_file(dir_fd, "config", history_config, e) ||
	    make_file(dir_fd, "description", "The history of a Bothy store\n",
	    e) || sync_dir(dir_fd, ".", e) ||
	    make_file(dir_fd, HEAD_NEW, "ref: " HISTORY_MAIN "\n", e))
		return -1;
	if (renameat(dir_fd, HEAD_NEW, dir_fd, "HEAD"))
		return err_sys(e, "make history.git/HEAD");
	return sync_dir(dir_fd, ".", e);
}

/* --- that it is not the first -------------------------------------------------- */

int
history_read_anew(struct history *h, struct err *e)
{
	struct buf b;
	int r = 0;

	buf_init(&b, 64);
	if (io_read_file(h->dir_fd, ANEW, &b, e) == 0)
		h->anew_ms = strtoll(buf_str(&b), NULL, 10);
	else if (e->code != ENOENT)
		r = -1;
	buf_release(&b);
	return r;
}

int
history_begun_anew(struct history *h, int64_t now_ms, struct err *e)
{
	char text[32];

	snprintf(text, sizeof text, "%lld\n", (long long)now_ms);
	if (make_file(h->dir_fd, ANEW, text, e) || sync_dir(h->dir_fd, ".", e))
		return -1;
	h->anew_ms = now_ms;
	return 0;
}

/* --- what a crash left ---------------------------------------------------------- */

static bool
is_there(int dir_fd, const char *stem, size_t n, const char *suffix)
{
	char name[NAME_MAX + 1];

	snprintf(name, sizeof name, "%.*s%s", (int)n, stem, suffix);
	return faccessat(dir_fd, name, F_OK, 0) == 0;
}

static void
remove_parts(int dir_fd, const char *stem, size_t n)
{
	static const char *const SUFFIX[] = { ".idx", ".pack", ".span" };
	char name[NAME_MAX + 1];
	size_t i;

	for (i = 0; i < sizeof SUFFIX / sizeof *SUFFIX; i++) {
		snprintf(name, sizeof name, "%.*s%s", (int)n, stem, SUFFIX[i]);
		unlinkat(dir_fd, name, 0);
	}
}

/* Ours are the temporaries, and a span whose pack never came to be. */
static void
clear_pack_file(int dir_fd, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : 0;

	if (strncmp(name, "tmp_bothy_", 10) == 0)
		unlinkat(dir_fd, name, 0);
	else if (n && strcmp(dot, ".span") == 0 &&
	    !(is_there(dir_fd, name, n, ".idx") &&
	    is_there(dir_fd, name, n, ".pack")))
		remove_parts(dir_fd, name, n);
}

/* What a push left that was cut off; one may be under way now. */
static void
clear_incoming(int dir_fd, const char *name)
{
	struct stat st;

	if ((strncmp(name, "tmp_objdir-", 11) == 0 ||
	    strncmp(name, "incoming-", 9) == 0) &&
	    fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_mtime < clock_wall_ms() / 1000 - INCOMING_S)
		io_remove_tree(dir_fd, name);
}

static void
clear_lock(int dir_fd, const char *name)
{
	size_t n = strlen(name);

	if (n > 5 && strcmp(name + n - 5, ".lock") == 0)
		unlinkat(dir_fd, name, 0);
}

static int
clear_dir(struct history *h, const char *path,
    void (*clear)(int dir_fd, const char *name), struct err *e)
{
	int fd = openat(h->dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		if (fd < 0 && errno == ENOENT)
			return 0;
		err_sys(e, "read history.git/%s", path);
		io_close(&fd);
		return -1;
	}
	while ((entry = readdir(dir)))
		clear(dirfd(dir), entry->d_name);
	closedir(dir);
	return 0;
}

int
history_clear(struct history *h, struct err *e)
{
	if (clear_dir(h, "objects/pack", clear_pack_file, e) ||
	    clear_dir(h, "objects", clear_incoming, e) ||
	    clear_dir(h, "refs/heads", clear_lock, e) ||
	    clear_dir(h, "refs/tags", clear_lock, e) ||
	    clear_dir(h, "refs/bothy/held", clear_lock, e))
		return -1;
	return 0;
}
