/*
 * Resource limits, as limits.h describes them.  Runs in the launcher's child.
 */
#include "limits.h"

#include <stddef.h>
#include <sys/resource.h>

void
limits_default(struct limits *l, uint32_t memory_mb, int counted)
{
	*l = (struct limits){
	    .memory_mb = memory_mb,
	    .file_mb = LIMITS_FILE_MB,
	    .files = LIMITS_FILES,
	    .processes = counted ? LIMITS_PROCESSES : 0,
	};
}

struct rule {
	__rlimit_resource_t resource;
	const char *name;
	rlim_t value;
};

/* Never above what is there already: raising a hard limit takes root. */
static int
apply(const struct rule *r, struct err *e)
{
	struct rlimit l;

	if (getrlimit(r->resource, &l) < 0)
		return err_sys(e, "cannot read %s", r->name);
	if (l.rlim_max > r->value)
		l.rlim_max = r->value;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(r->resource, &l) < 0)
		return err_sys(e, "cannot set %s to %llu", r->name,
		    (unsigned long long)r->value);
	return 0;
}

static rlim_t
megabytes(uint32_t mb, uint32_t slack)
{
	return mb ? (rlim_t)(mb + (uint64_t)slack) << 20 : RLIM_INFINITY;
}

int
limits_apply(const struct limits *l, struct err *e)
{
	const struct rule rules[] = {
	    {RLIMIT_CORE, "RLIMIT_CORE", 0},
	    {RLIMIT_DATA, "RLIMIT_DATA",
	        megabytes(l->memory_mb, LIMITS_DATA_SLACK_MB)},
	    {RLIMIT_FSIZE, "RLIMIT_FSIZE", megabytes(l->file_mb, 0)},
	    {RLIMIT_NOFILE, "RLIMIT_NOFILE", l->files},
	    {RLIMIT_NPROC, "RLIMIT_NPROC",
	        l->processes ? l->processes : RLIM_INFINITY},
	};
	size_t i;

	for (i = 0; i < sizeof rules / sizeof *rules; i++)
		if (apply(&rules[i], e) < 0)
			return -1;
	return 0;
}
