/*
 * bothy store edit: a document in an editor, put back if nobody else changed
 * it meanwhile.
 *
 * Only the attributes that were edited are written, on condition that all are
 * as they were when the editor was opened.
 */
#include "cmd.h"
#include "expr.h"

#include "store/base/io.h"
#include "store/value/fault.h"
#include "store/value/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOCUMENT_MAX = 16 * 1024 * 1024, CONDITIONS_MAX = 100 };

struct edit {
	struct storelink *l;
	struct storewords t;
	struct text get;		/* the request for the document */
	struct text raw;		/* its bytes; p NULL: there is none */
	struct value old, fresh;
	char file[PATH_MAX];
};

/* --- the document ------------------------------------------------------- */

static int
copy_into(struct storelink *l, const struct text *from, struct text *to,
    struct err *e)
{
	char *copy = arena_copy(&l->arena, from->p, from->n);

	*to = (struct text){copy, from->n};
	return copy ? 0 : err_set(e, ENOMEM, "no memory");
}

/* The document as it is now, its bytes in *raw (p NULL: none). */
static int
get(struct edit *d, struct text *raw, struct err *e)
{
	struct storelink *l = d->l;
	const struct json_node *n;

	*raw = (struct text){NULL, 0};
	if (client_call(l->client, OP_GET_ITEM, CLIENT_PLAIN, d->get.p,
	        d->get.n, &l->reply, e) < 0)
		return -1;
	arena_reset(&l->tree);
	n = json_read(&l->tree, l->reply.data, l->reply.len, 1, e);
	if (!n)
		return -1;
	n = json_member(n, "Item");
	return n ? copy_into(l, &n->raw, raw, e) : 0;
}

/* What is edited: the document, or the key of one that is to be. */
static int
read_old(struct edit *d, struct err *e)
{
	const struct json_node *n;
	struct text key;

	if (get(d, &d->raw, e) < 0)
		return -1;
	if (d->raw.p)
		return plain_read_item(&d->l->arena, d->raw.p, d->raw.n,
		    &d->old, e);
	n = json_read(&d->l->arena, d->get.p, d->get.n, 1, e);
	key = n ? json_member(n, "Key")->raw : d->get;
	return plain_read_item(&d->l->arena, key.p, key.n, &d->old, e);
}

/* --- the editor --------------------------------------------------------- */

