/*
 * Replies with as many bytes as the path says: a line of 64 with its number,
 * again and again.
 */
#include <bothy.h>

#include <stdlib.h>

int
bothy_handle(struct bothy_req *req)
{
	long left = atol(bothy_param(req, "bytes")), i;

	bothy_set_header(req, "Content-Type", "application/octet-stream");
	for (i = 0; left > 0; i++, left -= 64)
		if (bothy_printf(req, "%0*ld\n", left < 64 ? (int)left - 1 : 63,
		        i) < 0)
			return 1;
	return 0;
}
