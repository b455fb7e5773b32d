/*
 * Runs one function as production does, for `bothy invoke`: through the
 * launcher, in a fresh process, with its sandbox and its limits; and shows its
 * reply.
 */
#ifndef CLI_CONFINED_H
#define CLI_CONFINED_H

#include "cgishow.h"
#include "envlist.h"
#include "place.h"

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct confined {
	const struct place *place;
	const char *snapshot;		/* its id, in the state directory */
	const char *function;
	struct envlist *env;		/* BOTHY_DEADLINE_MS is added */
	int body_fd;			/* read from its start */
	uint64_t body_bytes;
	bool show_header;
	struct cgikeep *keep;		/* as struct cgishow has it */
	uint32_t limit_ms;		/* at most, whatever its timeout is; 0:
					 * none but that */
};

/*
 * Uses the site's launcher if one is running, else one of our own, which has
 * ended with all its functions on return.  0, or -1 with the error set if
 * nothing could be run; what the function did wrong is in the result.
 */
int confined_run(const struct confined *c, struct cgi_result *result,
    struct err *e);

#endif
