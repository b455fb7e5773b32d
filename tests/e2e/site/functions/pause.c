/*
 * Waits for some milliseconds and says which process it was, and from when to
 * when by a clock that all processes share.
 */
#include <bothy.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int served;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
bothy_handle(struct bothy_req *req)
{
	double began = now();

	if (bothy_query(req, "leak"))
		fopen("/dev/null", "r");
	usleep((useconds_t)atol(bothy_param(req, "ms")) * 1000);
	return bothy_json_new(req, 200,
	    json_pack("{s:i, s:i, s:f, s:f}", "pid", (int)getpid(), "served",
	        ++served, "began", began, "ended", now()));
}
