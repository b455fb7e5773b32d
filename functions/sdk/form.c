/*
 * bothy_form() and bothy_file(): forms of both kinds.  Runs in a function's
 * process.
 *
 * A multipart form is read as a stream: fields go to memory; so does a file,
 * until it is larger than SPOOL_BYTES, and then it moves to $TMPDIR.
 */
#include "form.h"

#include "multipart.h"
#include "text.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SPOOL_BYTES = 64 * 1024,	/* of a file that stays in memory */
	PIECE_BYTES = 16 * 1024		/* read at once */
};

/* A multipart form while it is read; `bytes` holds one part at a time. */
struct reader {
	struct bothy_req *req;
	struct form *form;
	struct multipart parser;
	struct buf bytes;
	struct form_file *file;	/* the part is this file; NULL: a field */
	const char *name;	/* of the field */
	int spool_fd;		/* -1: not spooled */
	uint64_t nfiles;	/* parts with a file, chosen or not */
	uint64_t field_bytes, file_bytes;	/* of all of them, so far */
};

/* --- files that are spooled ------------------------------------------------ */

static void
remove_spooled(void *path)
{
	unlink(path);
}

/* Moves what is in memory to a new file in $TMPDIR. */
static int
begin_spool(struct reader *r)
{
	static const char NAME[] = "/upload-XXXXXX";
	const char *dir = bothy_env("TMPDIR", "/tmp");
	size_t n = strlen(dir);
	char *path = bag_alloc(&r->req->bag, n + sizeof NAME);

	if (!path)
		return request_no_memory(r->req);
	memcpy(path, dir, n);
	memcpy(path + n, NAME, sizeof NAME);
	r->spool_fd = mkostemp(path, O_CLOEXEC);
	if (r->spool_fd < 0)
		return request_fail(r->req, 500,
		    "cannot make a file in %.100s: %s", dir, strerror(errno));
	r->file->file.path = path;
	return request_on_end(r->req, remove_spooled, path);
}

static int
spool(struct reader *r, const char *p, size_t n)
{
	if (r->spool_fd < 0 && begin_spool(r) < 0)
		return -1;
	if (io_write_all(r->spool_fd, r->bytes.data, r->bytes.len) < 0 ||
	    io_write_all(r->spool_fd, p, n) < 0)
		return request_fail(r->req, 500, "cannot keep a file: %s",
		    strerror(errno));
	buf_reset(&r->bytes);
	return 0;
}

/* --- the parts ------------------------------------------------------------- */

static const char *
clean_copy(struct reader *r, char *s)
{
	const char *copy = text_clean(&r->req->bag, s, strlen(s));

	/* text_clean gives the parser's own bytes back if they were clean. */
	return copy == s ? bag_copy(&r->req->bag, s, strlen(s)) : copy;
}

/* What is behind the last folder, as Unix and as Windows write it. */
static char *
base_name(char *filename)
{
	char *at, *base = filename;

	for (at = filename; *at; at++)
		if (*at == '/' || *at == '\\')
			base = at + 1;
	return base;
}

static int
begin_file(struct reader *r, struct multipart_part *part)
{
	uint64_t max = r->req->limits[BOTHY_MAX_FILES];
	struct form_file *f;

	if (r->nfiles++ >= max)
		return request_fail(r->req, 413,
		    "the form has more than %llu files",
		    (unsigned long long)max);
	f = bag_alloc(&r->req->bag, sizeof *f);
	if (!f)
		return request_no_memory(r->req);
	*f = (struct form_file){0};
	f->file.name = r->name;
	f->file.filename = clean_copy(r, base_name(part->filename));
	f->file.type = clean_copy(r, part->type);
	if (!f->file.filename || !f->file.type)
		return request_no_memory(r->req);
	if (!*f->file.type)
		f->file.type = "text/plain";	/* RFC 7578 4.4 */
	r->file = f;
	return 0;
}

static int
begin_part(void *arg, struct multipart_part *part)
{
	struct reader *r = arg;
	uint64_t max = r->req->limits[BOTHY_MAX_FIELDS];

	r->file = NULL;
	r->name = clean_copy(r, part->name);
	if (!r->name)
		return request_no_memory(r->req);
	if (part->has_filename)
		return begin_file(r, part);
	if (r->form->fields.count >= max)
		return request_fail(r->req, 413,
		    "the form has more than %llu fields",
		    (unsigned long long)max);
	return 0;
}

static int
add_bytes(struct reader *r, const char *p, size_t n)
{
	return buf_add(&r->bytes, p, n) < 0 ? request_no_memory(r->req) : 0;
}

static int
part_data(void *arg, const char *p, size_t n)
{
	struct reader *r = arg;
	uint64_t max;

	if (r->file) {
		max = r->req->limits[BOTHY_MAX_UPLOAD];
		r->file_bytes += n;
		if (r->file_bytes > max)
			return request_fail(r->req, 413, "the form's files "
			    "are larger than %llu bytes",
			    (unsigned long long)max);
		r->file->file.size += n;
		if (r->file->file.size > SPOOL_BYTES)
			return spool(r, p, n);
		return add_bytes(r, p, n);
	}
	max = r->req->limits[BOTHY_MAX_BODY];
	r->field_bytes += n;
	if (r->field_bytes > max)
		return request_fail(r->req, 413,
		    "the form's fields are larger than %llu bytes",
		    (unsigned long long)max);
	return add_bytes(r, p, n);
}

