/*
 * The history, read: commits by what a person calls them, documents in them.
 * Runs in any thread, each call with a view of its own.
 */
#include "history_read.h"

#include "store/value/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the chain ------------------------------------------------------------------ */

int
history_walk(struct history_view *v, history_raw_fn *fn, void *ctx,
    struct err *e)
{
	struct history_raw raw;
	git_oid id;
	int r = history_ref_read(v, HISTORY_MAIN, &id, e);

	while (r > 0) {
		if (history_read_commit(v, &id, &raw, e))
			return -1;
		r = fn(ctx, &raw);
		if (r)
			return r < 0 ? -1 : 0;
		if (!raw.has_parent)
			break;
		git_oid_cpy(&id, &raw.parent);
		r = 1;
	}
	return r < 0 ? -1 : 0;
}

struct listing {
	history_commit_fn *fn;
	void *ctx;
};

static int
list_one(void *ctx, const struct history_raw *raw)
{
	const struct listing *l = ctx;

	return l->fn(l->ctx, &raw->public) != 0;
}

int
history_list(struct history *h, history_commit_fn *fn, void *ctx,
    struct err *e)
{
	struct listing l = { fn, ctx };
	struct history_view v;
	int r;

	if (history_view_open(h, &v, e))
		return -1;
	r = history_walk(&v, list_one, &l, e);
	history_view_close(&v);
	return r;
}

/* --- names of commits -------------------------------------------------------------- */

static const char *
read_digits(const char *s, size_t n, int *out)
{
	*out = 0;
	for (; n > 0; n--, s++) {
		if (*s < '0' || *s > '9')
			return NULL;
		*out = *out * 10 + (*s - '0');
	}
	return s;
}

/* The first three digits of a fraction; the others are passed over. */
static int
read_fraction(const char **s)
{
	int ms = 0, unit = 100;

	for (++*s; **s >= '0' && **s <= '9'; ++*s, unit /= 10)
		ms += (**s - '0') * unit;
	return ms;
}

static bool
read_date(const char *s, struct tm *tm, int *ms)
{
	static const struct {
		char before;
		size_t digits;
	} PART[] = { { 0, 4 }, { '-', 2 }, { '-', 2 }, { 'T', 2 }, { ':', 2 },
		{ ':', 2 } };
	int v[6];
	size_t i;

	for (i = 0; i < 6; i++) {
		if (PART[i].before && *s++ != PART[i].before)
			return false;
		s = read_digits(s, PART[i].digits, &v[i]);
		if (!s)
			return false;
	}
	*ms = *s == '.' ? read_fraction(&s) : 0;
	memset(tm, 0, sizeof *tm);
	tm->tm_year = v[0] - 1900;
	tm->tm_mon = v[1] - 1;
	tm->tm_mday = v[2];
	tm->tm_hour = v[3];
	tm->tm_min = v[4];
	tm->tm_sec = v[5];
	return strcmp(s, "Z") == 0 && v[1] >= 1 && v[1] <= 12 && v[2] >= 1 &&
	    v[2] <= 31 && v[3] < 24 && v[4] < 60 && v[5] <= 60;
}

bool
history_read_time(const char *s, int64_t *time_ms)
{
	struct tm tm;
	int ms;

	if (!read_date(s, &tm, &ms))
		return false;
	*time_ms = (int64_t)timegm(&tm) * 1000 + ms;
	return true;
}

bool
history_read_position(const char *s, uint64_t *position)
{
	char *end;

	if (s[0] != '@' || s[1] < '0' || s[1] > '9')
		return false;
	errno = 0;
	*position = strtoull(s + 1, &end, 10);
	return *end == '\0' && errno == 0;
}

bool
history_is_id(const char *s)
{
	size_t n = strlen(s);

	return n >= 4 && n <= GIT_OID_HEXSZ &&
	    strspn(s, "0123456789abcdef") == n;
}

struct seek {
	int64_t not_later_ms;
	uint64_t not_beyond;
	bool found;
	struct history_raw *out;
};

static int
seek_one(void *ctx, const struct history_raw *raw)
{
	struct seek *s = ctx;

	if (raw->public.time_ms > s->not_later_ms ||
	    raw->public.position > s->not_beyond)
		return 0;
	*s->out = *raw;
	s->found = true;
	return 1;
}

