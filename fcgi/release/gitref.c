/*
 * Where a ref stands, from the repository's files: refs/... or packed-refs
 * (gitrepository-layout(5)); and what locks it.  The gateway has no libgit2 to
 * ask.
 */
#include "release.h"

#include "store/base/buf.h"
#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOOSE_BYTES = 4096, PACKED_BYTES = 64 * 1024 * 1024, HEX = 40 };

static bool
take_commit(const char *text, char *commit)
{
	if (strspn(text, "0123456789abcdef") < HEX)
		return false;
	memcpy(commit, text, HEX);
	commit[HEX] = '\0';
	return true;
}

/* Finds "COMMIT REF" among the lines. */
static int
find_packed(const char *text, const char *ref, char *commit)
{
	size_t n = strlen(ref);
	const char *line;

	for (line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strspn(line, "0123456789abcdef") == HEX &&
		    line[HEX] == ' ' && strncmp(line + HEX + 1, ref, n) == 0 &&
		    (line[HEX + 1 + n] == '\n' || line[HEX + 1 + n] == '\0'))
			return take_commit(line, commit);
	}
	return 0;
}

/* A file of the repository: 1, 0 if it is not there, -1. */
static int
read_file(
    const char *repository, const char *name, struct buf *text, struct err *e)
{
	char path[PATH_MAX];

	if (release_path(path, e, "%s/%s", repository, name) < 0)
		return -1;
	if (io_read_file(AT_FDCWD, path, text, e) == 0)
		return 1;
	return e->code == ENOENT || e->code == ENOTDIR ? 0 : -1;
}

int
release_ref(const char *repository, const char *ref,
    char commit[RELEASE_COMMIT_SIZE], struct err *e)
{
	struct buf text;
	int rc;

	buf_init(&text, LOOSE_BYTES);
	rc = read_file(repository, ref, &text, e);
	if (rc > 0 && !take_commit(buf_str(&text), commit))
		rc = err_set(
		    e, EINVAL, "%s/%s names no commit", repository, ref);
	buf_release(&text);
	if (rc != 0)
		return rc;
	buf_init(&text, PACKED_BYTES);
	rc = read_file(repository, "packed-refs", &text, e);
	if (rc > 0)
		rc = find_packed(buf_str(&text), ref, commit);
	buf_release(&text);
	return rc;
}

/* --- locks ---------------------------------------------------------------- */

static int
remove_lock(const char *repository, const char *name, struct err *e)
{
	char path[PATH_MAX];

	if (release_path(path, e, "%s/%s.lock", repository, name) < 0)
		return -1;
	return unlink(path) < 0 && errno != ENOENT
		   ? err_sys(e, "cannot remove %s", path)
		   : 0;
}

/* HEAD is locked with the branch that it stands for. */
static bool
is_head(const char *repository, const char *ref)
{
	struct err ignored;
	struct buf text;
	bool is;

	buf_init(&text, LOOSE_BYTES);
	is = read_file(repository, "HEAD", &text, &ignored) > 0 &&
	     strncmp(buf_str(&text), "ref: ", 5) == 0 &&
	     strncmp(buf_str(&text) + 5, ref, strlen(ref)) == 0 &&
	     buf_str(&text)[5 + strlen(ref)] == '\n';
	buf_release(&text);
	return is;
}

int
release_ref_unlock(const char *repository, const char *ref, struct err *e)
{
	if (planted(PLANT_LOCKS_LEFT))
		return 0;
	if (is_head(repository, ref) && remove_lock(repository, "HEAD", e) < 0)
		return -1;
	return remove_lock(repository, ref, e);
}
