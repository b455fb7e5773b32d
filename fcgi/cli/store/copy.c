/*
 * bothy store copy: tables from here to another DynamoDB, or from there.
 *
 * The far side is reached through a bothy-store of our own that does nothing
 * but relay, and leaves with us.  Items pass as they are, typed JSON; how far
 * a table has come is kept, so that what was cut off goes on where it was.
 */
#include "copytable.h"
#include "cmd.h"

#include "fcgi/cli/site.h"

#include "store/base/io.h"
#include "store/client/prove.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *endpoint, *region;
	bool to, from, again;
};

static const struct opt opts[] = {
	{"to", 0, OPT_SWITCH, NULL, offsetof(struct options, to),
	    "from here to the other"},
	{"from", 0, OPT_SWITCH, NULL, offsetof(struct options, from),
	    "from the other to here"},
	{"endpoint", 0, OPT_VALUE, "URL", offsetof(struct options, endpoint),
	    "the other; without it, resources.store.endpoint"},
	{"region", 0, OPT_VALUE, "NAME", offsetof(struct options, region),
	    "of that"},
	{"again", 0, OPT_SWITCH, NULL, offsetof(struct options, again),
	    "from the beginning, not where an earlier one was cut off"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

enum { PATH_SIZE = 4096 };

struct far {
	char dir[64], endpoint[256], region[64];
	struct client *client;
};

/* --- the other side ---------------------------------------------------------- */

static int
take_text(char *out, size_t size, const char *given,
    const struct json_node *set, const char *fallback)
{
	int n;

	if (given)
		n = snprintf(out, size, "%s", given);
	else if (set && set->type == JSON_STRING)
		n = snprintf(out, size, "%.*s", (int)set->text.n,
		    set->text.p);
	else
		n = snprintf(out, size, "%s", fallback);
	return n > 0 && (size_t)n < size ? 0 : -1;
}

/* What the options say, else the site's deploy.yaml: CLI_OK, or said. */
static int
find_far(const struct cli *c, const struct options *o, struct far *f)
{
	const struct json_node *set = NULL;
	struct arena a;
	struct site s;
	struct err e;
	int code = CLI_OK;

	arena_init(&a, STORELINK_ARENA_MAX);
	if (!o->endpoint) {
		code = site_open(c, &s, false);
		if (code == CLI_OK) {
			set = json_read(&a, s.conf->settings,
			    strlen(s.conf->settings), 1, &e);
		}
	}
	if (code == CLI_OK &&
	    (take_text(f->endpoint, sizeof f->endpoint, o->endpoint,
	         json_member(set, "endpoint"), "") < 0 ||
	        take_text(f->region, sizeof f->region, o->region,
	            json_member(set, "region"), "us-east-1") < 0)) {
		err_set(&e, EINVAL, "which other? name it with --endpoint, or "
		    "as resources.store.endpoint in deploy.yaml");
		code = cli_fail(&e, CLI_USAGE);
	}
	if (!o->endpoint)
		site_close(&s);
	arena_release(&a);
	return code;
}

/* A bothy-store that relays there, in a directory of its own. */
static int
start_far(struct far *f, struct err *e)
{
	const char *const arguments[] = {"--force", "--idle", "10",
	    "--segment-bytes", "1048576", "--relay", f->endpoint, "--region",
	    f->region, NULL};
	struct client_options o = {.prove = client_prove_key};
	struct data_place p;

	snprintf(f->dir, sizeof f->dir, "/tmp/bothy-copy-XXXXXX");
	if (!mkdtemp(f->dir)) {
		*f->dir = '\0';
		return err_sys(e, "cannot make a directory in /tmp");
	}
	snprintf(p.dir, sizeof p.dir, "%s/store", f->dir);
	snprintf(p.socket, sizeof p.socket, "%s/store/store.sock", f->dir);
	snprintf(p.key, sizeof p.key, "%s/store/key", f->dir);
	if (io_mkdirs(p.dir, 0700, e) < 0 ||
	    storelink_start(&p, arguments, e) < 0)
		return -1;
	o.socket = p.socket;
	o.key_file = p.key;
	f->client = client_new(&o);
	if (!f->client)
		return err_set(e, ENOMEM, "no memory");
	return client_connect(f->client, e);
}

static void
end_far(struct far *f)
{
	struct data_place p;

	client_free(f->client);
	if (!*f->dir)
		return;
	snprintf(p.dir, sizeof p.dir, "%s/store", f->dir);
	snprintf(p.socket, sizeof p.socket, "%s/store/store.sock", f->dir);
	snprintf(p.key, sizeof p.key, "%s/store/key", f->dir);
	data_stop(&p, 5000);
	io_remove_tree(AT_FDCWD, f->dir);
}

/* --- tables ----------------------------------------------------------------------- */

static int
copy_one(struct copy *k, const char *name, struct storebar *bar,
    struct err *e)
{
	int rc;

	k->bar = bar;
	rc = copy_table(k, name, e);
	storebar_end(bar);
	if (rc < 0)
		return -1;
	printf("%s: %llu item%s%s\n", name, (unsigned long long)k->count,
	    k->count == 1 ? "" : "s", k->resumed ? ", with those of before" : "");
	return 0;
}

/* Those that are named, else all of the side that is read. */
static int
copy_tables(struct copy *k, struct storebar *bar, int n, char **names,
    struct err *e)
{
	struct copy_names all;
	size_t t;
	int i, rc = 0;

	for (i = 0; i < n && rc == 0; i++)
		rc = copy_one(k, names[i], bar, e);
	if (n)
		return rc;
	if (copy_list(k, &all, e) < 0)
		return -1;
	for (t = 0; t < all.count && rc == 0; t++)
		rc = copy_one(k, all.names[t], bar, e);
	copy_names_release(&all);
	return rc;
}

static int
run_between(const struct options *o, struct storelink *l, struct far *f,
    int argc, char **argv)
{
	struct copy k = {.again = o->again};
	struct copy_side here = {l->client, CLIENT_HERE, "here"}, there;
	struct err e;
	int rc = start_far(f, &e);

	there = (struct copy_side){f->client, 0, f->endpoint};
	k.from = o->to ? here : there;
	k.into = o->to ? there : here;
	if (rc == 0 && snprintf(k.marks, sizeof k.marks, "%s.copy",
	                   l->place.dir) >= (int)sizeof k.marks)
		rc = err_set(&e, ENAMETOOLONG, "%s: too long", l->place.dir);
	if (rc == 0)
		rc = copy_begin(&k, &e);
	if (rc == 0)
		rc = copy_tables(&k, &l->bar, argc, argv, &e);
	copy_end(&k);
	end_far(f);
	return rc < 0 ? storelink_fail(&e) : CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct far f = {.client = NULL};
	struct storelink l;
	struct err e;
	int code;

	if (o->to == o->from) {
		err_set(&e, EINVAL, "say --to, or --from");
		return cli_fail(&e, CLI_USAGE);
	}
	code = find_far(c, o, &f);
	if (code != CLI_OK)
		return code;
	code = storelink_open(c, &l);
	if (code != CLI_OK)
		return code;
	code = run_between(o, &l, &f, argc, argv);
	storelink_close(&l);
	return code;
}

const struct command command_store_copy = {
	.name = "store copy",
	.chapter = "in and out",
	.arguments = "--to|--from [TABLE...]",
	.summary = "copy tables to another DynamoDB, or from it",
	.help =
	    "Copies tables, or all that there are, to another DynamoDB or "
	    "from it, and makes those that are missing. Items that are there "
	    "with the same key are replaced; others stay. What was cut off "
	    "goes on where it was. Keys are AWS_ACCESS_KEY_ID and "
	    "AWS_SECRET_ACCESS_KEY of the environment. What is written "
	    "meanwhile may be missed: let nobody write.",
	.opts = opts,
	.size = sizeof(struct options),
	.most = 99,
	.tables = true,
	.words = "@tables",
	.run = run,
};
