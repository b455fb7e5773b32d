/*
 * Builds several functions at once, for bothy build, run and site compile.
 */
#ifndef CLI_BUILDER_H
#define CLI_BUILDER_H

#include "fcgi/build/build.h"

#include <stddef.h>
#include <stdint.h>

struct job {
	const struct conf_function *function;
	enum build_outcome outcome;
	struct build_result result;
	struct err error;		/* of BUILD_FAILED */
	int64_t ms;
};

/* Room for `n` jobs, or NULL without memory. */
struct job *builder_jobs(size_t n);
void builder_free(struct job *jobs, size_t n);	/* NULL is fine */

/*
 * Does jobs[0..n), with a thread for each processor up to 8.  `done`, unless
 * NULL, is called for each as it ends, in one thread at a time.
 */
void builder_run(const struct build *b, struct job *jobs, size_t n,
    void (*done)(const struct job *j));

/* "built", "current", "broken", "failed". */
const char *builder_word(enum build_outcome outcome);

/* Prints a job's compiler messages or error to stderr. */
void builder_say(const struct job *j);

#endif
