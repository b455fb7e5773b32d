/*
 * Numbers and base64 between JSON and values (parts.h).
 */
#include "parts.h"

#include "json_internal.h"
#include "number.h"
#include "store/base/base64.h"

#include <string.h>

int
part_number(struct json *j, const struct json_token *t, struct value *out)
{
	char normal[NUMBER_TEXT_MAX];
	struct number n;
	struct err e;
	size_t len;

	if (number_read(&n, t->text.p, t->text.n, &e) < 0)
		return json_fail(j, t->start, e.code, "%s", e.text);
	len = number_write(&n, normal);
	if (len == t->text.n && memcmp(normal, t->text.p, len) == 0) {
		*out = (struct value){.type = VALUE_N, .text = t->text};
		return 0;
	}
	return number_value(&n, j->arena, out) < 0 ? json_fail_memory(j) : 0;
}

int
part_binary(struct json *j, const struct json_token *t, struct value *out)
{
	char *bytes = arena_alloc(j->arena, t->text.n / 4 * 3);
	ssize_t n;

	if (!bytes)
		return json_fail_memory(j);
	n = base64_decode(t->text.p, t->text.n, bytes);
	if (n < 0)
		return 1;
	*out = (struct value){.type = VALUE_B, .text = {bytes, (size_t)n}};
	return 0;
}

int
part_write_binary(struct buf *b, const struct text *bytes)
{
	size_t n = BASE64_LENGTH(bytes->n);

	buf_putc(b, '"');
	if (buf_reserve(b, n) < 0)
		return -1;
	base64_encode(bytes->p, bytes->n, b->data + b->len);
	b->len += n;
	return buf_putc(b, '"');
}
