/*
 * Secrets in files, as secret.h describes them.  Runs where functions are
 * started (launcher, gateway, bothy invoke) and in bothy secret.
 */
#include "secret.h"

#include "format.h"
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

#define SECRET_OPEN "${secret:"

enum { SECRET_MAX_COUNT = 1000 };

/* --- where they lie ------------------------------------------------------- */

int
secret_root(char *root, struct err *e)
{
	const char *own = getenv("BOTHY_SECRETS");
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int n;

	if (own && own[0] == '/')
		n = snprintf(root, PATH_MAX, "%s", own);
	else if (config && config[0] == '/')
		n = snprintf(root, PATH_MAX, "%s/bothy", config);
	else if (home && home[0] == '/')
		n = snprintf(root, PATH_MAX, "%s/.config/bothy", home);
	else
		return err_set(e, ENOENT, "no place for secrets: set "
		    "BOTHY_SECRETS or HOME to an absolute path");
	if (n >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "the directory of secrets has "
		    "too long a name");
	return 0;
}

/* The directory of a service and a stage. */
static int
directory(const char *service, const char *stage, char path[PATH_MAX],
    struct err *e)
{
	char root[PATH_MAX];

	if (format_name(service) || format_name(stage))
		return err_set(e, EINVAL, "the names of service and stage "
		    "must be letters, digits, '_' or '-'");
	if (secret_root(root, e) < 0)
		return -1;
	if (snprintf(path, PATH_MAX, "%s/%s/%s", root, service, stage) >=
	    PATH_MAX)
		return err_set(e, ENAMETOOLONG, "the directory of secrets has "
		    "too long a name");
	return 0;
}

static int
check_name(const char *name, struct err *e)
{
	if (format_identifier(name) && strlen(name) <= SECRET_MAX_NAME)
		return 0;
	return err_set(e, EINVAL, "the name of a secret must be letters, "
	    "digits and '_', with no digit first, at most %d",
	    SECRET_MAX_NAME);
}

/* Opens the directory of secrets; ENOENT in e->code if there is none. */
static int
open_directory(const char *service, const char *stage, struct err *e)
{
	char path[PATH_MAX];
	int fd;

	if (directory(service, stage, path, e) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		err_sys(e, "cannot open the directory of secrets %s", path);
	return fd;
}

/* --- one secret ----------------------------------------------------------- */

static int
not_set(struct err *e, const char *name, const char *stage)
{
	return err_set(e, ENOENT, "the secret %s is not set for stage '%s'; "
	    "run bothy --stage %s secret set %s", name, stage, stage, name);
}

/* Ours (or root's), a file, and closed to others. */
static int
check_file(int fd, const char *name, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at the secret %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EPERM, "the secret %s is no regular file",
		    name);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, EPERM, "the file of the secret %s belongs "
		    "to uid %u, not to this process's", name,
		    (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return err_set(e, EPERM, "the file of the secret %s is open "
		    "to others (mode %03o); make it 600", name,
		    (unsigned)(st.st_mode & 0777));
	return 0;
}

/* Wipes what a buffer held before it is freed. */
static void
forget(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->room);
	buf_release(b);
}

int
secret_get(const char *service, const char *stage, const char *name,
    struct buf *out, struct err *e)
{
	struct buf value;
	int dir_fd, fd, rc = -1;

	if (check_name(name, e) < 0)
		return -1;
	dir_fd = open_directory(service, stage, e);
	if (dir_fd < 0)
		return e->code == ENOENT ? not_set(e, name, stage) : -1;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	close(dir_fd);
	if (fd < 0)
		return errno == ENOENT ? not_set(e, name, stage) :
		    err_sys(e, "cannot open the secret %s", name);
	buf_init(&value, SECRET_MAX_VALUE);
	/* all the room at once: growing would leave copies behind */
	if (buf_reserve(&value, SECRET_MAX_VALUE) < 0)
		err_set(e, ENOMEM, "no memory for the secret %s", name);
	else if (check_file(fd, name, e) == 0 &&
	    io_read_fd(fd, name, &value, e) == 0)
		rc = 0;
	if (rc == 0 && memchr(buf_str(&value), '\0', value.len))
		rc = err_set(e, EINVAL, "the secret %s holds a NUL byte",
		    name);
	if (rc == 0 && buf_add(out, buf_str(&value), value.len) < 0)
		rc = err_set(e, E2BIG, "the secret %s makes the value too "
		    "long", name);
	forget(&value);
	close(fd);
	return rc;
}

