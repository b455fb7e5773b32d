/*
 * Where a ref stands, from the repository's files: refs/... or packed-refs
 * (gitrepository-layout(5)).  The gateway has no libgit2 to ask.
 */
#include "release.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

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
