/*
 * Bothy's function SDK: all that a function in C or C++ includes.
 *
 * A function is one handler, called once for each request, in a process of
 * its own:
 *
 *	#include <bothy.h>
 *
 *	int
 *	bothy_handle(struct bothy_req *req)
 *	{
 *		const char *name = bothy_param(req, "name");
 *
 *		return bothy_json_new(req, 200,
 *		    json_pack("{s:s}", "hello", name));
 *	}
 *
 * Strings that a call returns are borrowed: they live as long as the request,
 * and nothing here has to be freed.  Calls that give an int return 0, or -1
 * after a failure; calls that give a pointer return NULL when there is no such
 * thing or after a failure.  bothy_failed() tells which, and bothy_refuse()
 * answers the client with the reason.  One thread at a time.
 *
 * Each call has a manual page: bothy(3) is the first to read.
 */
#ifndef BOTHY_H
#define BOTHY_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BOTHY_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define BOTHY_PRINTF(fmt, args)
#endif

struct bothy_req;

/* --- What the author writes: bothy_handle(3) ------------------------------ */

/*
 * Answers one request.  0; anything else is logged as an error, and is a 502
 * if nothing was answered.
 */
int bothy_handle(struct bothy_req *req);

/*
 * Optional: runs once, before the first request, in the process that all
 * requests are forked from.  0; anything else means that the function can't
 * serve.
 */
int bothy_init(void);

/* --- The request: bothy_param(3), bothy_query(3), bothy_header(3) --------- */

/* "GET"; and the path, decoded, as the client sees it: "/orders/17". */
const char *bothy_method(struct bothy_req *req);
const char *bothy_path(struct bothy_req *req);

/* What stands for {name} in the route's path; NULL if it has none. */
const char *bothy_param(struct bothy_req *req, const char *name);

struct bothy_pair {
	const char *name;	/* UTF-8, never NULL, as is the value */
	const char *value;
};

/* The first query parameter of that name; the i-th of all, from 0. */
const char *bothy_query(struct bothy_req *req, const char *name);
const struct bothy_pair *bothy_query_at(struct bothy_req *req, size_t i);

/* A request header ("Accept-Language", case doesn't matter); a cookie. */
const char *bothy_header(struct bothy_req *req, const char *name);
const char *bothy_cookie(struct bothy_req *req, const char *name);

/* --- The body: bothy_body(3), bothy_form(3) ------------------------------- */

/* The whole body, *len bytes (may be NULL) and a NUL that isn't counted. */
const char *bothy_body(struct bothy_req *req, size_t *len);

/* The next bytes of it: how many, 0 at the end, -1. */
ssize_t bothy_read(struct bothy_req *req, void *buf, size_t n);

/* The whole body as JSON (RFC 8259). */
json_t *bothy_json_body(struct bothy_req *req);

/* A field of a form, urlencoded or multipart; the i-th of all, from 0. */
const char *bothy_form(struct bothy_req *req, const char *name);
const struct bothy_pair *bothy_form_at(struct bothy_req *req, size_t i);

struct bothy_file {
	const char *name;	/* of the form's field */
	const char *filename;	/* as the client calls it, without folders */
	const char *type;	/* media type, as the client says */
	size_t size;		/* bytes */
	const void *data;	/* the bytes; NULL if they are in a file */
	const char *path;	/* that file, in $TMPDIR; else NULL */
};

/* A file of a multipart form; the i-th of all, from 0. */
const struct bothy_file *bothy_file(struct bothy_req *req, const char *name);
const struct bothy_file *bothy_file_at(struct bothy_req *req, size_t i);

/* Keeps it as a new file `path`, which must not exist yet. */
int bothy_file_save(struct bothy_req *req, const struct bothy_file *file,
    const char *path);

/* --- The reply: bothy_status(3), bothy_write(3), bothy_json(3) ------------ */

/* The status, 200 to 599, and headers; until the reply is committed. */
int bothy_status(struct bothy_req *req, int status);
int bothy_set_header(struct bothy_req *req, const char *name,
    const char *value);
int bothy_add_header(struct bothy_req *req, const char *name,
    const char *value);

