/*
 * A store, as the commands below `bothy store` reach it: found, its daemon
 * started, asked, its replies read.
 *
 * It is the site's, or one that --dir names.  Requests and replies are JSON
 * text and never pass through floating point: a number has up to 38 digits.
 */
#ifndef CLI_STORELINK_H
#define CLI_STORELINK_H

#include "fcgi/cli/cli.h"
#include "bar.h"

#include "fcgi/data/data.h"
#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/client/client.h"
#include "store/value/json.h"
#include "store/wire/reply.h"

#include <stdbool.h>

enum {
	STORELINK_ARENA_MAX = 1 << 30,
	STORELINK_BODY_MAX = FRAME_BODY_MAX,
	STORELINK_LEVELS = 8		/* of a reply that become nodes */
};

/* The options of `bothy store`, which all its commands take. */
struct storelink_options {
	const char *dir;
	bool read_only, force;
};
extern const struct opt storelink_opts[];

struct storelink {
	const struct cli *cli;
	struct data_place place;
	bool of_site, declared;
	struct client *client;
	struct storebar bar;
	struct arena arena;	/* lives as long as the link */
	struct arena tree;	/* of the last reply */
	struct buf body, reply;
};

/* Where the store lies; starts nothing. 0 or -1. */
int storelink_place(const struct cli *c, struct data_place *p, struct err *e);

/* True if its daemon runs. */
bool storelink_listens(const struct data_place *p);

/*
 * Finds the store and sees to it that its daemon runs: CLI_OK, and
 * storelink_close() is due; or another exit code with everything said.
 */
int storelink_open(const struct cli *c, struct storelink *l);
void storelink_close(struct storelink *l);

/* Starts the daemon with these arguments behind its directory: 0 or -1. */
int storelink_start(const struct data_place *p, const char *const *arguments,
    struct err *e);

/* Begins a request's body, an object. */
void storelink_begin(struct storelink *l, struct reply *request);

/*
 * Ends the body and asks.  The reply as a tree, which lives until the next
 * call; or NULL with the error set.
 */
const struct json_node *storelink_call(struct storelink *l, enum operation op,
    unsigned flags, struct reply *request, struct err *e);

/*
 * Sees to it that the store of a site has the tables of deploy.yaml, once:
 * CLI_OK (also if there is none), or an exit code with everything said.
 */
int storelink_declare(struct storelink *l);

/* Prints what the store or the client said, and what to do: an exit code. */
int storelink_fail(const struct err *e);

#endif