int
secret_set(const char *service, const char *stage, const char *name,
    const char *value, size_t len, struct err *e)
{
	char dir[PATH_MAX], path[PATH_MAX];

	if (check_name(name, e) < 0 || directory(service, stage, dir, e) < 0)
		return -1;
	if (len > SECRET_MAX_VALUE || memchr(value, '\0', len))
		return err_set(e, EINVAL, "a secret is at most %d bytes, and "
		    "none of them NUL", SECRET_MAX_VALUE);
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >=
	    (int)sizeof path)
		return err_set(e, ENAMETOOLONG, "the directory of secrets "
		    "has too long a name");
	if (io_mkdirs(dir, 0700, e) < 0)
		return -1;
	return io_replace_file(path, value, len, 0600, e);
}

int
secret_remove(const char *service, const char *stage, const char *name,
    struct err *e)
{
	int dir_fd, rc = 0;

	if (check_name(name, e) < 0)
		return -1;
	dir_fd = open_directory(service, stage, e);
	if (dir_fd < 0)
		return e->code == ENOENT ? not_set(e, name, stage) : -1;
	if (unlinkat(dir_fd, name, 0) < 0)
		rc = errno == ENOENT ? not_set(e, name, stage) :
		    err_sys(e, "cannot remove the secret %s", name);
	close(dir_fd);
	return rc;
}

/* --- templates ------------------------------------------------------------ */

/*
 * The next reference in `s`: its name in `name`, the offset of "${" returned
 * and that of the text behind '}' in *end; -1 if there is none.
 */
static long
next_reference(const char *s, char name[SECRET_MAX_NAME + 1], size_t *end)
{
	const char *from = s, *open, *close;
	size_t n;

	while ((open = strstr(from, SECRET_OPEN))) {
		from = open + sizeof SECRET_OPEN - 1;
		close = strchr(from, '}');
		n = close ? (size_t)(close - from) : 0;
		if (n == 0 || n > SECRET_MAX_NAME)
			continue;
		memcpy(name, from, n);
		name[n] = '\0';
		if (!format_identifier(name))
			continue;
		*end = (size_t)(close + 1 - s);
		return open - s;
	}
	return -1;
}

bool
secret_used(const char *template)
{
	char name[SECRET_MAX_NAME + 1];
	size_t end;

	return next_reference(template, name, &end) >= 0;
}

int
secret_expand(const char *template, const char *service, const char *stage,
    struct buf *out, struct err *e)
{
	char name[SECRET_MAX_NAME + 1];
	size_t before = out->len, end;
	long at;

	while ((at = next_reference(template, name, &end)) >= 0) {
		buf_add(out, template, (size_t)at);
		if (secret_get(service, stage, name, out, e) < 0)
			goto fail;
		template += end;
	}
	if (buf_puts(out, template) == 0)
		return 0;
	err_set(e, E2BIG, "a value with secrets in it is too long");
fail:
	if (out->data && out->len > before) {
		explicit_bzero(out->data + before, out->len - before);
		out->len = before;
	}
	return -1;
}

/* --- all of them ---------------------------------------------------------- */

static int
by_name(const void *pa, const void *pb)
{
	return strcmp(*(char *const *)pa, *(char *const *)pb);
}

/* Collects names from `d` into `names`, which has room for all and a NULL. */
static int
collect(DIR *d, char **names, struct err *e)
{
	const struct dirent *de;
	size_t n = 0;
	char *name;

	while ((de = readdir(d))) {
		if (!format_identifier(de->d_name))
			continue;
		if (n == SECRET_MAX_COUNT)
			return err_set(e, E2BIG, "more than %d secrets",
			    SECRET_MAX_COUNT);
		name = strdup(de->d_name);
		if (!name)
			return err_set(e, ENOMEM, "no memory for the names "
			    "of secrets");
		names[n++] = name;
	}
	qsort(names, n, sizeof *names, by_name);
	return 0;
}

int
secret_list(const char *service, const char *stage, char ***names,
    struct err *e)
{
	int fd, rc;
	DIR *d;

	*names = calloc(SECRET_MAX_COUNT + 1, sizeof **names);
	if (!*names)
		return err_set(e, ENOMEM, "no memory for the names of secrets");
	fd = open_directory(service, stage, e);
	if (fd < 0 && e->code == ENOENT)
		return 0;
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			err_sys(e, "cannot read the directory of secrets");
		io_close(&fd);
		rc = -1;
	} else {
		rc = collect(d, *names, e);
		closedir(d);
	}
	if (rc < 0) {
		secret_list_free(*names);
		*names = NULL;
	}
	return rc;
}

void
secret_list_free(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
