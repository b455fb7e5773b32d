/*
 * DynamoDB's numbers: exact decimals of at most 38 significant digits, zero or
 * of a magnitude from 1E-130 to 9.99...E+125 (38 nines).
 *
 * The normal form, one text for one number: no sign but '-', no exponent, no
 * zero before the first digit but the one before a point, none behind the last
 * digit of a fraction, no point without a fraction, zero is "0".  So 1E2 is
 * "100", -0.50 is "-0.5" and 1E-3 is "0.001".  It is a JSON number too.
 */
#ifndef VALUE_NUMBER_H
#define VALUE_NUMBER_H

#include "value.h"

enum {
	NUMBER_DIGITS = 38,
	NUMBER_EXPONENT_MIN = -130,	/* of the first digit */
	NUMBER_EXPONENT_MAX = 125,
	NUMBER_TEXT_MAX = 170,	/* "-0." 129 zeros 38 digits, no '\0' */
	NUMBER_KEY_MAX = 22
};

/*
 * sign * d.ddd * 10^exponent.  Zero has sign, count and exponent 0; of all
 * others neither the first nor the last digit is 0.
 */
struct number {
	int sign;			/* -1, 0, 1 */
	int exponent;			/* of the first digit */
	int count;			/* of digits */
	unsigned char digits[NUMBER_DIGITS];	/* 0 to 9, the highest first */
};

/*
 * Reads [+-] digits [. digits] [e|E [+-] digits], a digit at least on one side
 * of the point, any number of zeros before and behind.  0; or -1 with
 * FAULT_VALIDATION and DynamoDB's text: no number, overflow, underflow, more
 * than 38 significant digits.
 */
int number_read(struct number *n, const char *p, size_t len, struct err *e);

/* The normal form into NUMBER_TEXT_MAX bytes, without a '\0': its length. */
size_t number_write(const struct number *n, char *out);

/* A value of type N; the text lies in the arena.  0, or -1 without memory. */
int number_value(const struct number *n, struct arena *a, struct value *out);

/* <0, 0, >0: of numbers; and of their normal forms, without reading them. */
int number_compare(const struct number *a, const struct number *b);
int number_compare_texts(const struct text *a, const struct text *b);

/*
 * Exact: 0; or -1 and an error where the result is out of range or has more
 * than 38 digits.  `out` may be one of the two.
 */
int number_add(struct number *out, const struct number *a,
    const struct number *b, struct err *e);
int number_subtract(struct number *out, const struct number *a,
    const struct number *b, struct err *e);

/*
 * The number as bytes whose memcmp order is that of the numbers, into
 * NUMBER_KEY_MAX bytes: their length.  None begins another, so that more may
 * stand behind it.
 */
size_t number_key(const struct number *n, unsigned char *out);

#endif
