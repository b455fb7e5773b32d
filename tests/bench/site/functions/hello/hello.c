/*
 * The reply that every contender of the benchmark gives: {"hello":"ada"}.
 */
#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_json_new(req, 200,
	    json_pack("{s:s}", "hello", bothy_param(req, "name")));
}
