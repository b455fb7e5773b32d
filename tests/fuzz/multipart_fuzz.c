/*
 * The multipart parser must see the same form however it is cut: the first
 * byte is the size of the pieces, the rest a form whose boundary is "b".
 */
#include "functions/sdk/multipart.h"

#include "store/base/buf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static int
begin(void *arg, struct multipart_part *part)
{
	return buf_printf(arg, "[%s|%s|%s]", part->name,
	    part->has_filename ? part->filename : "-", part->type);
}

static int
data(void *arg, const char *p, size_t n)
{
	return buf_add(arg, p, n);
}

static int
end(void *arg)
{
	return buf_putc(arg, ';');
}

static int
parse(const char *form, size_t n, size_t piece, struct buf *out)
{
	static const struct multipart_ops OPS = {begin, data, end};
	static struct multipart m;
	size_t i, k;
	int rc;

	rc = multipart_init(&m, "multipart/form-data; boundary=b", &OPS, out);
	for (i = 0; i < n && rc == 0; i += k) {
		k = piece < n - i ? piece : n - i;
		rc = multipart_feed(&m, form + i, k);
	}
	return rc ? rc : multipart_finish(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	const char *form = (const char *)input + 1;
	size_t piece;
	struct buf whole, cut;

	if (n == 0)
		return 0;
	piece = input[0] ? input[0] : 1;
	buf_init(&whole, 1 << 24);
	buf_init(&cut, 1 << 24);
	if (parse(form, n - 1, n, &whole) != parse(form, n - 1, piece, &cut))
		abort();
	if (whole.len != cut.len ||
	    memcmp(buf_str(&whole), buf_str(&cut), cut.len) != 0)
		abort();
	buf_release(&whole);
	buf_release(&cut);
	return 0;
}
