/*
 * Scratch directories of a zygote's children, as scratch.h describes them.
 * Runs in the zygote, as the function's own user, off the request's path.
 */
#include "scratch.h"

#include "unshared.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Time stamps may be this much coarser than the clock. */
enum { STAMP_GRAIN_MS = 20 };

/* Out of the way of the descriptors that a child wants. */
enum { ROOT_FD = 11 };

int
scratch_open(struct scratch *s, const char *root, size_t n, struct err *e)
{
	int fd;

	*s = (struct scratch){.root_fd = -1, .nslots = n};
	if (!root || root[0] != '/')
		return err_set(e, EINVAL, "no scratch directory was given");
	s->root = strdup(root);
	s->slots = unshared_new(n * sizeof *s->slots);
	if (!s->root || !s->slots)
		return err_set(e, ENOMEM, "no memory for scratch slots");
	fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "scratch directory %s", root);
	s->root_fd = io_raise_fd(fd, ROOT_FD);
	return 0;
}

/* The path of a slot, made on its first use: 0 or -1. */
static int
name_slot(struct scratch *s, size_t i)
{
	struct scratch_slot *slot = &s->slots[i];

	if (slot->variables)
		return 0;
	if (asprintf(&slot->variables, "HOME=%s/%zu%cTMPDIR=%s/%zu", s->root,
	        i, '\0', s->root, i) < 0)
		slot->variables = NULL;
	return slot->variables ? 0 : -1;
}

char *
scratch_variables(const struct scratch *s, size_t i)
{
	return s->slots[i].variables;
}

/* True if nothing can have happened in the directory since it was empty. */
static int
untouched(const struct scratch_slot *slot, const struct stat *st)
{
	int64_t changed_ms = (int64_t)slot->changed.tv_sec * 1000 +
	    slot->changed.tv_nsec / 1000000;

	return changed_ms + STAMP_GRAIN_MS < slot->forked_ms &&
	    st->st_ctim.tv_sec == slot->changed.tv_sec &&
	    st->st_ctim.tv_nsec == slot->changed.tv_nsec;
}

static int
is_empty(const char *path)
{
	DIR *d = opendir(path);
	int n = 0;

	if (!d)
		return 0;
	while (n < 3 && readdir(d))
		n++;
	closedir(d);
	return n == 2;
}

/*
 * A tree that can't be removed (it is too deep, or somebody else's) must not
 * cost the function its slot for ever.
 */
static void
put_aside(const struct scratch *s, const char *path)
{
	char aside[PATH_MAX];

	snprintf(aside, sizeof aside, "%s/left-%lld", s->root,
	    (long long)clock_wall_ms());
	if (rename(path, aside) == 0)
		fprintf(stderr, "what a request left in its directory can't "
		    "be removed; it is now %s\n", aside);
}

int
scratch_ready(struct scratch *s, size_t i)
{
	struct scratch_slot *slot = &s->slots[i];
	const char *path;
	struct stat st;

	if (slot->made && !slot->dirty)
		return 0;
	if (name_slot(s, i) < 0)
		return -1;
	path = slot->variables + strlen("HOME=");
	/* A look for each child: not by all of the path. */
	if (slot->made &&
	    fstatat(s->root_fd, strrchr(path, '/') + 1, &st,
	        AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700 &&
	    (untouched(slot, &st) || is_empty(path))) {
		slot->changed = st.st_ctim;
		slot->dirty = 0;
		return 0;
	}
	slot->made = 0;
	if (io_remove_tree(AT_FDCWD, path) < 0)
		put_aside(s, path);
	if (mkdir(path, 0700) < 0 || lstat(path, &st) < 0)
		return -1;
	slot->changed = st.st_ctim;
	slot->made = 1;
	slot->dirty = 0;
	return 0;
}

void
scratch_clean(struct scratch *s)
{
	size_t i;

	for (i = 0; i < s->nslots; i++)
		if (s->slots[i].dirty)
			scratch_ready(s, i);
}

void
scratch_close(struct scratch *s)
{
	size_t i;

	for (i = 0; i < s->nslots; i++)
		if (s->slots[i].made)
			io_remove_tree(AT_FDCWD,
			    s->slots[i].variables + strlen("HOME="));
	io_close(&s->root_fd);
}

void
scratch_taken(struct scratch *s, size_t i)
{
	s->slots[i].forked_ms = clock_wall_ms();
}

void
scratch_dirty(struct scratch *s, size_t i)
{
	s->slots[i].dirty = 1;
}
