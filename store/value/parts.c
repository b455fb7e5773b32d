/*
 * base64_write.h: encoded in place, without a copy between.
 */
#include "base64_write.h"

#include "store/base/base64.h"

int
base64_write(struct buf *b, const struct text *bytes)
{
	size_t n = BASE64_LENGTH(bytes->n);

	buf_putc(b, '"');
	if (buf_reserve(b, n) < 0)
		return -1;
	base64_encode(bytes->p, bytes->n, b->data + b->len);
	b->len += n;
	return buf_putc(b, '"');
}
