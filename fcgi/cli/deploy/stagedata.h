/*
 * The documents of a new stage: a copy of the site's.
 */
#ifndef CLI_STAGEDATA_H
#define CLI_STAGEDATA_H

#include "store/base/err.h"

/*
 * Makes the store of `stage` from that of `site` (both directories of deployed
 * sites), with all that was written until now and its history: one state of
 * all tables.  The process forgets git's environment.  0; or -1 with the error:
 * the stage has documents already (EEXIST), the site has none (ENOENT).
 */
int stage_data(const char *site, const char *stage, struct err *e);

#endif
