/*
 * pkt-lines, for pktline.h.  Runs in a hook.
 */
#include "pktline.h"

#include "store/base/io.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 4 };

int
pktline_read(int fd, struct buf *text)
{
	char head[HEAD + 1] = "";
	size_t n;

	buf_reset(text);
	if (io_read_all(fd, head, HEAD) < 0 ||
	    strspn(head, "0123456789abcdefABCDEF") != HEAD)
		return -1;
	n = strtoul(head, NULL, 16);
	if (n == 0)
		return 0;
	if (n < HEAD || n > PKTLINE_MAX + HEAD ||
	    buf_reserve(text, n - HEAD) < 0 ||
	    io_read_all(fd, text->data, n - HEAD) < 0)
		return -1;
	text->len = n - HEAD;
	if (text->len && text->data[text->len - 1] == '\n')
		text->len--;
	text->data[text->len] = '\0';
	return 1;
}

int
pktline_add(struct buf *out, const char *text, size_t n)
{
	buf_printf(out, "%04zx", n + HEAD);
	return buf_add(out, text, n);
}

int
pktline_end(struct buf *out)
{
	return buf_puts(out, "0000");
}
