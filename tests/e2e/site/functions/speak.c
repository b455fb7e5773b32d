/*
 * Writes its body to stderr, and a line through the SDK.
 */
#include <bothy.h>

#include <stdio.h>

int
bothy_handle(struct bothy_req *req)
{
	size_t n;
	const char *body = bothy_body(req, &n);

	if (!body)
		return bothy_refuse(req);
	fwrite(body, 1, n, stderr);
	bothy_log(BOTHY_WARN, "said %zu bytes", n);
	return bothy_status(req, 204);
}
