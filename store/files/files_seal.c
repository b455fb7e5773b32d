/*
 * Seals, as files_seal.h describes them.
 */
#include "files_seal.h"

enum {
	SEAL_BITS = 20,
	SEAL_MASK = (1 << SEAL_BITS) - 1,
	STEP_MAX = 952		/* (952 << 20 | mask) is below 10^9 */
};

/* The finalizer of MurmurHash3: each bit of `x` reaches each of the result. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdU;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53U;
	return x ^ x >> 33;
}

static long
seal(uint64_t salt, uint64_t inode, int64_t size, int64_t seconds, long step)
{
	uint64_t h = mix(salt);

	h = mix(h ^ inode);
	h = mix(h ^ (uint64_t)size);
	h = mix(h ^ (uint64_t)seconds);
	h = mix(h ^ (uint64_t)step);
	return step << SEAL_BITS | (long)(h & SEAL_MASK);
}

struct timespec
files_seal_time(uint64_t salt, uint64_t inode, int64_t size,
    const struct timespec *now)
{
	long step = now->tv_nsec >> SEAL_BITS;

	if (step > STEP_MAX)
		step = STEP_MAX;
	return (struct timespec){now->tv_sec,
	    seal(salt, inode, size, now->tv_sec, step)};
}

bool
files_seal_holds(uint64_t salt, const struct stat *st)
{
	long ns = st->st_mtim.tv_nsec;

	return ns == seal(salt, st->st_ino, st->st_size, st->st_mtim.tv_sec,
	    ns >> SEAL_BITS);
}
