/*
 * Request ids and trace ids (reqid.h).
 */
#include "reqid.h"

#include "store/base/clock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* The next value of splitmix64: trace ids need no secrecy, only spread. */
static uint64_t
spread(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void
reqid_init(struct reqid *r)
{
	uint64_t random[4];
	ssize_t n;

	do
		n = getrandom(random, sizeof(random), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(random)) {
		/* No getrandom (before Linux 3.17): what differs here. */
		random[3] = (uint64_t)clock_mono_us() ^
		    (uint64_t)(uintptr_t)r ^ (uint64_t)getpid() << 32;
		random[0] = spread(&random[3]);
		random[1] = spread(&random[3]);
		random[2] = spread(&random[3]);
	}
	r->high = random[0] & 0xffff;
	r->low = random[1];
	r->seed[0] = random[2];
	r->seed[1] = random[3];
}

void
reqid_next(struct reqid *r, char *out)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t high, low;
	size_t i;

	if (++r->low == 0)
		r->high = (r->high + 1) & 0xffff;
	high = (uint64_t)clock_wall_ms() << 16 | r->high;
	low = r->low;
	for (i = REQID_SIZE - 1; i-- > 0;) {
		out[i] = alphabet[low & 31];
		low = low >> 5 | high << 59;
		high >>= 5;
	}
	out[REQID_SIZE - 1] = '\0';
}

/* `n` lower-case hex digits, not all of them 0. */
static bool
hex_id(const char *s, size_t n)
{
	bool zero = true;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!((s[i] >= '0' && s[i] <= '9') ||
		        (s[i] >= 'a' && s[i] <= 'f')))
			return false;
		zero = zero && s[i] == '0';
	}
	return !zero;
}

bool
traceparent_valid(const char *s)
{
	if (strnlen(s, TRACEPARENT_SIZE) != TRACEPARENT_SIZE - 1 ||
	    memcmp(s, "00-", 3) != 0 || s[35] != '-' || s[52] != '-')
		return false;
	/* Flags of 00 are fine. */
	return hex_id(s + 3, 32) && hex_id(s + 36, 16) &&
	    (hex_id(s + 53, 2) || memcmp(s + 53, "00", 2) == 0);
}

static void
put_hex(char *out, uint64_t v)
{
	size_t i;

	for (i = 16; i-- > 0; v >>= 4)
		out[i] = "0123456789abcdef"[v & 15];
}

void
traceparent_next(struct reqid *r, char *out)
{
	uint64_t first = spread(&r->seed[0]), second = spread(&r->seed[1]);
	uint64_t parent = spread(&r->seed[0]);

	memcpy(out, "00-", 3);
	put_hex(out + 3, first ? first : 1);
	put_hex(out + 19, second);
	out[35] = '-';
	put_hex(out + 36, parent ? parent : 1);
	memcpy(out + 52, "-00", 4);
}
