/*
 * bothy store mirror: the history in other repositories.
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>

struct options {
	bool remove;
};

static const struct opt opts[] = {
	{"remove", 0, OPT_SWITCH, NULL, offsetof(struct options, remove),
	    "push there no more; what is there stays"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* What is to be said of one: how its last push went. */
static void
put_state(struct storegrid *g, size_t column, const struct json_node *m)
{
	struct text error = storetext_member(m, "Error");
	const struct json_node *pushing = json_member(m, "Pushing");
	const struct json_node *behind = json_member(m, "Behind");

	if (error.n)
		storegrid_text(g, column, error.p, error.n);
	else
		storegrid_string(g, column,
		    pushing && pushing->type == JSON_TRUE ? "is pushed to" :
		    behind && behind->type == JSON_TRUE ? "behind" :
		    "has everything");
}

void
storecmd_mirrors(const struct json_node *list)
{
	enum { NAME, URL, PUSHED, POSITION, STATE };
	static const char *const titles[] = {"NAME", "URL", "PUSHED",
	    "POSITION", "STATE", NULL};
	struct storegrid *g = storegrid_new(titles);
	const struct json_node *m;
	struct text url;
	char time[32];

	for (m = list->first; g && m; m = m->next) {
		storegrid_row(g);
		storetext_cell(g, NAME, json_member(m, "Name"));
		url = storetext_member(m, "Url");
		storegrid_text(g, URL, url.p, url.n);
		storetext_time(json_member(m, "Pushed"), time);
		storegrid_string(g, PUSHED, *time ? time : "-");
		storetext_cell(g, POSITION, json_member(m, "Position"));
		put_state(g, STATE, m);
	}
	if (g)
		storegrid_print(g);
	storegrid_free(g);
}

/* Asks, with a Name unless it is NULL; or NULL with the error said. */
static const struct json_node *
ask(struct storelink *l, const char *name, const char *sign, const char *url,
    int *code)
{
	const struct json_node *n;
	struct reply r;
	struct buf text;
	struct err e;

	storelink_begin(l, &r);
	if (name) {
		buf_init(&text, 16 * 1024);
		buf_printf(&text, "%s%s%s", name, sign, url);
		reply_text(&r, "Name", buf_str(&text), text.len);
		buf_release(&text);
	}
	n = storelink_call(l, OP_MIRROR, 0, &r, &e);
	if (!n)
		*code = storelink_fail(&e);
	return n;
}

/* A push that failed is told in the mirror's state. */
static int
pushed(const struct json_node *list, const char *name)
{
	const struct json_node *m;
	struct text t, error;

	for (m = list->first; m; m = m->next) {
		t = storetext_member(m, "Name");
		error = storetext_member(m, "Error");
		if (t.n != strlen(name) || memcmp(t.p, name, t.n) != 0 ||
		    !error.n)
			continue;
		fprintf(stderr, "bothy: %s was not pushed to: %.*s\n", name,
		    (int)error.n, error.p);
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* So that what is pushed is what there is now. */
static int
checkpoint(struct storelink *l)
{
	struct reply r;
	struct err e;

	storelink_begin(l, &r);
	return storelink_call(l, OP_CHECKPOINT, 0, &r, &e) ? CLI_OK :
	    storelink_fail(&e);
}

static int
mirror(struct storelink *l, const struct options *o, int argc, char **argv)
{
	const char *name = argc ? argv[0] : NULL;
	const struct json_node *n;
	int code = CLI_OK;

	if (name && !o->remove)
		code = checkpoint(l);
	if (code != CLI_OK || (argc == 2 && !ask(l, name, "=", argv[1], &code)))
		return code;
	n = ask(l, name, o->remove ? "=" : "", "", &code);
	n = n ? json_member(n, "Mirrors") : NULL;
	if (!n)
		return code;
	if (l->cli->json)
		storetext_json(&n->raw);
	else if (n->first)
		storecmd_mirrors(n);
	else
		puts("there is no mirror; `bothy store mirror NAME URL` makes "
		    "one of a bare repository");
	return name ? pushed(n, name) : CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct storelink l;
	int code;

	if (o->remove && argc != 1)
		return cli_usage("store mirror", "--remove takes a NAME");
	if (argc && strchr(argv[0], '='))
		return cli_usage("store mirror", "a mirror's name has letters, "
		    "digits, points, - and _");
	code = storelink_open(c, &l);
	if (code != CLI_OK)
		return code;
	code = storelink_declare(&l);	/* of which mirrors are a part */
	if (code == CLI_OK)
		code = mirror(&l, o, argc, argv);
	storelink_close(&l);
	return code;
}

const struct command command_store_mirror = {
	.name = "store mirror",
	.chapter = "their past",
	.arguments = "[NAME [URL]]",
	.summary = "keep the history in other repositories, too",
	.help =
	    "Lists the mirrors of the history; with a NAME and the URL of a "
	    "bare git repository (a path, ssh:// or https://) adds one and "
	    "pushes to it; with a NAME pushes to it now. They are pushed to "
	    "by themselves, at most once a minute. `bothy store create "
	    "--from URL` makes a new store of one.",
	.opts = opts,
	.size = sizeof(struct options),
	.most = 2,
	.tables = true,
	.run = run,
};
