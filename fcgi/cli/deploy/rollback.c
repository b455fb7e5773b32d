/*
 * bothy rollback: makes an earlier release live again, or a later one.
 */
#include "deployed.h"

#include "store/base/io.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The newest release before the live one; 0 with the error set if none is. */
static uint32_t
find_before(const struct release_site *s, int64_t live, struct err *e)
{
	uint32_t *numbers, found = 0;
	size_t n, i;

	if (release_list(s->dir, &numbers, &n, e) < 0)
		return 0;
	for (i = 0; i < n && numbers[i] < live; i++)
		found = numbers[i];
	free(numbers);
	if (!found)
		err_set(e, ENOENT, "there is no release before %" PRId64, live);
	return found;
}

/*
 * With the lock held.  What a killed push left to do comes first: later it
 * would take this back.
 */
static int
roll_back(const struct release_site *s, uint32_t wanted, struct err *e)
{
	struct prepared waits;
	int64_t live;

	if (release_settle(s, &waits, e) == SETTLE_FAILED)
		return -1;
	live = release_live(s->dir, e);
	if (live < 0)
		return -1;
	if (!wanted)
		wanted = find_before(s, live, e);
	if (!wanted ||
	    (wanted != live && release_switch(s->dir, wanted, e) < 0))
		return -1;
	if (wanted == live)
		printf("release %u is live already\n", wanted);
	else
		printf("release %u is live, %" PRId64 " was\n", wanted, live);
	return 0;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct release_site s;
	unsigned long wanted = 0;
	struct err e;
	char *end;
	int code, lock_fd;

	(void)values;
	if (argc) {
		wanted = strtoul(argv[0], &end, 10);
		if (*end || wanted < 1 || wanted > RELEASE_MAX)
			return cli_usage("rollback",
			    "%s is no release's "
			    "number; `bothy releases` lists them",
			    argv[0]);
	}
	code = deployed_open(c, &s);
	if (code != CLI_OK)
		return code;
	lock_fd = release_lock(s.dir, true, &e);
	if (lock_fd < 0 || roll_back(&s, (uint32_t)wanted, &e) < 0)
		code = cli_fail(&e, CLI_FAILED);
	io_close(&lock_fd);
	return code;
}

const struct command command_rollback = {
    .name = "rollback",
    .arguments = "[N]",
    .summary = "make an earlier release live again",
    .help = "Makes release N of a deployed site live at once, or the one "
	    "before the live one. The branch stays where it is, so the next "
	    "push deploys as always. Documents are not touched.",
    .most = 1,
    .run = run,
};
