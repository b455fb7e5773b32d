/*
 * Keeps built binaries by key, as cache.h describes.
 *
 *   build/<function> -> .cache/<key>/<function>
 *   build/.cache/<key>/<function>
 *   build/.cache/tmp.XXXXXX/		a build that is going on
 */
#include "cache.h"

#include "store/base/hash.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int format(char *out, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* snprintf into PATH_MAX bytes. */
static int
format(char *out, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = io_vpath(out, e, fmt, ap);
	va_end(ap);
	return rc;
}

int
cache_prepare(const char *state_dir, struct err *e)
{
	char path[PATH_MAX];

	if (format(path, e, "%s/build/.cache", state_dir) < 0)
		return -1;
	return io_mkdirs(path, CACHE_DIR_MODE, e);
}

int
cache_find(const char *state_dir, const char *key, const char *function,
    char *path, struct err *e)
{
	char dir[PATH_MAX];

	if (format(dir, e, "%s/build/.cache/%s", state_dir, key) < 0 ||
	    format(path, e, "%s/%s", dir, function) < 0)
		return -1;
	if (access(path, X_OK) < 0)
		return 0;
	utimensat(AT_FDCWD, dir, NULL, 0);
	return 1;
}

int
cache_scratch(const char *state_dir, char *dir, struct err *e)
{
	if (format(dir, e, "%s/build/.cache/tmp.XXXXXX", state_dir) < 0)
		return -1;
	if (!mkdtemp(dir))
		return err_sys(e, "cannot make %s", dir);
	if (chmod(dir, CACHE_DIR_MODE) < 0) {
		err_sys(e, "cannot open %s to functions", dir);
		rmdir(dir);
		return -1;
	}
	return 0;
}

/* Maps a file that is not empty: its bytes, to be unmapped, or NULL. */
static void *
map_file(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0) {
		*bytes = (size_t)st.st_size;
		p = mmap(NULL, *bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	io_close(&fd);
	return p == MAP_FAILED ? NULL : p;
}

/*
 * Copies a program in one write.  Linkers write theirs piece by piece; what
 * comes in one piece the kernel keeps in large folios, where the file system
 * can, and a zygote's fork copies page tables by folio.
 */
static int
copy_program(const char *from, const char *to, struct err *e)
{
	size_t bytes;
	void *p = map_file(from, &bytes);
	int fd, rc;

	if (!p)
		return err_sys(e, "cannot read %s", from);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	rc = fd < 0 || io_write_all(fd, p, bytes) < 0 || fchmod(fd, 0755) < 0
	    ? err_sys(e, "cannot write %s", to)
	    : 0;
	io_close(&fd);
	munmap(p, bytes);
	return rc;
}

/* fsync of a file or directory by name. */
static int
sync_path(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	if (fsync(fd) < 0)
		rc = err_sys(e, "cannot sync %s", path);
	close(fd);
	return rc;
}

int
cache_put(const char *state_dir, const char *dir, const char *key,
    const char *function, char *path, struct err *e)
{
	char built[PATH_MAX], clean[PATH_MAX], cache[PATH_MAX];
	char entry[PATH_MAX];

	if (format(cache, e, "%s/build/.cache", state_dir) < 0 ||
	    format(entry, e, "%s/%s", cache, key) < 0 ||
	    format(path, e, "%s/%s", entry, function) < 0 ||
	    format(built, e, "%s/%s", dir, function) < 0 ||
	    cache_scratch(state_dir, clean, e) < 0 ||
	    format(path, e, "%s/%s", clean, function) < 0)
		goto fail;
	/* Only the binary goes into the cache, not its object files. */
	if (copy_program(built, path, e) < 0 || sync_path(path, e) < 0 ||
	    sync_path(clean, e) < 0 ||
	    format(path, e, "%s/%s", entry, function) < 0)
		goto fail_clean;
	/* Another builder may have put the same content there before us. */
	if (rename(clean, entry) < 0) {
		if (errno != ENOTEMPTY && errno != EEXIST) {
			err_sys(e, "cannot put %s in place", entry);
			goto fail_clean;
		}
		io_remove_tree(AT_FDCWD, clean);
	}
	io_remove_tree(AT_FDCWD, dir);
	return sync_path(cache, e);
fail_clean:
	io_remove_tree(AT_FDCWD, clean);
fail:
	io_remove_tree(AT_FDCWD, dir);
	return -1;
}

int
cache_link(const char *state_dir, const char *key, const char *function,
    struct err *e)
{
	char target[PATH_MAX], link[PATH_MAX], now[PATH_MAX], tmp[PATH_MAX];
	ssize_t n;

	if (format(target, e, ".cache/%s/%s", key, function) < 0 ||
	    format(link, e, "%s/build/%s", state_dir, function) < 0)
		return -1;
	n = readlink(link, now, sizeof now - 1);
	if (n > 0) {
		now[n] = '\0';
		if (strcmp(now, target) == 0)
			return 0;
	}
	if (format(tmp, e, "%s/build/.cache/tmp.link.%s.%d", state_dir,
	    function, (int)getpid()) < 0)
		return -1;
	unlink(tmp);
	if (symlink(target, tmp) < 0)
		return err_sys(e, "cannot make link %s", tmp);
	if (rename(tmp, link) < 0) {
		err_sys(e, "cannot switch %s", link);
		unlink(tmp);
		return -1;
	}
	return 0;
}

struct entry {
	char key[HASH_HEX_SIZE];
	struct timespec used;
};

static int
newest_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? 1 : -1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? 1 : -1;
	return 0;
}

