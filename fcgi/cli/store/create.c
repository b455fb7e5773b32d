/*
 * bothy store create: a new store, empty or from a mirror of another.
 */
#include "cmd.h"

#include "store/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *from;
};

static const struct opt opts[] = {
	{"from", 0, OPT_VALUE, "MIRROR", offsetof(struct options, from),
	    "with the documents and the history of this bare repository"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* Where it is to be, which is not there yet. */
static int
find_place(const struct cli *c, struct data_place *p, struct err *e)
{
	const struct storelink_options *o = c->group;
	char dir[PATH_MAX], format[PATH_MAX];

	if (o->dir) {
		if (io_mkdirs(o->dir, 0700, e) < 0)
			return -1;
		if (!realpath(o->dir, dir))
			return err_sys(e, "%s", o->dir);
		if (place_path(p->dir, e, "%s", dir) < 0 ||
		    place_path(p->key, e, "%s/key", dir) < 0 ||
		    place_path(p->socket, e, "%s/store.sock", dir) < 0)
			return -1;
	} else if (storelink_place(c, p, e) < 0)
		return -1;
	if (place_path(format, e, "%s/format", p->dir) < 0)
		return -1;
	if (access(format, F_OK) == 0)
		return err_set(e, EEXIST, "%s is a store already; a new one "
		    "wants a directory of its own", p->dir);
	return 0;
}

static int
create(const struct cli *c, const struct options *o, struct data_place *p,
    struct err *e)
{
	const struct storelink_options *group = c->group;
	const char *arguments[8] = {"--socket", p->socket};
	size_t n = 2;

	if (o->from) {
		arguments[n++] = "--from";
		arguments[n++] = o->from;
	}
	if (group->force)
		arguments[n++] = "--force";
	return storelink_start(p, arguments, e);
}

/* The recovery point: the newest commit that the mirror had. */
static int
show(struct cli *c)
{
	const struct json_node *n, *v;
	struct storelink l;
	struct reply r;
	struct err e;
	char time[32];
	int code = storelink_open(c, &l);

	if (code != CLI_OK)
		return code;
	storelink_begin(&l, &r);
	reply_integer(&r, "Limit", 1);
	n = storelink_call(&l, OP_LOG, 0, &r, &e);
	v = n ? json_member(n, "Versions")->first : NULL;
	if (!n)
		code = storelink_fail(&e);
	else if (c->json)
		storetext_json(v ? &v->raw : &n->raw);
	else if (v) {
		storetext_time(json_member(v, "Time"), time);
		printf("made %s, as the mirror had it: up to %s, commit "
		    "%.*s\n", l.place.dir, time, 10,
		    storetext_member(v, "Commit").p);
	} else
		printf("made %s; the mirror had nothing\n", l.place.dir);
	storelink_close(&l);
	return code;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct data_place p;
	struct err e;

	(void)argc;
	(void)argv;
	if (find_place(c, &p, &e) < 0 || create(c, o, &p, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (o->from)
		return show(c);
	printf("made %s\n", p.dir);
	return CLI_OK;
}

const struct command command_store_create = {
	.name = "store create",
	.chapter = "upkeep",
	.arguments = "",
	.summary = "make a new store, empty or from a mirror",
	.help =
	    "Makes a new store in --dir, or the site's, and shows up to "
	    "when it has everything if it is made from a mirror. A site's "
	    "is made by itself when it is first used.",
	.opts = opts,
	.size = sizeof(struct options),
	.tables = true,
	.run = run,
};
