/*
 * GET /clock: server-sent events, a tick a second, until the time is up, the
 * client has left, or ?ticks=N were sent.
 */
#include <bothy.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LAST_WORDS_MS = 1500 };	/* one more tick must fit into what is left */

static int
tick(struct bothy_req *req, long n)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	if (!gmtime_r(&now, &tm) ||
	    strftime(text, sizeof text, "%H:%M:%S", &tm) == 0)
		return -1;
	if (bothy_printf(req, "id: %ld\ndata: %s UTC\n\n", n, text) < 0)
		return -1;
	return bothy_flush(req);
}

int
bothy_handle(struct bothy_req *req)
{
	const char *ticks = bothy_query(req, "ticks");
	long last = ticks ? strtol(ticks, NULL, 10) : 0, n;

	bothy_set_header(req, "Content-Type", "text/event-stream");
	bothy_set_header(req, "Cache-Control", "no-store");
	for (n = 1; tick(req, n) == 0; n++) {
		if (n == last || bothy_remaining_ms(req) < LAST_WORDS_MS)
			return 0;
		sleep(1);
	}
	return 0;
}
