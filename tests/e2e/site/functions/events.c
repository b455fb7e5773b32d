/*
 * Sends server-sent events with a pause in milliseconds between them.
 */
#include <bothy.h>

#include <stdlib.h>
#include <unistd.h>

int
bothy_handle(struct bothy_req *req)
{
	long count = atol(bothy_param(req, "count")), i;
	long pause_ms = atol(bothy_param(req, "pause"));

	bothy_set_header(req, "Content-Type", "text/event-stream");
	for (i = 1; i <= count; i++) {
		if (bothy_printf(req, "data: %ld\n\n", i) < 0 ||
		    bothy_flush(req) < 0)
			return 1;
		if (i < count)
			usleep((useconds_t)pause_ms * 1000);
	}
	return 0;
}
