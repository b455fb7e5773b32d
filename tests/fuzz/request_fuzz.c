/*
 * Any body for any operation: it is taken or refused with one of four faults,
 * and what was taken says which tables it is about.  The first byte is the
 * operation, the second whether documents are plain.
 */
#include "store/wire/request.h"

#include "fuzz.h"

#include "store/value/fault.h"

#include <string.h>

static void
check_access(const struct request *r)
{
	struct access a;
	size_t i;

	for (i = 0; request_access(r, i, &a); i++) {
		require(a.action != NULL && i < 1000);
		if (r->info->op <= OP_TRANSACT_WRITE_ITEMS)
			require(a.table.p && a.table.n >= 3);
		if (a.key)
			require(a.key->type == VALUE_M);
	}
	require(i > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct request r;
	struct arena a;
	struct err e = {0};
	char *body;

	if (n < 2)
		return 0;
	body = malloc(n - 1);		/* so that its end is seen */
	require(body != NULL);
	memcpy(body, input + 2, n - 2);
	arena_init(&a, 1 << 20);
	if (request_read(&r, input[0], input[1] & 1, &a, body, n - 2, &e) == 0)
		check_access(&r);
	else
		require((e.code == FAULT_SERIALIZATION ||
		    e.code == FAULT_VALIDATION || e.code == FAULT_LIMIT ||
		    e.code == FAULT_UNKNOWN_OPERATION) && e.text[0] &&
		    memchr(e.text, '\0', sizeof e.text));
	arena_release(&a);
	free(body);
	return 0;
}
