/*
 * Export: a table's documents, as one snapshot has them, into a file of JSON
 * lines, or of DynamoDB's export ({"Item": {...}} a line), or into a directory
 * with a file a document.
 *
 * What is there already is never written to, and nothing below the store
 * itself; a file appears under its name when it is whole.
 */
#include "store/op/past/document.h"
#include "store/op/op_wait.h"

#include "store/base/io.h"
#include "store/value/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ITEM_ROOM = 64 << 20,
	CHUNK = 1 << 20,		/* written at once */
	CHUNK_MAX = 16 << 20,
	PROGRESS = 10000,
	LOOK = 100			/* documents between looks whether to stop */
};

struct export {
	struct op *op;
	const struct table *table;
	char path[PATH_MAX], part[PATH_MAX];
	char format;			/* 'l' lines, 'd' dynamodb, 'f' files */
	int fd;				/* of the file or directory */
	struct arena arena;
	struct buf out;
	uint64_t items, bytes;
};

/* --- where to ------------------------------------------------------------ */

/* The path without links, which must not lie in the store. */
static int
check_place(struct export *x, const char *path, struct err *e)
{
	const char *dir = store_dir(x->op->store), *slash, *name;
	char parent[PATH_MAX], real[PATH_MAX];
	size_t n = strlen(dir);

	slash = strrchr(path, '/');
	if (*path != '/' || !slash[1] || strlen(path) >= sizeof parent)
		return err_set(e, FAULT_VALIDATION, "%s: the Path has to be "
		    "absolute, and of something in a directory", path);
	snprintf(parent, sizeof parent, "%.*s",
	    slash == path ? 1 : (int)(slash - path), path);
	name = slash + 1;
	if (!realpath(parent, real))
		return err_set(e, FAULT_VALIDATION, "%s: %s", parent,
		    strerror(errno));
	if (strncmp(real, dir, n) == 0 && (real[n] == '/' || !real[n]))
		return err_set(e, FAULT_VALIDATION, "%s: lies in the store "
		    "itself", path);
	if (snprintf(x->path, sizeof x->path, "%s/%s", real, name) >=
	        (int)sizeof x->path ||
	    snprintf(x->part, sizeof x->part, "%s/.%s.part", real, name) >=
	        (int)sizeof x->part)
		return err_set(e, FAULT_VALIDATION, "%s: too long", path);
	if (faccessat(AT_FDCWD, x->path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, FAULT_IN_USE, "%s is there already", path);
	return 0;
}

static int
fail(const struct export *x, struct err *e)
{
	int code = errno == ENOSPC || errno == EDQUOT ? FAULT_NO_ROOM
	                                              : FAULT_VALIDATION;

	return err_set(e, code, "%s: %s", x->path, strerror(errno));
}

static int
begin(struct export *x, struct err *e)
{
	if (x->format == 'f') {
		if (mkdir(x->path, 0777) < 0)
			return fail(x, e);
		x->fd = open(x->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		(void)unlink(x->part);
		x->fd = open(x->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
		    O_NOFOLLOW, 0666);
	}
	return x->fd < 0 ? fail(x, e) : 0;
}

/* --- documents ----------------------------------------------------------- */

static int
flush(struct export *x, struct err *e)
{
	if (!buf_ok(&x->out))
		return op_no_memory(e);
	if (io_write_all(x->fd, x->out.data, x->out.len) < 0)
		return fail(x, e);
	x->bytes += x->out.len;
	buf_reset(&x->out);
	return 0;
}

static int
write_document(struct export *x, const struct value *item, struct err *e)
{
	struct path_key key;
	struct path_name name;
	int fd, rc;

	if (path_key_of(x->table, item, &key) < 0 ||
	    path_name(&key, &name) < 0 || plain_write(&x->out, item) < 0)
		return op_no_memory(e);
	fd = openat(x->fd, name.text,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	rc = fd < 0 ? -1 : io_write_all(fd, x->out.data, x->out.len);
	if (rc < 0)
		fail(x, e);
	io_close(&fd);
	x->bytes += x->out.len;
	buf_reset(&x->out);
	return rc;
}

static int
write_item(struct export *x, const struct text *typed, struct err *e)
{
	struct value item;

	if (x->format == 'd') {
		buf_puts(&x->out, "{\"Item\":");
		buf_add(&x->out, typed->p, typed->n);
		buf_puts(&x->out, "}\n");
	} else {
		arena_reset(&x->arena);
		if (typed_read_item(&x->arena, typed->p, typed->n, &item, e) <
		        0)
			return -1;
		if (x->format == 'f')
			return write_document(x, &item, e);
		plain_write_line(&x->out, &item);
		buf_putc(&x->out, '\n');
	}
	return x->out.len < CHUNK ? 0 : flush(x, e);
}

static int
write_all(struct export *x, struct store_view *v, struct err *e)
{
	struct index_cursor *c;
	struct index_counts n;
	struct index_entry entry;
	struct key_range all;
	int rc;

	if (index_counts(v->index, x->table->id, 0, &n, e) < 0 ||
	    key_range_scan(&x->op->arena, x->table, NULL, 0, 1, &all, e) < 0)
		return -1;
	c = index_cursor_open(v->index, NULL, &all, false, e);
	if (!c)
		return -1;
	while ((rc = index_cursor_next(c, &entry, e)) > 0) {
		if ((x->items % LOOK == 0 && op_stopped(x->op, e)) ||
		    write_item(x, &entry.record.item, e) < 0) {
			rc = -1;
			break;
		}
		if (++x->items % PROGRESS == 0)
			op_progress(x->op, "export", x->items, n.items);
	}
	index_cursor_close(c);
	return rc;
}

/* On the disk, then under its name. */
static int
finish(struct export *x, struct err *e)
{
	if (x->format == 'f')
		return fsync(x->fd) < 0 ? fail(x, e) : 0;
	if (flush(x, e) < 0)
		return -1;
	if (fsync(x->fd) < 0 ||
	    renameat2(AT_FDCWD, x->part, AT_FDCWD, x->path,
	        RENAME_NOREPLACE) < 0)
		return fail(x, e);
	return 0;
}

/* --- the operation ------------------------------------------------------- */

static int
export(struct export *x, struct store_view *v, struct err *e)
{
	const struct store_request *q = &x->op->request.store;
	const char *path;
	int rc;

	x->table = op_table(v->catalog, &q->table, e);
	if (!x->table || op_string(x->op, &q->path, &path, e) < 0 ||
	    check_place(x, path, e) < 0 || begin(x, e) < 0)
		return -1;
	rc = write_all(x, v, e);
	if (rc == 0)
		rc = finish(x, e);
	if (rc < 0 && x->format == 'f')
		io_remove_tree(AT_FDCWD, x->path);
	else if (rc < 0)
		(void)unlink(x->part);
	return rc;
}

void
op_export(struct op *op, struct store_view *v)
{
	const struct text *format = &op->request.store.format;
	struct export x = {.op = op, .fd = -1};
	struct reply r;
	struct err e;
	int rc;

	x.format = format->p ? *format->p : 'l';
	arena_init(&x.arena, ITEM_ROOM);
	buf_init(&x.out, CHUNK_MAX);
	rc = store_read_begin(v, &e);
	if (rc == 0) {
		rc = export(&x, v, &e);
		store_read_end(v);
	}
	io_close(&x.fd);
	buf_release(&x.out);
	arena_release(&x.arena);
	if (rc < 0) {
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	reply_integer(&r, "Documents", (int64_t)x.items);
	reply_integer(&r, "Bytes", (int64_t)x.bytes);
	reply_string(&r, "Path", x.path);
	op_close(op, &r);
}
