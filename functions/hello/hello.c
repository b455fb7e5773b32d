/*
 * GET /hello/{name}: a function in ten lines.
 */
#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	const char *name = bothy_param(req, "name");

	return bothy_json_new(req, 200,
	    json_pack("{s:s}", "hello", name ? name : "world"));
}
