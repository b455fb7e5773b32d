/*
 * The recorder's log; what counts for it; and what is to fail.
 */
#include "record_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

static struct counts own;

struct recorder recorder = {.lock = PTHREAD_MUTEX_INITIALIZER, .log_fd = -1,
    .fail_kind = KINDS, .counts = &own};

static const char *const KIND_NAMES[KINDS] = {
    "open", "read", "write", "sync", "syncfs", "datasync", "name", "truncate",
    "allocate", "memory"};

enum { OFTEN = 31 };	/* a call fails, of so many */

/* --- the log ------------------------------------------------------------ */

/* A name belongs to what is new: it dies with the next record only. */
static void
die_if_due(const struct record *r)
{
	if (recorder.kill_at && __atomic_add_fetch(&recorder.counts->records, 1,
		__ATOMIC_SEQ_CST) >= recorder.kill_at && r->kind != RECORD_NEW)
		(void)CALL(kill, recorder.kill_all ? 0 : getpid(), SIGKILL);
}

/* Notes a record; the caller holds the lock. */
void
note(struct record r, const void *first, const void *second)
{
	char zeros[8] = "";
	struct iovec iov[] = {{&r, sizeof r},
	    {(void *)(uintptr_t)first, r.first},
	    {(void *)(uintptr_t)second, r.second},
	    {zeros, record_padding(&r)}};

	r.pid = (uint32_t)getpid();
	if (recorder.log_fd >= 0 && CALL(writev, recorder.log_fd, iov, 4) < 0)
		abort();
	die_if_due(&r);
}

mode_t
mode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_mode & MODE_BITS : 0;
}

uint64_t
inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

uint64_t
inode_at(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino
								    : 0;
}

/* --- what counts -------------------------------------------------------- */

static bool
below_root(const char *path)
{
	size_t n = recorder.root_len;

	return n && strncmp(path, recorder.root, n) == 0 &&
	    (path[n] == '/' || path[n] == '\0');
}

static bool
path_of(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return true;
}

bool
fd_counts(int fd)
{
	char path[PATH_MAX];

	return path_of(fd, path) && below_root(path);
}

bool
fd_is_document(int fd)
{
	char path[PATH_MAX];

	return path_of(fd, path) && below_root(path) &&
	    strncmp(path + recorder.root_len, "/data/", 6) == 0;
}

bool
path_counts(int dir_fd, const char *path)
{
	char here[PATH_MAX];

	if (path[0] == '/')
		return below_root(path);
	return dir_fd == AT_FDCWD
	    ? recorder.root_len && getcwd(here, sizeof here) &&
	          below_root(here)
	    : fd_counts(dir_fd);
}

struct place
place_of(int dir_fd, const char *path)
{
	struct place p = {0};
	char copy[PATH_MAX];
	const char *slash = strrchr(path, '/');

	(void)snprintf(copy, sizeof copy, "%s", path);
	(void)snprintf(p.name, sizeof p.name, "%.255s",
	    slash ? slash + 1 : path);
	p.dir = inode_at(dir_fd, slash ? dirname(copy) : ".");
	return p;
}

void
note_name(const struct place *p, uint64_t is)
{
	note((struct record){.kind = RECORD_NAME, .a = p->dir, .b = is,
	    .first = (uint32_t)strlen(p->name)}, p->name, NULL);
}

int
chance_name(char *path)
{
	static const char DIGITS[] = "0123456789abcdef";
	char *x = path + strlen(path) - 6;
	unsigned int random;
	int i;

	if (CALL(getrandom, &random, sizeof random, 0) < 0)
		return -1;
	for (i = 0; i < 6; i++, random /= 16)
		x[i] = DIGITS[random % 16];
	return 0;
}

/* --- faults ------------------------------------------------------------- */

bool
fails(enum kind kind)
{
	long n;

	if (kind != recorder.fail_kind)
		return false;
	n = __atomic_add_fetch(&recorder.counts->calls, 1, __ATOMIC_SEQ_CST);
	if (n < recorder.fail_at ||
	    (n > recorder.fail_at && (recorder.fail_every == 0 ||
	                                 n % recorder.fail_every != 0)))
		return false;
	errno = recorder.fail_errno;
	return true;
}

