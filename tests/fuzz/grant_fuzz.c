/*
 * Any text as grants, or as a token: refused or understood; and what a token
 * that was minted from them allows is what they allowed before.
 */
#include "store/wire/token.h"

#include "fuzz.h"

#include "store/value/fault.h"

#include <string.h>

static const unsigned char SECRET[TOKEN_SECRET_SIZE] = "of the fuzzer";

static int
allows(const struct token *t, const char *action, const char *table,
    const char *key)
{
	struct wish w = {.action = action,
	    .table = {table, table ? strlen(table) : 0},
	    .key = {key, key ? strlen(key) : 0}};
	struct err e;
	int rc = token_allows(t, &w, &e);

	require(rc == 0 || e.code == FAULT_DENIED);
	return rc;
}

static void
same_rights(const struct token *a, const struct token *b)
{
	static const char *const actions[] = {"dynamodb:GetItem",
	    "dynamodb:PutItem", "bothy:Log"};
	static const char *const tables[] = {NULL, "notes", "abc"};
	static const char *const keys[] = {NULL, "me", ""};
	size_t i, k, m;

	for (i = 0; i < 3; i++)
		for (k = 0; k < 3; k++)
			for (m = 0; m < 3; m++)
				require(allows(a, actions[i], tables[k],
				    keys[m]) == allows(b, actions[i],
				    tables[k], keys[m]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	struct token t = {.function = {"f", 1}, .release = {"r", 1}}, again;
	const char *text = (const char *)input;
	struct arena a;
	struct err e = {0};
	struct buf b;

	arena_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	require(token_read(&again, &a, SECRET, text, n, &e) < 0);
	require(e.code == FAULT_DENIED);
	if (grants_read(&a, text, n, &t.grants, &t.ngrants, &e) < 0)
		require(e.code == FAULT_VALIDATION);
	else if (token_mint(&b, SECRET, &t, &e) == 0) {
		require(token_read(&again, &a, SECRET, b.data, b.len, &e) == 0);
		same_rights(&t, &again);
	}
	buf_release(&b);
	arena_release(&a);
	return 0;
}
