/*
 * The checked deploy.yaml as one flat image that can be mapped.
 *
 * bothy check, the gateway and the tests compile a struct conf into it; the
 * gateway matches routes in it, and the launcher takes the functions' limits
 * from it, so a plain CGI start parses nothing.  Offsets count bytes from the
 * image's start; 0 stands for "none" (the header is there).  Secrets are not
 * in it: values keep their ${secret:NAME} until they are used (secret.h).
 *
 * The file lies in the state directory, mode 0600, named by a hash of its
 * content; readers trust only a file that their own uid or root owns, and
 * every accessor checks its bounds all the same.
 */
#ifndef CONF_SNAPSHOT_H
#define CONF_SNAPSHOT_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SNAP_ID_SIZE = 33 };	/* 32 hex digits and a NUL */

enum snap_runtime { SNAP_RUNTIME_C, SNAP_RUNTIME_EXEC };
enum snap_response { SNAP_RESPONSE_BUFFERED, SNAP_RESPONSE_STREAM };
enum snap_disconnect {
	SNAP_DISCONNECT_AUTO,	/* stop a stream, GET or HEAD; finish others */
	SNAP_DISCONNECT_FINISH,
	SNAP_DISCONNECT_STOP
};
enum snap_network { SNAP_NETWORK_ALL, SNAP_NETWORK_UNIX, SNAP_NETWORK_NONE };
enum snap_link { SNAP_LINK_STATIC, SNAP_LINK_DYNAMIC };

/* Methods that a route can name; SNAP_ANY takes every other one too. */
enum snap_method {
	SNAP_GET,
	SNAP_HEAD,
	SNAP_POST,
	SNAP_PUT,
	SNAP_PATCH,
	SNAP_DELETE,
	SNAP_OPTIONS,
	SNAP_ANY,
	SNAP_METHODS
};

/* What a route's path is made of; also the order in which they are tried. */
enum snap_kind {
	SNAP_KIND_EXACT,	/* literal segments only */
	SNAP_KIND_PARAMETER,	/* a {name} in it */
	SNAP_KIND_GREEDY,	/* ends in {name+} */
	SNAP_KIND_DEFAULT	/* $default */
};

enum {
	SNAP_MAX_PARAMS = 32,
	SNAP_MAX_SEGMENTS = 64,
	SNAP_MAX_PATH = 1024	/* bytes of a route's path */
};

#define SNAP_UNLIMITED UINT32_MAX

struct snap_pair {
	uint32_t name, value;	/* strings */
};

/* A list of `count` items at `at`: u32 strings or struct snap_pair. */
struct snap_list {
	uint32_t at, count;
};

struct snap_function {
	uint32_t name;
	uint32_t handler;	/* as written in deploy.yaml */
	uint32_t binary;	/* what is run: absolute, links resolved */
	uint32_t directory;	/* absolute working directory */
	uint32_t runtime;	/* enum snap_runtime */
	uint32_t response, on_disconnect, network, link;	/* enums */
	uint32_t timeout_ms;		/* 0: none (stream with idle timeout) */
	uint32_t idle_timeout_ms;	/* 0: none */
	uint32_t memory_mb;
	uint32_t reserved_concurrency;	/* SNAP_UNLIMITED; 0: off */
	uint32_t requests_per_process;	/* 1; 0 = any number */
	uint32_t warm;			/* least idle children */
	struct snap_list environment;	/* pairs, provider's merged in */
	struct snap_list read_paths, write_paths;	/* absolute strings */
	uint32_t grants;	/* JSON [statement...], as store/wire/token.h
				 * has it; none: it may do nothing */
};

struct snap_cors {
	uint32_t enabled;
	uint32_t credentials;
	uint32_t max_age_s;
	struct snap_list origins, methods, headers, exposed;	/* strings */
};

struct snap_site {
	uint32_t service, stage;
	uint32_t directory;	/* absolute, links resolved */
	uint32_t base_path;	/* "" or "/x/y", no slash at the end */
	uint32_t aws_path;	/* the same, within that */
	uint32_t confinement_required;
	uint32_t nothing_yet;	/* 1: of a site without a release */
	struct snap_list trusted_proxies;	/* "10.0.0.0/8" strings */
	struct snap_list stages;	/* pairs: stages.h */
	struct snap_cors cors;
};

/* A parameter of a route, in the order of the path. */
struct snap_param {
	uint32_t name;		/* as written: "room-id" */
	uint32_t variable;	/* in the environment: "BOTHY_PARAM_room_id" */
};