void
dawdle(void)
{
	const struct timespec two_ms = {0, 2000000};

	if (recorder.slow_every && __atomic_add_fetch(&recorder.slowed, 1,
		__ATOMIC_RELAXED) % recorder.slow_every == 0)
		(void)CALL(nanosleep, &two_ms, NULL);
}

bool
memory_fails(const void *caller)
{
	return recorder.fail_kind == MEMORY &&
	    (uintptr_t)caller >= recorder.program &&
	    (uintptr_t)caller < recorder.program_end && fails(MEMORY);
}

static void
parse_fail(const char *text)
{
	char kind[16], error[16], how[8];
	int i;

	if (sscanf(text, "%15[^:]:%ld:%15[^:]:%7s", kind,
		&recorder.fail_at, error, how) != 4)
		abort();
	for (i = 0; i < KINDS && strcmp(kind, KIND_NAMES[i]) != 0; i++)
		;
	recorder.fail_errno = strcmp(error, "ENOSPC") == 0 ? ENOSPC
	    : strcmp(error, "EMFILE") == 0 ? EMFILE
	    : strcmp(error, "ENOMEM") == 0 ? ENOMEM : EIO;
	recorder.fail_every = strcmp(how, "ever") == 0 ? 1
	    : strcmp(how, "often") == 0 ? OFTEN : 0;
	recorder.fail_kind = (enum kind)i;
}

/* The program comes first: notes where it lies. */
static int
see_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t end;
	int i;

	(void)size;
	(void)arg;
	recorder.program = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
		    info->dlpi_phdr[i].p_memsz;
		if (end > recorder.program_end)
			recorder.program_end = end;
	}
	return 1;
}

static void
count_together(const char *path)
{
	int fd = (int)CALL(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);

	recorder.counts = mmap(NULL, sizeof own, PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (fd < 0 || recorder.counts == MAP_FAILED)
		abort();
	(void)CALL(close, fd);
	recorder.many = true;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *root = getenv("CRASH_ROOT"), *log = getenv("CRASH_LOG");
	const char *kill_at = getenv("CRASH_KILL");
	const char *fail = getenv("CRASH_FAIL");
	const char *slow = getenv("CRASH_SLOW");
	const char *count = getenv("CRASH_COUNT");

	if (!root)
		return;
	if (count)
		count_together(count);
	recorder.pipes = getenv("CRASH_PIPES") != NULL;
	(void)snprintf(recorder.root, sizeof recorder.root, "%s", root);
	recorder.root_len = strlen(recorder.root);
	recorder.kill_at = kill_at ? strtol(kill_at, NULL, 10) : 0;
	recorder.kill_all = kill_at && strstr(kill_at, ":all");
	recorder.slow_every = slow ? strtol(slow, NULL, 10) : 0;
	(void)dl_iterate_phdr(see_program, NULL);
	if (fail)
		parse_fail(fail);
	if (!log)
		return;
	recorder.log_fd = (int)CALL(openat, AT_FDCWD, log,
	    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (recorder.log_fd < 0)
		abort();
	recorder.log_fd = fcntl(recorder.log_fd, F_DUPFD_CLOEXEC, 500);
	note((struct record){.kind = RECORD_START,
	    .a = inode_at(AT_FDCWD, root), .b = recorder.many}, NULL, NULL);
}

__attribute__((destructor)) static void
end(void)
{
	const char *calls = getenv("CRASH_CALLS");
	char text[24];
	int n, fd;

	if (!calls)
		return;
	n = snprintf(text, sizeof text, "%ld\n", recorder.counts->calls);
	fd = (int)CALL(openat, AT_FDCWD, calls, O_WRONLY | O_CREAT, 0600);
	if (CALL(write, fd, text, n) != n)
		abort();
}

void
lock(void)
{
	pthread_mutex_lock(&recorder.lock);
}

void
unlock(void)
{
	int saved = errno;

	pthread_mutex_unlock(&recorder.lock);
	errno = saved;
}
