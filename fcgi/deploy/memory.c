/*
 * RLIMIT_DATA for a while (memory.h).  Runs in pre-receive, whose later
 * children are not to have it.
 */
#include "memory.h"

#include "deploy.h"

bool
memory_can_be_bound(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#else
	return true;
#endif
}

void
memory_bound(struct memory *m)
{
	const rlim_t most = (rlim_t)DEPLOY_READ_MB << 20;
	struct rlimit r;

	getrlimit(RLIMIT_DATA, &m->before);
	r = m->before;
	if (memory_can_be_bound() && r.rlim_cur > most)
		r.rlim_cur = most;
	setrlimit(RLIMIT_DATA, &r);
}

void
memory_unbound(const struct memory *m)
{
	setrlimit(RLIMIT_DATA, &m->before);
}
