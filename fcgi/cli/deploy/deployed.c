/*
 * Opens a deployed site for a command (deployed.h).
 */
#include "deployed.h"

#include "stagegone.h"

#include <errno.h>

int
deployed_open(const struct cli *c, struct release_site *s)
{
	struct place p;
	struct err e;

	if (cli_place(c, &p, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (!release_is_site(p.site)) {
		err_set(&e, ENOENT,
		    "%s is not deployed by git push; `bothy "
		    "site create` makes a site that is",
		    p.site);
		return cli_fail(&e, CLI_FAILED);
	}
	if (release_site_read(s, p.site, &e) < 0 ||
	    release_reconcile(p.site, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (!p.stage[0])
		stage_sweep(p.site);
	return CLI_OK;
}
