/*
 * What fuzz targets share: the name that libFuzzer and the replay call, and how
 * what must hold is held.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static inline void
require(bool holds)
{
	if (!holds)
		abort();
}

#endif
