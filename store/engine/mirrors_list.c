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

static const char DECLARED[] = " declared";

enum {
	FILE_MAX = MIRRORS_MAX *
	    (MIRROR_NAME_MAX + MIRROR_URL_MAX + 2 + (int)sizeof DECLARED)
};

static const char NAME_LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789._-";

/* One that git or libgit2 knows the way to, whatever directory we are in. */
static bool
leads_somewhere(const char *url)
{
	static const char *const begins[] = {"/", "file:///", "ssh://",
	    "https://", "http://"};
	size_t i;

	for (i = 0; i < sizeof begins / sizeof *begins; i++)
		if (strncmp(url, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

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
	if (!leads_somewhere(url))
		return err_set(e, FAULT_VALIDATION, "a mirror is an absolute "
		    "path, or begins with file:///, ssh:// or https://");
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
	char *url = strchr(line, ' '), *more = NULL;

	if (!*line || *line == '#')
		return 0;
	if (url) {
		*url++ = '\0';
		more = strstr(url, DECLARED);
		if (more && !more[sizeof DECLARED - 1])
			*more = '\0';
		else
			more = NULL;
	}
	if (!url || check(line, url, e) < 0)
		return err_set(e, EINVAL, "%s: \"%s\" is no mirror: a name, a "
		    "space, a URL", path, line);
	if (m->count == MIRRORS_MAX)
		return err_set(e, EINVAL, "%s: more than %d mirrors", path,
		    MIRRORS_MAX);
	return mirror_start(m, line, url, more != NULL, e);
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

/* A mirror as it is to be; url NULL: there is to be none. */
struct wish {
	const char *name, *url;
	bool declared;
};

static void
write_line(struct buf *b, const char *name, const char *url, bool declared)
{
	buf_printf(b, "%s %s%s\n", name, url, declared ? DECLARED : "");
}

/* The file as the list is to be: without one, or with a new one at its end. */
static int
write_file(const struct mirrors *m, const struct mirror *without,
    const struct wish *w, struct err *e)
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
			write_line(&b, m->list[i]->name, m->list[i]->url,
			    m->list[i]->declared);
	if (w->url)
		write_line(&b, w->name, w->url, w->declared);
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

static int
check_change(const struct mirrors *m, const struct mirror *old,
    const struct wish *w, struct err *e)
{
	if (!w->url && !old)
		return err_set(e, FAULT_NOT_FOUND, "there is no mirror %s",
		    w->name);
	if (old && old->declared && !w->declared)
		return err_set(e, FAULT_VALIDATION, "the mirror %s is in "
		    "deploy.yaml (resources.store.mirrors); change it there",
		    w->name);
	if (!old && m->count == MIRRORS_MAX)
		return err_set(e, FAULT_LIMIT, "there are %d mirrors already",
		    MIRRORS_MAX);
	if (m->ending)
		return err_set(e, FAULT_LEAVING, "the store is closing");
	return 0;
}

/* The file first: what it says is what the next start has. */
static int
change(struct mirrors *m, const struct wish *w, struct mirror **old,
    struct err *e)
{
	*old = find(m, w->name);
	if (check_change(m, *old, w, e) < 0 || write_file(m, *old, w, e) < 0) {
		*old = NULL;
		return -1;
	}
	if (*old)
		take_out(m, *old);
	return w->url ? mirror_start(m, w->name, w->url, w->declared, e) : 0;
}

/* By who has `setting`. */
static int
set(struct mirrors *m, const struct wish *w, struct err *e)
{
	struct mirror *old = NULL;
	int rc;

	if (check(w->name, w->url, e) < 0)
		return -1;
	pthread_mutex_lock(&m->lock);
	rc = change(m, w, &old, e);
	pthread_mutex_unlock(&m->lock);
	if (old)
		mirror_end(old);
	return rc;
}

int
mirrors_set(struct mirrors *m, const char *name, const char *url,
    struct err *e)
{
	const struct wish w = {name, url, false};
	int rc;

	pthread_mutex_lock(&m->setting);
	rc = set(m, &w, e);
	pthread_mutex_unlock(&m->setting);
	return rc;
}

/* --- those of the settings ------------------------------------------------- */

static bool
is_in(const struct settings_mirror *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return true;
	return false;
}

/* One that was declared and is no more; false if there is none. */
static bool
find_undeclared(struct mirrors *m, const struct settings_mirror *list,
    size_t n, char name[MIRROR_NAME_MAX + 1])
{
	bool found = false;
	size_t i;

	pthread_mutex_lock(&m->lock);
	for (i = 0; i < m->count && !found; i++) {
		found = m->list[i]->declared &&
		    !is_in(list, n, m->list[i]->name);
		if (found)
			memcpy(name, m->list[i]->name, MIRROR_NAME_MAX + 1);
	}
	pthread_mutex_unlock(&m->lock);
	return found;
}

static bool
is_so(struct mirrors *m, const struct settings_mirror *want)
{
	const struct mirror *r;
	bool so;

	pthread_mutex_lock(&m->lock);
	r = find(m, want->name);
	so = r && r->declared && strcmp(r->url, want->url) == 0;
	pthread_mutex_unlock(&m->lock);
	return so;
}

static int
declare(struct mirrors *m, const struct settings_mirror *list, size_t n,
    struct err *e)
{
	char name[MIRROR_NAME_MAX + 1];
	struct wish w = {name, NULL, true};
	size_t i;

	for (i = 0; i < n; i++)
		if (check(list[i].name, list[i].url, e) < 0)
			return -1;
	while (find_undeclared(m, list, n, name))
		if (set(m, &w, e) < 0)
			return -1;
	for (i = 0; i < n; i++) {
		w = (struct wish){list[i].name, list[i].url, true};
		if (!is_so(m, &list[i]) && set(m, &w, e) < 0)
			return -1;
	}
	return 0;
}

int
mirrors_declare(struct mirrors *m, const struct settings_mirror *list,
    size_t n, struct err *e)
{
	int rc;

	pthread_mutex_lock(&m->setting);
	rc = declare(m, list, n, e);
	pthread_mutex_unlock(&m->setting);
	return rc;
}
