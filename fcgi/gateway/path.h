/*
 * The path of a request: decoded once, and the web server agrees.
 *
 * Run by bothy-fcgi's workers.  The path is taken from REQUEST_URI and from
 * nothing else.  A web server applies its access rules to its own idea of the
 * path, so where that (SCRIPT_NAME + PATH_INFO) differs from ours the request
 * is refused: otherwise its rules could be walked around.
 *
 * Results point into request_uri and into the struct; they are valid until the
 * next path_parse().
 */
#ifndef GATEWAY_PATH_H
#define GATEWAY_PATH_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { PATH_URI_MAX = 8 * 1024 };	/* bytes of REQUEST_URI */

struct path {
	const char *raw;	/* the path as it was sent; raw_len bytes */
	size_t raw_len;
	const char *query;	/* behind the '?', "" if none; a C string */
	size_t query_len;
	bool has_query;		/* there was a '?' */
	bool asterisk;		/* "*" (OPTIONS): text and site are "*" */
	const char *text;	/* decoded; "/..."; a C string */
	size_t len;
	size_t mount_len;	/* text[0..mount_len) is where the site is */
	const char *site;	/* the path within the site: "/..." */
	size_t site_len;
	const char *reason;	/* after a refusal: what is wrong, a constant */
	struct buf decoded;	/* text's bytes */
	struct buf server;	/* the web server's idea, put together */
};

/* Prepares the struct of a worker; path_release() frees its memory. */
void path_init(struct path *p);
void path_release(struct path *p);

/*
 * Takes REQUEST_URI apart: "/path?query", "http://host/path?query" or "*".
 * mount_len is 0 and site is text.  0; or the status to answer, with
 * p->reason set: 400 for an escape that is none, NUL and other control bytes,
 * bytes that are no UTF-8, a dot segment, an encoded slash or backslash; 414
 * for more than PATH_URI_MAX bytes; 500 without memory.
 */
int path_parse(struct path *p, const char *request_uri);

/*
 * Compares with the web server's SCRIPT_NAME and PATH_INFO (NULL if it sent
 * none) and finds the mount prefix.  The forms that count as agreeing, where
 * each may be decoded or raw, and "//" merged or kept:
 *
 *   SCRIPT_NAME + PATH_INFO is the path      lighttpd, nginx, Caddy, Apache
 *   both are the path                        nginx with a doubled setting
 *   /dir/x.fcgi + /rest is /dir/rest         .htaccess: dispatch by rewriting
 *   basePath + either of the above           a prefix that the server cut off
 *
 * `base_path` is "" when it isn't configured; then the mount prefix is the
 * directory of a dispatch file (*.fcgi, *.cgi) that is not in REQUEST_URI, or
 * empty.  Sets mount_len and site.  0; or the status to answer, with p->reason
 * set: 400 if they differ, 404 if the path lies outside base_path.
 */
int path_agree(struct path *p, const char *script_name, const char *path_info,
    const char *base_path);

/*
 * Goes on with another path of the same site: a local redirect (RFC 3875
 * 6.2.2).  `target` is what a function said in Location, so the mount prefix,
 * which it knows from SCRIPT_NAME, is in it; it must live as long as the
 * results.  0; or 400, 404, 414 or 500 as above.
 */
int path_follow(struct path *p, const char *target);

/*
 * If the path within the site is `at` ("/feature") or lies below it: that
 * belongs to the mount prefix from now on, and the rest is within the site.
 */
bool path_enter(struct path *p, const char *at);

#endif
