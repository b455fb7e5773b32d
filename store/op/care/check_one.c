/*
 * One document of a check, looked at again: file against index, as often as
 * it takes to tell a fault from a write under way.
 */
#include "check.h"
#include "store/op/op_wait.h"

#include "store/value/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TRIES = 3, SETTLE_MS = 2000, PAUSE_MS = 50 };

/* What was seen of it. */
struct sight {
	const struct table *table;
	int in_file, in_index;		/* 1, 0 */
	enum files_state state;
	struct err file_error;		/* code 0: none */
	bool whole;			/* the file holds a document... */
	bool named;			/* ... of its name */
	bool same;
	struct err why;			/* where it isn't */
};

/* The key of a file's own text, where its name doesn't tell. */
static int
read_key(struct check_reader *r, const struct check_note *n,
    const struct buf *text, struct sight *s, struct text *key)
{
	struct path_key path;
	struct path_name name;
	struct value item;

	if (plain_read_item(&r->arena, text->data, text->len, &item,
	        &s->why) < 0 ||
	    key_check_own(s->table, &item, &s->why) < 0)
		return 0;
	s->whole = true;
	if (path_key_of(s->table, &item, &path) < 0 ||
	    path_name(&path, &name) < 0)
		return 0;
	s->named = strcmp(name.text, n->name.text) == 0;
	return s->named &&
	    key_item(&r->arena, s->table, &item, key, &s->why) == 0;
}

static int
look(struct check *c, const struct check_note *n, struct buf *text,
    struct sight *s, struct err *e)
{
	struct check_reader *r = &c->readers[0];
	struct files_table *files =
	    files_table(store_files(c->op->store), n->table, 0, e);
	struct index_record record;
	struct text key = n->key, own;

	if (!files)
		return -1;
	buf_reset(text);
	arena_reset(&r->arena);
	s->in_file = files_read(files, &n->name, text, NULL, &s->state,
	    &s->file_error);
	if (s->in_file >= 0)
		s->file_error.code = 0;
	if (s->in_file > 0 && read_key(r, n, text, s, &own) && !key.p)
		key = own;
	if (!key.p)
		return 0;
	s->in_index = index_get(r->view.index, &key, &record, e);
	if (s->in_index <= 0)
		return s->in_index;
	if (op_check_render(r, &record.item, e) < 0)
		return -1;
	s->same = s->in_file > 0 && text->len == r->plain.len &&
	    memcmp(text->data, r->plain.data, text->len) == 0;
	return 0;
}

/* What is wrong; NULL: nothing. */
static const char *
judge(const struct sight *s, const char **text)
{
	if (s->file_error.code) {
		*text = s->file_error.text;
		return "unreadable";
	}
	if (!s->table) {
		*text = "there is no such table";
		return s->in_file > 0 ? "foreign" : NULL;
	}
	if (s->in_file > 0 && !s->whole) {
		*text = s->why.text;
		return "invalid";
	}
	if (s->in_file > 0 && !s->named) {
		*text = "its key is that of another file";
		return "invalid";
	}
	*text = "the document has no file; put it again, or delete it";
	if (s->in_index && !s->in_file)
		return "missing";
	*text = "the file is of no document; adopt or remove it";
	if (!s->in_index && s->in_file)
		return s->state == FILES_EDITED ? "new" : "extra";
	*text = "the file was edited; adopt it, or put the document again";
	if (s->in_file && !s->same)
		return s->state == FILES_EDITED ? "edited" : "differs";
	return NULL;
}

static int
look_again(struct check *c, const struct check_note *n, struct sight *s,
    struct buf *text, struct err *e)
{
	struct store_view *v = &c->readers[0].view;
	int rc = 0;

	*s = (struct sight){.in_file = 0};
	op_settle(c->op, SETTLE_MS);
	if (store_read_begin(v, e) < 0)
		return -1;
	s->table = catalog_named(v->catalog, n->table, strlen(n->table));
	if (s->table)
		rc = look(c, n, text, s, e);
	else
		s->in_file = 1;
	store_read_end(v);
	return rc;
}

static int
check_document(struct check *c, const struct check_note *n, struct err *e)
{
	static const struct timespec PAUSE = {0, PAUSE_MS * 1000000L};
	const char *kind = NULL, *text = NULL;
	struct sight s;
	struct buf b;
	int try, rc = 0;

	buf_init(&b, CHECK_PLAIN_MAX);
	for (try = 0; rc == 0 && try < TRIES; try++) {
		if (try)
			nanosleep(&PAUSE, NULL);
		rc = look_again(c, n, &s, &b, e);
		kind = rc == 0 ? judge(&s, &text) : NULL;
		if (!kind)
			break;
	}
	if (kind)
		op_check_tell(c, kind, n->table, n->path, text);
	buf_release(&b);
	return rc;
}

int
op_check_one(struct check *c, const struct check_note *n, struct err *e)
{
	char path[4096 + PATH_MAX_BYTES];
	struct stat st;

	if (n->document)
		return check_document(c, n, e);
	snprintf(path, sizeof path, "%s/%s", store_dir(c->op->store), n->path);
	if (lstat(path, &st) == 0)
		op_check_tell(c, "foreign", n->table, n->path, n->why);
	return 0;
}
