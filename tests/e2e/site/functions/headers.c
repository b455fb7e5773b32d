/*
 * Sets `count` headers of `bytes` bytes each, X-H1 and so on.
 */
#include <bothy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
bothy_handle(struct bothy_req *req)
{
	int count = atoi(bothy_param(req, "count")), i;
	size_t bytes = strtoul(bothy_param(req, "bytes"), NULL, 10);
	char name[32], value[16384];

	if (bytes >= sizeof value)
		return 1;
	memset(value, 'v', bytes);
	value[bytes] = '\0';
	for (i = 1; i <= count; i++) {
		snprintf(name, sizeof name, "X-H%d", i);
		if (bothy_set_header(req, name, value) < 0)
			return bothy_refuse(req);
	}
	return bothy_text(req, 200, "%d of %zu", count, bytes);
}
