/*
 * RLIMIT_DATA for a while (memory.h).  Runs in pre-receive, whose later
 * children are not to have it.
 */
#include "memory.h"

#include "deploy.h"

#ifdef __SANITIZE_ADDRESS__ /* which keeps terabytes for itself */
static const rlim_t MOST = RLIM_INFINITY;
#else
static const rlim_t MOST = (rlim_t)DEPLOY_READ_MB << 20;
#endif

void
memory_bound(struct memory *m)
{
	struct rlimit r;

	getrlimit(RLIMIT_DATA, &m->before);
	r = m->before;
	if (r.rlim_cur > MOST)
		r.rlim_cur = MOST;
	setrlimit(RLIMIT_DATA, &r);
}

void
memory_unbound(const struct memory *m)
{
	setrlimit(RLIMIT_DATA, &m->before);
}
