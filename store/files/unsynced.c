/*
 * What was written since the last sync, as unsynced.h describes it.  Part of
 * bothy-store: noted by who writes files, synced by who takes checkpoints.
 *
 * A write that the kernel could not bring to the disk is told by the sync of a
 * descriptor that was opened later, as long as the inode is in memory: so each
 * is held there by an O_PATH descriptor, which is in no lease's way.
 */
#include "unsynced.h"

#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
forget(struct unsynced_set *s)
{
	while (s->count)
		io_close(&s->files[--s->count].fd);
}

void
unsynced_init(struct unsynced *u)
{
	u->dir_fd = u->spare_fd = -1;
	u->set.all = true;
	u->set.count = 0;
	pthread_mutex_init(&u->lock, NULL);
}

void
unsynced_release(struct unsynced *u)
{
	forget(&u->set);
	pthread_mutex_destroy(&u->lock);
}

/* --- noting ----------------------------------------------------------------- */

static void
note_all(struct unsynced_set *s)
{
	forget(s);
	s->all = true;
}

void
unsynced_note_all(struct unsynced *u)
{
	pthread_mutex_lock(&u->lock);
	note_all(&u->set);
	pthread_mutex_unlock(&u->lock);
}

/* The one of that path; a new one, without a path; NULL: there is no room. */
static struct unsynced_file *
place(struct unsynced_set *s, const char *path)
{
	struct unsynced_file *file;
	size_t i;

	for (i = 0; i < s->count; i++)
		if (strcmp(s->files[i].path, path) == 0)
			return &s->files[i];
	if (s->count == UNSYNCED_MAX)
		return NULL;
	file = &s->files[s->count++];
	*file = (struct unsynced_file){.fd = -1};
	return file;
}

static void
note(struct unsynced *u, const char *path)
{
	struct unsynced_file *file = place(&u->set, path);

	if (!file) {
		note_all(&u->set);
		return;
	}
	io_close(&file->fd);
	snprintf(file->path, sizeof file->path, "%s", path);
	file->fd = openat(u->dir_fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (file->fd == -1 && errno != ENOENT)
		note_all(&u->set);
}

void
unsynced_note(struct unsynced *u, const char *path)
{
	pthread_mutex_lock(&u->lock);
	if (!u->set.all)
		note(u, path);
	pthread_mutex_unlock(&u->lock);
}

/* --- one by one ------------------------------------------------------------- */

enum outcome { SYNCED, FAILED, UNSURE };

/*
 * The file that lies there now: opened, and on its way to the disk, so that
 * those behind it find their blocks in one commit of the file system.  -1 if
 * none does: then the directory tells so.
 */
static enum outcome
begin(int dir_fd, const char *path, int *fd)
{
	struct stat st;

	*fd = openat(dir_fd, path,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd == -1)
		return errno == ENOENT ? SYNCED : UNSURE;
	if (fstat(*fd, &st) == -1 || !S_ISREG(st.st_mode))
		return UNSURE;
	return io_send_off(*fd, 0, 0) == 0 ? SYNCED : FAILED;
}

static enum outcome
sync_bytes(int dir_fd, const struct unsynced_set *s)
{
	enum outcome r = SYNCED;
	int fds[UNSYNCED_MAX];
	size_t n, i;

	for (n = 0; n < s->count && r == SYNCED; n++)
		r = begin(dir_fd, s->files[n].path, &fds[n]);
	for (i = 0; i < n; i++) {
		if (r == SYNCED && fds[i] != -1 &&
		    !planted(PLANT_FILE_BYTES_UNSYNCED) && fsync(fds[i]) == -1)
			r = FAILED;
		io_close(&fds[i]);
	}
	return r;
}

static size_t
directory_bytes(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* True if one before it lies in the same directory. */
static bool
has_company(const struct unsynced_set *s, size_t i)
{
	const char *path = s->files[i].path;
	size_t n = directory_bytes(path), j;

	for (j = 0; j < i; j++)
		if (directory_bytes(s->files[j].path) == n &&
		    memcmp(s->files[j].path, path, n) == 0)
			return true;
	return false;
}

static enum outcome
sync_directory(int dir_fd, const char *path)
{
	char dir[PATH_MAX_BYTES];
	int fd, r;

	snprintf(dir, sizeof dir, "%.*s", (int)directory_bytes(path), path);
	fd = openat(dir_fd, dir,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return UNSURE;
	r = planted(PLANT_FILE_NAME_UNSYNCED) ? 0 : fsync(fd);
	io_close(&fd);
	return r == 0 ? SYNCED : FAILED;
}

/* A file came from spare/, or went there: both directories say so. */
static enum outcome
sync_each(const struct unsynced *u, const struct unsynced_set *s)
{
	enum outcome r = sync_bytes(u->dir_fd, s);
	size_t i;

	for (i = 0; i < s->count && r == SYNCED; i++)
		if (!has_company(s, i))
			r = sync_directory(u->dir_fd, s->files[i].path);
	if (s->count && r == SYNCED && fsync(u->spare_fd) == -1)
		r = FAILED;
	return r;
}

int
unsynced_sync(struct unsynced *u, struct err *e)
{
	struct unsynced_set s;
	enum outcome r;
	int n;

	pthread_mutex_lock(&u->lock);
	s = u->set;
	u->set.all = false;
	u->set.count = 0;
	pthread_mutex_unlock(&u->lock);
	n = (int)s.count;
	r = s.all ? UNSURE : sync_each(u, &s);
	if (r == UNSURE) {
		n = 0;
		r = syncfs(u->dir_fd) == 0 ? SYNCED : FAILED;
	}
	if (r == FAILED)
		err_sys(e, "can't sync the documents");
	forget(&s);
	return r == FAILED ? -1 : n;
}
