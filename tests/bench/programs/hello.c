/*
 * A CGI/1.1 program (RFC 3875) as small as they come: static, no JSON
 * library, one write.  Run by each web server's own CGI, by fcgiwrap, and by
 * Bothy as `runtime: exec`.
 *
 * Its reply is the one that bench.py wants of all: the JSON of site's hello.c,
 * with a header as long as the gateway's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(void)
{
	const char *uri = getenv("REQUEST_URI");
	const char *name = uri ? strrchr(uri, '/') : NULL;
	char body[256], reply[640];
	int n;

	n = snprintf(body, sizeof body, "{\"hello\":\"%.100s\"}\n",
	    name ? name + 1 : "world");
	n = snprintf(reply, sizeof reply,
	    "Status: 200 OK\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %d\r\n"
	    "X-Request-Id: %s\r\n"
	    "\r\n%s", n, REQUEST_ID, body);
	return write(STDOUT_FILENO, reply, (size_t)n) == n ? 0 : 1;
}
