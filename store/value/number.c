/*
 * Numbers as number.h describes them: text to digits and back, exact sums,
 * and keys whose bytes are in the order of the numbers.
 */
#include "number.h"

#include "fault.h"

#include <stdint.h>
#include <string.h>

enum { SHOWN_MAX = 256 };	/* bytes of what is no number, in errors */

/* --- errors --------------------------------------------------------------- */

static int
fail_syntax(const char *p, size_t len, struct err *e)
{
	if (len == 0)
		return err_set(e, FAULT_VALIDATION, "The parameter cannot be "
		    "converted to a numeric value");
	return err_set(e, FAULT_VALIDATION, "The parameter cannot be "
	    "converted to a numeric value: %.*s",
	    (int)(len < SHOWN_MAX ? len : SHOWN_MAX), p);
}

/* What its range and its digits say about a number that is not 0. */
static int
check_bounds(int64_t exponent, size_t digits, struct err *e)
{
	if (exponent > NUMBER_EXPONENT_MAX)
		return err_set(e, FAULT_VALIDATION, "Number overflow. "
		    "Attempting to store a number with magnitude larger than "
		    "supported range");
	if (exponent < NUMBER_EXPONENT_MIN)
		return err_set(e, FAULT_VALIDATION, "Number underflow. "
		    "Attempting to store a number with magnitude smaller than "
		    "supported range");
	if (digits > NUMBER_DIGITS)
		return err_set(e, FAULT_VALIDATION, "Attempting to store more "
		    "than 38 significant digits in a Number");
	return 0;
}

/* --- text ----------------------------------------------------------------- */

/* A text as it is taken apart. */
struct scan {
	const char *at, *end;
	struct number *n;
	bool any;		/* a digit was there */
	size_t seen;		/* digits since the first that is not 0 */
	size_t significant;	/* of these, up to the last that is not 0 */
	int64_t exponent;	/* of the first that is not 0 */
};

/* A run of digits; before the point each one raises the exponent. */
static void
scan_digits(struct scan *s, bool fraction)
{
	unsigned digit;

	for (; s->at < s->end; s->at++) {
		digit = (unsigned)(*s->at - '0');
		if (digit > 9)
			return;
		s->any = true;
		if (s->seen == 0 && digit == 0) {
			s->exponent -= fraction;
			continue;
		}
		if (s->seen < NUMBER_DIGITS)
			s->n->digits[s->seen] = (unsigned char)digit;
		if (s->seen++ == 0)
			s->exponent -= fraction;
		else
			s->exponent += !fraction;
		if (digit)
			s->significant = s->seen;
	}
}

static bool
scan_sign(struct scan *s)
{
	if (s->at == s->end || (*s->at != '-' && *s->at != '+'))
		return false;
	return *s->at++ == '-';
}

/* What stands behind E; -1 if that is no integer. */
static int
scan_exponent(struct scan *s)
{
	const int64_t far = (int64_t)1 << 60;	/* no text is that long */
	bool negative, any = false;
	int64_t n = 0;

	if (s->at == s->end || (*s->at != 'e' && *s->at != 'E'))
		return 0;
	s->at++;
	negative = scan_sign(s);
	for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
		any = true;
		if (n < far / 16)
			n = 10 * n + (*s->at - '0');
	}
	s->exponent += negative ? -n : n;
	return any ? 0 : -1;
}

int
number_read(struct number *n, const char *p, size_t len, struct err *e)
{
	struct scan s = {.at = p, .end = p + len, .n = n};
	bool negative = scan_sign(&s);

	scan_digits(&s, false);
	if (s.at < s.end && *s.at == '.') {
		s.at++;
		scan_digits(&s, true);
	}
	if (!s.any || scan_exponent(&s) < 0 || s.at != s.end)
		return fail_syntax(p, len, e);
	if (s.significant == 0) {
		n->sign = n->exponent = n->count = 0;
		return 0;
	}
	if (check_bounds(s.exponent, s.significant, e) < 0)
		return -1;
	n->sign = negative ? -1 : 1;
	n->exponent = (int)s.exponent;
	n->count = (int)s.significant;
	return 0;
}

static char *
put_digits(char *at, const unsigned char *digits, int count)
{
	int i;

	for (i = 0; i < count; i++)
		*at++ = (char)('0' + digits[i]);
	return at;
}

static char *
put_zeros(char *at, int count)
{
	memset(at, '0', (size_t)count);
	return at + count;
}

size_t
number_write(const struct number *n, char *out)
{
	int whole = n->exponent + 1;	/* digits before the point */
	char *at = out;

	if (n->sign == 0) {
		*out = '0';
		return 1;
	}
	if (n->sign < 0)
		*at++ = '-';
	if (n->count <= whole) {
		at = put_digits(at, n->digits, n->count);
		at = put_zeros(at, whole - n->count);
	} else if (whole > 0) {
		at = put_digits(at, n->digits, whole);
		*at++ = '.';
		at = put_digits(at, n->digits + whole, n->count - whole);
	} else {
		*at++ = '0';
		*at++ = '.';
		at = put_zeros(at, -whole);
		at = put_digits(at, n->digits, n->count);
	}
	return (size_t)(at - out);
}

