/*
 * What the files of a request's way share: exchange.c walks it, call.c is the
 * part that a function takes.
 */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "answer.h"
#include "gateway.h"
#include "respond.h"
#include "router.h"

struct exchange {
	struct worker *w;
	struct site *site;
	const struct site_function *f;	/* NULL: no function */
	struct route_match match;
	struct client client;
	struct respond respond;
	struct run_result result;
	const char *method;
	char id[REQID_SIZE];
	char trace[TRACEPARENT_SIZE];
	int64_t start_us, wait_us, wall_ms;
	int64_t deadline_mono_ms;
	int body_fd;
	uint64_t body_bytes;
	int status;
	uint64_t bytes_out;
	enum outcome outcome;
	const char *detail;
	char text[640];		/* detail, when it is put together */
	bool body_over;		/* it has been read whole */
	bool broken;		/* the reply must not look complete */
	const char *operation;	/* of DynamoDB's protocol, or NULL */
	struct text table;	/* that it is about; p NULL: none */
};

/* The request's Origin, or NULL. */
const char *exchange_origin(const struct exchange *x);

/* Sends w->head. */
void exchange_send(struct exchange *x);

/* Sends what is too long to stand behind its head in w->head. */
void exchange_send_body(struct exchange *x, const void *body, size_t n);

/*
 * Answers with an error of ours; `detail` (may be NULL) goes to the log, `a`
 * (may be NULL) adds to the answer.
 */
void exchange_refuse(struct exchange *x, int status, enum outcome outcome,
    const char *detail, struct answer *a);

/* The same; the reason goes to the client too. */
void exchange_refuse_because(struct exchange *x, int status,
    const char *reason);

/*
 * Spools the request's body: 0 with body_fd and body_bytes; -1 after an
 * answer.  It may take 30 s and one more for each 16 KB; `untold_ms` if the
 * client does not tell its length.
 */
int exchange_take_body(
    struct exchange *x, uint64_t max_bytes, int64_t untold_ms);

/* Answers for x->w->path, after `redirects` local redirects. */
void exchange_route(struct exchange *x, int redirects);

/*
 * awscall.c: DynamoDB's protocol, at / of the site.  The first is asked before
 * there is a route, the second when there is none: true if they answered.
 */
bool aws_answers(struct exchange *x);
bool aws_answers_last(struct exchange *x);

/*
 * push.c: git, at the path of `bothy site create --http`, which `path` is held
 * against: true if it answered.
 */
bool push_answers(struct exchange *x, const char *path);

/* call.c: answers by the function of x->match. */
void call_function(struct exchange *x, int redirects);

#endif
