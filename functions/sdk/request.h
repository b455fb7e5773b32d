/*
 * The request as the SDK's own files see it.
 *
 * Compact, and everything is looked up or parsed when it is first asked for:
 * a child serves one request, so each page it touches is copied for that
 * request alone.
 *
 * Files that not every function needs (JSON, forms) hang their state here by
 * a pointer and register a cleanup, so nothing refers to them and a function
 * links only what it calls.
 */
#ifndef SDK_REQUEST_H
#define SDK_REQUEST_H

#include "bag.h"
#include "bothy.h"
#include "output.h"
#include "pairs.h"
#include "serve.h"

#include <stdarg.h>

struct request_cleanup {
	struct request_cleanup *next;
	void (*run)(void *arg);
	void *arg;
};

enum body_state {
	BODY_UNREAD,
	BODY_STREAMED,	/* bothy_read or a multipart form has begun on it */
	BODY_WHOLE,	/* it is in `body` */
	BODY_BROKEN	/* reading failed; error_text has been set for it */
};

enum { REQUEST_LIMITS = BOTHY_MAX_UPLOAD + 1 };

struct bothy_req {
	struct bag bag;
	struct request_cleanup *cleanups;	/* newest first */
	struct output out;
	void (*flushed)(void);	/* of struct sdk_io */

	int in_fd;
	uint64_t body_left;	/* still in in_fd, or SDK_BODY_UNKNOWN */
	enum body_state body_state;
	const char *body;	/* body_len bytes and a NUL */
	size_t body_len;

	/* Parsed at first use; NULL before. */
	const char *path;
	struct pairs *query, *cookies;
	struct form *form;
	json_t *json, *event;
	struct store *store;

	uint64_t limits[REQUEST_LIMITS];
	int error_status;	/* 0: no call has failed */
	char error_text[200];
};

/* Makes `req` fresh for one request; and frees all that it holds. */
void request_init(struct bothy_req *req, const struct sdk_io *io);
void request_release(struct bothy_req *req);

/*
 * Notes why a call failed: the HTTP status that fits (500 for a mistake of
 * the function's or the machine's), and a text.  Always -1.
 */
int request_fail(struct bothy_req *req, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int request_no_memory(struct bothy_req *req);

/* Runs `run(arg)` when the request ends; 0, or -1 having run it at once. */
int request_on_end(struct bothy_req *req, void (*run)(void *), void *arg);

#endif
