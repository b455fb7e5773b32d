/*
 * Calls by HTTP, for relay.h.  Runs in the threads of relayed calls; they wait
 * here, and nobody waits behind them.
 */
#include "relay.h"

#include "store/value/fault.h"
#include "store/value/json.h"
#include "store/wire/frame.h"
#include "store/wire/request.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECT_MS = 5000,
	ANSWER_MS = 60 * 1000,
	TEXT_MAX = 512			/* of a header field */
};

#define DATA_TARGET "DynamoDB_20120810"
#define STREAMS_TARGET "DynamoDBStreams_20120810"

struct relay {
	char endpoint[256], region[64];
	char signing[128];		/* CURLOPT_AWS_SIGV4 */
	char keys[256];			/* id:secret */
	char token[4096];		/* "X-Amz-Security-Token: ...", or "" */
	long connect_ms, answer_ms;
	pthread_mutex_t lock;
	CURL *idle[RELAY_LINES_MAX];
	unsigned nidle;
};

/* --- coming and going ---------------------------------------------------------- */

/* "http://host:port" or "https://...", and nothing behind. */
static bool
is_endpoint(const char *s)
{
	const char *host = strncmp(s, "https://", 8) == 0 ? s + 8
	    : strncmp(s, "http://", 7) == 0               ? s + 7
	                                                  : NULL;

	return host && *host && strcspn(host, "/?#@ \t\r\n\"\\") ==
	    strlen(host);
}

static bool
is_word(const char *s, size_t max)
{
	size_t n = strlen(s);

	return n > 0 && n < max && strcspn(s, " \t\r\n:\"") == n;
}

static int
check(const struct relay_options *o, struct err *e)
{
	if (!is_endpoint(o->endpoint) || strlen(o->endpoint) > 250)
		return err_set(e, EINVAL, "%.200s is no endpoint: it is "
		    "https://HOST or http://HOST:PORT, and nothing behind",
		    o->endpoint);
	if (!is_word(o->region, 60))
		return err_set(e, EINVAL, "%.60s is no region", o->region);
	if (!o->key_id || !o->secret)
		return err_set(e, EINVAL, "AWS_ACCESS_KEY_ID and "
		    "AWS_SECRET_ACCESS_KEY are to be in the environment: %s "
		    "asks for them", o->endpoint);
	if (!is_word(o->key_id, 128) || !is_word(o->secret, 128) ||
	    (o->token && !is_word(o->token, 4000)))
		return err_set(e, EINVAL, "AWS_ACCESS_KEY_ID, "
		    "AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is none");
	return 0;
}