/* The key that <state>/build/<function> links to, or "". */
static void
linked_key(const char *state_dir, const char *function, char *key)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct err ignored;
	ssize_t n = -1;

	key[0] = '\0';
	if (format(path, &ignored, "%s/build/%s", state_dir, function) == 0)
		n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (strncmp(target, ".cache/", 7) == 0 &&
	    (size_t)n > 7 + HASH_HEX_SIZE - 1) {
		memcpy(key, target + 7, HASH_HEX_SIZE - 1);
		key[HASH_HEX_SIZE - 1] = '\0';
	}
}

/* Removes a build directory that nobody works in any more. */
static void
trim_scratch(int cache_fd, const char *name, const struct stat *st)
{
	if (strncmp(name, "tmp.", 4) == 0 &&
	    time(NULL) - st->st_mtim.tv_sec > CACHE_STALE_S)
		io_remove_tree(cache_fd, name);
}

/* Collects the entries of a function that are not linked. */
static size_t
collect(DIR *d, const char *function, const char *linked, struct entry *out,
    size_t max)
{
	char path[PATH_MAX];
	struct err ignored;
	struct dirent *de;
	struct stat st;
	size_t n = 0;

	while (n < max && (de = readdir(d))) {
		if (de->d_name[0] == '.' ||
		    fstatat(dirfd(d), de->d_name, &st, 0) < 0)
			continue;
		if (strlen(de->d_name) != HASH_HEX_SIZE - 1 ||
		    !S_ISDIR(st.st_mode)) {
			trim_scratch(dirfd(d), de->d_name, &st);
			continue;
		}
		if (strcmp(de->d_name, linked) == 0 ||
		    format(path, &ignored, "%s/%s", de->d_name, function) < 0 ||
		    faccessat(dirfd(d), path, F_OK, 0) < 0)
			continue;
		memcpy(out[n].key, de->d_name, HASH_HEX_SIZE);
		out[n++].used = st.st_mtim;
	}
	return n;
}

void
cache_trim(const char *state_dir, const char *function)
{
	enum { ENTRIES = 256 };
	struct entry entries[ENTRIES];
	char path[PATH_MAX], linked[HASH_HEX_SIZE];
	struct err ignored;
	size_t n, i;
	DIR *d;

	if (format(path, &ignored, "%s/build/.cache", state_dir) < 0)
		return;
	d = opendir(path);
	if (!d)
		return;
	linked_key(state_dir, function, linked);
	n = collect(d, function, linked, entries, ENTRIES);
	qsort(entries, n, sizeof *entries, newest_first);
	for (i = CACHE_KEEP; i < n; i++)
		io_remove_tree(dirfd(d), entries[i].key);
	closedir(d);
}
