/*
 * A table filled from the files of a bucket, behind ImportTable's reply.
 *
 * As with DynamoDB: the first line of a file that is no item ends the file, and
 * the import fails in the end, but what was good is kept; of items with one key
 * the last one stays.  A table whose bucket isn't there is dropped again.
 */
#include "csv.h"
#include "transfer.h"
#include "store/op/tables/unfilled.h"
#include "store/op/op_wait.h"

#include "store/base/io.h"
#include "store/value/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	BATCH = 500,			/* items in a unit of the journal */
	BATCH_BYTES = 4 << 20,
	BATCH_ROOM = 256 << 20,
	LINE_ROOM = 64 << 20,
	LINE_MAX_BYTES = 8 << 20,
	PIECE = 256 << 10,
	ITEM_ROOM = 4096,
	GZIP = 15 + 16			/* windowBits of zlib's gzip */
};

struct fresh {
	struct value item;
	struct text key;
};

struct filling {
	struct transfer *t;
	const atomic_bool *stop;
	struct catalog *catalog;	/* held, or NULL */
	const struct table *table;	/* of it */
	struct arena arena;		/* of the open batch */
	struct arena head;		/* of a file's header */
	struct fresh batch[BATCH];
	size_t count, bytes;
	struct csv_names names;		/* of CSV, once they are known */
	struct buf line, message;
	bool bad;			/* the file is abandoned */
};

/* --- in the writer ----------------------------------------------------------- */

static bool
comes_again(const struct filling *f, size_t i)
{
	size_t k;

	for (k = i + 1; k < f->count; k++)
		if (text_compare(&f->batch[k].key, &f->batch[i].key) == 0)
			return true;
	return false;
}

static int
run_put(struct commit_job *job, struct commit *c, struct err *e)
{
	struct filling *f = op_wait_of(job)->ctx;
	const struct table *t =
	    catalog_id(commit_catalog(c), f->t->table->id);
	struct commit_old old;
	size_t i;

	if (!t)
		return err_set(e, FAULT_CONFLICT, "the table was deleted "
		    "meanwhile");
	for (i = 0; i < f->count; i++)
		if (!comes_again(f, i) &&
		    (commit_get(c, &f->batch[i].key, &old, e) < 0 ||
		        commit_put(c, t, &f->batch[i].key, &old,
		            &f->batch[i].item, e) < 0))
			return -1;
	return 0;
}

/* Opened for all. */
static int
run_open(struct commit_job *job, struct commit *c, struct err *e)
{
	struct filling *f = op_wait_of(job)->ctx;
	const struct table *old =
	    catalog_id(commit_catalog(c), f->t->table->id);
	struct table *t;

	if (!old)
		return 0;
	t = table_copy(old);
	if (!t)
		return op_no_memory(e);
	t->restoring = t->unfilled = false;
	commit_table(c, t);
	return 0;
}

static int
check_stop(const struct filling *f, struct err *e)
{
	return atomic_load(f->stop)
	    ? err_set(e, FAULT_LEAVING, "the store's daemon left before it "
	          "was done")
	    : 0;
}

static int
flush(struct filling *f, struct err *e)
{
	if (check_stop(f, e) < 0)
		return -1;
	if (f->count && op_wait_commit(f->t->later.store, &f->arena,
	                    f->bytes + f->count * ITEM_ROOM, run_put, f, e) <
	        0)
		return -1;
	f->t->imported += f->count;
	f->count = f->bytes = 0;
	arena_reset(&f->arena);
	return 0;
}

/* --- items ------------------------------------------------------------------- */

static int
read_typed(struct filling *f, const char *p, size_t n, struct value *out,
    struct err *e)
{
	const struct json_node *root = json_read(&f->arena, p, n, 1, e);
	const struct json_node *item =
	    root ? json_member(root, "Item") : NULL;

	if (!root)
		return -1;
	if (!item)
		return err_set(e, FAULT_VALIDATION, "no member Item");
	return typed_read_item(&f->arena, item->raw.p, item->raw.n, out, e);
}

static int
check_item(const struct filling *f, const struct value *item, struct err *e)
{
	size_t i;

	for (i = 0; i < item->count; i++)
		if (item->members[i].name.n == 0)
			return err_set(e, FAULT_VALIDATION, "an attribute "
			    "without a name");
	if (value_item_size(item) > VALUE_ITEM_MAX)
		return err_set(e, FAULT_VALIDATION, "Item size has exceeded "
		    "the maximum allowed size");
	if (value_depth(item) > VALUE_DEPTH_MAX)
		return err_set(e, FAULT_VALIDATION, "Nesting Levels have "
		    "exceeded supported limits");
	return key_check_item(f->table, item, e);
}

