/*
 * The settings of a store as JSON, for settings.h.  Writes nothing but the one
 * file.
 */
#include "settings.h"

#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/value/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4 * SETTINGS_BYTES_MAX, DIGITS_MAX = 18 };

#define SECOND ((int64_t)1000)
#define HOUR (3600 * SECOND)
#define YEAR (366 * 24 * HOUR)
#define MEGABYTE ((int64_t)1 << 20)

static const struct number {
	const char *name;
	size_t at;
	int64_t least, most, fallback;
} NUMBERS[] = {
#define NUMBER(name, field) name, offsetof(struct settings, field)
	{NUMBER("idleMs", idle_ms), 0, YEAR, 60 * SECOND},
	{NUMBER("checkpointMs", checkpoint_ms), 1, HOUR, SECOND},
	{NUMBER("ttlSweepMs", ttl_sweep_ms), 1, 24 * HOUR, 60 * SECOND},
	{NUMBER("pitrMs", pitr_ms), 0, 10 * YEAR, 24 * HOUR},
	{NUMBER("feedMs", feed_ms), 0, 10 * YEAR, 24 * HOUR},
	{NUMBER("journalBytes", journal_bytes), MEGABYTE,
	    MEGABYTE * MEGABYTE, 1024 * MEGABYTE},
	{NUMBER("dayBytes", day_bytes), MEGABYTE, MEGABYTE * MEGABYTE,
	    100 * MEGABYTE},
	{NUMBER("allMs", all_ms), SECOND, 10 * YEAR, HOUR},
	{NUMBER("minutesMs", minutes_ms), SECOND, 10 * YEAR, 24 * HOUR},
	{NUMBER("hoursMs", hours_ms), SECOND, 10 * YEAR, 31 * 24 * HOUR},
#undef NUMBER
};

enum { COUNT = sizeof NUMBERS / sizeof *NUMBERS };

static int64_t *
field(struct settings *s, const struct number *n)
{
	return (int64_t *)(void *)((char *)s + n->at);
}

void
settings_init(struct settings *s)
{
	size_t i;

	*s = (struct settings){.mirrors = NULL};
	for (i = 0; i < COUNT; i++)
		*field(s, &NUMBERS[i]) = NUMBERS[i].fallback;
}

void
settings_release(struct settings *s)
{
	free(s->mirrors);
	settings_init(s);
}

/* --- reading --------------------------------------------------------------- */

static int
wrong(const struct text *name, struct err *e)
{
	return err_set(e, FAULT_VALIDATION, "settings: %.*s is not what it "
	    "can be", (int)(name->n < 100 ? name->n : 100), name->p);
}

static int
read_number(const struct json_node *m, const struct number *n, int64_t *out,
    struct err *e)
{
	char digits[DIGITS_MAX + 1];

	if (m->type != JSON_NUMBER || m->text.n > DIGITS_MAX)
		return wrong(&m->name, e);
	snprintf(digits, sizeof digits, "%.*s", (int)m->text.n, m->text.p);
	if (strspn(digits, "0123456789") != m->text.n)
		return wrong(&m->name, e);
	*out = strtoll(digits, NULL, 10);
	return *out < n->least || *out > n->most ? wrong(&m->name, e) : 0;
}

static int
read_mirrors(const struct json_node *list, struct settings *s, struct err *e)
{
	struct settings_mirror *r;
	const struct json_node *m;

	if (list->type != JSON_OBJECT || list->count > SETTINGS_MIRRORS_MAX)
		return wrong(&list->name, e);
	s->mirrors = calloc(list->count + 1, sizeof *s->mirrors);
	if (!s->mirrors)
		return err_set(e, ENOMEM, "out of memory");
	for (m = list->first; m; m = m->next) {
		r = &s->mirrors[s->nmirrors++];
		if (m->type != JSON_STRING || m->text.n > SETTINGS_URL_MAX ||
		    m->name.n > SETTINGS_NAME_MAX)
			return wrong(&m->name, e);
		memcpy(r->name, m->name.p, m->name.n);
		memcpy(r->url, m->text.p, m->text.n);
	}
	return 0;
}

