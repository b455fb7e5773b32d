/*
 * Records as files, for op_record.h.
 */
#include "op_record.h"

#include "store/base/io.h"
#include "store/engine/parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LEVELS = 3,			/* taken apart */
	ID_TIME = 14,			/* digits */
	RECORD_ROOM = 8 << 20
};

/* --- ids ------------------------------------------------------------------- */

void
op_record_id(int64_t now_ms, char out[RECORD_ID])
{
	uint32_t noise = 0;

	if (getrandom(&noise, sizeof noise, GRND_NONBLOCK) < 0)
		noise = (uint32_t)now_ms;
	snprintf(out, RECORD_ID, "%0*lld-%08x", ID_TIME, (long long)now_ms,
	    noise);
}

static bool
is_id(const char *p, size_t n)
{
	size_t i;

	if (n != ID_TIME + 9 || p[ID_TIME] != '-')
		return false;
	for (i = 0; i < n; i++)
		if (i != ID_TIME && !strchr("0123456789abcdef", p[i]))
			return false;
	return true;
}

bool
op_record_of_arn(const struct text *arn, const char *kind,
    char out[RECORD_ID])
{
	struct text table, behind;
	size_t n = strlen(kind);

	if (!request_arn(arn, &table, &behind) || behind.n < n + 2 ||
	    memcmp(behind.p + 1, kind, n) != 0 || behind.p[n + 1] != '/' ||
	    !is_id(behind.p + n + 2, behind.n - n - 2))
		return false;
	snprintf(out, RECORD_ID, "%.*s", (int)(behind.n - n - 2),
	    behind.p + n + 2);
	return true;
}

/* --- one ------------------------------------------------------------------- */

static int
fail(const char *kind, struct err *e)
{
	return err_set(e, errno == ENOSPC || errno == EDQUOT ? FAULT_NO_ROOM
	                                                     : FAULT_INTERNAL,
	    "transfers/%s: %s", kind, strerror(errno));
}

static void
path_of(struct store *s, const char *kind, char out[], size_t size)
{
	snprintf(out, size, "%s/transfers/%s", store_dir(s), kind);
}

/* The directory of a kind, made if need be; -1 with errno. */
static int
open_kind(struct store *s, const char *kind, bool make)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/transfers", store_dir(s));
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	path_of(s, kind, path, sizeof path);
	if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