struct relay *
relay_new(const struct relay_options *o, struct err *e)
{
	struct relay *r = check(o, e) < 0 ? NULL : calloc(1, sizeof *r);

	if (!r) {
		if (!e->code)
			err_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(e, ENOMEM, "libcurl can't begin");
		free(r);
		return NULL;
	}
	snprintf(r->endpoint, sizeof r->endpoint, "%s/", o->endpoint);
	snprintf(r->region, sizeof r->region, "%s", o->region);
	snprintf(r->signing, sizeof r->signing, "aws:amz:%s:dynamodb",
	    r->region);
	snprintf(r->keys, sizeof r->keys, "%s:%s", o->key_id, o->secret);
	if (o->token)
		snprintf(r->token, sizeof r->token,
		    "X-Amz-Security-Token: %s", o->token);
	r->connect_ms = o->connect_ms ? o->connect_ms : CONNECT_MS;
	r->answer_ms = o->answer_ms ? o->answer_ms : ANSWER_MS;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void
relay_free(struct relay *r)
{
	if (!r)
		return;
	while (r->nidle)
		curl_easy_cleanup(r->idle[--r->nidle]);
	pthread_mutex_destroy(&r->lock);
	curl_global_cleanup();
	explicit_bzero(r->keys, sizeof r->keys);
	free(r);
}

bool
relay_has(int op)
{
	const struct operation_info *info = operation_info(op);

	return info && info->family != OP_FAMILY_BOTHY;
}

/* --- lines --------------------------------------------------------------------------- */

/* A handle with, mostly, a connection that is open already. */
static CURL *
take_line(struct relay *r)
{
	CURL *line = NULL;

	pthread_mutex_lock(&r->lock);
	if (r->nidle)
		line = r->idle[--r->nidle];
	pthread_mutex_unlock(&r->lock);
	return line ? line : curl_easy_init();
}

static void
give_line(struct relay *r, CURL *line)
{
	curl_easy_reset(line);		/* keeps its connection */
	pthread_mutex_lock(&r->lock);
	if (r->nidle < RELAY_LINES_MAX) {
		r->idle[r->nidle++] = line;
		line = NULL;
	}
	pthread_mutex_unlock(&r->lock);
	if (line)
		curl_easy_cleanup(line);
}

static size_t
receive(char *p, size_t size, size_t n, void *arg)
{
	return buf_add(arg, p, size * n) == 0 ? size * n : 0;
}

static struct curl_slist *
make_fields(const struct relay *r, const struct operation_info *info)
{
	struct curl_slist *list = NULL, *more;
	char target[TEXT_MAX];
	const char *const fields[] = {
		"Content-Type: application/x-amz-json-1.0", target,
		*r->token ? r->token : NULL,
	};
	size_t i;

	snprintf(target, sizeof target, "X-Amz-Target: %s.%s",
	    info->family == OP_FAMILY_STREAMS ? STREAMS_TARGET : DATA_TARGET,
	    info->name);
	for (i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (!fields[i])
			continue;
		more = curl_slist_append(list, fields[i]);
		if (!more) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = more;
	}
	return list;
}

static void
set_up(const struct relay *r, CURL *line, struct curl_slist *fields,
    const char *body, size_t n, struct buf *answer, char *why)
{
	curl_easy_setopt(line, CURLOPT_URL, r->endpoint);
	curl_easy_setopt(line, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(line, CURLOPT_POST, 1L);
	curl_easy_setopt(line, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	curl_easy_setopt(line, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(line, CURLOPT_HTTPHEADER, fields);
	curl_easy_setopt(line, CURLOPT_USERPWD, r->keys);
	curl_easy_setopt(line, CURLOPT_AWS_SIGV4, r->signing);
	curl_easy_setopt(line, CURLOPT_HTTP_VERSION,
	    (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(line, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(line, CURLOPT_CONNECTTIMEOUT_MS, r->connect_ms);
	curl_easy_setopt(line, CURLOPT_TIMEOUT_MS, r->answer_ms);
	curl_easy_setopt(line, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(line, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(line, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(line, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(line, CURLOPT_ERRORBUFFER, why);
}

/*
 * libcurl sends again what was lost with a kept connection, though it may have
 * been done.
 */
static int
once(void *sent, char *to, char *from, int to_port, int from_port)
{
	bool again = *(bool *)sent;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	*(bool *)sent = true;
	return again ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* --- what came of it --------------------------------------------------------------------- */

/* Nothing reached the far side: doing it again is safe. */
static bool
never_sent(CURLcode rc)
{
	switch (rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return true;
	default:
		return false;
	}
}

static int
tell_failure(const struct relay *r, CURL *line, CURLcode rc, const char *why,
    const struct operation_info *info, struct err *e)
{
	long sent = 0;

	curl_easy_getinfo(line, CURLINFO_REQUEST_SIZE, &sent);
	if (!*why)
		why = curl_easy_strerror(rc);
	if (never_sent(rc) || sent == 0 || info->repeatable)
		return err_set(e, FAULT_BUSY, "%.120s can't be asked: %.300s",
		    r->endpoint, why);
	return err_set(e, FAULT_UNKNOWN_OUTCOME, "nobody knows whether this "
	    "was done: %.120s: %.250s", r->endpoint, why);
}

/* What stands behind the # of __type, as a fault; 0: none that we know. */
static int
read_kind(const struct json_node *answer, char *name, size_t size)
{
	const struct json_node *type = json_member(answer, "__type");
	const char *hash;

	*name = '\0';
	if (!type || type->type != JSON_STRING)
		return 0;
	hash = memrchr(type->text.p, '#', type->text.n);
	hash = hash ? hash + 1 : type->text.p;
	snprintf(name, size, "%.*s",
	    (int)(type->text.p + type->text.n - hash), hash);
	return fault_parse(name);
}

static bool
is_about_keys(const char *name)
{
	static const char *const names[] = {
		"UnrecognizedClientException", "InvalidSignatureException",
		"IncompleteSignatureException", "ExpiredTokenException",
		"MissingAuthenticationTokenException",
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool
is_throttling(const char *name)
{
	return strcmp(name, "ThrottlingException") == 0 ||
	    strcmp(name, "RequestLimitExceeded") == 0;
}

/* A failure of which nothing is told but its status. */
static int
fault_of(const struct operation_info *info, long status)
{
	if (status < 500)
		return FAULT_INTERNAL;
	return status == 503 || info->repeatable ? FAULT_BUSY
	                                         : FAULT_UNKNOWN_OUTCOME;
}

/* An answer that is a failure. */
static int
tell_refusal(const struct relay *r, const struct operation_info *info,
    long status, const struct buf *answer, bool plain, struct arena *a,
    struct buf *out, struct err *e)
{
	struct json_node *tree = answer->len
	    ? json_read(a, answer->data, answer->len, 2, e)
	    : NULL;
	const struct json_node *said = json_member(tree, "message");
	struct text text = {"", 0};
	char name[80];
	int fault = tree ? read_kind(tree, name, sizeof name) : 0;

	if (!said)
		said = json_member(tree, "Message");
	if (said && said->type == JSON_STRING)
		text = said->text;
	if (text.n > 300)
		text.n = 300;
	if (!tree || !*name)
		return err_set(e, fault_of(info, status), "%.120s answered "
		    "with status %ld and nothing that makes sense",
		    r->endpoint, status);
	if (is_about_keys(name))
		return err_set(e, FAULT_DENIED, "%.120s does not take "
		    "bothy-store's keys: %s: %.*s", r->endpoint, name,
		    (int)text.n, text.p);
	if (!fault)
		return err_set(e, is_throttling(name) ? FAULT_THROUGHPUT
		                                      : fault_of(info, status),
		    "%s: %.*s", name, (int)text.n, text.p);
	if (relay_answer(answer->data, answer->len, plain, a, out, e) < 0)
		return -1;
	return err_set(e, fault, "%.*s", (int)text.n, text.p);
}

/* --- a call ---------------------------------------------------------------------------------- */

static int
exchange(struct relay *r, CURL *line, const struct operation_info *info,
    const char *body, size_t n, struct buf *answer, long *status,
    struct err *e)
{
	struct curl_slist *fields = make_fields(r, info);
	char why[CURL_ERROR_SIZE] = "";
	bool sent = false;
	CURLcode rc;

	if (!fields)
		return err_set(e, FAULT_BUSY, "no memory");
	set_up(r, line, fields, body, n, answer, why);
	if (!info->repeatable) {
		curl_easy_setopt(line, CURLOPT_PREREQFUNCTION, once);
		curl_easy_setopt(line, CURLOPT_PREREQDATA, &sent);
	}
	rc = curl_easy_perform(line);
	curl_slist_free_all(fields);
	if (rc == CURLE_OK) {
		curl_easy_getinfo(line, CURLINFO_RESPONSE_CODE, status);
		return 0;
	}
	if (!buf_ok(answer) && info->class == OP_READ)
		return err_set(e, FAULT_LIMIT, "the reply is too long; ask for "
		    "less, with Limit or a projection");
	return tell_failure(r, line, rc, why, info, e);
}

static int
call(struct relay *r, CURL *line, const struct operation_info *info,
    bool plain, const struct buf *body, struct arena *a, struct buf *out,
    struct err *e)
{
	struct buf answer;
	long status = 0;
	int rc;

	buf_init(&answer, FRAME_REPLY_MAX);
	rc = exchange(r, line, info, body->data, body->len, &answer, &status,
	    e);
	if (rc == 0 && status == 200) {
		rc = relay_answer(answer.data, answer.len, plain, a, out, e);
		if (rc < 0 && e->code != FAULT_LIMIT)
			err_set(e, info->repeatable ? FAULT_INTERNAL
			                            : FAULT_UNKNOWN_OUTCOME,
			    "%.120s answered what makes no sense",
			    r->endpoint);
	} else if (rc == 0)
		rc = tell_refusal(r, info, status, &answer, plain, a, out,
		    e);
	buf_release(&answer);
	return rc;
}

int
relay_call(struct relay *r, int op, bool plain, const char *body, size_t n,
    struct arena *a, struct buf *out, struct err *e)
{
	const struct operation_info *info = operation_info(op);
	struct buf typed;
	CURL *line;
	int rc;

	if (!info || !relay_has(op))
		return err_set(e, FAULT_UNKNOWN_OPERATION, "%s has no "
		    "counterpart at %.120s, where resources.store is",
		    info ? info->name : "this", r->endpoint);
	buf_init(&typed, FRAME_REPLY_MAX);
	rc = plain ? request_retype(op, a, body, n, &typed, e)
	           : buf_add(&typed, body, n);
	line = rc == 0 ? take_line(r) : NULL;
	if (line) {
		rc = call(r, line, info, plain, &typed, a, out, e);
		give_line(r, line);
	} else if (rc == 0 || !plain)
		rc = err_set(e, FAULT_BUSY, "no memory");
	buf_release(&typed);
	return rc;
}
