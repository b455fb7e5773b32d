/*
 * Resource limits of a function's processes (setrlimit).
 *
 * Set by the launcher in the child that becomes a zygote or runner, and so
 * inherited by all that it starts.  They are the backstop that the kernel
 * holds between two samples (sample.h); RLIMIT_AS is never set: node and
 * sanitizers reserve terabytes that they never touch.
 */
#ifndef LAUNCH_LIMITS_H
#define LAUNCH_LIMITS_H

#include "store/base/err.h"

#include <stdint.h>

enum {
	LIMITS_DATA_SLACK_MB = 64,	/* RLIMIT_DATA above memorySize */
	LIMITS_FILES = 65536,		/* of a zygote: those that it has sent and
					 * that are on their way count; its
					 * children have ABI_CHILD_FILES */
	LIMITS_FILE_MB = 512,		/* size of one file */
	LIMITS_PROCESSES = 2048,	/* processes and threads, all children */
	LIMITS_TREE = 256		/* processes of one request: sampled */
};

struct limits {
	uint32_t memory_mb;	/* memorySize; 0: none */
	uint32_t file_mb;	/* RLIMIT_FSIZE; 0: none */
	uint32_t files;		/* RLIMIT_NOFILE */
	uint32_t processes;	/* RLIMIT_NPROC; 0: none */
};

/*
 * The defaults for a function of that memorySize.  `counted` says that
 * RLIMIT_NPROC counts this function's processes alone: it has a user namespace
 * (Linux 5.14 on) or a uid of its own.  Otherwise it would count everything
 * that the user runs, and is left out.
 */
void limits_default(struct limits *l, uint32_t memory_mb, int counted);

/* Sets them for the calling process, hard and soft: 0, or -1 and the error. */
int limits_apply(const struct limits *l, struct err *e);

#endif
