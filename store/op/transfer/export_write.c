/*
 * The files of an export, in DynamoDB's layout below its bucket and prefix:
 *
 *   AWSDynamoDB/ID/_started               empty
 *   AWSDynamoDB/ID/data/ID.json.gz        {"Item":{...}} a line
 *   AWSDynamoDB/ID/manifest-files.json    a line for each file of data
 *   AWSDynamoDB/ID/manifest-summary.json
 *   AWSDynamoDB/ID/manifest-*.md5         of the two above, in base64
 *
 * Runs behind the operation's reply, in a thread that may wait.
 */
#include "transfer.h"

#include "store/base/base64.h"
#include "store/base/clock.h"
#include "store/base/hash.h"
#include "store/base/io.h"
#include "store/engine/past.h"
#include "store/value/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
	ITEM_ROOM = 64 << 20,
	CHUNK = 256 << 10,
	LINES_MAX = 8 << 20,
	SUMMARY_MAX = 16 << 10,
	MD5_TEXT = 32,
	GZIP = 15 + 16			/* windowBits of zlib's gzip */
};

struct writing {
	struct transfer *t;
	const atomic_bool *stop;
	int dir_fd, fd;			/* of ID/; of the data */
	char base[TRANSFER_PREFIX + 64];	/* "PREFIX/AWSDynamoDB/ID" */
	z_stream z;
	struct hash *md5;
	struct buf lines;
	struct arena arena;
};

/* --- the data ---------------------------------------------------------------- */

static int
deflate_lines(struct writing *w, int flush, struct err *e)
{
	static const unsigned char none[1];
	unsigned char out[16384];
	size_t n;

	w->z.next_in = w->lines.len ? (unsigned char *)w->lines.data
	                            : (z_const Bytef *)(uintptr_t)none;
	w->z.avail_in = (uInt)w->lines.len;
	do {
		w->z.next_out = out;
		w->z.avail_out = sizeof out;
		if (deflate(&w->z, flush) == Z_STREAM_ERROR)
			return err_set(e, FAULT_INTERNAL, "gzip failed");
		n = sizeof out - w->z.avail_out;
		hash_add(w->md5, out, n);
		if (io_write_all(w->fd, out, n) < 0)
			return err_set(e, errno == ENOSPC ? FAULT_NO_ROOM
			                                  : FAULT_INTERNAL,
			    "%s/data: %s", w->base, strerror(errno));
	} while (w->z.avail_out == 0);
	w->t->bytes += w->lines.len;
	buf_reset(&w->lines);
	return 0;
}

static int
write_item(void *ctx, const struct past_delta *d, struct err *e)
{
	struct writing *w = ctx;
	struct value item;
	char *copy;

	if (atomic_load(w->stop))
		return err_set(e, FAULT_LEAVING, "the store's daemon left "
		    "before it was done");
	if (!d->new.p)
		return 0;
	arena_reset(&w->arena);
	copy = arena_copy(&w->arena, d->new.p, d->new.n);
	if (!copy)
		return op_no_memory(e);
	if (plain_read_item(&w->arena, copy, d->new.n, &item, e) < 0)
		return -1;
	buf_puts(&w->lines, "{\"Item\":");
	typed_write_item(&w->lines, &item);
	buf_puts(&w->lines, "}\n");
	w->t->items++;
	if (!buf_ok(&w->lines))
		return op_no_memory(e);
	return w->lines.len < CHUNK ? 0 : deflate_lines(w, Z_NO_FLUSH, e);
}

/* All documents of the table as it was then. */
static int
write_state(struct writing *w, struct err *e)
{
	struct transfer *t = w->t;
	struct past then, nothing = {.store = t->later.store,
	    .until_ms = INT64_MAX};
	struct past_table all, none;
	int rc;

	store_history_lock(t->later.store);
	rc = past_find(t->later.store, t->state, &then, e);
	if (rc == 0) {
		rc = past_open(&then, t->table->name, &all, e);
		if (rc == 0) {
			rc = past_open(&nothing, t->table->name, &none, e);
			if (rc == 0)
				rc = past_diff(&none, &all, NULL, write_item,
				    w, e);
			past_close(&none);
		}
		past_close(&all);
	}
	store_history_unlock(t->later.store);
	return rc;
}