static int
read_item(struct filling *f, const char *p, size_t n, struct err *e)
{
	struct fresh *one = &f->batch[f->count];
	char *copy = arena_copy(&f->arena, p, n);
	int rc;

	if (!copy)
		return op_no_memory(e);
	rc = f->t->format == FORMAT_CSV
	    ? csv_item(&f->arena, f->table, &f->names, copy, n,
	          f->t->delimiter, &one->item, e)
	    : read_typed(f, copy, n, &one->item, e);
	if (rc < 0 || check_item(f, &one->item, e) < 0)
		return -1;
	return key_item(&f->arena, f->table, &one->item, &one->key, e);
}

/* The names of columns: once, from the first line or from the request. */
static int
read_names(struct filling *f, const char *p, size_t n, char separator,
    struct err *e)
{
	char *copy = arena_copy(&f->head, p, n);

	return copy ? csv_read(&f->head, copy, n, separator, &f->names, e)
	            : op_no_memory(e);
}

static void
refuse(struct filling *f, const char *path, const char *text)
{
	f->t->errors++;
	f->bad = true;
	if (f->message.len == 0)
		buf_printf(&f->message, "Some of the items failed validation "
		    "checks and were not imported; the first, in %.200s: %s",
		    path, text);
}

static int
take_line(struct filling *f, const char *path, const char *p, size_t n,
    struct err *e)
{
	struct err why;

	while (n && strchr(" \t\r", p[n - 1]) && f->t->format != FORMAT_CSV)
		n--;
	if (n == 0 || (n == 1 && *p == '\r'))
		return 0;
	if (f->t->format == FORMAT_CSV && !f->names.count) {
		if (read_names(f, p, n, f->t->delimiter, &why) < 0)
			refuse(f, path, why.text);
		return 0;
	}
	f->t->items++;
	if (read_item(f, p, n, &why) < 0) {
		refuse(f, path, why.text);
		return 0;
	}
	f->bytes += 2 * n;
	f->count++;
	return f->count < BATCH && f->bytes < BATCH_BYTES ? 0 : flush(f, e);
}

/* --- files ------------------------------------------------------------------- */

static int
take_lines(struct filling *f, const char *path, bool last, struct err *e)
{
	size_t done = 0, n;
	const char *nl;
	int rc = 0;

	while (rc == 0 && !f->bad && done < f->line.len) {
		nl = memchr(f->line.data + done, '\n', f->line.len - done);
		if (!nl && !last)
			break;
		n = nl ? (size_t)(nl - f->line.data) - done
		       : f->line.len - done;
		rc = take_line(f, path, f->line.data + done, n, e);
		done += n + (nl != NULL);
	}
	buf_consume(&f->line, done);
	return rc;
}

static int
take_bytes(struct filling *f, const char *path, const char *p, size_t n,
    struct err *e)
{
	if (check_stop(f, e) < 0)	/* it may be nothing but newlines */
		return -1;
	f->t->bytes += n;
	if (buf_add(&f->line, p, n) < 0) {
		f->t->items++;
		refuse(f, path, "a line of more than 8 MB");
		return 0;
	}
	return take_lines(f, path, false, e);
}

static int
inflate_piece(struct filling *f, const char *path, z_stream *z, char *in,
    size_t n, struct err *e)
{
	unsigned char out[65536];
	int rc, zrc;

	z->next_in = (unsigned char *)in;
	z->avail_in = (uInt)n;
	do {
		z->next_out = out;
		z->avail_out = sizeof out;
		zrc = inflate(z, Z_NO_FLUSH);
		if (zrc == Z_STREAM_END)
			inflateReset(z);	/* another may follow */
		else if (zrc != Z_OK && zrc != Z_BUF_ERROR) {
			f->t->items++;
			refuse(f, path, "it isn't gzip");
			return 0;
		}
		rc = take_bytes(f, path, (char *)out,
		    sizeof out - z->avail_out, e);
	} while (rc == 0 && !f->bad &&
	    (z->avail_in || z->avail_out == 0));
	return rc;
}

