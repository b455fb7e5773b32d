/*
 * Finds and hashes the files that a binary is made from (inputs.h).
 */
#include "inputs.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 4 * 1024 * 1024 };	/* bytes of a list of names */

static int
add(struct map *files, const char *name, struct err *e)
{
	if (files->count >= INPUTS_MAX_FILES)
		return err_set(e, E2BIG, "a function is made from more than "
		    "%d files", (int)INPUTS_MAX_FILES);
	if (map_set(files, name, strlen(name), NULL, NULL) < 0)
		return err_set(e, ENOMEM, "no memory");
	return 0;
}

/* A path below the site without the site's own part. */
static const char *
relative(const char *site_dir, const char *path)
{
	size_t n = strlen(site_dir);

	if (strncmp(path, site_dir, n) == 0 && path[n] == '/')
		return path + n + 1;
	return path;
}

static bool
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n > k && strcmp(name + n - k, end) == 0;
}

/* Files that a make leaves behind. */
static bool
is_built(const char *name)
{
	static const char *const ends[] = {".o", ".d", ".a", ".so", ".lo",
	    ".la", ".gch"};
	size_t i;

	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (ends_in(name, ends[i]))
			return true;
	}
	return false;
}

static int
visible(const struct dirent *de)
{
	return de->d_name[0] != '.';
}

static int walk(const char *site_dir, const char *dir, int depth,
    bool only_c, struct map *files, struct err *e);

static int
walk_one(const char *site_dir, const char *path, int depth, bool only_c,
    struct map *files, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;	/* a dangling link, or gone by now */
	if (S_ISDIR(st.st_mode) && !only_c)
		return walk(site_dir, path, depth + 1, only_c, files, e);
	if (!S_ISREG(st.st_mode) ||
	    (only_c ? !ends_in(path, ".c") : is_built(path)))
		return 0;
	return add(files, relative(site_dir, path), e);
}

/* All files of a folder in the order of their names. */
static int
walk(const char *site_dir, const char *dir, int depth, bool only_c,
    struct map *files, struct err *e)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n, i, rc = 0;

	if (depth > INPUTS_MAX_DEPTH)
		return err_set(e, ELOOP, "%s is more than %d folders deep",
		    dir, (int)INPUTS_MAX_DEPTH);
	n = scandir(dir, &names, visible, alphasort);
	if (n < 0)
		return err_sys(e, "cannot list %s", dir);
	for (i = 0; i < n; i++) {
		if (rc == 0 && snprintf(path, sizeof path, "%s/%s", dir,
		    names[i]->d_name) >= (int)sizeof path)
			rc = err_set(e, ENAMETOOLONG, "%s: a path is too long",
			    dir);
		if (rc == 0)
			rc = walk_one(site_dir, path, depth, only_c, files,
			    e);
		free(names[i]);
	}
	free(names);
	return rc;
}

int
inputs_sources(const char *site_dir, const char *source, struct map *files,
    enum inputs_kind *kind, struct err *e)
{
	char makefile[PATH_MAX];
	size_t before = files->count;
	struct stat st;

	*kind = INPUTS_C;
	if (stat(source, &st) < 0)
		return err_sys(e, "cannot find the handler %s", source);
	if (!S_ISDIR(st.st_mode))
		return add(files, relative(site_dir, source), e);
	if (snprintf(makefile, sizeof makefile, "%s/Makefile", source) >=
	    (int)sizeof makefile)
		return err_set(e, ENAMETOOLONG, "%s: a path is too long",
		    source);
	if (access(makefile, F_OK) == 0)
		*kind = INPUTS_MAKE;
	if (walk(site_dir, source, 0, *kind == INPUTS_C, files, e) < 0)
		return -1;
	if (files->count == before)
		return err_set(e, EINVAL, "the handler %s holds neither a .c "
		    "file nor a Makefile", source);
	return 0;
}

/* Takes one name off the text, unescaped in place; NULL at the end. */
static char *
next_name(char **text)
{
	char *in = *text, *name, *out;

	while (*in == ' ' || *in == '\n' || *in == '\t' ||
	    (in[0] == '\\' && in[1] == '\n'))
		in++;
	if (!*in)
		return NULL;
	name = out = in;
	while (*in && *in != ' ' && *in != '\n' && *in != '\t') {
		if ((in[0] == '\\' && (in[1] == ' ' || in[1] == '#')) ||
		    (in[0] == '$' && in[1] == '$'))
			in++;
		else if (in[0] == '\\' && in[1] == '\n')
			break;
		*out++ = *in++;
	}
	*text = *in ? in + 1 : in;
	*out = '\0';
	return name;
}

int
inputs_depfile(char *text, struct map *files, struct err *e)
{
	char *rest = strstr(text, ": "), *name;

	if (!rest)
		return 0;
	rest += 2;
	while ((name = next_name(&rest))) {
		if (add(files, name, e) < 0)
			return -1;
	}
	return 0;
}

int
inputs_load(const char *path, struct map *files, struct err *e)
{
	struct buf text;
	char *line, *rest;
	int rc = 0;

	buf_init(&text, LIST_MAX);
	if (io_read_file(AT_FDCWD, path, &text, e) < 0) {
		buf_release(&text);
		return e->code == ENOENT ? 0 : -1;
	}
	rest = text.data;
	while (rc == 0 && (line = strsep(&rest, "\n"))) {
		if (*line)
			rc = add(files, line, e);
	}
	buf_release(&text);
	return rc;
}

int
inputs_save(const char *path, const struct map *files, struct err *e)
{
	struct buf text;
	size_t i;
	int rc;

	buf_init(&text, LIST_MAX);
	for (i = 0; i < files->count; i++) {
		buf_add(&text, files->entries[i].key, files->entries[i].len);
		buf_putc(&text, '\n');
	}
	if (buf_ok(&text))
		rc = io_replace_file(path, buf_str(&text), text.len, 0600, e);
	else
		rc = err_set(e, EFBIG, "the list of files of a function is "
		    "longer than %d bytes", (int)LIST_MAX);
	buf_release(&text);
	return rc;
}

static int
hash_file(int dir_fd, const char *name, struct hash *h, struct buf *content,
    struct err *e)
{
	char head[32];

	buf_reset(content);
	if (io_read_file(dir_fd, name, content, e) < 0)
		return -1;
	hash_add(h, name, strlen(name) + 1);
	snprintf(head, sizeof head, "%zu\n", content->len);
	hash_add(h, head, strlen(head));
	hash_add(h, buf_str(content), content->len);
	return 0;
}

int
inputs_hash(const struct map *files, const char *site_dir, struct hash *h,
    struct err *e)
{
	struct buf content;
	size_t i;
	int dir_fd, rc = 0;

	dir_fd = open(site_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(e, "cannot open %s", site_dir);
	buf_init(&content, INPUTS_MAX_FILE);
	for (i = 0; i < files->count && rc == 0; i++)
		rc = hash_file(dir_fd, files->entries[i].key, h, &content, e);
	buf_release(&content);
	close(dir_fd);
	return rc;
}

bool
inputs_changed(const struct map *files, const char *site_dir,
    const struct timespec *since)
{
	struct stat st;
	bool changed = false;
	size_t i;
	int dir_fd = open(site_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (i = 0; i < files->count && !changed; i++) {
		changed = fstatat(dir_fd, files->entries[i].key, &st, 0) < 0 ||
		    st.st_ctim.tv_sec > since->tv_sec ||
		    (st.st_ctim.tv_sec == since->tv_sec &&
		    st.st_ctim.tv_nsec >= since->tv_nsec);
	}
	io_close(&dir_fd);
	return changed;
}
