/*
 * Which mirrors a store has: the file `mirrors`, and changes of it.
 */
#include "mirrors_internal.h"

#include "store/base/io.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = MIRRORS_MAX * (MIRROR_NAME_MAX + MIRROR_URL_MAX + 2) };

static const char NAME_LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789._-";

static int
check(const char *name, const char *url, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > MIRROR_NAME_MAX || strspn(name, NAME_LETTERS) != n)
		return err_set(e, FAULT_VALIDATION, "a mirror's name has 1 to "
		    "%d of A-Z a-z 0-9 . _ -", MIRROR_NAME_MAX);
	if (!url)
		return 0;
	n = strlen(url);
	if (n == 0 || n > MIRROR_URL_MAX)
		return err_set(e, FAULT_VALIDATION, "a mirror's URL has 1 to "
		    "%d bytes", MIRROR_URL_MAX);
	for (; *url; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f)
			return err_set(e, FAULT_VALIDATION, "a mirror's URL "
			    "has no spaces");
	return 0;
}

static int
file_path(const struct mirrors *m, char path[PATH_MAX], struct err *e)
{
	if (snprintf(path, PATH_MAX, "%s/mirrors", m->dir) < PATH_MAX)
		return 0;
	return err_set(e, ENAMETOOLONG, "%s: too long", m->dir);
}

static int
read_line(struct mirrors *m, char *line, const char *path, struct err *e)
{
	char *url = strchr(line, ' ');

	if (!*line || *line == '#')
		return 0;
	if (url)
		*url++ = '\0';
	if (!url || check(line, url, e) < 0)
		return err_set(e, EINVAL, "%s: \"%s\" is no mirror: a name, a "
		    "space, a URL", path, line);
	if (m->count == MIRRORS_MAX)
		return err_set(e, EINVAL, "%s: more than %d mirrors", path,
		    MIRRORS_MAX);
	return mirror_start(m, line, url, e);
}

int
mirrors_read(struct mirrors *m, struct err *e)
{
	char path[PATH_MAX], *line, *rest;
	struct buf b;
	int rc;

	if (file_path(m, path, e) < 0)
		return -1;
	buf_init(&b, FILE_MAX);
	rc = io_read_file(AT_FDCWD, path, &b, e);
	if (rc < 0 && e->code == ENOENT)
		rc = 0;
	else if (rc == 0 && buf_putc(&b, '\0') < 0)
		rc = err_set(e, EFBIG, "%s: too long", path);
	else if (rc == 0)
		for (rest = b.data; rc == 0 && (line = strsep(&rest, "\n"));)
			rc = read_line(m, line, path, e);
	buf_release(&b);
	return rc;
}

/* The file as the list is to be: without one, or with a new one at its end. */
static int
write_file(const struct mirrors *m, const struct mirror *without,
    const char *name, const char *url, struct err *e)
{
	char path[PATH_MAX];
	struct buf b;
	size_t i;
	int rc = -1;

	if (file_path(m, path, e) < 0)
		return -1;
	buf_init(&b, FILE_MAX);
	for (i = 0; i < m->count; i++)
		if (m->list[i] != without)
			buf_printf(&b, "%s %s\n", m->list[i]->name,
			    m->list[i]->url);
	if (url)
		buf_printf(&b, "%s %s\n", name, url);
	if (!buf_ok(&b))
		err_set(e, ENOMEM, "out of memory");
	else
		rc = io_replace_file(path, b.data, b.len, 0600, e);
	buf_release(&b);
	return rc;
}

static struct mirror *
find(const struct mirrors *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		if (strcmp(m->list[i]->name, name) == 0)
			return m->list[i];
	return NULL;
}

static void
take_out(struct mirrors *m, struct mirror *r)
{
	size_t i = 0;

	while (m->list[i] != r)
		i++;
	m->count--;
	memmove(&m->list[i], &m->list[i + 1],
	    (m->count - i) * sizeof *m->list);
	r->gone = true;
	pthread_cond_broadcast(&m->changed);
}

/* The file first: what it says is what the next start has. */
static int
change(struct mirrors *m, const char *name, const char *url,
    struct mirror **old, struct err *e)
{
	*old = find(m, name);
	if (!url && !*old)
		return err_set(e, FAULT_NOT_FOUND, "there is no mirror %s",
		    name);
	if (!*old && m->count == MIRRORS_MAX)
		return err_set(e, FAULT_LIMIT, "there are %d mirrors already",
		    MIRRORS_MAX);
	if (m->ending)
		return err_set(e, FAULT_LEAVING, "the store is closing");
	if (write_file(m, *old, name, url, e) < 0) {
		*old = NULL;
		return -1;
	}
	if (*old)
		take_out(m, *old);
	return url ? mirror_start(m, name, url, e) : 0;
}

int
mirrors_set(struct mirrors *m, const char *name, const char *url,
    struct err *e)
{
	struct mirror *old = NULL;
	int rc;

	if (check(name, url, e) < 0)
		return -1;
	pthread_mutex_lock(&m->setting);
	pthread_mutex_lock(&m->lock);
	rc = change(m, name, url, &old, e);
	pthread_mutex_unlock(&m->lock);
	if (old)
		mirror_end(old);
	pthread_mutex_unlock(&m->setting);
	return rc;
}
