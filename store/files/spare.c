/*
 * Spares, as spare.h describes them.
 */
#include "spare.h"

#include "files_seal.h"

#include "store/base/clock.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool lease(int fd);
static enum spare_state refuse(int fd, enum spare_state why);

void
spares_init(struct spares *s, int dir_fd, unsigned thread, bool recycle)
{
	s->dir_fd = dir_fd;
	s->thread = thread;
	s->named = 0;
	s->recycle = recycle;
	s->first = s->n = 0;
}

void
spares_name(struct spares *s, char file[32])
{
	snprintf(file, 32, "%u-%llu", s->thread,
	    (unsigned long long)s->named++);
}

bool
spares_pop(struct spares *s, struct spare *out)
{
	if (s->n == 0)
		return false;
	*out = s->kept[(s->first + --s->n) % SPARES_MAX];
	return true;
}

bool
spares_pop_rested(struct spares *s, struct spare *out)
{
	const struct spare *oldest = &s->kept[s->first];

	if (s->n == 0 || (s->n < SPARES_MAX &&
	    clock_mono_ms() - oldest->since_ms < SPARE_REST_MS))
		return false;
	*out = *oldest;
	s->first = (s->first + 1) % SPARES_MAX;
	s->n--;
	return true;
}

void
spares_push(struct spares *s, const struct spare *one, off_t size)
{
	struct spare *kept = &s->kept[(s->first + s->n) % SPARES_MAX];

	if (!s->recycle || s->n == SPARES_MAX || size > SPARE_SIZE_MAX) {
		spare_drop(s, one->file);
		return;
	}
	*kept = *one;
	kept->since_ms = clock_mono_ms();
	s->n++;
}

enum spare_state
spare_open(const struct spares *s, const struct spare *one,
    struct spare_file *out)
{
	int fd = openat(s->dir_fd, one->file,
	    O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd == -1)
		return errno == ENOENT ? SPARE_GONE : SPARE_IN_USE;
	if (!planted(PLANT_RECYCLED_WHILE_READ) && !lease(fd))
		return refuse(fd, fstat(fd, &st) == 0 &&
		    !files_seal_holds(one->salt, &st) ?
			SPARE_CHANGED : SPARE_IN_USE);
	if (fstat(fd, &st) == -1 || !files_seal_holds(one->salt, &st))
		return refuse(fd, SPARE_CHANGED);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 07777) != 0600 ||
	    st.st_nlink != 1 || st.st_uid != geteuid())
		return refuse(fd, SPARE_IN_USE);
	*out = (struct spare_file){
	    .fd = fd,
	    .inode = st.st_ino,
	    .size = st.st_size,
	    .recycled = true,
	};
	snprintf(out->file, sizeof out->file, "%s", one->file);
	return SPARE_READY;
}

int
spare_make(struct spares *s, struct spare_file *out)
{
	struct statx st;

	*out = (struct spare_file){.fd = -1};
	spares_name(s, out->file);
	out->fd = openat(s->dir_fd, out->file,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd == -1)
		return -1;
	if (statx(out->fd, "", AT_EMPTY_PATH, STATX_INO, &st) == -1) {
		int was = errno;

		close(out->fd);
		spare_drop(s, out->file);
		errno = was;
		return -1;
	}
	out->inode = st.stx_ino;
	return 0;
}

int
spare_close(struct spare_file *f)
{
	int fd = f->fd;

	f->fd = -1;
	return close(fd);
}

void
spare_drop(const struct spares *s, const char *file)
{
	unlinkat(s->dir_fd, file, 0);
}

/*
 * Who opens the file meanwhile waits until it is closed.  The kernel would
 * tell us of that by SIGIO, which ends a process: SIGURG does not.
 */
static bool
lease(int fd)
{
	return fcntl(fd, F_SETSIG, SIGURG) == 0 &&
	    fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
}

static enum spare_state
refuse(int fd, enum spare_state why)
{
	close(fd);
	return why;
}
