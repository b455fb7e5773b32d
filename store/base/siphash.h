/*
 * SipHash-2-4 with a 128-bit result (Aumasson and Bernstein, 2012) under a
 * fixed key: names for content and places in an order, where nobody gains
 * from a collision.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of `n` bytes; `start` separates uses and chains calls. */
void siphash128(uint64_t start, const void *p, size_t n, uint64_t out[2]);

#endif
