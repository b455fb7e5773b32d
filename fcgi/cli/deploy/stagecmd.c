/*
 * bothy stage: the stages of a deployed site, and the end of one that has no
 * branch.
 */
#include "deployed.h"
#include "stagegone.h"

#include "fcgi/cli/table.h"
#include "fcgi/deploy/stage.h"
#include "store/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GONE_MS = 10000 };

static const char HEADS[] = "refs/heads/";

static const struct column columns[] = {
    {"stage", "STAGE"},
    {"branch", "BRANCH"},
    {"state", "STATE"},
    {"release", "RELEASE"},
    {"address", "ADDRESS"},
    {"mb", "MB"},
    {NULL, NULL},
};

/* "/feature", a host, or why there is none. */
static void
find_address(const struct release_site *site, const struct release_site *s,
    char *out, size_t room)
{
	struct stage stage;
	struct err e;

	if (stage_look(site, s->branch, &stage, &e) < 0)
		snprintf(out, room, "none: not in deploy.stages of %s",
		    site->branch);
	else
		snprintf(out, room, "%s%s",
		    stage.address[0] == '/' ? s->url : "",
		    stage.address[0] == '/' ? stage.base : stage.address);
}

static json_t *
row(const struct release_site *site, const char *name)
{
	char dir[PATH_MAX], address[2 * PATH_MAX];
	struct release_site s;
	struct err e;
	int64_t live;

	if (release_stage_dir(site->dir, name, dir, &e) < 0 ||
	    release_site_read(&s, dir, &e) < 0)
		return json_pack("{s:s, s:s}", "stage", name, "state",
		    release_stage_state(site->dir, name) == STAGE_LEAVES
			? "leaves"
			: "damaged");
	live = release_live(dir, &e);
	find_address(site, &s, address, sizeof address);
	return json_pack("{s:s, s:s, s:s, s:o, s:s, s:f}", "stage", name,
	    "branch", s.branch, "state", live > 0 ? "live" : "refused",
	    "release", live > 0 ? json_integer(live) : json_null(), "address",
	    address, "mb", (double)release_disk_bytes(dir) / 1000000);
}

static int
add_rows(
    const struct release_site *site, bool leaving, json_t *rows, struct err *e)
{
	struct stage_list *all = malloc(sizeof *all);
	size_t i;
	int rc;

	if (!all)
		return err_set(e, ENOMEM, "no memory");
	rc = release_stages(site->dir, leaving, all, e);
	for (i = 0; rc == 0 && i < all->n; i++)
		json_array_append_new(rows, row(site, all->names[i]));
	free(all);
	return rc;
}

static int
list(const struct release_site *site, bool json, struct err *e)
{
	json_t *rows = json_array();
	int rc = -1;

	if (add_rows(site, false, rows, e) == 0 &&
	    add_rows(site, true, rows, e) == 0) {
		if (json_array_size(rows) || json)
			table_print(rows, columns, json);
		else
			puts("there is no stage; git push <remote> BRANCH "
			     "makes one, if deploy.stages allows it");
		rc = 0;
	}
	json_decref(rows);
	return rc;
}

/* With the stage's lock held. */
static int
leave(const struct release_site *s, struct err *e)
{
	char ref[RELEASE_NAME_SIZE + sizeof HEADS];
	char commit[RELEASE_COMMIT_SIZE];
	int there;

	snprintf(ref, sizeof ref, "%s%s", HEADS, s->branch);
	there = release_ref(s->repository, ref, commit, e);
	if (there > 0)
		return err_set(e, EEXIST,
		    "the stage has a branch: git push <remote> :%s drops both",
		    s->branch);
	return there < 0 ? -1 : release_stage_leave(s, e);
}

/* What a refused push has left, or a deletion that was killed. */
static int
drop(const struct release_site *site, const char *wanted, struct err *e)
{
	char name[RELEASE_STAGE_SIZE], dir[PATH_MAX];
	struct release_site s;
	int lock_fd, rc = 0;

	if (release_stage_name(wanted, name, e) < 0 ||
	    release_stage_dir(site->dir, name, dir, e) < 0)
		return -1;
	switch (release_stage_state(site->dir, name)) {
	case STAGE_NONE:
		return err_set(e, ENOENT,
		    "there is no stage %s; `bothy stage ls` lists them", name);
	case STAGE_THERE:
		if (release_site_read(&s, dir, e) < 0)
			return -1;
		lock_fd = release_lock(dir, true, e);
		rc = lock_fd < 0 ? -1 : leave(&s, e);
		io_close(&lock_fd);
		break;
	case STAGE_LEAVES:
		break;
	}
	return rc < 0 ? -1 : stage_gone(site->dir, name, GONE_MS, e);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct release_site site;
	struct err e;
	int code, rc;

	(void)values;
	if (strcmp(argv[0], "ls") != 0 && strcmp(argv[0], "rm") != 0)
		return cli_usage(
		    "stage", "stage %s is none of ls, rm", argv[0]);
	if ((argc == 2) != (strcmp(argv[0], "rm") == 0))
		return cli_usage("stage",
		    "stage ls takes no name, stage rm takes the stage's");
	code = deployed_open(c, &site);
	if (code != CLI_OK)
		return code;
	rc = argc == 1 ? list(&site, c->json, &e) : drop(&site, argv[1], &e);
	return rc < 0 ? cli_fail(&e, CLI_FAILED) : CLI_OK;
}

const struct command command_stage = {
    .name = "stage",
    .arguments = "ls | rm NAME",
    .summary = "list and remove stages",
    .help = "Lists the stages of a deployed site: branches other than its "
	    "own, which deploy.stages in deploy.yaml allows, each with "
	    "releases, environment, secrets and documents of its own. Other "
	    "commands go to one with --stage. git push REMOTE :BRANCH drops "
	    "one; stage rm drops what has no branch, as after a first push "
	    "that was refused.",
    .least = 1,
    .most = 2,
    .tables = true,
    .words = "ls rm",
    .run = run,
};
