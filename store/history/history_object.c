/*
 * Objects of the history, read raw and taken apart here: the trees are edited
 * as bytes, and a commit has little that we ask for.
 */
#include "history_internal.h"
#include "tree.h"

#include "store/value/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
history_git_error(struct err *e, const char *what)
{
	const git_error *g = git_error_last();

	return err_set(e, FAULT_INTERNAL, "history: %s: %s", what,
	    g ? g->message : "no reason given");
}

int
history_goes_on(const struct history_view *v, struct err *e)
{
	if (v->h && atomic_load(&v->h->hurried))
		return err_set(e, FAULT_ENDED, "it was ended before it was "
		    "done, for the store is closing; do it again");
	return 0;
}

int
history_object(struct history_view *v, const git_oid *id, git_object_t type,
    git_odb_object **out, struct err *e)
{
	char hex[GIT_OID_HEXSZ + 1];
	int r;

	*out = NULL;
	if (history_goes_on(v, e))
		return -1;
	r = git_odb_read(out, v->odb, id);
	if (r == 0 && git_odb_object_type(*out) == type)
		return 0;
	git_oid_tostr(hex, sizeof hex, id);
	if (r == 0) {
		git_odb_object_free(*out);
		r = GIT_ENOTFOUND;
	}
	*out = NULL;
	if (r == GIT_ENOTFOUND)
		return err_set(e, FAULT_NOT_FOUND, "history has no %s %s",
		    git_object_type2string(type), hex);
	return history_git_error(e, hex);
}

void
history_id_set(struct history_id *out, const git_oid *id)
{
	git_oid_tostr(out->hex, sizeof out->hex, id);
}

int
history_id_get(const struct history_id *in, git_oid *id, struct err *e)
{
	if (strnlen(in->hex, sizeof in->hex) != GIT_OID_HEXSZ ||
	    git_oid_fromstr(id, in->hex))
		return err_set(e, FAULT_VALIDATION, "not a commit's id: %.40s",
		    in->hex);
	return 0;
}

/* --- commits ----------------------------------------------------------------- */

/* The next line of a header: its end, or NULL where the header ends. */
static const char *
line_end(const char *p, const char *end)
{
	const char *nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

	return nl == p ? NULL : nl;
}

static bool
has_word(const char *p, const char *nl, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(nl - p) > n && memcmp(p, word, n) == 0;
}

/* "committer NAME <MAIL> SECONDS ZONE": the seconds. */
static int64_t
read_time(const char *p, const char *nl)
{
	const char *gt = memrchr(p, '>', (size_t)(nl - p));

	return gt ? strtoll(gt + 1, NULL, 10) : 0;
}

static void
read_message(const char *p, size_t n, struct history_commit *out)
{
	static const char TRAILER[] = "\nBothy-Position: ";
	const char *nl = memchr(p, '\n', n), *at = p, *found = NULL;
	size_t first = nl ? (size_t)(nl - p) : n;

	snprintf(out->subject, sizeof out->subject, "%.*s",
	    (int)(first < sizeof out->subject ? first : sizeof out->subject),
	    p);
	while ((at = memmem(at, n - (size_t)(at - p), TRAILER,
	    sizeof TRAILER - 1))) {
		at += sizeof TRAILER - 1;
		found = at;
	}
	out->position = found ? strtoull(found, NULL, 10) : 0;
}

static int
read_header(const char *p, const char *end, struct history_raw *out,
    const char **body)
{
	const char *nl;
	bool has_tree = false;

	out->has_parent = false;
	for (; (nl = line_end(p, end)); p = nl + 1) {
		if (has_word(p, nl, "tree "))
			has_tree = nl - p == 5 + GIT_OID_HEXSZ &&
			    git_oid_fromstrn(&out->tree, p + 5,
			    GIT_OID_HEXSZ) == 0;
		else if (has_word(p, nl, "parent ") && !out->has_parent)
			out->has_parent = nl - p == 7 + GIT_OID_HEXSZ &&
			    git_oid_fromstrn(&out->parent, p + 7,
			    GIT_OID_HEXSZ) == 0;
		else if (has_word(p, nl, "committer "))
			out->public.time_ms = read_time(p, nl) * 1000;
	}
	*body = p < end ? p + 1 : end;
	return has_tree ? 0 : -1;
}

/* (The bytes of an object of libgit2's end in '\0'.) */
int
history_read_commit(struct history_view *v, const git_oid *id,
    struct history_raw *out, struct err *e)
{
	git_odb_object *o;
	const char *p, *body;
	size_t n;

	memset(out, 0, sizeof *out);
	if (history_object(v, id, GIT_OBJECT_COMMIT, &o, e))
		return -1;
	p = git_odb_object_data(o);
	n = git_odb_object_size(o);
	if (read_header(p, p + n, out, &body)) {
		git_odb_object_free(o);
		return err_set(e, FAULT_INTERNAL, "history: not a commit");
	}
	read_message(body, n - (size_t)(body - p), &out->public);
	git_oid_cpy(&out->id, id);
	history_id_set(&out->public.id, id);
	git_odb_object_free(o);
	return 0;
}

int
history_commit_bytes(const git_oid *tree, const git_oid *parent,
    int64_t time_s, const char *message, struct buf *out, struct err *e)
{
	char hex[GIT_OID_HEXSZ + 1];

	buf_printf(out, "tree %s\n", git_oid_tostr(hex, sizeof hex, tree));
	if (parent)
		buf_printf(out, "parent %s\n",
		    git_oid_tostr(hex, sizeof hex, parent));
	buf_printf(out, "author " HISTORY_WHO " <" HISTORY_MAIL "> %lld +0000\n"
	    "committer " HISTORY_WHO " <" HISTORY_MAIL "> %lld +0000\n\n%s",
	    (long long)time_s, (long long)time_s, message);
	return buf_ok(out) ? 0 :
	    err_set(e, FAULT_LIMIT, "a commit's message is too long");
}

/* --- paths ---------------------------------------------------------------------- */

int
history_step(struct history_view *v, const git_oid *tree, const char *name,
    size_t len, git_oid *id, bool *dir, struct err *e)
{
	struct tree_entry entry;
	git_odb_object *o;
	int r;

	if (history_object(v, tree, GIT_OBJECT_TREE, &o, e))
		return -1;
	r = tree_find(git_odb_object_data(o), git_odb_object_size(o), name,
	    len, &entry);
	if (r > 0) {
		git_oid_fromraw(id, entry.id);
		*dir = entry.dir;
	} else if (r < 0)
		err_set(e, FAULT_INTERNAL, "history: a broken tree");
	git_odb_object_free(o);
	return r;
}

int
history_lookup(struct history_view *v, const git_oid *tree, const char *path,
    git_oid *id, bool *dir, struct err *e)
{
	git_oid at;
	bool is_dir = true;

	git_oid_cpy(&at, tree);
	while (*path) {
		size_t len = strcspn(path, "/");
		int r;

		if (!is_dir)
			return 0;
		r = history_step(v, &at, path, len, &at, &is_dir, e);
		if (r <= 0)
			return r;
		path += len + (path[len] == '/');
	}
	git_oid_cpy(id, &at);
	*dir = is_dir;
	return 1;
}
