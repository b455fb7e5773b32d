/*
 * Numbers: texts and sums against tables, and what must hold of any: the
 * normal form reads back, keys are in the order of the numbers, what was added
 * can be taken away.
 */
#include "store/value/number.h"

#include "store/value/fault.h"
#include "tests/unit/store/value/cases.h"
#include "tests/unit/store/value/random_value.h"

static void
expect(const char *what, int rc, const struct number *n, const struct err *e,
    const char *expected)
{
	char text[NUMBER_TEXT_MAX + 1];

	if (rc < 0) {
		assert_int_equal(e->code, FAULT_VALIDATION);
		if (expected[0] != '!' || strcmp(e->text, expected + 2) != 0)
			fail_msg("%s: %s, not %s", what, e->text, expected);
		return;
	}
	text[number_write(n, text)] = '\0';
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", what, text, expected);
}

static struct number
parse(const char *text)
{
	struct number n;
	struct err e;

	if (number_read(&n, text, strlen(text), &e) < 0)
		fail_msg("%s: %s", text, e.text);
	return n;
}

static void
check_read(char **fields)
{
	struct number n;
	struct err e;
	int rc = number_read(&n, fields[1], strlen(fields[1]), &e);

	assert_string_equal(fields[0], "read");
	expect(fields[1], rc, &n, &e, fields[2]);
}

static void
check_sum(char **fields)
{
	struct number a = parse(fields[1]), b = parse(fields[2]), sum;
	bool add = strcmp(fields[0], "add") == 0;
	struct err e;
	int rc;

	rc = add ? number_add(&sum, &a, &b, &e) :
	    number_subtract(&sum, &a, &b, &e);
	expect(fields[1], rc, &sum, &e, fields[3]);
	rc = add ? number_add(&a, &a, &b, &e) :
	    number_subtract(&a, &a, &b, &e);
	expect(fields[2], rc, &a, &e, fields[3]);
}

static void
tables(void **state)
{
	(void)state;
	assert_true(cases_run("number.cases", check_read) > 80);
	assert_true(cases_run("sums.cases", check_sum) > 700);
}

/* Zeros without end before, between and behind count for nothing. */
static void
long_texts(void **state)
{
	const size_t n = 500000;
	char *text = malloc(2 * n + 64);
	struct number parsed;
	struct err e;

	(void)state;
	assert_non_null(text);
	memset(text, '0', 2 * n + 64);
	memcpy(text + n, "12.5", 4);
	assert_int_equal(number_read(&parsed, text, 2 * n, &e), 0);
	expect("long", 0, &parsed, &e, "12.5");
	memcpy(text, "-0.", 3);
	memcpy(text + n, "25e+499999", 10);
	assert_int_equal(number_read(&parsed, text, n + 10, &e), 0);
	expect("far", 0, &parsed, &e, "-25");
	assert_int_equal(number_read(&parsed, text, n + 9, &e), -1);
	assert_non_null(strstr(e.text, "underflow"));
	memset(text, '9', n);
	text[n] = '\0';
	assert_int_equal(number_read(&parsed, text, n, &e), -1);
	assert_non_null(strstr(e.text, "overflow"));
	text[0] = 'x';
	assert_int_equal(number_read(&parsed, text, n, &e), -1);
	assert_non_null(strstr(e.text, "cannot be converted"));
	free(text);
}

static int
compare_keys(const struct number *a, const struct number *b)
{
	unsigned char ka[NUMBER_KEY_MAX], kb[NUMBER_KEY_MAX];
	size_t na = number_key(a, ka), nb = number_key(b, kb);
	size_t n = na < nb ? na : nb;
	int c = memcmp(ka, kb, n);

	assert_true(na <= NUMBER_KEY_MAX && nb <= NUMBER_KEY_MAX);
	/* Neither begins the other. */
	assert_true(c != 0 || na == nb);
	return c;
}

static int
sign(int c)
{
	return (c > 0) - (c < 0);
}

/* The order by difference, where that is a number. */
static void
check_pair(const struct number *a, const struct number *b)
{
	char ta[NUMBER_TEXT_MAX], tb[NUMBER_TEXT_MAX];
	const struct text text_a = {ta, number_write(a, ta)};
	const struct text text_b = {tb, number_write(b, tb)};
	int c = sign(number_compare(a, b));
	struct number sum, back;
	struct err e;

	assert_int_equal(c, -sign(number_compare(b, a)));
	assert_int_equal(c, sign(compare_keys(a, b)));
	assert_int_equal(c, sign(number_compare_texts(&text_a, &text_b)));
	if (number_subtract(&sum, a, b, &e) == 0)
		assert_int_equal(c, sum.sign);
	if (number_add(&sum, a, b, &e) < 0)
		return;
	assert_int_equal(number_subtract(&back, &sum, b, &e), 0);
	assert_int_equal(number_compare(&back, a), 0);
	assert_int_equal(number_read(&back, ta, text_a.n, &e), 0);
	assert_int_equal(number_compare(&back, a), 0);
}

static void
properties(void **state)
{
	struct random r;
	struct number a, b;
	int i;

	(void)state;
	random_init(&r, 1);
	for (i = 0; i < RANDOM_ROUNDS / 4; i++) {
		random_number(&r, &a);
		random_number(&r, &b);
		if (random_below(&r, 4) == 0)
			b = a;
		if (random_below(&r, 8) == 0)
			b.sign = -b.sign;
		check_pair(&a, &b);
	}
}

static void
order(void **state)
{
	static const char *const ascending[] = {
	    "-9.9999999999999999999999999999999999999e125", "-1e125", "-100",
	    "-99", "-10.01", "-10", "-9", "-1.5", "-1", "-0.5", "-0.05",
	    "-1e-130", "0", "1e-130", "1.1e-130", "0.05", "0.5", "0.51", "1",
	    "1.5", "9", "10", "10.01", "99", "100", "101", "1e125"};
	const size_t count = sizeof ascending / sizeof *ascending;
	struct number a, b;
	size_t i, k;

	(void)state;
	for (i = 0; i < count; i++)
		for (k = 0; k < count; k++) {
			a = parse(ascending[i]);
			b = parse(ascending[k]);
			assert_int_equal(sign(number_compare(&a, &b)),
			    (i > k) - (i < k));
			assert_int_equal(sign(compare_keys(&a, &b)),
			    (i > k) - (i < k));
		}
}

/* What lies on disk: it must not change. */
static void
key_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned char key[NUMBER_KEY_MAX];
	} keys[] = {
	    {"0", 1, {2}},
	    {"1", 4, {3, 130, 11, 0}},
	    {"-1", 4, {1, 125, 244, 255}},
	    {"123.4", 5, {3, 132, 13, 35, 0}},
	    {"9e125", 4, {3, 255, 91, 0}},
	    {"-99e-131", 4, {1, 255, 155, 255}},
	};
	unsigned char key[NUMBER_KEY_MAX];
	struct number n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof keys / sizeof *keys; i++) {
		n = parse(keys[i].text);
		assert_int_equal(number_key(&n, key), keys[i].n);
		assert_memory_equal(key, keys[i].key, keys[i].n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables),
	    cmocka_unit_test(long_texts),
	    cmocka_unit_test(order),
	    cmocka_unit_test(key_bytes),
	    cmocka_unit_test(properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
