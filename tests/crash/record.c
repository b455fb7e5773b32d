/*
 * The recorder: preloaded into a program under test (LD_PRELOAD), it notes the
 * file operations below CRASH_ROOT and what is sent over sockets in CRASH_LOG,
 * and makes operations fail or the program die where it is told.
 *
 *	CRASH_ROOT	the directory that counts, an absolute path
 *	CRASH_LOG	where to append records; none: nothing is noted
 *	CRASH_KILL	N: SIGKILL right after the N-th record
 *	CRASH_FAIL	KIND:N:ERRNO:once|often|ever: the N-th call of a kind fails,
 *			and after it none, some or all
 *			(open read write sync syncfs datasync name truncate
 *			allocate memory; sync is each of them, syncfs that
 *			of a document, too, and memory only where the
 *			program itself asks for it)
 *	CRASH_SLOW	N: every N-th write and change of a name takes two
 *			milliseconds longer, while others go on
 *	CRASH_CALLS	a file that gets the number of calls of that kind
 *	CRASH_BOOT_ID	a file that is opened in place of the kernel's boot_id
 *
 * What is sent is noted before it is sent, a sync after it succeeded, all else
 * together with the call, under a lock.  It sees calls of libc only: no stdio,
 * no mmap, no static programs.
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
		note((struct record){.kind = RECORD_NEW, .a = inode_of(fd)},
		    NULL, NULL);
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
	static const char DIGITS[] = "0123456789abcdef";
	char *x = path + strlen(path) - 6;
	unsigned int random;
	int fd, i;

	do {
		if (CALL(getrandom, &random, sizeof random, 0) < 0)
			return -1;
		for (i = 0; i < 6; i++, random /= 16)
			x[i] = DIGITS[random % 16];
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

static bool
is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
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

	if (!positioned && recorder.log_fd >= 0 && is_socket(fd)) {
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

/* --- names -------------------------------------------------------------- */

int
renameat2(int from_fd, const char *from, int to_fd, const char *to,
    unsigned int flags)
{
	struct place p, q;
	uint64_t moved, there;
	struct record r;
	int result;

	if (!path_counts(from_fd, from))
		return (int)CALL(renameat2, from_fd, from, to_fd, to, flags);
	if (fails(NAME))
		return -1;
	dawdle();
	lock();
	p = place_of(from_fd, from);
	q = place_of(to_fd, to);
	moved = inode_at(from_fd, from);
	there = inode_at(to_fd, to);
	result = (int)CALL(renameat2, from_fd, from, to_fd, to, flags);
	r = (struct record){.kind = RECORD_NAME, .a = q.dir, .b = moved,
	    .c = p.dir, .d = flags & RENAME_EXCHANGE ? there : 0,
	    .first = (uint32_t)strlen(q.name),
	    .second = (uint32_t)strlen(p.name)};
	if (result == 0 && moved != there)
		note(r, q.name, p.name);
	unlock();
	return result;
}

int
renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return renameat2(from_fd, from, to_fd, to, 0);
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	struct place q;
	int r;

	if (!path_counts(to_fd, to))
		return (int)CALL(linkat, from_fd, from, to_fd, to, flags);
	if (fails(NAME))
		return -1;
	lock();
	q = place_of(to_fd, to);
	r = (int)CALL(linkat, from_fd, from, to_fd, to, flags);
	if (r == 0)
		note_name(&q, inode_at(to_fd, to));
	unlock();
	return r;
}

int
link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlinkat(int dir_fd, const char *path, int flags)
{
	struct place p;
	int r;

	if (!path_counts(dir_fd, path))
		return (int)CALL(unlinkat, dir_fd, path, flags);
	if (fails(NAME))
		return -1;
	lock();
	p = place_of(dir_fd, path);
	r = (int)CALL(unlinkat, dir_fd, path, flags);
	if (r == 0)
		note_name(&p, 0);
	unlock();
	return r;
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int
rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int
remove(const char *path)
{
	int r = unlink(path);

	return r < 0 && errno == EISDIR ? rmdir(path) : r;
}

int
mkdirat(int dir_fd, const char *path, mode_t mode)
{
	struct place p;
	int r;

	if (!path_counts(dir_fd, path))
		return (int)CALL(mkdirat, dir_fd, path, mode);
	if (fails(NAME))
		return -1;
	lock();
	p = place_of(dir_fd, path);
	r = (int)CALL(mkdirat, dir_fd, path, mode);
	if (r == 0) {
		note((struct record){.kind = RECORD_NEW, .b = 1,
		    .a = inode_at(dir_fd, path)}, NULL, NULL);
		note_name(&p, inode_at(dir_fd, path));
	}
	unlock();
	return r;
}

int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
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

/* --- memory, which only fails ------------------------------------------- */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t n);

/* Those of libasan, if it is preloaded too. */
#pragma weak __interceptor_malloc
#pragma weak __interceptor_calloc
#pragma weak __interceptor_realloc
void *__interceptor_malloc(size_t n);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	if (memory_fails(__builtin_return_address(0)))
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(n)
				    : __libc_malloc(n);
}

void *
calloc(size_t count, size_t size)
{
	if (memory_fails(__builtin_return_address(0)))
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(count, size)
				    : __libc_calloc(count, size);
}

void *
realloc(void *p, size_t n)
{
	if (memory_fails(__builtin_return_address(0)))
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, n)
				     : __libc_realloc(p, n);
}
