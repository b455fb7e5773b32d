/*
 * The way to a store (storelink.h).  Starts its daemon, and leaves it running:
 * it goes when nobody has asked for a while.
 */
#include "link.h"

#include "fcgi/cli/site.h"

#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/client/prove.h"
#include "store/client/start.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const struct opt storelink_opts[] = {
	{"dir", 0, OPT_VALUE, "DIR", offsetof(struct storelink_options, dir),
	    "the directory of a store, instead of a site's"},
	{"read-only", 0, OPT_SWITCH, NULL,
	    offsetof(struct storelink_options, read_only),
	    "if the store isn't open yet, open it so that nothing is written: "
	    "for one that is damaged"},
	{"force", 0, OPT_SWITCH, NULL,
	    offsetof(struct storelink_options, force),
	    "open it on any file system, whatever that promises"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* --- where it lies ------------------------------------------------------ */

/* A site's daemon listens in STATE/run, whatever way STATE/store is named. */
static int
place_of_dir(const char *given, struct data_place *p, struct err *e)
{
	char dir[PATH_MAX], format[PATH_MAX];
	char *slash;

	if (!realpath(given, dir) ||
	    place_path(format, e, "%s/format", dir) < 0 ||
	    access(format, F_OK) < 0)
		return err_set(e, ENOENT, "%s is no store; make one with "
		    "`bothy store create --dir %s`", given, given);
	if (place_path(p->dir, e, "%s", dir) < 0 ||
	    place_path(p->key, e, "%s/key", dir) < 0 ||
	    place_path(p->socket, e, "%s/store.sock", dir) < 0)
		return -1;
	slash = strrchr(dir, '/');
	if (strcmp(slash, "/store") != 0)
		return 0;
	*slash = '\0';
	if (place_path(format, e, "%s/run", dir) < 0)
		return -1;
	return access(format, F_OK) < 0
	    ? 0
	    : place_path(p->socket, e, "%s/run/store.sock", dir);
}

int
storelink_place(const struct cli *c, struct data_place *p, struct err *e)
{
	const struct storelink_options *o = c->group;
	struct place place;

	if (o && o->dir)
		return place_of_dir(o->dir, p, e);
	if (cli_place(c, &place, e) < 0 ||
	    place_make_state(&place, e) < 0 ||
	    place_path(p->dir, e, "%s/run", place.state) < 0 ||
	    io_mkdirs(p->dir, 0711, e) < 0)
		return -1;
	return data_place(p, place.state, e);
}

/* --- its daemon --------------------------------------------------------- */

bool
storelink_listens(const struct data_place *p)
{
	const char *slash = strrchr(p->socket, '/');
	char dir[sizeof p->socket];
	int dir_fd, fd;

	snprintf(dir, sizeof dir, "%.*s", (int)(slash - p->socket), p->socket);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = dir_fd < 0 ? -1 : sock_connect_at(dir_fd, slash + 1, SOCK_STREAM);
	io_close(&dir_fd);
	if (fd < 0)
		return false;
	io_close(&fd);
	return true;
}

int
storelink_start(const struct data_place *p, const char *const *arguments,
    struct err *e)
{
	const char *told = getenv("BOTHY_STORE_PROGRAM");
	char program[PATH_MAX];
	struct start_options o = {.store_dir = p->dir,
	    .arguments = arguments, .shown = isatty(STDERR_FILENO)};

	if (!told) {
		if (place_program("bothy-store", program, e) < 0)
			return -1;
		o.program = program;
	}
	return client_start(&o, e);
}

/*
 * True if a site's store is to be made where its deploy.yaml says that any
 * file system will do; one that is there knows it itself.
 */
static bool
may_lie_anywhere(const struct storelink *l)
{
	char path[PATH_MAX];
	struct err ignored;
	struct site s;
	bool may;

	if (!l->of_site ||
	    place_path(path, &ignored, "%s/format", l->place.dir) < 0 ||
	    access(path, F_OK) == 0 || site_open(l->cli, &s, false) != CLI_OK)
		return false;
	may = s.conf->any_file_system;
	site_close(&s);
	return may;
}

/* One that was opened for reading alone leaves soon, for others to come. */
static int
start(const struct storelink *l, struct err *e)
{
	const struct storelink_options *o = l->cli->group;
	const char *arguments[8] = {"--socket", l->place.socket};
	size_t n = 2;

	if (o && o->read_only) {
		arguments[n++] = "--read-only";
		arguments[n++] = "--idle";
		arguments[n++] = "1";
	}
	if ((o && o->force) || may_lie_anywhere(l))
		arguments[n++] = "--force";
	return storelink_start(&l->place, arguments, e);
}

/* --- coming and going --------------------------------------------------- */

static int
connect_client(struct storelink *l, struct err *e)
{
	const struct client_options o = {.socket = l->place.socket,
	    .key_file = l->place.key, .prove = client_prove_key,
	    .progress = storebar_progress, .ctx = &l->bar};

	if (!storelink_listens(&l->place) && start(l, e) < 0)
		return -1;
	l->client = client_new(&o);
	if (!l->client)
		return err_set(e, ENOMEM, "no memory");
	return client_connect(l->client, e);
}

int
storelink_open(const struct cli *c, struct storelink *l)
{
	const struct storelink_options *o = c->group;
	struct err e;

	*l = (struct storelink){.cli = c, .of_site = !o || !o->dir};
	if (storelink_place(c, &l->place, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	storebar_init(&l->bar);
	arena_init(&l->arena, STORELINK_ARENA_MAX);
	arena_init(&l->tree, STORELINK_ARENA_MAX);
	buf_init(&l->body, STORELINK_BODY_MAX);
	buf_init(&l->reply, FRAME_REPLY_MAX);
	if (connect_client(l, &e) == 0)
		return CLI_OK;
	storelink_close(l);
	return cli_fail(&e, CLI_MISSING);
}

void
storelink_close(struct storelink *l)
{
	storebar_end(&l->bar);
	client_free(l->client);
	arena_release(&l->arena);
	arena_release(&l->tree);
	buf_release(&l->body);
	buf_release(&l->reply);
}

/* --- asking ------------------------------------------------------------- */

void
storelink_begin(struct storelink *l, struct reply *request)
{
	buf_reset(&l->body);
	reply_open(request, &l->body, NULL, false);
}

const struct json_node *
storelink_call(struct storelink *l, enum operation op, unsigned flags,
    struct reply *request, struct err *e)
{
	int rc;

	if (reply_close_all(request) < 0) {
		err_set(e, E2BIG, "the request is longer than the %d MB that "
		    "the store takes", STORELINK_BODY_MAX >> 20);
		return NULL;
	}
	rc = client_call(l->client, op, flags, l->body.data, l->body.len,
	    &l->reply, e);
	storebar_end(&l->bar);
	if (rc < 0)
		return NULL;
	arena_reset(&l->tree);
	return json_read(&l->tree, l->reply.data, l->reply.len,
	    STORELINK_LEVELS, e);
}

/* --- the tables of deploy.yaml ------------------------------------------ */

int
storelink_declare(struct storelink *l)
{
	struct reply r;
	struct site s;
	struct err e;
	size_t i;
	int code;

	if (!l->of_site || l->declared)
		return CLI_OK;
	l->declared = true;
	code = site_open(l->cli, &s, false);
	if (code != CLI_OK)
		return code;
	storelink_begin(l, &r);
	reply_list(&r, "Tables");
	for (i = 0; i < s.conf->ntables; i++)
		reply_string(&r, NULL, s.conf->tables[i].json);
	reply_close(&r);
	reply_string(&r, "Settings", s.conf->settings);
	if (!storelink_call(l, OP_DECLARE, 0, &r, &e) &&
	    e.code != FAULT_READ_ONLY)
		code = storelink_fail(&e);
	site_close(&s);
	return code;
}

/* --- failures ----------------------------------------------------------- */

int
storelink_fail(const struct err *e)
{
	static const struct {
		int code;
		const char *hint;
	} hints[] = {
		{FAULT_DENIED, "the store's file `key` is not that of the "
		    "running daemon"},
		{FAULT_UNKNOWN_OUTCOME, "look whether it was done before you "
		    "do it again"},
		{FAULT_BUSY, "try again in a moment"},
		{FAULT_READ_ONLY, "`bothy store stat` says what hinders it"},
		{FAULT_UNKNOWN_OPERATION, "the running bothy-store is of "
		    "another version; `bothy store stop` ends it"},
	};
	size_t i;

	fprintf(stderr, "bothy: %s\n", *e->text ? e->text : "it failed, and "
	    "the store gave no reason");
	for (i = 0; i < sizeof hints / sizeof *hints; i++)
		if (hints[i].code == e->code)
			fprintf(stderr, "bothy: %s\n", hints[i].hint);
	return e->code >= FAULT_FIRST && e->code < FAULT_END ? CLI_FAILED :
	    CLI_MISSING;
}
