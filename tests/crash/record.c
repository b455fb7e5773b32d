/*
 * The recorder: preloaded into a program under test (LD_PRELOAD), it notes the
 * file operations below CRASH_ROOT and what is sent over sockets in CRASH_LOG,
 * and makes operations fail or the program die where it is told.
 *
 *	CRASH_ROOT	the directory that counts, an absolute path
 *	CRASH_LOG	where to append records; none: nothing is noted
 *	CRASH_KILL	N: SIGKILL right after the N-th record; N:all: for all of
 *			the process group
 *	CRASH_FAIL	KIND:N:ERRNO:once|often|ever: the N-th call of a kind fails,
 *			and after it none, some or all
 *			(open read write sync syncfs datasync name truncate
 *			allocate memory; sync is each of them, syncfs that
 *			of a document, too, and memory only where the
 *			program itself asks for it)
 *	CRASH_SLOW	N: every N-th write and change of a name takes two
 *			milliseconds longer, while others go on
 *	CRASH_CALLS	a file that gets the number of calls of that kind
 *	CRASH_COUNT	a file of 16 bytes by which all programs that have it
 *			count records and calls together, as one life
 *	CRASH_PIPES	if set, what goes into a pipe is sent, too
 *	CRASH_BOOT_ID	a file that is opened in place of the kernel's boot_id
 *
 * What is sent is noted before it is sent, a sync after it succeeded, all else
 * together with the call, under a lock.  It sees calls of libc only: no mmap, no
 * static programs, and of stdio what is opened to be written.
 *
 * Here are files that are opened, read, written and synced; record_names.c has
 * names and modes, record_stdio.c stdio, record_memory.c memory, record_log.c
 * the log.
 */
#include "record_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* --- open --------------------------------------------------------------- */

static int
open_recorded(int dir_fd, const char *path, int flags, mode_t mode)
{
	bool tmp = (flags & O_TMPFILE) == O_TMPFILE, is_new;
	struct place p;
	int fd;

	lock();
	p = place_of(dir_fd, path);
	is_new = tmp || ((flags & O_CREAT) && !inode_at(dir_fd, path));
	fd = (int)CALL(openat, dir_fd, path, flags, mode);
	if (fd >= 0 && is_new)
		note((struct record){.kind = RECORD_NEW, .a = inode_of(fd),
		    .c = mode_of(fd)}, NULL, NULL);
	if (fd >= 0 && is_new && !tmp)
		note_name(&p, inode_of(fd));
	if (fd >= 0 && !is_new && (flags & O_TRUNC))
		note((struct record){.kind = RECORD_TRUNCATE,
		    .a = inode_of(fd)}, NULL, NULL);
	unlock();
	return fd;
}

static int
open_any(int dir_fd, const char *path, int flags, mode_t mode)
{
	const char *boot_id = getenv("CRASH_BOOT_ID");

	if (boot_id && strcmp(path, BOOT_ID) == 0)
		path = boot_id;
	if (path_counts(dir_fd, path)) {
		if (fails(OPEN))
			return -1;
		if (flags & (O_CREAT | O_TRUNC | O_TMPFILE))
			return open_recorded(dir_fd, path, flags, mode);
	}
	return (int)CALL(openat, dir_fd, path, flags, mode);
}

#define MODE_OF(last) \
	va_list ap; \
	mode_t mode; \
	va_start(ap, last); \
	mode = (mode_t)va_arg(ap, int); \
	va_end(ap)

#define OPEN_LIKE(name) \
	int name(const char *path, int flags, ...); \
	int name(const char *path, int flags, ...) \
	{ \
		MODE_OF(flags); \
		return open_any(AT_FDCWD, path, flags, mode); \
	}
#define OPENAT_LIKE(name) \
	int name(int dir_fd, const char *path, int flags, ...); \
	int name(int dir_fd, const char *path, int flags, ...) \
	{ \
		MODE_OF(flags); \
		return open_any(dir_fd, path, flags, mode); \
	}

OPEN_LIKE(open)
OPEN_LIKE(open64)
OPEN_LIKE(__open_2)
OPEN_LIKE(__open64_2)
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)
OPENAT_LIKE(__openat_2)
OPENAT_LIKE(__openat64_2)

int
creat(const char *path, mode_t mode)
{
	return open_any(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* glibc's own opens its file unseen. */
int
mkostemp(char *path, int flags)
{
	int fd;

	do {
		if (chance_name(path) < 0)
			return -1;
		fd = open_any(AT_FDCWD, path, flags | O_RDWR | O_CREAT | O_EXCL,
		    0600);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

int
mkstemp(char *path)
{
	return mkostemp(path, 0);
}

int
mkostemp64(char *path, int flags)
{
	return mkostemp(path, flags);
}

int
mkstemp64(char *path)
{
	return mkostemp(path, 0);
}

/* --- reading, which only fails ------------------------------------------ */

ssize_t
read(int fd, void *p, size_t n)
{
	return recorder.fail_kind == READ && fd_counts(fd) && fails(READ) ? -1
	    : CALL(read, fd, p, n);
}

ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
	return recorder.fail_kind == READ && fd_counts(fd) && fails(READ) ? -1
	    : CALL(pread64, fd, p, n, at);
}

ssize_t
pread64(int fd, void *p, size_t n, off_t at)
{
	return pread(fd, p, n, at);
}

/* --- writing ------------------------------------------------------------ */

static void
note_write(int fd, off_t at, const struct iovec *iov, int n, size_t done)
{
	size_t k;
	int i;

	for (i = 0; i < n && done; i++, done -= k) {
		k = iov[i].iov_len < done ? iov[i].iov_len : done;
		note((struct record){.kind = RECORD_WRITE, .a = inode_of(fd),
		    .b = (uint64_t)at, .first = (uint32_t)k},
		    iov[i].iov_base, NULL);
		at += (off_t)k;
	}
}

/* Where write(2) will write. */
static off_t
current(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_APPEND) && fstat(fd, &st) == 0)
		return st.st_size;
	return lseek(fd, 0, SEEK_CUR);
}

/* Somebody listens at its other end. */
static bool
tells(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISSOCK(st.st_mode) ||
	    (recorder.pipes && S_ISFIFO(st.st_mode)));
}

