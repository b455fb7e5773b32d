/*
 * Checks of what came over the function ABI's wire; both sides run them.
 */
#include "abi.h"

#include <string.h>

int
abi_request_check(const struct abi_request *h, size_t n, size_t nfds)
{
	size_t want = 0;

	if (n < sizeof *h || h->magic != ABI_MAGIC ||
	    (h->flags & ~(uint32_t)(ABI_NO_STDIN | ABI_HAS_OUTPUTS)))
		return -1;
	if (h->env_bytes > ABI_ENV_MAX || h->env_count > ABI_VARIABLES_MAX ||
	    n != sizeof *h + h->env_bytes)
		return -1;
	if (!(h->flags & ABI_NO_STDIN))
		want += 1;
	if (h->flags & ABI_HAS_OUTPUTS)
		want += 2;
	return nfds == want ? 0 : -1;
}

int
abi_done_check(const struct abi_done *h, size_t n)
{
	if (n < sizeof *h || h->magic != ABI_MAGIC ||
	    h->end > ABI_END_NOT_YET || h->inline_bytes > ABI_INLINE_MAX ||
	    n != sizeof *h + h->inline_bytes)
		return -1;
	return 0;
}

int
abi_env_split(char *block, size_t bytes, size_t count, char **envp)
{
	size_t at = 0, i;
	char *end, *eq;

	for (i = 0; i < count; i++) {
		end = at < bytes ? memchr(block + at, '\0', bytes - at) : NULL;
		eq = end ? strchr(block + at, '=') : NULL;
		if (!eq || eq == block + at)
			return -1;
		envp[i] = block + at;
		at = (size_t)(end - block) + 1;
	}
	envp[count] = NULL;
	return at == bytes ? 0 : -1;
}
