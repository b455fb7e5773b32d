/*
 * A store made from a mirror: its history is fetched, and the documents of the
 * newest commit are laid out as files, as they are below data/.  The journal
 * begins at that commit's position, and the first start makes the index from
 * the files, as it does after any loss of it.  Runs in bothy-store, before it
 * opens the store.
 *
 * A file `from` is there from the first step to the last: with it the
 * directory is none of a store yet, and all that lies there is begun again.
 */
#include "store_internal.h"

#include "store/base/io.h"
#include "store/files/files.h"
#include "store/index/stamp.h"
#include "store/journal/journal.h"
#include "store/value/fault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { NAME_ROOM = 64 << 10, TABLE_FILE_MAX = 8 << 20 };

/* What is in the directory of a store, but for the lock and the marker. */
static const char *const PARTS[] = {"history.git", "clone.new", "data",
	"spare", "conflicts", "journal", "index"};

struct making {
	const char *dir;
	const struct store_options *options;
	int dir_fd, lock_fd;
	struct history *history;
	struct history_commit tip;
	struct files *files;
	char table_dir[PATH_NAME_MAX + 1];	/* the one at hand, and */
	struct files_table *table;		/* NULL: there is no such */
	struct arena arena;
	uint64_t documents;
};

/* --- its files ------------------------------------------------------------ */

/* A small file of the table at hand: appended; 1, 0, -1. */
static int
get(struct making *m, const char *name, struct buf *out, struct err *e)
{
	char path[PATH_MAX_BYTES];
	const char *const one[1] = {path};

	snprintf(path, sizeof path, "%s/%s", m->table_dir, name);
	return history_get(m->history, &m->tip.id,
	    (struct history_paths){one, 1}, out, e);
}

/* So many documents as make its directories as deep as in the history. */
static uint64_t
documents_for(const char *fanout)
{
	switch (atoi(fanout)) {
	case 0:
		return 0;
	case 1:
		return FILES_FLAT_MAX + 1;
	default:
		return FILES_ONE_MAX + 1;
	}
}

static int
open_table(struct making *m, struct err *e)
{
	struct buf fanout, file;
	struct table *t = NULL;
	int rc;

	m->table = NULL;
	buf_init(&fanout, 64);
	buf_init(&file, TABLE_FILE_MAX);
	rc = get(m, ".fanout", &fanout, e);
	if (rc >= 0)
		rc = get(m, PATH_TABLE_FILE, &file, e);
	if (rc > 0) {
		t = table_read(buf_str(&file), file.len, e);
		if (t)
			m->table = files_table(m->files, t->name,
			    documents_for(buf_str(&fanout)), e);
		rc = m->table ? 0 : -1;
	}
	table_free(t);
	buf_release(&file);
	buf_release(&fanout);
	return rc;
}

static int
write_file(struct making *m, const char *base, const void *p, size_t n,
    struct err *e)
{
	struct path_name name;
	struct path_key key;

	if (strcmp(base, PATH_TABLE_FILE) == 0)
		return files_write(m->table, 0, NULL, p, n, FILES_REDO, NULL,
		    e);
	arena_reset(&m->arena);
	if (path_decode(base, &m->arena, &name, &key) == PATH_FOREIGN)
		return 0;	/* .fanout; and what is nobody's document */
	m->documents++;
	if (m->documents % 100 == 0 && store_start_stopped(m->options, e))
		return -1;
	if (m->options->progress && m->documents % 1000 == 0)
		m->options->progress(m->options->arg, "files", m->documents,
		    0);
	return files_write(m->table, 0, &name, p, n, FILES_REDO, NULL, e);
}

static int
lay_out(void *ctx, const struct history_delta *d, struct err *e)
{
	const char *slash = strchr(d->path, '/');
	struct making *m = ctx;
	size_t n;

	if (!slash || !d->new_bytes)
		return 0;
	n = (size_t)(slash - d->path);
	if (n > PATH_NAME_MAX)
		return 0;
	if (strncmp(m->table_dir, d->path, n) != 0 || m->table_dir[n]) {
		snprintf(m->table_dir, sizeof m->table_dir, "%.*s", (int)n,
		    d->path);
		if (open_table(m, e) < 0)
			return -1;
	}
	if (!m->table)
		return 0;
	return write_file(m, strrchr(d->path, '/') + 1, d->new_bytes,
	    d->new_n, e);
}