static void
note_sent(const struct iovec *iov, size_t n)
{
	size_t i;

	lock();
	for (i = 0; i < n; i++)
		note((struct record){.kind = RECORD_SENT,
		    .first = (uint32_t)iov[i].iov_len}, iov[i].iov_base, NULL);
	unlock();
}

static ssize_t
write_any(int fd, const struct iovec *iov, int n, off_t at, bool positioned)
{
	ssize_t done;

	if (!positioned && recorder.log_fd >= 0 && tells(fd)) {
		note_sent(iov, (size_t)n);
		return CALL(writev, fd, iov, n);
	}
	if (!fd_counts(fd))
		return positioned ? CALL(pwritev, fd, iov, n, at, 0)
				  : CALL(writev, fd, iov, n);
	if (fails(WRITE))
		return -1;
	dawdle();
	lock();
	if (!positioned)
		at = current(fd);
	done = positioned ? CALL(pwritev, fd, iov, n, at, 0)
			  : CALL(writev, fd, iov, n);
	if (done > 0)
		note_write(fd, at, iov, n, (size_t)done);
	unlock();
	return done;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	struct iovec iov = {(void *)(uintptr_t)p, n};

	return write_any(fd, &iov, 1, 0, false);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	return write_any(fd, iov, n, 0, false);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	struct iovec iov = {(void *)(uintptr_t)p, n};

	return write_any(fd, &iov, 1, at, true);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	return pwrite(fd, p, n, at);
}

ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	return write_any(fd, iov, n, at, true);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	struct iovec iov = {(void *)(uintptr_t)p, n};

	note_sent(&iov, 1);
	return CALL(sendto, fd, p, n, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	note_sent(m->msg_iov, m->msg_iovlen);
	return CALL(sendmsg, fd, m, flags);
}

/* --- lengths ------------------------------------------------------------ */

int
ftruncate(int fd, off_t bytes)
{
	int r;

	if (!fd_counts(fd))
		return (int)CALL(ftruncate, fd, bytes);
	if (fails(TRUNCATE))
		return -1;
	lock();
	r = (int)CALL(ftruncate, fd, bytes);
	if (r == 0)
		note((struct record){.kind = RECORD_TRUNCATE,
		    .a = inode_of(fd), .b = (uint64_t)bytes}, NULL, NULL);
	unlock();
	return r;
}

int
ftruncate64(int fd, off_t bytes)
{
	return ftruncate(fd, bytes);
}

int
fallocate(int fd, int mode, off_t at, off_t bytes)
{
	int r;

	if (!fd_counts(fd))
		return (int)CALL(fallocate, fd, mode, at, bytes);
	if (fails(ALLOCATE))
		return -1;
	if (mode & ~FALLOC_FL_KEEP_SIZE)
		abort();	/* the replayer knows no holes */
	lock();
	r = (int)CALL(fallocate, fd, mode, at, bytes);
	if (r == 0 && mode == 0)
		note((struct record){.kind = RECORD_ALLOCATE,
		    .a = inode_of(fd), .b = (uint64_t)(at + bytes)},
		    NULL, NULL);
	unlock();
	return r;
}

int
fallocate64(int fd, int mode, off_t at, off_t bytes)
{
	return fallocate(fd, mode, at, bytes);
}

int
posix_fallocate(int fd, off_t at, off_t bytes)
{
	return fallocate(fd, 0, at, bytes) < 0 ? errno : 0;
}

/* --- syncs -------------------------------------------------------------- */

/* The lock is not held over it: what others do meanwhile isn't covered. */
static int
sync_any(int fd, bool all, bool data_only)
{
	struct record r = {.kind = RECORD_SYNC_BEGIN, .c = data_only};
	int result, saved;
	bool documents;

	if (!fd_counts(fd))
		return (int)(all ? CALL(syncfs, fd) : data_only
			? CALL(fdatasync, fd) : CALL(fsync, fd));
	lock();
	r.a = all ? 0 : inode_of(fd);
	r.b = ++recorder.tickets;
	note(r, NULL, NULL);
	unlock();
	documents = all || (recorder.fail_kind == SYNCFS && fd_is_document(fd));
	result = fails(SYNC) || (documents && fails(SYNCFS)) ||
	        (data_only && fails(DATASYNC)) ? -1 : (int)(all ? CALL(syncfs, fd) : data_only
		? CALL(fdatasync, fd) : CALL(fsync, fd));
	saved = errno;
	lock();
	r.kind = RECORD_SYNC_END;
	r.d = result == 0;
	note(r, NULL, NULL);
	unlock();
	errno = saved;
	return result;
}

int
fsync(int fd)
{
	return sync_any(fd, false, false);
}

int
fdatasync(int fd)
{
	return sync_any(fd, false, true);
}

int
syncfs(int fd)
{
	return sync_any(fd, true, false);
}
