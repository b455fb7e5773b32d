/*
 * CORS: the header fields that let a browser's script of another origin read
 * a reply (WHATWG Fetch, 3.2), on every reply, errors too.
 *
 * Prepared once per configuration and then only read, by all workers.  Where
 * it is enabled, what a function says itself about CORS is left out.
 */
#ifndef GATEWAY_CORS_H
#define GATEWAY_CORS_H

#include "fcgi/conf/snapshot.h"
#include "params.h"
#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* The rules in plain lists; all strings are copied by cors_init(). */
struct cors_rules {
	const char *const *origins, *const *methods;
	const char *const *headers, *const *exposed;
	size_t origin_count, method_count, header_count, exposed_count;
	bool credentials;
	unsigned max_age_s;	/* 0: left out */
};

struct cors {
	bool enabled;
	bool any;		/* '*' is among the origins */
	bool any_header;	/* '*' is among the headers, or none is given */
	bool credentials;
	struct buf origins;	/* "https://a\0https://b\0" */
	struct buf simple;	/* lines on every reply to an allowed origin */
	struct buf preflight;	/* lines on a preflight's reply besides */
	struct buf methods;	/* "GET, POST", "" for the route's own */
};

void cors_init(struct cors *c);		/* disabled */
void cors_release(struct cors *c);

/* Sets the rules: 0, or -1 without memory. */
int cors_set(struct cors *c, const struct cors_rules *r);

/* The same from a compiled configuration; stays disabled if that says so. */
int cors_load(struct cors *c, const struct snapshot *s);

/*
 * Appends the header lines ("Name: value\r\n") of a reply to a request whose
 * Origin is `origin` (NULL for none).  Nothing if disabled or not allowed,
 * but for Vary.
 */
void cors_lines(const struct cors *c, const char *origin, struct buf *out);

/*
 * True if the request is a preflight that the gateway answers: enabled,
 * OPTIONS, with Origin and Access-Control-Request-Method.
 */
bool cors_is_preflight(const struct cors *c, const struct params *p);

/*
 * Appends the whole reply to a preflight, a 204.  `allow` lists the methods
 * of the path's routes ("GET, POST"; NULL if unknown) for rules that name no
 * methods.
 */
void cors_preflight(const struct cors *c, const struct params *p,
    const char *allow, const char *request_id, struct buf *out);

#endif
