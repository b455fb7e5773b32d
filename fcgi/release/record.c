/*
 * releases/N/release.json, and the list of releases (release.h).
 */
#include "release.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_BYTES = 64 * 1024 };

int
release_write(const struct release *r, const char *dir, struct err *e)
{
	char path[PATH_MAX];
	json_t *o;
	int rc;

	if (release_path(path, e, "%s/release.json", dir) < 0)
		return -1;
	o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "release",
	    (json_int_t)r->number, "commit", r->commit, "author", r->author,
	    "subject", r->subject, "changed", r->changed, "time_ms",
	    (json_int_t)r->time_ms);
	rc = o ? json_dump_file(o, path, JSON_INDENT(2)) : -1;
	json_decref(o);
	return rc < 0 ? err_set(e, EIO, "cannot write %s", path) : 0;
}

static void
take(const json_t *o, const char *key, char *out, size_t room)
{
	const char *s = json_string_value(json_object_get(o, key));

	snprintf(out, room, "%s", s ? s : "");
}

int
release_read(
    const char *site, uint32_t number, struct release *r, struct err *e)
{
	char path[PATH_MAX];
	struct buf text;
	json_t *o = NULL;

	memset(r, 0, sizeof *r);
	r->number = number;
	if (release_path(path, e, "%s/releases/%u/release.json", site, number) <
	    0)
		return -1;
	buf_init(&text, RECORD_BYTES);
	if (io_read_file(AT_FDCWD, path, &text, e) == 0) {
		o = json_loadb(buf_str(&text), text.len, 0, NULL);
		if (!o)
			err_set(e, EINVAL, "%s is damaged", path);
	}
	buf_release(&text);
	if (!o)
		return -1;
	take(o, "commit", r->commit, sizeof r->commit);
	take(o, "author", r->author, sizeof r->author);
	take(o, "subject", r->subject, sizeof r->subject);
	take(o, "changed", r->changed, sizeof r->changed);
	r->time_ms = json_integer_value(json_object_get(o, "time_ms"));
	json_decref(o);
	return 0;
}

/* The number that a directory's name is, or 0. */
static uint32_t
number_of(const char *name)
{
	size_t n = strspn(name, "0123456789");

	if (n == 0 || n > 9 || name[n] != '\0' || name[0] == '0')
		return 0;
	return (uint32_t)strtoul(name, NULL, 10);
}

static int
ascending(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
add(uint32_t **numbers, size_t *n, uint32_t number)
{
	uint32_t *more = realloc(*numbers, (*n + 1) * sizeof **numbers);

	if (!more)
		return -1;
	*numbers = more;
	more[(*n)++] = number;
	return 0;
}

int
release_list(const char *site, uint32_t **numbers, size_t *n, struct err *e)
{
	const struct dirent *de;
	char path[PATH_MAX];
	uint32_t number;
	DIR *d;
	int rc = 0;

	*numbers = NULL;
	*n = 0;
	if (release_path(path, e, "%s/releases", site) < 0)
		return -1;
	d = opendir(path);
	if (!d)
		return err_sys(e, "cannot read %s", path);
	while (rc == 0 && (de = readdir(d))) {
		number = number_of(de->d_name);
		if (number)
			rc = add(numbers, n, number);
	}
	closedir(d);
	if (rc < 0) {
		free(*numbers);
		*numbers = NULL;
		return err_set(e, ENOMEM, "no memory");
	}
	if (*n)
		qsort(*numbers, *n, sizeof **numbers, ascending);
	return 0;
}