static int
write_file(struct edit *d, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	struct buf text;
	int fd, rc;

	if (place_path(d->file, e, "%s/bothy-edit-XXXXXX.json",
	        tmp && *tmp ? tmp : "/tmp") < 0)
		return -1;
	fd = mkostemps(d->file, 5, O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make %s", d->file);
	buf_init(&text, DOCUMENT_MAX);
	plain_write(&text, &d->old);
	rc = io_write_all(fd, buf_str(&text), text.len);
	if (rc < 0)
		err_sys(e, "cannot write %s", d->file);
	buf_release(&text);
	close(fd);
	return rc;
}

/* $VISUAL or $EDITOR, which may have arguments; it has the terminal. */
static int
run_editor(const char *file, struct err *e)
{
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
	const char *program = visual && *visual ? visual :
	    editor && *editor ? editor : "vi";
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int status;
	pid_t pid = fork(), got;

	if (pid < 0)
		return err_sys(e, "cannot start the editor");
	if (pid == 0) {
		setenv("BOTHY_EDIT", file, 1);
		setenv("BOTHY_EDITOR", program, 1);
		execl("/bin/sh", "sh", "-c",
		    "eval \"$BOTHY_EDITOR\" '\"$BOTHY_EDIT\"'", (char *)NULL);
		_exit(127);
	}
	/* Ctrl-C is the editor's. */
	sigaction(SIGINT, &ignore, &before);
	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	sigaction(SIGINT, &before, NULL);
	if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(e, ECANCELED, "the editor (%s) did not end well: "
	    "nothing was written; what you wrote is in %s", program, file);
}

static int
read_file(struct edit *d, struct err *e)
{
	struct buf text;
	char *copy;
	int rc = -1;

	buf_init(&text, DOCUMENT_MAX);
	if (io_read_file(AT_FDCWD, d->file, &text, e) == 0) {
		copy = arena_copy(&d->l->arena, buf_str(&text), text.len);
		rc = copy ? plain_read_item(&d->l->arena, copy, text.len,
		    &d->fresh, e) : err_set(e, ENOMEM, "no memory");
		if (rc < 0)
			err_at(e, d->file, e->line, e->col);
	}
	buf_release(&text);
	return rc;
}

/* The key is what names a document: with another it would be another. */
static int
check_key(const struct edit *d, struct err *e)
{
	const struct storekey *k = &d->t.key;
	const struct value *a, *b;
	const struct text *name;
	size_t i;

	for (i = 0; i < k->nhash + k->nrange; i++) {
		name = i < k->nhash ? &k->hash[i].name :
		    &k->range[i - k->nhash].name;
		a = value_member(&d->old, name->p, name->n);
		b = value_member(&d->fresh, name->p, name->n);
		if (!a || !b || !value_equal(a, b))
			return err_set(e, EINVAL, "%.*s is of the key and "
			    "can't change; `bothy store put` makes another "
			    "document, `bothy store rm` removes this one",
			    (int)name->n, name->p);
	}
	return 0;
}

/* --- putting it back ---------------------------------------------------- */

static void
put_value(struct storeexpr *x, const struct value *v, struct buf *out)
{
	struct buf json;

	buf_init(&json, DOCUMENT_MAX);
	plain_write_line(&json, v);
	storeexpr_value(x, buf_str(&json), json.len, out);
	buf_release(&json);
}

static const struct value *
same_in(const struct value *item, const struct member *m)
{
	const struct value *v = value_member(item, m->name.p, m->name.n);

	return v && value_equal(v, &m->value) ? v : NULL;
}

/* All as it was: of very many attributes, those that are edited. */
static void
put_conditions(const struct edit *d, struct storeexpr *x, struct buf *out)
{
	const struct member *m;
	size_t i, n = 0;

	for (i = 0; i < d->old.count; i++) {
		m = &d->old.members[i];
		if (n >= CONDITIONS_MAX && same_in(&d->fresh, m))
			continue;
		buf_puts(out, n++ ? " AND " : "");
		storeexpr_name(x, &m->name, out);
		buf_puts(out, "=");
		put_value(x, &m->value, out);
	}
	for (i = 0; i < d->fresh.count; i++) {
		m = &d->fresh.members[i];
		if (value_member(&d->old, m->name.p, m->name.n))
			continue;
		buf_puts(out, n++ ? " AND " : "");
		buf_puts(out, "attribute_not_exists(");
		storeexpr_name(x, &m->name, out);
		buf_puts(out, ")");
	}
}

/* SET what is new or other, REMOVE what is gone. */
static void
put_changes(const struct edit *d, struct storeexpr *x, struct buf *out)
{
	const struct member *m;
	const char *before = "SET ";
	size_t i;

	for (i = 0; i < d->fresh.count; i++) {
		m = &d->fresh.members[i];
		if (same_in(&d->old, m))
			continue;
		buf_puts(out, before);
		storeexpr_name(x, &m->name, out);
		buf_puts(out, "=");
		put_value(x, &m->value, out);
		before = ", ";
	}
	before = out->len ? " REMOVE " : "REMOVE ";
	for (i = 0; i < d->old.count; i++) {
		m = &d->old.members[i];
		if (value_member(&d->fresh, m->name.p, m->name.n))
			continue;
		buf_puts(out, before);
		storeexpr_name(x, &m->name, out);
		before = ", ";
	}
}

/* A new document: there must be none still. */
static void
put_new(const struct edit *d, struct storeexpr *x, struct reply *r)
{
	struct buf item, condition;

	buf_init(&item, DOCUMENT_MAX);
	buf_init(&condition, 4096);
	plain_write_line(&item, &d->fresh);
	reply_raw(r, "Item", buf_str(&item), item.len);
	buf_puts(&condition, "attribute_not_exists(");
	storeexpr_name(x, &d->t.key.hash[0].name, &condition);
	buf_puts(&condition, ")");
	reply_text(r, "ConditionExpression", buf_str(&condition),
	    condition.len);
	buf_release(&item);
	buf_release(&condition);
}

static void
put_update(const struct edit *d, struct storeexpr *x, struct reply *r)
{
	const struct json_node *n;
	struct buf text;
	struct err e;

	n = json_read(&d->l->arena, d->get.p, d->get.n, 1, &e);
	n = json_member(n, "Key");
	if (n)
		reply_raw(r, "Key", n->raw.p, n->raw.n);
	buf_init(&text, DOCUMENT_MAX);
	put_conditions(d, x, &text);
	reply_text(r, "ConditionExpression", buf_str(&text), text.len);
	buf_reset(&text);
	put_changes(d, x, &text);
	reply_text(r, "UpdateExpression", buf_str(&text), text.len);
	buf_release(&text);
}

static int
changed_meanwhile(const struct edit *d)
{
	fprintf(stderr, "bothy: somebody else changed the document meanwhile: "
	    "nothing was written\nbothy: what you wrote is in %s; edit again "
	    "and take over what you need\n", d->file);
	return CLI_FAILED;
}

/* Asks once more what is there, since a condition can't name what is new. */
static int
write_back(struct edit *d)
{
	struct storeexpr x;
	struct text now;
	struct reply r;
	struct err e;
	bool done;

	if (get(d, &now, &e) < 0)
		return storelink_fail(&e);
	if (!now.p != !d->raw.p || (now.p && text_compare(&now, &d->raw) != 0))
		return changed_meanwhile(d);
	storelink_begin(d->l, &r);
	reply_string(&r, "TableName", d->t.name);
	storeexpr_init(&x);
	if (d->raw.p)
		put_update(d, &x, &r);
	else
		put_new(d, &x, &r);
	storeexpr_end(&x, &r);
	storeexpr_release(&x);
	done = storelink_call(d->l, d->raw.p ? OP_UPDATE_ITEM : OP_PUT_ITEM,
	    CLIENT_PLAIN | CLIENT_WAIT_FILE, &r, &e);
	if (done)
		return CLI_OK;
	if (e.code == FAULT_CONDITION)
		return changed_meanwhile(d);
	storelink_fail(&e);
	fprintf(stderr, "bothy: what you wrote is in %s\n", d->file);
	return CLI_FAILED;
}

/* --- the command -------------------------------------------------------- */

/* Until it is a document, or the person gives up. */
static int
edit_until_right(struct edit *d, struct err *e)
{
	for (;;) {
		if (run_editor(d->file, e) < 0)
			return -1;
		if (read_file(d, e) == 0 && check_key(d, e) == 0)
			return 0;
		if (!isatty(STDIN_FILENO))
			break;
		err_print(e, "bothy");
		if (!storecmd_agreed("edit again?"))
			break;
	}
	fprintf(stderr, "bothy: nothing was written; what you wrote is in "
	    "%s\n", d->file);
	return -1;
}

static int
edit(struct edit *d)
{
	struct err e;
	int code;

	if (read_old(d, &e) < 0)
		return storelink_fail(&e);
	if (write_file(d, &e) < 0 || edit_until_right(d, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (d->raw.p && value_equal(&d->old, &d->fresh)) {
		fputs("bothy: nothing was changed\n", stderr);
		code = CLI_OK;
	} else
		code = write_back(d);
	if (code == CLI_OK)
		unlink(d->file);
	return code;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct storelink l;
	struct edit d = {.l = &l};
	struct reply r;
	struct err e;
	int code = storecmd_document(c, &l, &d.t, &r, argc, argv);

	(void)values;
	if (code != CLI_OK)
		return code;
	reply_close_all(&r);
	if (copy_into(&l, &(struct text){l.body.data, l.body.len}, &d.get,
	        &e) < 0)
		code = cli_fail(&e, CLI_FAILED);
	else
		code = edit(&d);
	storelink_close(&l);
	return code;
}

const struct command command_store_edit = {
	.name = "store edit",
	.chapter = "documents",
	.arguments = "TABLE KEY [SORTKEY]",
	.summary = "edit a document",
	.help =
	    "Opens a document as plain JSON in $VISUAL or $EDITOR, and "
	    "writes back what was changed, unless somebody else changed "
	    "the document meanwhile: then nothing is written, and your text "
	    "is kept. One that isn't there yet begins with its key.",
	.least = 2,
	.most = 9,
	.words = "@tables",
	.run = run,
};