write_at(int dir_fd, const char *name, const struct buf *json)
{
	char part[RECORD_ID + 16];
	int fd, rc;

	snprintf(part, sizeof part, ".%s.part", name);
	fd = openat(dir_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	rc = io_write_all(fd, json->data, json->len);
	if (rc == 0)
		rc = fsync(fd);
	io_close(&fd);
	if (rc == 0)
		rc = renameat(dir_fd, part, dir_fd, name);
	return rc == 0 ? fsync(dir_fd) : -1;
}

int
op_record_put(struct store *s, const char *kind, const char *id,
    const struct buf *json, struct err *e)
{
	char name[RECORD_ID + 8];
	int dir_fd, rc;

	if (!buf_ok(json))
		return op_no_memory(e);
	dir_fd = open_kind(s, kind, true);
	if (dir_fd < 0)
		return fail(kind, e);
	snprintf(name, sizeof name, "%s.json", id);
	rc = write_at(dir_fd, name, json);
	if (rc < 0)
		fail(kind, e);
	io_close(&dir_fd);
	return rc;
}

int
op_record_get(struct store *s, const char *kind, const char *id,
    struct arena *a, const struct json_node **out, struct err *e)
{
	char name[RECORD_ID + 8], *copy;
	int dir_fd = open_kind(s, kind, false), rc;
	struct buf b;

	if (dir_fd < 0)
		return errno == ENOENT ? 0 : fail(kind, e);
	snprintf(name, sizeof name, "%s.json", id);
	if (faccessat(dir_fd, name, F_OK, 0) < 0) {
		io_close(&dir_fd);
		return 0;
	}
	buf_init(&b, RECORD_MAX);
	rc = io_read_file(dir_fd, name, &b, e);
	io_close(&dir_fd);
	copy = rc == 0 ? arena_copy(a, b.data, b.len) : NULL;
	if (copy)
		*out = json_read(a, copy, b.len, LEVELS, e);
	else if (rc == 0)
		op_no_memory(e);
	buf_release(&b);
	return copy && *out ? 1 : -1;
}

static int
remove_names(struct store *s, const char *kind, struct dirent *const *names,
    int n, struct err *e)
{
	int dir_fd = open_kind(s, kind, false), rc = 0, i;

	if (dir_fd < 0)
		return fail(kind, e);
	for (i = 0; rc == 0 && i < n; i++)
		rc = unlinkat(dir_fd, names[i]->d_name, 0);
	if (rc == 0)
		rc = fsync(dir_fd);
	if (rc < 0)
		fail(kind, e);
	io_close(&dir_fd);
	return rc;
}

int
op_record_remove(struct store *s, const char *kind, const char *id,
    struct err *e)
{
	struct dirent one, *const name = &one;

	snprintf(one.d_name, sizeof one.d_name, "%s.json", id);
	return remove_names(s, kind, &name, 1, e);
}

/* --- all ------------------------------------------------------------------- */

static int
is_record(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0 &&
	    is_id(d->d_name, n - 5);
}

/* Their names, oldest first, for forget_names(); -1 and *e. */
static int
list_names(struct store *s, const char *kind, struct dirent ***names,
    struct err *e)
{
	char path[4096];
	int n;

	*names = NULL;
	path_of(s, kind, path, sizeof path);
	n = scandir(path, names, is_record, alphasort);
	return n >= 0 ? n : errno == ENOENT ? 0 : fail(kind, e);
}

static void
forget_names(struct dirent **names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

int
op_record_count(struct store *s, const char *kind, struct err *e)
{
	struct dirent **names;
	int n = list_names(s, kind, &names, e);

	forget_names(names, n);
	return n;
}

int
op_record_thin(struct store *s, const char *kind, int most, struct err *e)
{
	struct dirent **names;
	int n = list_names(s, kind, &names, e), rc = n < 0 ? -1 : 0;

	if (n > most)
		rc = remove_names(s, kind, names, n - most, e);
	forget_names(names, n);
	return rc;
}

struct walk {
	struct store *store;
	const char *kind, *start;
	bool newest;
	op_record_fn *each;
	void *ctx;
};

static int
visit(const struct walk *w, const char *name, struct err *e)
{
	const struct json_node *record = NULL;
	char id[RECORD_ID];
	struct arena a;
	int rc, order;

	snprintf(id, sizeof id, "%.*s", (int)strlen(name) - 5, name);
	order = strcmp(id, w->start);
	if (*w->start && (w->newest ? order >= 0 : order <= 0))
		return 0;
	arena_init(&a, RECORD_ROOM);
	rc = op_record_get(w->store, w->kind, id, &a, &record, e);
	if (rc > 0)
		rc = w->each(w->ctx, id, record, e);
	arena_release(&a);
	return rc;
}

int
op_record_each(struct store *s, const char *kind, const char *start,
    bool newest, op_record_fn *each, void *ctx, struct err *e)
{
	const struct walk w = {s, kind, start, newest, each, ctx};
	struct dirent **names;
	int n = list_names(s, kind, &names, e), rc = n < 0 ? -1 : 0, i;

	for (i = 0; rc == 0 && i < n; i++)
		rc = visit(&w, names[newest ? n - 1 - i : i]->d_name, e);
	forget_names(names, n);
	return rc;
}

/* --- members --------------------------------------------------------------- */

struct text
op_record_text(const struct json_node *record, const char *name)
{
	const struct json_node *n = json_member(record, name);

	return n && n->type == JSON_STRING ? n->text : (struct text){"", 0};
}

int64_t
op_record_number(const struct json_node *record, const char *name)
{
	const struct json_node *n = json_member(record, name);
	char digits[24];

	if (!n || n->type != JSON_NUMBER)
		return 0;
	snprintf(digits, sizeof digits, "%.*s", (int)n->text.n, n->text.p);
	return strtoll(digits, NULL, 10);
}

struct table *
op_record_table(const struct json_node *record, struct err *e)
{
	const struct json_node *n = json_member(record, "table");

	if (!n) {
		err_set(e, FAULT_INTERNAL, "a record without its table");
		return NULL;
	}
	return table_read(n->raw.p, n->raw.n, e);
}

int
op_record_is_of(const struct json_node *record, const struct text *name,
    struct err *e)
{
	struct table *t = op_record_table(record, e);
	int rc = t ? strlen(t->name) == name->n &&
	        memcmp(t->name, name->p, name->n) == 0
	           : -1;

	table_free(t);
	return rc;
}
