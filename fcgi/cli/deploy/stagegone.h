/*
 * A stage's end, after its branch was deleted.
 */
#ifndef CLI_STAGEGONE_H
#define CLI_STAGEGONE_H

#include "store/base/err.h"

/*
 * What runs on the stage finishes, its daemons end, and all of it is removed,
 * its secrets too.  0, or -1 with the error: after `wait_ms` it runs still
 * (EBUSY), and the next that comes by does it.
 */
int stage_gone(const char *site, const char *stage, int wait_ms, struct err *e);

/* Does that for all that were dropped and are there still, without waiting. */
void stage_sweep(const char *site);

#endif
