/*
 * NextToken: base64 of
 *
 *	32 bytes	hex digits of the SHA-256 of statement and parameters
 *	2 bytes		digits of the range
 *	the rest	the key to go on behind, as typed JSON; {}: none
 *
 * Whoever makes one up reads no more than the statement lets him: a key is
 * checked as an ExclusiveStartKey is.
 */
#include "statement.h"

#include "store/base/base64.h"
#include "store/base/hash.h"

#include <string.h>

enum { SUM_SIZE = 32, HEAD_SIZE = SUM_SIZE + 2 };

/* What the token is bound to, into SUM_SIZE bytes. */
static int
bind(const struct statement_request *s, char *out, struct err *e)
{
	char hex[HASH_HEX_SIZE];
	struct hash *h = hash_new();
	struct buf b;
	bool ok;

	if (!h)
		return op_no_memory(e);
	buf_init(&b, OP_ARENA_MAX);
	op_statement_write(s, &b);
	ok = buf_ok(&b);
	hash_add(h, b.data, b.len);
	hash_take_hex(h, hex);
	buf_release(&b);
	memcpy(out, hex, SUM_SIZE);
	return ok ? 0 : op_no_memory(e);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
op_next_write(struct op *op, struct reply *r, size_t range,
    const struct value *last, struct err *e)
{
	char sum[SUM_SIZE], *text;
	struct buf b;

	if (bind(op->request.statements, sum, e) < 0)
		return -1;
	buf_init(&b, OP_ARENA_MAX);
	buf_add(&b, sum, sizeof sum);
	buf_printf(&b, "%02zu", range);
	typed_write_item(&b, last);
	text = buf_ok(&b)
	    ? arena_alloc(&op->arena, BASE64_LENGTH(b.len) + 1)
	    : NULL;
	if (text) {
		base64_encode(b.data, b.len, text);
		reply_string(r, "NextToken", text);
	}
	buf_release(&b);
	return text ? 0 : op_no_memory(e);
}

int
op_next_read(struct op *op, size_t *range, const struct value **start,
    struct err *e)
{
	const struct text *token = &op->request.next;
	struct value *key;
	char sum[SUM_SIZE], *bytes;
	ssize_t n;

	*range = 0;
	*start = NULL;
	if (!token->p)
		return 0;
	key = arena_alloc(&op->arena, sizeof *key);
	bytes = arena_alloc(&op->arena, token->n);
	if (!key || !bytes || bind(op->request.statements, sum, e) < 0)
		return op_no_memory(e);
	n = base64_decode(token->p, token->n, bytes);
	if (n < HEAD_SIZE)
		return err_set(e, FAULT_VALIDATION, "Invalid NextToken");
	if (memcmp(bytes, sum, SUM_SIZE) != 0)
		return err_set(e, FAULT_VALIDATION,
		    "NextToken does not match request");
	if (!is_digit(bytes[SUM_SIZE]) || !is_digit(bytes[SUM_SIZE + 1]) ||
	    typed_read_item(&op->arena, bytes + HEAD_SIZE,
	        (size_t)n - HEAD_SIZE, key, e) < 0)
		return err_set(e, FAULT_VALIDATION, "Invalid NextToken");
	*range = (size_t)(10 * (bytes[SUM_SIZE] - '0') +
	    bytes[SUM_SIZE + 1] - '0');
	*start = key->count ? key : NULL;
	return 0;
}
