/*
 * The recorder's calls that change names and modes (record.c).
 */
#include "record_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
	r = (struct record){.kind = RECORD_NAME,
	    .a = q.dir,
	    .b = moved,
	    .c = p.dir,
	    .d = flags & RENAME_EXCHANGE ? there : 0,
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

/* What was made: its number, its mode, and where it leads. */
static void
note_new_at(int dir_fd, const char *path, uint64_t what, const char *target)
{
	struct stat st;

	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		note((struct record){.kind = RECORD_NEW,
			 .a = st.st_ino,
			 .b = what,
			 .c = st.st_mode & MODE_BITS,
			 .first = target ? (uint32_t)strlen(target) : 0},
		    target, NULL);
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
		note_new_at(dir_fd, path, RECORD_DIRECTORY, NULL);
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

/* glibc's own makes its directory unseen. */
char *
mkdtemp(char *path)
{
	int r;

	do {
		if (chance_name(path) < 0)
			return NULL;
		r = mkdirat(AT_FDCWD, path, 0700);
	} while (r < 0 && errno == EEXIST);
	return r < 0 ? NULL : path;
}

int
symlinkat(const char *target, int dir_fd, const char *path)
{
	struct place p;
	int r;

	if (!path_counts(dir_fd, path))
		return (int)CALL(symlinkat, target, dir_fd, path);
	if (fails(NAME))
		return -1;
	lock();
	p = place_of(dir_fd, path);
	r = (int)CALL(symlinkat, target, dir_fd, path);
	if (r == 0) {
		note_new_at(dir_fd, path, RECORD_LINK, target);
		note_name(&p, inode_at(dir_fd, path));
	}
	unlock();
	return r;
}

int
symlink(const char *target, const char *path)
{
	return symlinkat(target, AT_FDCWD, path);
}

/* --- modes -------------------------------------------------------------- */

static void
note_mode(uint64_t inode, mode_t mode)
{
	note(
	    (struct record){
		.kind = RECORD_MODE, .a = inode, .b = mode & MODE_BITS},
	    NULL, NULL);
}

int
fchmod(int fd, mode_t mode)
{
	int r;

	if (!fd_counts(fd))
		return (int)CALL(fchmod, fd, mode);
	lock();
	r = (int)CALL(fchmod, fd, mode);
	if (r == 0)
		note_mode(inode_of(fd), mode);
	unlock();
	return r;
}

int
chmod(const char *path, mode_t mode)
{
	int r;

	if (!path_counts(AT_FDCWD, path))
		return (int)CALL(chmod, path, mode);
	lock();
	r = (int)CALL(chmod, path, mode);
	if (r == 0)
		note_mode(inode_at(AT_FDCWD, path), mode);
	unlock();
	return r;
}