static int
write_data(struct writing *w, const char *name, unsigned char *md5,
    struct err *e)
{
	int data_fd = op_bucket_make(w->dir_fd, "data", e), rc;

	if (data_fd < 0)
		return -1;
	w->fd = openat(data_fd, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0666);
	io_close(&data_fd);
	w->md5 = hash_new_md5();
	if (w->fd < 0 || !w->md5 || deflateInit2(&w->z, Z_BEST_SPEED,
	        Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		hash_free(w->md5);
		return err_set(e, FAULT_INTERNAL, "%s/data/%s: %s", w->base,
		    name, w->fd < 0 ? strerror(errno) : "no memory");
	}
	rc = write_state(w, e);
	if (rc == 0)
		rc = deflate_lines(w, Z_FINISH, e);
	deflateEnd(&w->z);
	hash_take_md5(w->md5, md5);
	if (rc == 0 && fsync(w->fd) < 0)
		rc = err_set(e, FAULT_INTERNAL, "%s/data: %s", w->base,
		    strerror(errno));
	return rc;
}

/* --- manifests --------------------------------------------------------------- */

static void
base64_md5(const unsigned char *md5, char out[MD5_TEXT])
{
	base64_encode(md5, HASH_MD5_SIZE, out);
}

/* A file, and its MD5 in another. */
static int
write_manifest(struct writing *w, const char *name, const struct buf *b,
    struct err *e)
{
	unsigned char md5[HASH_MD5_SIZE];
	char text[MD5_TEXT], json[64], sum[64];
	struct hash *h = hash_new_md5();

	if (!h || !buf_ok(b)) {
		hash_free(h);
		return op_no_memory(e);
	}
	hash_add(h, b->data, b->len);
	hash_take_md5(h, md5);
	base64_md5(md5, text);
	snprintf(json, sizeof json, "%s.json", name);
	snprintf(sum, sizeof sum, "%s.md5", name);
	if (op_bucket_write(w->dir_fd, json, b->data, b->len, e) < 0)
		return -1;
	return op_bucket_write(w->dir_fd, sum, text, strlen(text), e);
}

/* A prefix may have quotes. */
static void
say_path(struct buf *b, const struct writing *w, const char *name)
{
	char path[sizeof w->base + RECORD_ID + 32];

	snprintf(path, sizeof path, "%s/%s", w->base, name);
	buf_json(b, path, strlen(path));
}

static int
write_files(struct writing *w, const char *name, const unsigned char *md5,
    struct err *e)
{
	char text[MD5_TEXT], path[RECORD_ID + 32];
	struct buf b;
	int rc, i;