static int
end_file(struct reader *r)
{
	struct bothy_file *file = &r->file->file;

	io_close(&r->spool_fd);
	/* What browsers send for an input without a chosen file. */
	if (!*file->filename && file->size == 0)
		return 0;
	if (!file->path)
		file->data = bag_copy(&r->req->bag, buf_str(&r->bytes),
		    r->bytes.len);
	if (!file->path && !file->data)
		return request_no_memory(r->req);
	*r->form->last = r->file;
	r->form->last = &r->file->next;
	return 0;
}

static int
end_field(struct reader *r)
{
	struct bag *a = &r->req->bag;
	char *copy = bag_copy(a, buf_str(&r->bytes), r->bytes.len);
	const char *value = copy ? text_clean(a, copy, r->bytes.len) : NULL;

	if (!value || pairs_add(&r->form->fields, a, r->name, value) < 0)
		return request_no_memory(r->req);
	return 0;
}

static int
end_part(void *arg)
{
	struct reader *r = arg;
	int rc = r->file ? end_file(r) : end_field(r);

	buf_reset(&r->bytes);
	return rc;
}

static const struct multipart_ops OPS = {begin_part, part_data, end_part};

/* --- the form -------------------------------------------------------------- */

static int
refuse_form(struct reader *r)
{
	if (r->parser.reason)
		request_fail(r->req, 400, "%s", r->parser.reason);
	return -1;
}

static int
read_multipart(struct reader *r, const char *content_type)
{
	char piece[PIECE_BYTES];
	ssize_t n;

	if (r->req->body_state != BODY_UNREAD)
		return request_fail(r->req, 500, "a form can't be had: the "
		    "body was taken already");
	if (multipart_init(&r->parser, content_type, &OPS, r) < 0)
		return refuse_form(r);
	while ((n = bothy_read(r->req, piece, sizeof piece)) > 0)
		if (multipart_feed(&r->parser, piece, (size_t)n) < 0)
			return refuse_form(r);
	if (n < 0)
		return -1;
	return multipart_finish(&r->parser) < 0 ? refuse_form(r) : 0;
}

static int
take_multipart(struct bothy_req *req, struct form *form,
    const char *content_type)
{
	struct reader *r = calloc(1, sizeof *r);
	int rc;

	if (!r)
		return request_no_memory(req);
	r->req = req;
	r->form = form;
	r->spool_fd = -1;
	buf_init(&r->bytes, SIZE_MAX / 2);
	rc = read_multipart(r, content_type);
	io_close(&r->spool_fd);
	buf_release(&r->bytes);
	free(r);
	return rc;
}

static int
take_urlencoded(struct bothy_req *req, struct form *form)
{
	uint64_t max = req->limits[BOTHY_MAX_FIELDS];
	const char *body;
	size_t n;
	int rc;

	body = bothy_body(req, &n);
	if (!body)
		return -1;
	rc = pairs_add_urlencoded(&form->fields, &req->bag, body, n, max);
	if (rc < 0)
		return request_no_memory(req);
	if (rc > 0)
		return request_fail(req, 413,
		    "the form has more than %llu fields",
		    (unsigned long long)max);
	return 0;
}

const struct form *
form_get(struct bothy_req *req)
{
	const char *type = bothy_env("CONTENT_TYPE", "");
	size_t n = strcspn(type, "; \t");
	struct form *form = req->form;
	int rc = 0;

	if (form || req->body_state == BODY_BROKEN)
		return form;
	form = bag_alloc(&req->bag, sizeof *form);
	if (!form) {
		request_no_memory(req);
		return NULL;
	}
	*form = (struct form){.last = &form->files};
	if (text_same(type, n, "multipart/form-data"))
		rc = take_multipart(req, form, type);
	else if (text_same(type, n, "application/x-www-form-urlencoded"))
		rc = take_urlencoded(req, form);
	if (rc < 0) {
		req->body_state = BODY_BROKEN;
		return NULL;
	}
	return req->form = form;
}

const char *
bothy_form(struct bothy_req *req, const char *name)
{
	const struct form *form = form_get(req);

	return form ? pairs_find(&form->fields, name) : NULL;
}

const struct bothy_pair *
bothy_form_at(struct bothy_req *req, size_t i)
{
	const struct form *form = form_get(req);

	return form ? pairs_at(&form->fields, i) : NULL;
}

const struct bothy_file *
bothy_file(struct bothy_req *req, const char *name)
{
	const struct form *form = form_get(req);
	const struct form_file *f = form ? form->files : NULL;

	while (f && strcmp(f->file.name, name) != 0)
		f = f->next;
	return f ? &f->file : NULL;
}

const struct bothy_file *
bothy_file_at(struct bothy_req *req, size_t i)
{
	const struct form *form = form_get(req);
	const struct form_file *f = form ? form->files : NULL;

	while (f && i--)
		f = f->next;
	return f ? &f->file : NULL;
}
