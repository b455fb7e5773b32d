/*
 * bothy site: what is below it (deploy/ in this folder's DESIGN).
 */
#include "fcgi/cli/cli.h"

extern const struct command command_site_create, command_site_receive,
    command_site_compile;

static const struct command *const below[] = {
    &command_site_create,
    &command_site_receive,
    &command_site_compile,
    NULL,
};

const struct command command_site = {
    .name = "site",
    .arguments = "COMMAND ...",
    .summary = "sites that are deployed by git push",
    .help = "Sites that are deployed by git push, on the machine that "
	    "serves them. `bothy site create shop` makes one; `git push "
	    "ssh://host/~/shop.git main` deploys to it.",
    .below = below,
};
