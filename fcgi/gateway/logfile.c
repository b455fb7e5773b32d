/*
 * Log files (logfile.h): append, and open again when told to.
 */
#include "logfile.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
logs_open(struct logs *l, const char *directory, struct err *e)
{
	l->dir_fd = -1;
	atomic_init(&l->generation, 0);
	if (io_mkdirs(directory, 0700, e) < 0)
		return -1;
	l->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir_fd < 0)
		return err_sys(e, "%s", directory);
	return 0;
}

void
logs_close(struct logs *l)
{
	io_close(&l->dir_fd);
}

void
logs_reopen(struct logs *l)
{
	atomic_fetch_add(&l->generation, 1);
}

int
logs_append(const struct logs *l, const char *name)
{
	return openat(l->dir_fd, name,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	        O_NONBLOCK,
	    0600);
}

int
logfile_open(struct logfile *f, struct logs *l, const char *name,
    struct err *e)
{
	int n = snprintf(f->name, sizeof(f->name), "%s", name);

	f->logs = l;
	f->fd = -1;
	if (n < 0 || (size_t)n >= sizeof(f->name))
		return err_set(e, ENAMETOOLONG, "%s: too long", name);
	atomic_init(&f->generation, atomic_load(&l->generation));
	atomic_init(&f->lost, 0);
	f->fd = logs_append(l, name);
	if (f->fd < 0)
		return err_sys(e, "log file %s", name);
	pthread_mutex_init(&f->lock, NULL);
	return 0;
}

void
logfile_close(struct logfile *f)
{
	if (f->fd < 0)
		return;
	io_close(&f->fd);
	pthread_mutex_destroy(&f->lock);
}

void
logfile_look(struct logfile *f)
{
	struct stat ours, named;

	if (fstat(f->fd, &ours) < 0)
		return;
	if (fstatat(f->logs->dir_fd, f->name, &named, AT_SYMLINK_NOFOLLOW) ==
	    0) {
		if (named.st_ino == ours.st_ino && named.st_dev == ours.st_dev)
			return;
	} else if (errno != ENOENT)
		return;
	logs_reopen(f->logs);
}

/*
 * Puts a new file under the number of the old one, in one step: others who
 * write meanwhile reach the one or the other.
 */
static void
open_again(struct logfile *f)
{
	unsigned wanted;
	int fd;

	pthread_mutex_lock(&f->lock);
	wanted = atomic_load(&f->logs->generation);
	if (atomic_load(&f->generation) != wanted) {
		fd = logs_append(f->logs, f->name);
		if (fd >= 0) {
			dup3(fd, f->fd, O_CLOEXEC);
			io_close(&fd);
		}
		atomic_store(&f->generation, wanted);
	}
	pthread_mutex_unlock(&f->lock);
}

void
logfile_write(struct logfile *f, const void *p, size_t n)
{
	ssize_t done;

	if (atomic_load_explicit(&f->generation, memory_order_relaxed) !=
	    atomic_load_explicit(&f->logs->generation, memory_order_relaxed))
		open_again(f);
	do
		done = write(f->fd, p, n);
	while (done < 0 && errno == EINTR);
	if (done != (ssize_t)n)
		atomic_fetch_add(&f->lost, 1);
}