enum bothy_same_site {
	BOTHY_SAME_SITE_LAX,
	BOTHY_SAME_SITE_STRICT,
	BOTHY_SAME_SITE_NONE	/* needs https */
};

/* All zero is the careful choice: a session cookie that scripts can't see. */
struct bothy_cookie_attrs {
	const char *path;	/* NULL: "/" */
	const char *domain;	/* NULL: this host alone */
	int64_t max_age_s;	/* 0: for the session; below 0: remove it */
	enum bothy_same_site same_site;
	bool script_access;	/* leave HttpOnly away */
	bool insecure;		/* leave Secure away even on https */
};

/* `attrs` NULL is all zero. */
int bothy_set_cookie(struct bothy_req *req, const char *name,
    const char *value, const struct bothy_cookie_attrs *attrs);

/* Append to the body; bothy_flush() commits and sends it to the client now. */
int bothy_write(struct bothy_req *req, const void *p, size_t n);
int bothy_printf(struct bothy_req *req, const char *fmt, ...)
    BOTHY_PRINTF(2, 3);
int bothy_flush(struct bothy_req *req);

/*
 * A whole reply: replaces the body so far, keeps the headers.  bothy_json()
 * borrows `json`, bothy_json_new() consumes it, also when it fails.
 */
int bothy_text(struct bothy_req *req, int status, const char *fmt, ...)
    BOTHY_PRINTF(3, 4);
int bothy_json(struct bothy_req *req, int status, const json_t *json);
int bothy_json_new(struct bothy_req *req, int status, json_t *json);

/* {"message":"..."}; and the same with the reason of the last failure. */
int bothy_error(struct bothy_req *req, int status, const char *fmt, ...)
    BOTHY_PRINTF(3, 4);
int bothy_refuse(struct bothy_req *req);

/* --- API Gateway style, payload version 2.0: bothy_event(3) --------------- */

/* The request as an event; the reply from a result (borrowed, consumed). */
json_t *bothy_event(struct bothy_req *req);
int bothy_reply_event(struct bothy_req *req, const json_t *result);
int bothy_reply_event_new(struct bothy_req *req, json_t *result);

/* --- Documents: bothy_get(3), bothy_put(3), bothy_find(3), bothy_store(3) - */

/*
 * Keys and documents are plain JSON: {"room": "lobby", "at": 17}.  They are
 * borrowed; what a call gives back is borrowed from the request.  `values`
 * has what stands for ":v" and "#n" in expressions, or is NULL.
 */

/* Hands a value to the request, which frees it at its end; gives it back. */
json_t *bothy_keep(struct bothy_req *req, json_t *json);

/* The document of that key; NULL if there is none. */
json_t *bothy_get(struct bothy_req *req, const char *table, const json_t *key);

/* Writes a whole document; ..._if only where `condition` holds. */
int bothy_put(struct bothy_req *req, const char *table, const json_t *doc);
int bothy_put_if(struct bothy_req *req, const char *table, const json_t *doc,
    const char *condition, const json_t *values);

/* Changes a document, or makes it, by an update expression; the new one. */
json_t *bothy_update(struct bothy_req *req, const char *table,
    const json_t *key, const char *update, const json_t *values);
json_t *bothy_update_if(struct bothy_req *req, const char *table,
    const json_t *key, const char *update, const char *condition,
    const json_t *values);

/* Deletes it; one that isn't there is fine. */
int bothy_delete(struct bothy_req *req, const char *table, const json_t *key);
int bothy_delete_if(struct bothy_req *req, const char *table,
    const json_t *key, const char *condition, const json_t *values);

struct bothy_rows;

struct bothy_how {		/* all may be 0 */
	const char *index;	/* a secondary index */
	const char *filter;	/* drops what doesn't fit */
	const char *attributes;	/* a projection: "a, b.c" */
	const char *after;	/* what bothy_cursor() gave */
	size_t limit;		/* rows at most */
	bool descending;	/* by sort key */
	bool consistent;
};