struct snap_route {
	uint32_t key;		/* "GET /rooms/{room-id}", or "$default" */
	uint32_t method;	/* enum snap_method */
	uint32_t path;		/* "/rooms/{room-id}", or "$default" */
	uint32_t kind;		/* enum snap_kind */
	uint32_t function;	/* index */
	struct snap_list params;	/* struct snap_param */
};

/*
 * The routes once more, as a trie over path segments.  Nodes, edges and leaves
 * are numbered from 0; node 0 is the root, and as no edge leads back to it, 0
 * stands for "none" in a node.  Leaf 0 is not used.
 */
struct snap_node {
	struct snap_list children;	/* struct snap_edge, by segment */
	uint32_t param;		/* node behind {name} */
	uint32_t leaf;		/* routes that end here */
	uint32_t greedy;	/* leaf: routes that go on with {name+} */
};

struct snap_edge {
	uint32_t segment;	/* string */
	uint32_t len;		/* its length in bytes */
	uint32_t node;
};

/* Route number + 1 by method; 0 is none. */
struct snap_leaf {
	uint32_t route[SNAP_METHODS];
};

struct conf;
struct conf_options;
struct snapshot;	/* a mapped or built image */

/* The image of a checked configuration, in memory; NULL with the error set. */
struct snapshot *snapshot_build(const struct conf *c, struct err *e);

/*
 * Builds the image, puts it into <state_dir>/snap/<id> and makes
 * <state_dir>/snap/current point there, each in one step.  Images that have
 * not been current for a week are removed.  0, or -1 with the error set.
 */
int snapshot_write(const struct conf *c, const char *state_dir,
    char id[SNAP_ID_SIZE], struct err *e);

/* Maps a file: the snapshot, or NULL with the error set. */
struct snapshot *snapshot_open(const char *path, struct err *e);
void snapshot_free(struct snapshot *s);	/* NULL is fine */

/* Hex id of the content; the functions of two images with one id are same. */
const char *snapshot_id(const struct snapshot *s);

/*
 * True if deploy.yaml, the files that it includes, the env file (or its
 * absence) and the handlers' binaries are still those (device, inode, size,
 * mtime, ctime) that the image was made from.
 */
bool snapshot_fresh(const struct snapshot *s);

/*
 * True if it was made with these options: the same stage and env file asked
 * for, and no build missing if builds are required.  A snapshot that is fresh
 * and suits is what conf_load() would lead to again.
 */
bool snapshot_suits(const struct snapshot *s, const struct conf_options *opt);

const struct snap_site *snapshot_site(const struct snapshot *s);
size_t snapshot_functions(const struct snapshot *s);
const struct snap_function *snapshot_function(const struct snapshot *s,
    size_t i);	/* NULL out of range */

/*
 * Tables in the order of the file, each as JSON that table_read() of
 * store/table/table.h takes; ids of table and indexes are for the store to
 * give.  "" out of range.
 */
size_t snapshot_tables(const struct snapshot *s);
const char *snapshot_table(const struct snapshot *s, size_t i);

/* What resources.store says, as JSON that settings_read() of
 * store/engine/settings.h takes; and whether it may lie on any file system. */
const char *snapshot_settings(const struct snapshot *s);
bool snapshot_any_file_system(const struct snapshot *s);

/* Index of a function by name, or -1. */
int snapshot_find(const struct snapshot *s, const char *name);

/* Routes in the order of the file. */
size_t snapshot_routes(const struct snapshot *s);
const struct snap_route *snapshot_route(const struct snapshot *s,
    size_t i);	/* NULL out of range */

/* The trie, for the router; NULL out of range, which leaf 0 is too. */
size_t snapshot_nodes(const struct snapshot *s);
const struct snap_node *snapshot_node(const struct snapshot *s, uint32_t i);
const struct snap_leaf *snapshot_leaf(const struct snapshot *s, uint32_t i);
/* The $default route's number + 1, or 0. */
uint32_t snapshot_default(const struct snapshot *s);
/* All edges of a node at once, *count set; NULL if out of bounds. */
const struct snap_edge *snapshot_edges(const struct snapshot *s,
    struct snap_list l, size_t *count);

/* "GET", ... "ANY"; "" for a number that is none. */
const char *snapshot_method_name(uint32_t method);

/* The string at an offset; "" if it is none or out of bounds. */
const char *snapshot_str(const struct snapshot *s, uint32_t at);
/* Item `i` of a list of strings or of pairs. */
const char *snapshot_item(const struct snapshot *s, struct snap_list l,
    size_t i);
const struct snap_pair *snapshot_pair(const struct snapshot *s,
    struct snap_list l, size_t i);
const struct snap_param *snapshot_param(const struct snapshot *s,
    struct snap_list l, size_t i);

#endif