static int
read_text(const struct json_node *m, char *out, size_t max, struct err *e)
{
	if (m->type != JSON_STRING || m->text.n > max ||
	    memchr(m->text.p, 0, m->text.n))
		return wrong(&m->name, e);
	snprintf(out, max + 1, "%.*s", (int)m->text.n, m->text.p);
	return 0;
}

static bool
is_called(const struct json_node *m, const char *name)
{
	return m->name.n == strlen(name) &&
	    memcmp(m->name.p, name, m->name.n) == 0;
}

static int
read_member(const struct json_node *m, struct settings *s, struct err *e)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (is_called(m, NUMBERS[i].name))
			return read_number(m, &NUMBERS[i],
			    field(s, &NUMBERS[i]), e);
	if (is_called(m, "anyPlace") &&
	    (m->type == JSON_TRUE || m->type == JSON_FALSE)) {
		s->any_place = m->type == JSON_TRUE;
		return 0;
	}
	if (is_called(m, "endpoint"))
		return read_text(m, s->endpoint, SETTINGS_ENDPOINT_MAX, e);
	if (is_called(m, "region"))
		return read_text(m, s->region, SETTINGS_REGION_MAX, e);
	return is_called(m, "mirrors") ? read_mirrors(m, s, e)
	                               : wrong(&m->name, e);
}

static int
read_all(struct arena *a, const char *p, size_t n, struct settings *s,
    struct err *e)
{
	const struct json_node *root = json_read(a, p, n, 2, e), *m;
	int rc = 0;

	if (!root)
		return -1;
	if (root->type != JSON_OBJECT)
		return err_set(e, FAULT_VALIDATION, "settings are an object");
	for (m = root->first; m && rc == 0; m = m->next)
		rc = read_member(m, s, e);
	return rc;
}

int
settings_read(const char *p, size_t n, struct settings *s, struct err *e)
{
	struct arena a;
	int rc;

	settings_init(s);
	arena_init(&a, ROOM);
	rc = read_all(&a, p, n, s, e);
	arena_release(&a);
	if (rc < 0)
		settings_release(s);
	return rc;
}

/* --- the file ---------------------------------------------------------------- */

static int
path_of(const char *dir, char path[PATH_MAX], struct err *e)
{
	if (snprintf(path, PATH_MAX, "%s/settings", dir) < PATH_MAX)
		return 0;
	return err_set(e, ENAMETOOLONG, "%s: too long", dir);
}

/* 1, 0 if there is none, -1. */
static int
read_file(const char *dir, struct buf *b, char path[PATH_MAX], struct err *e)
{
	if (path_of(dir, path, e) < 0)
		return -1;
	if (io_read_file(AT_FDCWD, path, b, e) == 0)
		return 1;
	return e->code == ENOENT ? 0 : -1;
}

int
settings_load(const char *dir, struct settings *s, struct err *e)
{
	char path[PATH_MAX];
	struct err why;
	struct buf b;
	int rc;

	settings_init(s);
	buf_init(&b, SETTINGS_BYTES_MAX);
	rc = read_file(dir, &b, path, e);
	if (rc > 0 && settings_read(b.data, b.len, s, &why) < 0)
		rc = err_set(e, EINVAL, "%s: %s", path, why.text);
	buf_release(&b);
	return rc < 0 ? -1 : 0;
}

int
settings_keep(const char *dir, const char *p, size_t n, struct err *e)
{
	char path[PATH_MAX];
	struct buf b;
	int rc;

	buf_init(&b, SETTINGS_BYTES_MAX);
	rc = read_file(dir, &b, path, e);
	if (rc > 0 && b.len == n && memcmp(b.data, p, n) == 0)
		rc = 0;
	else if (rc >= 0)
		rc = io_replace_file(path, p, n, 0600, e) < 0 ? -1 : 1;
	buf_release(&b);
	return rc;
}
