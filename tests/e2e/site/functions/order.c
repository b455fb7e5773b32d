/*
 * Reads its body and writes its reply in the order that the path says.
 */
#include <bothy.h>

#include <string.h>

enum { MUCH = 300000 };

static int
put_much(struct bothy_req *req)
{
	static const char line[] = "0123456789abcde\n";
	size_t i;

	for (i = 0; i < MUCH / 16; i++)
		if (bothy_write(req, line, 16) < 0)
			return -1;
	return 0;
}

static long
read_all(struct bothy_req *req, size_t at_once, long most)
{
	char buf[65536];
	ssize_t n;
	long sum = 0;

	while (sum < most && (n = bothy_read(req, buf, at_once)) > 0)
		sum += n;
	return sum;
}

int
bothy_handle(struct bothy_req *req)
{
	const char *how = bothy_param(req, "how");
	long bytes = 0;

	bothy_set_header(req, "Content-Type", "text/plain");
	if (strcmp(how, "write-first") == 0) {
		put_much(req);
		bothy_flush(req);
		bytes = read_all(req, 1000, 1L << 40);
	} else if (strcmp(how, "unread") == 0)
		put_much(req);
	else if (strcmp(how, "half") == 0) {
		bytes = read_all(req, 1000, 50000);
		put_much(req);
	} else {
		bytes = read_all(req, 65536, 1L << 40);
		put_much(req);
	}
	return bothy_printf(req, "%ld", bytes);
}
