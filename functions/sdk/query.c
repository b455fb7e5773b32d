/*
 * bothy_query(): the parameters of QUERY_STRING (RFC 3875 4.1.7), decoded at
 * first use.  Runs in a function's process.
 */
#include "request.h"

#include <string.h>

/* The list; NULL, with the failure noted, if the query can't be had. */
static const struct pairs *
query_pairs(struct bothy_req *req)
{
	const char *s = bothy_env("QUERY_STRING", "");
	uint64_t max = req->limits[BOTHY_MAX_FIELDS];
	struct pairs *p = req->query;
	int rc;

	if (p)
		return p;
	p = bag_alloc(&req->bag, sizeof *p);
	if (!p) {
		request_no_memory(req);
		return NULL;
	}
	*p = (struct pairs){0};
	rc = pairs_add_urlencoded(p, &req->bag, s, strlen(s), max);
	if (rc < 0)
		request_no_memory(req);
	else if (rc > 0)
		request_fail(req, 400,
		    "the query has more than %llu parameters",
		    (unsigned long long)max);
	if (rc)
		return NULL;
	return req->query = p;
}

const char *
bothy_query(struct bothy_req *req, const char *name)
{
	const struct pairs *p = query_pairs(req);

	return p ? pairs_find(p, name) : NULL;
}

const struct bothy_pair *
bothy_query_at(struct bothy_req *req, size_t i)
{
	const struct pairs *p = query_pairs(req);

	return p ? pairs_at(p, i) : NULL;
}
