/*
 * Base64: the vectors of RFC 4648 section 10, all bytes, and what is none.
 */
#include "store/base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *plain, *coded;
} VECTORS[] = {
    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

static void
test_vectors(void **state)
{
	char out[32];
	ssize_t n;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
		len = strlen(VECTORS[i].plain);
		base64_encode(VECTORS[i].plain, len, out);
		assert_string_equal(out, VECTORS[i].coded);
		assert_int_equal(strlen(out), BASE64_LENGTH(len));
		n = base64_decode(VECTORS[i].coded, strlen(out), out);
		assert_int_equal(n, len);
		assert_memory_equal(out, VECTORS[i].plain, len);
	}
}

static void
test_all_bytes(void **state)
{
	unsigned char bytes[256], back[BASE64_LENGTH(256) / 4 * 3];
	char coded[BASE64_LENGTH(256) + 1];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(255 - i);
	for (n = 0; n <= sizeof bytes; n++) {
		base64_encode(bytes, n, coded);
		assert_int_equal(base64_decode(coded, strlen(coded), back), n);
		assert_memory_equal(back, bytes, n);
	}
}

static void
test_malformed(void **state)
{
	static const char *const BAD[] = {"Z", "Zg", "Zg=", "Zg===", "====",
	    "=Zg=", "Zg==Zg==", "Z===", "Zm9v\n", "Zm 9", "Zm-_", "Zh==",
	    "Zm9="};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
		assert_int_equal(base64_decode(BAD[i], strlen(BAD[i]), out),
		    -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_all_bytes),
	    cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
