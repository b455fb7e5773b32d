/*
 * Reading what is to be imported, piece by piece: lines of one file, or the
 * files of a directory.
 */
#include "import.h"

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

enum {
	LINE_MAX_BYTES = 8 << 20,	/* of a document's text */
	PIECE = 256 << 10,
	DEPTH = 8			/* of directories */
};

struct source {
	op_import_fn *fn;
	void *ctx;
	struct buf text;
	char where[PATH_MAX + 32];
};

static int
cannot(const char *path, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, "%s: %s", path, strerror(errno));
}

/* --- lines --------------------------------------------------------------- */

static bool
is_blank(const char *p, size_t n)
{
	while (n && (*p == ' ' || *p == '\t' || *p == '\r')) {
		p++;
		n--;
	}
	return n == 0;
}

static int
give_line(struct source *s, const char *path, uint64_t line, const char *p,
    size_t n, struct err *e)
{
	if (is_blank(p, n))
		return 0;
	snprintf(s->where, sizeof s->where, "%s:%llu", path,
	    (unsigned long long)line);
	return s->fn(s->ctx, s->where, p, n, NULL, e);
}

/* All whole lines of the buffer; what is left is the begin of the next. */
static int
give_lines(struct source *s, const char *path, uint64_t *line, struct err *e)
{
	size_t done = 0, n;
	const char *nl;
	int rc = 0;

	while (rc == 0 && s->text.len > done &&
	    (nl = memchr(s->text.data + done, '\n', s->text.len - done))) {
		n = (size_t)(nl - s->text.data) - done;
		rc = give_line(s, path, ++*line, s->text.data + done, n, e);
		done += n + 1;
	}
	buf_consume(&s->text, done);
	return rc;
}

static int
read_lines(struct source *s, const char *path, int fd, struct err *e)
{
	uint64_t line = 0;
	ssize_t n = 1;
	int rc = 0;

	buf_reset(&s->text);
	while (rc == 0 && n > 0) {
		if (buf_reserve(&s->text, PIECE) < 0)
			return err_set(e, FAULT_LIMIT, "%s:%llu: a line of "
			    "more than %d bytes", path,
			    (unsigned long long)line + 1, LINE_MAX_BYTES);
		n = io_read(fd, s->text.data + s->text.len, PIECE);
		if (n < 0)
			return cannot(path, e);
		s->text.len += (size_t)n;
		rc = give_lines(s, path, &line, e);
	}
	if (rc == 0 && s->text.len)
		rc = give_line(s, path, line + 1, s->text.data, s->text.len,
		    e);
	return rc;
}

/* --- directories --------------------------------------------------------- */

static bool
is_document(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static int
read_document(struct source *s, const char *path, struct err *e)
{
	struct err bad;
	int rc;

	buf_reset(&s->text);
	rc = io_read_file(AT_FDCWD, path, &s->text, &bad);
	return s->fn(s->ctx, path, rc < 0 ? NULL : s->text.data, s->text.len,
	    rc < 0 ? &bad : NULL, e);
}

static int
not_hidden(const struct dirent *x)
{
	return *x->d_name != '.';
}

static int
read_directory(struct source *s, const char *path, unsigned depth,
    struct err *e)
{
	struct dirent **names;
	char below[PATH_MAX];
	struct stat st;
	int n = scandir(path, &names, not_hidden, alphasort), i, rc = 0;

	if (n < 0)
		return cannot(path, e);
	for (i = 0; i < n; i++) {
		int len = snprintf(below, sizeof below, "%s/%s", path,
		    names[i]->d_name);

		free(names[i]);
		if (rc < 0 || len >= (int)sizeof below ||
		    lstat(below, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			rc = read_directory(s, below, depth - 1, e);
		else if (S_ISREG(st.st_mode) && is_document(below))
			rc = read_document(s, below, e);
	}
	free(names);
	return rc;
}

int
op_import_read(const char *path, const char *name, op_import_fn *fn,
    void *ctx, struct err *e)
{
	struct source s = {.fn = fn, .ctx = ctx};
	struct stat st;
	int fd, rc;

	if (*path != '/')
		return err_set(e, FAULT_VALIDATION, "%s: the Path has to be "
		    "absolute", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		cannot(name ? name : path, e);
		io_close(&fd);
		return -1;
	}
	buf_init(&s.text, LINE_MAX_BYTES);
	if (S_ISDIR(st.st_mode))
		rc = read_directory(&s, path, DEPTH, e);
	else if (S_ISREG(st.st_mode))
		rc = read_lines(&s, name ? name : path, fd, e);
	else
		rc = err_set(e, FAULT_VALIDATION, "%s: neither a file nor a "
		    "directory", path);
	buf_release(&s.text);
	io_close(&fd);
	return rc;
}