static int
read_pieces(struct filling *f, const char *path, int fd, z_stream *z,
    struct err *e)
{
	char *piece = malloc(PIECE);
	ssize_t n = 1;
	int rc = piece ? 0 : op_no_memory(e);

	while (rc == 0 && !f->bad && n > 0) {
		n = io_read(fd, piece, PIECE);
		if (n < 0)
			rc = err_set(e, FAULT_INTERNAL, "%.300s: %s", path,
			    strerror(errno));
		else if (n > 0)
			rc = z ? inflate_piece(f, path, z, piece, (size_t)n, e)
			       : take_bytes(f, path, piece, (size_t)n, e);
	}
	free(piece);
	return rc == 0 ? take_lines(f, path, true, e) : rc;
}

static int
take_file(void *ctx, const char *path, int fd, struct err *e)
{
	struct filling *f = ctx;
	bool packed = f->t->compression == COMPRESSION_GZIP;
	z_stream z = {.next_in = NULL};
	int rc;

	f->bad = false;
	f->names.count = 0;
	arena_reset(&f->head);
	buf_reset(&f->line);
	if (f->t->header &&
	    read_names(f, f->t->header, strlen(f->t->header), ',', e) < 0)
		return -1;
	if (packed && inflateInit2(&z, GZIP) != Z_OK)
		return op_no_memory(e);
	rc = read_pieces(f, path, fd, packed ? &z : NULL, e);
	if (packed && rc == 0 && !f->bad && z.total_in) {
		f->t->items++;
		refuse(f, path, "it ends amid what was packed");
	}
	if (packed)
		inflateEnd(&z);
	return rc;
}

/* --- the whole --------------------------------------------------------------- */

static int
fill(struct filling *f, struct err *e)
{
	struct transfer *t = f->t;
	const struct text bucket = {t->bucket, strlen(t->bucket)};
	const struct text prefix = {t->prefix, strlen(t->prefix)};
	int fd = op_bucket_open(t->later.store, &bucket, e), rc;

	if (fd < 0)
		return -1;
	f->catalog = store_catalog_hold(t->later.store);
	f->table = catalog_id(f->catalog, t->table->id);
	rc = f->table ? op_bucket_each(fd, &prefix, take_file, f, e)
	              : err_set(e, FAULT_CONFLICT, "the table was deleted "
	                    "meanwhile");
	if (rc == 0)
		rc = flush(f, e);
	io_close(&fd);
	if (rc < 0 && f->table && e->code == FAULT_LEAVING)
		f->table = NULL;	/* half of it is of no use */
	return rc;
}

/* Open, or dropped where nothing was to be had. */
static int
settle(struct filling *f, struct err *e)
{
	struct store *s = f->t->later.store;

	if (!f->table)
		return op_unfilled_drop(s, f->t->table->id, e);
	arena_reset(&f->arena);
	return op_wait_run(s, &f->arena, TABLE_JOB_ROOM, run_open, f, e);
}

static void
end(struct filling *f, int rc, const struct err *e)
{
	struct transfer *t = f->t;
	struct err failed;

	if (settle(f, &failed) < 0 && rc == 0) {
		rc = -1;
		e = &failed;
	}
	if (rc < 0)
		op_transfer_end(t, e->code == FAULT_NOT_FOUND
		        ? "S3NoSuchBucket" : "UNKNOWN", e->text);
	else if (t->errors)
		op_transfer_end(t, "ItemValidationError",
		    buf_str(&f->message));
	else
		op_transfer_end(t, NULL, NULL);
}

void
op_import_run(struct op_later *l, const atomic_bool *stop)
{
	struct transfer *t = (struct transfer *)(void *)l;
	struct filling *f = calloc(1, sizeof *f);
	struct err e;

	if (!f) {
		op_unfilled_drop(l->store, t->table->id, &e);
		op_transfer_end(t, "UNKNOWN", "no memory");
		op_transfer_free(t);
		return;
	}
	f->t = t;
	f->stop = stop;
	arena_init(&f->arena, BATCH_ROOM);
	arena_init(&f->head, LINE_ROOM);
	buf_init(&f->line, LINE_MAX_BYTES + PIECE);
	buf_init(&f->message, sizeof t->message);
	end(f, fill(f, &e), &e);
	if (f->catalog)
		store_catalog_release(l->store, f->catalog);
	arena_release(&f->arena);
	arena_release(&f->head);
	buf_release(&f->line);
	buf_release(&f->message);
	free(f);
	op_transfer_free(t);
}