/* The documents that a key condition names, in the order of the sort key. */
struct bothy_rows *bothy_find(struct bothy_req *req, const char *table,
    const char *condition, const json_t *values, const struct bothy_how *how);

/* All documents of a table, in no order. */
struct bothy_rows *bothy_scan(struct bothy_req *req, const char *table,
    const json_t *values, const struct bothy_how *how);

/* The next one, which lives until the call after it; NULL behind the last. */
json_t *bothy_next(struct bothy_rows *rows);

/* Where to go on in another request; NULL if there is no more. */
const char *bothy_cursor(struct bothy_rows *rows);

/* Many keys at once: an array of the documents that are there, unordered. */
json_t *bothy_batch_get(struct bothy_req *req, const char *table,
    const json_t *keys);

/* Many writes at once, not as one: arrays of documents and keys, or NULL. */
int bothy_batch_write(struct bothy_req *req, const char *table,
    const json_t *puts, const json_t *deletes);

struct bothy_tx;

/* Up to 100 writes in any tables, all or none: begun, told, committed. */
struct bothy_tx *bothy_transact(struct bothy_req *req);
int bothy_tx_put(struct bothy_tx *tx, const char *table, const json_t *doc,
    const char *condition, const json_t *values);
int bothy_tx_update(struct bothy_tx *tx, const char *table, const json_t *key,
    const char *update, const char *condition, const json_t *values);
int bothy_tx_delete(struct bothy_tx *tx, const char *table, const json_t *key,
    const char *condition, const json_t *values);
int bothy_tx_check(struct bothy_tx *tx, const char *table, const json_t *key,
    const char *condition, const json_t *values);
int bothy_tx_commit(struct bothy_tx *tx);

/* [{"table":, "key":}...] of one moment: the documents, null for none. */
json_t *bothy_transact_get(struct bothy_req *req, const json_t *wanted);

/* Any operation of the store by name ("DescribeTable"): its reply. */
json_t *bothy_store(struct bothy_req *req, const char *operation,
    const json_t *body);

/* Writes return when the document's file lies there, unless this is false. */
void bothy_wait_file(struct bothy_req *req, bool wait);

struct bothy_store_error {
	const char *name;	/* "ConditionalCheckFailedException" */
	const char *message;
	bool unknown;		/* nobody knows whether the write was done */
	json_t *body;		/* the store's whole answer, or NULL */
};

/* What the last of these calls failed with; NULL if it did not fail. */
const struct bothy_store_error *bothy_store_error(struct bothy_req *req);

/* --- Failures and limits: bothy_failed(3), bothy_limit(3) ----------------- */

/* The HTTP status that fits the last call that failed; 0 if none has. */
int bothy_failed(struct bothy_req *req);

/* Why it failed, "" if none has. */
const char *bothy_error_text(struct bothy_req *req);

enum bothy_limit {
	BOTHY_MAX_BODY,		/* bytes of a whole body, or of all fields */
	BOTHY_MAX_FIELDS,	/* of a query or of a form, each */
	BOTHY_MAX_FILES,	/* of a form */
	BOTHY_MAX_UPLOAD	/* bytes of all files of a form */
};

/* Sets a limit of this request, before the call that it rules. */
int bothy_limit(struct bothy_req *req, enum bothy_limit what, uint64_t value);

/* --- Around it: bothy_log(3), bothy_deadline_ms(3) ------------------------ */

enum bothy_level {
	BOTHY_DEBUG,
	BOTHY_INFO,
	BOTHY_WARN,
	BOTHY_ERROR
};

/* One line in the function's log. */
void bothy_log(enum bothy_level level, const char *fmt, ...)
    BOTHY_PRINTF(2, 3);

/* When the time is up (ms since 1970, 0: never), and what is left of it. */
int64_t bothy_deadline_ms(struct bothy_req *req);
int64_t bothy_remaining_ms(struct bothy_req *req);

/* What the access log, the function's log and X-Request-Id show. */
const char *bothy_request_id(struct bothy_req *req);

/* A variable of the function's environment, or `fallback`. */
const char *bothy_env(const char *name, const char *fallback);

#ifdef __cplusplus
}
#endif

#endif
