/*
 * The hashes against what the standards say (FIPS 180-4, RFC 4231).
 */
#include "store/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
sums_by_pieces(void **state)
{
	char hex[HASH_HEX_SIZE];
	unsigned char sha1[HASH_SHA1_SIZE];
	struct hash *h = hash_new();

	(void)state;
	assert_non_null(h);
	hash_add(h, "a", 1);
	hash_add(h, "bc", 2);
	hash_take_hex(h, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	h = hash_new_sha1();
	assert_non_null(h);
	hash_add(h, "ab", 2);
	hash_add(h, "c", 1);
	hash_take_sha1(h, sha1);
	assert_memory_equal(sha1, "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e"
	    "\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d", sizeof sha1);
}

static void
mac(const void *key, size_t nkey, const char *text, const char *hex)
{
	unsigned char out[HASH_SIZE];
	char got[HASH_HEX_SIZE];
	size_t i;

	hash_hmac(key, nkey, text, strlen(text), out);
	for (i = 0; i < sizeof out; i++)
		snprintf(got + 2 * i, 3, "%02x", out[i]);
	assert_string_equal(got, hex);
}

/* Test cases 1, 2 and 6. */
static void
signs(void **state)
{
	unsigned char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	mac(key, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b"
	    "881dc200c9833da726e9376c2e32cff7");
	mac("Jefe", 4, "what do ya want for nothing?",
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	mac(key, sizeof key,
	    "Test Using Larger Than Block-Size Key - Hash Key First",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
compares(void **state)
{
	(void)state;
	assert_true(hash_same("abc", "abc", 3));
	assert_false(hash_same("abc", "abd", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_by_pieces),
	    cmocka_unit_test(signs),
	    cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
