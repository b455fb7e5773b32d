/*
 * Writes a tree of git's into a directory (checkout.h).  Runs in pre-receive.
 *
 * Every file is made new, below a descriptor of its directory that was made
 * here too: nothing that the tree holds can lead the writing elsewhere.  Where
 * links lead is looked at when all is there.
 */
#include "checkout.h"

#include "deploy.h"
#include "git.h"
#include "memory.h"

#include "store/base/io.h"
#include "store/base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEGABYTE ((uint64_t)1024 * 1024)

/* A tree object's bytes at most: mode, name and id of each entry. */
enum { FOLDER_BYTES = DEPLOY_MAX_FILES * (8 + NAME_MAX + 21) };

/* A checkout that goes on. */
struct walk {
	git_repository *repo;
	git_odb *odb;
	struct checkout *out;
	uid_t owner;
	size_t folders;
	char path[PATH_MAX]; /* in the tree, of the entry at hand */
	struct map links;    /* paths of those that were made */
};

static int write_tree(
    struct walk *w, const git_tree *tree, int dir_fd, int depth, struct err *e);

/* .git as a file system that ignores case, dots or spaces at the end has it. */
static bool
is_dot_git(const char *name)
{
	size_t n = strlen(name);

	while (n > 4 && (name[n - 1] == '.' || name[n - 1] == ' '))
		n--;
	return (n == 4 && strncasecmp(name, ".git", 4) == 0) ||
	       strcasecmp(name, "git~1") == 0;
}

const char *
checkout_misnamed(const char *name)
{
	const char *s;

	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return "no file can be called so";
	if (is_dot_git(name))
		return "it could be taken for git's own directory";
	if (strlen(name) > NAME_MAX)
		return "the name is too long";
	for (s = name; *s; s++) {
		if (*s == '/' || *s == '\\')
			return "there is a slash in the name";
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return "there is a control byte in the name";
	}
	return NULL;
}

static int
refuse(const struct walk *w, struct err *e, const char *why)
{
	return err_set(e, EINVAL, "%.300s: %s", w->path, why);
}

/* Goes on to an entry: its name at the end of the path. 0 or -1. */
static int
enter(struct walk *w, const char *name, size_t *before, struct err *e)
{
	const char *why = checkout_misnamed(name);
	size_t n = strlen(name), at = strlen(w->path);

	*before = at;
	if (at + n + 2 > sizeof w->path)
		return refuse(w, e, "a path in it is too long");
	if (at)
		w->path[at++] = '/';
	memcpy(w->path + at, name, n + 1);
	return why ? refuse(w, e, why) : 0;
}

static int
give(const struct walk *w, int dir_fd, const char *name, struct err *e)
{
	if (w->owner && fchownat(dir_fd, name, w->owner, (gid_t)w->owner,
			    AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "cannot give %.300s to its user", w->path);
	return 0;
}

/* Counts a file of that size, before it is read. */
static int
count(struct walk *w, uint64_t bytes, struct err *e)
{
	if (bytes > DEPLOY_MAX_FILE_MB * MEGABYTE)
		return err_set(e, EFBIG,
		    "%.300s has %" PRIu64 " MB; a file "
		    "of a site has at most %d",
		    w->path, bytes / MEGABYTE, DEPLOY_MAX_FILE_MB);
	w->out->bytes += bytes;
	if (w->out->bytes > DEPLOY_MAX_TREE_MB * MEGABYTE)
		return err_set(e, EFBIG, "the tree has more than %d MB",
		    DEPLOY_MAX_TREE_MB);
	if (++w->out->files > DEPLOY_MAX_FILES)
		return err_set(e, E2BIG, "the tree has more than %d files",
		    DEPLOY_MAX_FILES);
	return 0;
}

static int
write_file(struct walk *w, git_blob *blob, int dir_fd, const char *name,
    mode_t mode, struct err *e)
{
	int fd = openat(dir_fd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0 ||
	    io_write_all(fd, git_blob_rawcontent(blob),
		(size_t)git_blob_rawsize(blob)) < 0 ||
	    fchmod(fd, mode) < 0)
		rc = err_sys(e, "cannot write %.300s", w->path);
	io_close(&fd);
	return rc < 0 ? -1 : give(w, dir_fd, name, e);
}

static int
write_link(
    struct walk *w, git_blob *blob, int dir_fd, const char *name, struct err *e)
{
	const char *text = git_blob_rawcontent(blob);
	size_t n = (size_t)git_blob_rawsize(blob);
	char target[PATH_MAX];

	if (n == 0 || n >= sizeof target || memchr(text, '\0', n))
		return refuse(w, e, "the link leads to no path");
	memcpy(target, text, n);
	target[n] = '\0';
	if (target[0] == '/')
		return refuse(w, e,
		    "the link leads out of the site; links "
		    "are relative, and to what is pushed too");
	if (map_set(&w->links, w->path, strlen(w->path), NULL, NULL) < 0)
		return err_set(e, ENOMEM, "no memory");
	if (symlinkat(target, dir_fd, name) < 0)
		return err_sys(e, "cannot make %.300s", w->path);
	return give(w, dir_fd, name, e);
}

/* A file or a link: judged by its size before its bytes are unpacked. */
static int
write_blob(
    struct walk *w, const git_tree_entry *entry, int dir_fd, struct err *e)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);
	const char *name = git_tree_entry_name(entry);
	git_blob *blob = NULL;
	git_object_t type;
	size_t bytes;
	int rc;

	if (git_odb_read_header(
		&bytes, &type, w->odb, git_tree_entry_id(entry)))
		return git_fail(e, w->path);
	if (count(w, bytes, e) < 0)
		return -1;
	if (git_blob_lookup(&blob, w->repo, git_tree_entry_id(entry)))
		return git_fail(e, w->path);
	if (mode == GIT_FILEMODE_LINK)
		rc = write_link(w, blob, dir_fd, name, e);
	else
		rc = write_file(w, blob, dir_fd, name,
		    mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644, e);
	git_blob_free(blob);
	return rc;
}

