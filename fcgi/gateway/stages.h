/*
 * The stages of a site that is deployed by git push, which the site's own
 * gateway serves: one configuration of the web server reaches them all.
 *
 * A stage is a site of its own below SITE/stages (fcgi/release), with its own
 * launcher, store, logs and secrets; here it has a struct gateway of its own,
 * opened when it is first asked for.  Which ones there are, and under which
 * path or host, is looked up by time, not per request; where there are none,
 * a request pays one test.  Those of stages have half of the workers at most.
 */
#ifndef GATEWAY_STAGES_H
#define GATEWAY_STAGES_H

#include "exchange.h"

int stages_init(struct gateway *front);	    /* 0, or -1 without memory */
void stages_release(struct gateway *front); /* no request runs any more */

/* Looks which ones there are: 50 of them cost some ms, no change a stat. */
void stages_look(struct gateway *front);

/* What happens by time in those that are open; those not used are closed. */
void stages_tick(struct gateway *front, int64_t now_ms);
void stages_reopen(struct gateway *front); /* their logs */
void stages_reload(struct gateway *front); /* as on SIGHUP */

/*
 * If Host, or the path within the site, is a stage's, the request is its from
 * now on, until stages_leave().  0; or -1 after an answer.
 */
int stages_by_host(struct exchange *x);
int stages_by_path(struct exchange *x);
void stages_leave(struct worker *w);

#endif
