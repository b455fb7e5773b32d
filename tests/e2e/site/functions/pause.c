/*
 * Waits for some milliseconds and says which process it was.
 */
#include <bothy.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int served;

int
bothy_handle(struct bothy_req *req)
{
	if (bothy_query(req, "leak"))
		fopen("/dev/null", "r");
	usleep((useconds_t)atol(bothy_param(req, "ms")) * 1000);
	return bothy_json_new(req, 200,
	    json_pack("{s:i, s:i}", "pid", (int)getpid(), "served", ++served));
}