	base64_md5(md5, text);
	buf_init(&b, SUMMARY_MAX);
	buf_printf(&b, "{\"itemCount\":%llu,\"md5Checksum\":\"%s\","
	    "\"etag\":\"", (unsigned long long)w->t->items, text);
	for (i = 0; i < HASH_MD5_SIZE; i++)
		buf_printf(&b, "%02x", md5[i]);
	buf_puts(&b, "-1\",\"dataFileS3Key\":");
	snprintf(path, sizeof path, "data/%s", name);
	say_path(&b, w, path);
	buf_puts(&b, "}\n");
	rc = write_manifest(w, "manifest-files", &b, e);
	buf_release(&b);
	return rc;
}

static void
say_time(struct buf *b, const char *name, int64_t ms)
{
	char iso[CLOCK_ISO_SIZE];

	clock_iso(ms, iso);
	buf_printf(b, ",\"%s\":\"%s\"", name, iso);
}

static int
write_summary(struct writing *w, struct err *e)
{
	const struct transfer *t = w->t;
	char arn[TRANSFER_ARN], table[OP_TABLE_ARN], id[OP_TABLE_ID];
	struct buf b;
	int rc;

	op_transfer_arn(t, arn);
	op_table_arn(t->table->name, table);
	op_table_id(t->table->id, id);
	buf_init(&b, SUMMARY_MAX);
	buf_printf(&b, "{\"version\":\"2020-06-30\",\"exportArn\":\"%s\"",
	    arn);
	say_time(&b, "startTime", t->start_ms);
	say_time(&b, "endTime", clock_wall_ms() > t->start_ms
	        ? clock_wall_ms() : t->start_ms + 1);
	buf_printf(&b, ",\"tableArn\":\"%s\",\"tableId\":\"%s\"", table, id);
	say_time(&b, "exportTime", t->at_ms);
	buf_puts(&b, ",\"s3Bucket\":");
	buf_json(&b, t->bucket, strlen(t->bucket));
	buf_puts(&b, ",\"s3Prefix\":");
	if (*t->prefix)
		buf_json(&b, t->prefix, strlen(t->prefix));
	else
		buf_puts(&b, "null");
	buf_puts(&b, ",\"s3SseAlgorithm\":null,\"s3SseKmsKeyId\":null,"
	    "\"manifestFilesS3Key\":");
	say_path(&b, w, "manifest-files.json");
	buf_printf(&b, ",\"billedSizeBytes\":%llu,\"itemCount\":%llu,"
	    "\"outputFormat\":\"DYNAMODB_JSON\"}\n",
	    (unsigned long long)t->bytes, (unsigned long long)t->items);
	rc = write_manifest(w, "manifest-summary", &b, e);
	buf_release(&b);
	return rc;
}

/* --- the whole --------------------------------------------------------------- */

static int
write_all(struct writing *w, struct err *e)
{
	unsigned char md5[HASH_MD5_SIZE] = {0};
	char name[RECORD_ID + 16];

	snprintf(name, sizeof name, "%s.json.gz", w->t->id);
	if (op_bucket_write(w->dir_fd, "_started", "", 0, e) < 0 ||
	    write_data(w, name, md5, e) < 0 ||
	    write_files(w, name, md5, e) < 0 || write_summary(w, e) < 0)
		return -1;
	snprintf(w->t->manifest, sizeof w->t->manifest,
	    "%s/manifest-summary.json", w->base);
	return fsync(w->dir_fd) < 0
	    ? err_set(e, FAULT_INTERNAL, "%s: %s", w->base, strerror(errno))
	    : 0;
}

static int
run(struct writing *w, struct err *e)
{
	const struct transfer *t = w->t;
	const struct text bucket = {t->bucket, strlen(t->bucket)};
	size_t n = strlen(t->prefix);
	int bucket_fd = op_bucket_open(t->later.store, &bucket, e), rc;

	if (bucket_fd < 0)
		return -1;
	snprintf(w->base, sizeof w->base, "%s%sAWSDynamoDB/%s", t->prefix,
	    n && t->prefix[n - 1] != '/' ? "/" : "", t->id);
	w->dir_fd = op_bucket_make(bucket_fd, w->base, e);
	rc = w->dir_fd < 0 ? -1 : write_all(w, e);
	io_close(&w->fd);
	io_close(&w->dir_fd);
	io_close(&bucket_fd);
	return rc;
}

void
op_export_run(struct op_later *l, const atomic_bool *stop)
{
	struct transfer *t = (struct transfer *)(void *)l;
	struct writing w = {.t = t, .stop = stop, .dir_fd = -1, .fd = -1};
	struct err e;

	arena_init(&w.arena, ITEM_ROOM);
	buf_init(&w.lines, LINES_MAX);
	if (run(&w, &e) == 0)
		op_transfer_end(t, NULL, NULL);
	else
		op_transfer_end(t, e.code == FAULT_NOT_FOUND
		        ? "S3NoSuchBucket" : e.code == FAULT_NO_ROOM
		        ? "S3NoRoom" : "UNKNOWN", e.text);
	buf_release(&w.lines);
	arena_release(&w.arena);
	op_transfer_free(t);
}