/* Counts a folder, before it is read: a few objects can name millions. */
static int
count_folder(struct walk *w, const git_oid *id, int depth, struct err *e)
{
	git_object_t type;
	size_t bytes;

	if (depth == DEPLOY_MAX_DEPTH)
		return refuse(w, e, "the folders go too deep");
	if (++w->folders > DEPLOY_MAX_FILES)
		return err_set(e, E2BIG, "the tree has more than %d folders",
		    DEPLOY_MAX_FILES);
	if (git_odb_read_header(&bytes, &type, w->odb, id))
		return git_fail(e, w->path);
	if (bytes > FOLDER_BYTES)
		return err_set(e, E2BIG,
		    "%.300s has more than %d files in one "
		    "folder",
		    *w->path ? w->path : "the tree", DEPLOY_MAX_FILES);
	return 0;
}

static int
write_folder(struct walk *w, const git_tree_entry *entry, int dir_fd, int depth,
    struct err *e)
{
	const char *name = git_tree_entry_name(entry);
	git_tree *tree = NULL;
	int fd = -1, rc = -1;

	if (count_folder(w, git_tree_entry_id(entry), depth, e) < 0)
		return -1;
	if (git_tree_lookup(&tree, w->repo, git_tree_entry_id(entry)))
		return git_fail(e, w->path);
	if (mkdirat(dir_fd, name, 0700) == 0)
		fd = openat(dir_fd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		err_sys(e, "cannot make %.300s", w->path);
	else
		rc = write_tree(w, tree, fd, depth + 1, e);
	git_tree_free(tree);
	io_close(&fd);
	return rc < 0 ? -1 : give(w, dir_fd, name, e);
}

static int
write_entry(struct walk *w, const git_tree_entry *entry, int dir_fd, int depth,
    struct err *e)
{
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return write_folder(w, entry, dir_fd, depth, e);
	case GIT_FILEMODE_BLOB:
	case GIT_FILEMODE_BLOB_EXECUTABLE:
	case GIT_FILEMODE_LINK:
		return write_blob(w, entry, dir_fd, e);
	case GIT_FILEMODE_COMMIT:
		return refuse(w, e,
		    "submodules are not deployed; add its "
		    "files themselves");
	case GIT_FILEMODE_UNREADABLE:
		break;
	}
	return refuse(w, e, "it is neither file nor folder");
}

/* One folder's entries, then what is below them. */
static int
write_tree(
    struct walk *w, const git_tree *tree, int dir_fd, int depth, struct err *e)
{
	size_t n = git_tree_entrycount(tree), i, before;
	const git_tree_entry *entry;

	for (i = 0; i < n; i++) {
		entry = git_tree_entry_byindex(tree, i);
		if (enter(w, git_tree_entry_name(entry), &before, e) < 0 ||
		    write_entry(w, entry, dir_fd, depth, e) < 0)
			return -1;
		w->path[before] = '\0';
	}
	return 0;
}

/* A link may go by way of others, so that only the kernel knows. */
static int
check_links(struct walk *w, const char *dir, struct err *e)
{
	char path[PATH_MAX], real[PATH_MAX], root[PATH_MAX];
	size_t i, n;

	if (!realpath(dir, root))
		return err_sys(e, "cannot find %s", dir);
	n = strlen(root);
	for (i = 0; i < w->links.count; i++) {
		if (release_path(
			path, e, "%s/%s", root, w->links.entries[i].key) < 0)
			return -1;
		if (!realpath(path, real))
			return err_set(e, EINVAL,
			    "%.300s: the link leads to "
			    "nothing that is pushed",
			    w->links.entries[i].key);
		if (strncmp(real, root, n) != 0 ||
		    (real[n] != '/' && real[n] != '\0'))
			return err_set(e, EINVAL,
			    "%.300s: the link leads out "
			    "of the site",
			    w->links.entries[i].key);
	}
	return 0;
}

static int
find_tree(struct walk *w, const char *commit, git_tree **tree, struct err *e)
{
	git_commit *c = git_find(w->repo, commit, e);
	int rc = -1;

	if (!c)
		return -1;
	if (git_repository_odb(&w->odb, w->repo))
		git_fail(e, "cannot read the pushed commit");
	else if (count_folder(w, git_commit_tree_id(c), 0, e) == 0)
		rc = git_commit_tree(tree, c)
			 ? git_fail(e, "cannot read the pushed tree")
			 : 0;
	git_commit_free(c);
	return rc;
}

int
checkout_tree(struct git_repository *repo, const char *commit, const char *dir,
    uid_t owner, struct checkout *out, struct err *e)
{
	struct walk w = {.repo = repo, .out = out, .owner = owner};
	git_tree *tree = NULL;
	struct memory was;
	int fd = -1, rc = -1;

	map_init(&w.links);
	memory_bound(&was);
	*out = (struct checkout){.files = 0};
	if (find_tree(&w, commit, &tree, e) < 0)
		goto out;
	if (mkdir(dir, 0700) == 0)
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		err_sys(e, "cannot make %s", dir);
	else if (write_tree(&w, tree, fd, 0, e) == 0 &&
		 give(&w, fd, ".", e) == 0)
		rc = check_links(&w, dir, e);
out:
	io_close(&fd);
	map_release(&w.links);
	git_tree_free(tree);
	git_odb_free(w.odb);
	memory_unbound(&was);
	return rc;
}