static int
seek(struct history_view *v, const char *name, int64_t not_later_ms,
    uint64_t not_beyond, struct history_raw *out, struct err *e)
{
	struct seek s = { not_later_ms, not_beyond, false, out };

	if (history_walk(v, seek_one, &s, e))
		return -1;
	return s.found ? 0 : err_set(e, FAULT_NOT_FOUND, *name ?
	    "the history has nothing as old as %s" :
	    "the history is empty%s", name);
}

/* A tag goes before an id: "cafe" may be either. */
static int
resolve_name(struct history_view *v, const char *name,
    struct history_raw *out, struct err *e)
{
	char ref[HISTORY_TAG_MAX + sizeof HISTORY_TAGS];
	git_oid id, prefix;
	int r;

	if (strlen(name) <= HISTORY_TAG_MAX) {
		snprintf(ref, sizeof ref, HISTORY_TAGS "%s", name);
		r = git_reference_is_valid_name(ref) ?
		    history_ref_read(v, ref, &id, e) : 0;
		if (r)
			return r < 0 ? -1 : history_read_commit(v, &id, out, e);
	}
	if (!history_is_id(name))
		return err_set(e, FAULT_NOT_FOUND,
		    "no backup, commit or time is called %.100s", name);
	git_oid_fromstrn(&prefix, name, strlen(name));
	r = git_odb_exists_prefix(&id, v->odb, &prefix, strlen(name));
	if (r == GIT_EAMBIGUOUS)
		return err_set(e, FAULT_VALIDATION,
		    "more than one object is called %s", name);
	if (r)
		return err_set(e, FAULT_NOT_FOUND, "no commit is called %s",
		    name);
	return history_read_commit(v, &id, out, e);
}

int
history_resolve_raw(struct history_view *v, const char *name,
    struct history_raw *out, struct err *e)
{
	int64_t time_ms;
	uint64_t position;

	if (!*name)
		return seek(v, name, INT64_MAX, UINT64_MAX, out, e);
	if (history_read_time(name, &time_ms))
		return seek(v, name, time_ms, UINT64_MAX, out, e);
	if (history_read_position(name, &position))
		return seek(v, name, INT64_MAX, position, out, e);
	return resolve_name(v, name, out, e);
}

int
history_resolve(struct history *h, const char *name,
    struct history_commit *out, struct err *e)
{
	struct history_raw raw;
	struct history_view v;
	int r;

	if (history_view_open(h, &v, e))
		return -1;
	r = history_resolve_raw(&v, name, &raw, e);
	if (!r)
		*out = raw.public;
	history_view_close(&v);
	return r;
}

/* --- documents ------------------------------------------------------------------- */

static int
get(struct history_view *v, const git_oid *commit, struct history_paths p,
    struct buf *out, struct err *e)
{
	struct history_raw raw;
	git_odb_object *o;
	git_oid id;
	bool dir;
	size_t i;
	int r = 0;

	if (history_read_commit(v, commit, &raw, e))
		return -1;
	for (i = 0; i < p.n && r == 0; i++) {
		r = history_lookup(v, &raw.tree, p.path[i], &id, &dir, e);
		if (r > 0 && dir)
			r = 0;
	}
	if (r <= 0)
		return r;
	if (history_object(v, &id, GIT_OBJECT_BLOB, &o, e))
		return -1;
	r = buf_add(out, git_odb_object_data(o), git_odb_object_size(o)) ?
	    err_set(e, FAULT_LIMIT, "a document is too large") : 1;
	git_odb_object_free(o);
	return r;
}

int
history_get(struct history *h, const struct history_id *commit,
    struct history_paths p, struct buf *out, struct err *e)
{
	struct history_view v;
	git_oid id;
	int r;

	if (history_id_get(commit, &id, e) || history_view_open(h, &v, e))
		return -1;
	r = get(&v, &id, p, out, e);
	history_view_close(&v);
	return r;
}

/* --- many documents ---------------------------------------------------------------- */

struct history_reader {
	struct history_view view;
};

struct history_reader *
history_reader_new(struct history *h, struct err *e)
{
	struct history_reader *r = malloc(sizeof *r);

	if (!r) {
		err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (history_view_open(h, &r->view, e) == 0)
		return r;
	free(r);
	return NULL;
}

int
history_reader_get(struct history_reader *r, const struct history_id *commit,
    struct history_paths p, struct buf *out, struct err *e)
{
	git_oid id;

	return history_id_get(commit, &id, e) ? -1 :
	    get(&r->view, &id, p, out, e);
}

void
history_reader_free(struct history_reader *r)
{
	if (!r)
		return;
	history_view_close(&r->view);
	free(r);
}