int
number_value(const struct number *n, struct arena *a, struct value *out)
{
	char text[NUMBER_TEXT_MAX];
	size_t len = number_write(n, text);
	const char *copy = arena_copy(a, text, len);

	if (!copy)
		return -1;
	*out = (struct value){.type = VALUE_N, .text = {copy, len}};
	return 0;
}

/* --- order ---------------------------------------------------------------- */

/* Of two that are above zero, without regard to their signs. */
static int
compare_magnitudes(const struct number *a, const struct number *b)
{
	int n = a->count < b->count ? a->count : b->count, c;

	if (a->exponent != b->exponent)
		return a->exponent < b->exponent ? -1 : 1;
	c = memcmp(a->digits, b->digits, (size_t)n);
	return c ? c : a->count - b->count;
}

int
number_compare(const struct number *a, const struct number *b)
{
	if (a->sign != b->sign)
		return a->sign - b->sign;
	if (a->sign == 0)
		return 0;
	return a->sign * compare_magnitudes(a, b);
}

/* Digits before the point. */
static size_t
whole_length(const char *p, size_t n)
{
	const char *point = memchr(p, '.', n);

	return point ? (size_t)(point - p) : n;
}

/*
 * Without signs: more digits before the point is more, then it is the order
 * of the characters, as a fraction ends in no zero.
 */
static int
compare_unsigned(struct text a, struct text b)
{
	size_t na = whole_length(a.p, a.n), nb = whole_length(b.p, b.n);

	if (na != nb)
		return na < nb ? -1 : 1;
	return text_compare(&a, &b);
}

int
number_compare_texts(const struct text *a, const struct text *b)
{
	bool na = a->n && *a->p == '-', nb = b->n && *b->p == '-';

	if (na != nb)
		return na ? -1 : 1;
	if (!na)
		return compare_unsigned(*a, *b);
	return compare_unsigned((struct text){b->p + 1, b->n - 1},
	    (struct text){a->p + 1, a->n - 1});
}

/*
 * A key, by bytes:
 *
 *	0	1 below zero, 2 zero (and no more bytes), 3 above
 *	1	exponent of the first digit, + 130
 *	2...	two digits each, as 1 to 100; behind an odd digit stands 0
 *	last	0
 *
 * Below zero all but the first byte are complemented.
 */
size_t
number_key(const struct number *n, unsigned char *out)
{
	unsigned char *at = out, *p;
	int i, low;

	*at++ = (unsigned char)(2 + n->sign);
	if (n->sign == 0)
		return 1;
	*at++ = (unsigned char)(n->exponent - NUMBER_EXPONENT_MIN);
	for (i = 0; i < n->count; i += 2) {
		low = i + 1 < n->count ? n->digits[i + 1] : 0;
		*at++ = (unsigned char)(10 * n->digits[i] + low + 1);
	}
	*at++ = 0;
	for (p = out + 1; n->sign < 0 && p < at; p++)
		*p = (unsigned char)~*p;
	return (size_t)(at - out);
}

/* --- sums ----------------------------------------------------------------- */

/* Every digit that a number can have, by its exponent, and one to carry. */
enum {
	LOWEST = NUMBER_EXPONENT_MIN - NUMBER_DIGITS + 1,
	PLACES = NUMBER_EXPONENT_MAX + 1 - LOWEST + 1
};

struct sum {
	signed char places[PLACES];	/* the lowest first */
};

static void
sum_add(struct sum *s, const struct number *n, int factor)
{
	int i, place;

	for (i = 0; i < n->count; i++) {
		place = n->exponent - i - LOWEST;
		s->places[place] = (signed char)(s->places[place] +
		    factor * n->digits[i]);
	}
}

/* Makes each place a digit again; the sum is not below zero. */
static void
sum_carry(struct sum *s)
{
	int i, carry = 0, digit;

	for (i = 0; i < PLACES; i++) {
		digit = s->places[i] + carry;
		carry = digit < 0 ? -1 : digit > 9;
		s->places[i] = (signed char)(digit - 10 * carry);
	}
}

static int
sum_take(const struct sum *s, int sign, struct number *out, struct err *e)
{
	int high = PLACES - 1, low = 0, i;

	while (high >= 0 && s->places[high] == 0)
		high--;
	if (high < 0) {
		out->sign = out->exponent = out->count = 0;
		return 0;
	}
	while (s->places[low] == 0)
		low++;
	if (check_bounds(high + LOWEST, (size_t)(high - low + 1), e) < 0)
		return -1;
	out->sign = sign;
	out->exponent = high + LOWEST;
	out->count = high - low + 1;
	for (i = 0; i < out->count; i++)
		out->digits[i] = (unsigned char)s->places[high - i];
	return 0;
}

int
number_add(struct number *out, const struct number *a, const struct number *b,
    struct err *e)
{
	const struct number *big = a, *small = b;
	struct sum sum = {{0}};

	if (a->sign == 0 || (b->sign != 0 && compare_magnitudes(a, b) < 0)) {
		big = b;
		small = a;
	}
	sum_add(&sum, big, 1);
	sum_add(&sum, small, small->sign == big->sign ? 1 : -1);
	sum_carry(&sum);
	return sum_take(&sum, big->sign, out, e);
}

int
number_subtract(struct number *out, const struct number *a,
    const struct number *b, struct err *e)
{
	struct number minus = *b;

	minus.sign = -minus.sign;
	return number_add(out, a, &minus, e);
}