static int
make_files(struct making *m, struct err *e)
{
	const struct history_side nothing = {.path = ""};
	struct history_side all = {m->tip.id, ""};
	struct files_options o = {.threads = 1};
	int rc = -1;

	m->history = history_open(m->dir, false, e);
	m->files = m->history ? files_open(m->dir_fd, &o, e) : NULL;
	arena_init(&m->arena, NAME_ROOM);
	if (m->files)
		rc = history_diff(m->history, &nothing, &all, lay_out, m, e);
	if (rc == 0)
		rc = files_sync(m->files, e);
	arena_release(&m->arena);
	if (m->files)
		files_close(m->files);
	history_close(m->history);
	return rc < 0 ? -1 : 0;
}

/* --- its journal ---------------------------------------------------------- */

static int
make_journal(struct making *m, struct err *e)
{
	struct journal_options o = {.begin = m->tip.position,
	    .segment_bytes = m->options->segment_bytes};
	struct journal *j;

	if (journal_open(m->dir_fd, &o, &j, e) < 0)
		return -1;
	journal_close(j);
	return 0;
}

/* --- the directory -------------------------------------------------------- */

static bool
is_there(const struct making *m, const char *name)
{
	return faccessat(m->dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Nobody's files are taken for what was left by an earlier try. */
static int
check_empty(const struct making *m, struct err *e)
{
	size_t i;

	if (is_there(m, "format"))
		return err_set(e, FAULT_IN_USE, "%s is a store already",
		    m->dir);
	if (is_there(m, "from"))
		return 0;
	for (i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
		if (is_there(m, PARTS[i]))
			return err_set(e, FAULT_IN_USE, "%s is not empty: %s "
			    "is there", m->dir, PARTS[i]);
	return 0;
}

static int
begin(struct making *m, const char *url, struct err *e)
{
	char path[PATH_MAX];
	size_t i;

	if (io_mkdirs(m->dir, 0700, e) < 0 ||
	    (!m->options->force && stamp_check_place(m->dir, e) < 0))
		return -1;
	m->dir_fd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->dir_fd >= 0)
		m->lock_fd = openat(m->dir_fd, "lock",
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (m->lock_fd < 0)
		return err_sys(e, "%s", m->dir);
	if (flock(m->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, FAULT_IN_USE, "%s: another process has the "
		    "store", m->dir);
	if (check_empty(m, e) < 0)
		return -1;
	if (snprintf(path, sizeof path, "%s/from", m->dir) >=
	    (int)sizeof path)
		return err_set(e, ENAMETOOLONG, "%s: too long", m->dir);
	if (io_replace_file(path, url, strlen(url), 0600, e) < 0)
		return -1;
	for (i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
		if (io_remove_tree(m->dir_fd, PARTS[i]) < 0)
			return err_sys(e, "%s/%s", m->dir, PARTS[i]);
	return 0;
}

static int
end(const struct making *m, struct err *e)
{
	if (syncfs(m->dir_fd) < 0 || unlinkat(m->dir_fd, "from", 0) < 0 ||
	    fsync(m->dir_fd) < 0)
		return err_sys(e, "%s", m->dir);
	return 0;
}

int
store_from_mirror(const char *dir, const char *url,
    const struct store_options *o, struct history_commit *tip, struct err *e)
{
	struct making m = {.dir = dir, .options = o, .dir_fd = -1,
	    .lock_fd = -1};
	int rc;

	if (*url == '/' && access(url, F_OK) < 0)
		return err_sys(e, "%s", url);
	rc = begin(&m, url, e);
	if (rc == 0)
		rc = history_clone_from(dir, url, o->stopped, o->arg, &m.tip,
		    e);
	if (rc == 0)
		rc = make_files(&m, e);
	if (rc == 0)
		rc = make_journal(&m, e);
	if (rc == 0)
		rc = end(&m, e);
	*tip = m.tip;
	io_close(&m.lock_fd);
	io_close(&m.dir_fd);
	return rc;
}
