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
	uint32_t binary;	/* absolute path of what is run, links resolved */
	uint32_t directory;	/* absolute working directory */
	uint32_t runtime;	/* enum snap_runtime */
	uint32_t response, on_disconnect, network, link;	/* enums */
	uint32_t timeout_ms;		/* 0: none (stream with idle timeout) */
	uint32_t idle_timeout_ms;	/* 0: none */
	uint32_t memory_mb;
	uint32_t reserved_concurrency;	/* SNAP_UNLIMITED, or 0 = off */
	uint32_t requests_per_process;	/* 1; 0 = any number */
	uint32_t warm;			/* least idle children */
	struct snap_list environment;	/* pairs, provider's merged in */
	struct snap_list read_paths, write_paths;	/* absolute strings */
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
	uint32_t confinement_required;
	struct snap_list trusted_proxies;	/* "10.0.0.0/8" strings */
	struct snap_cors cors;
};

struct snapshot;	/* a mapped or built image */

/* Maps a file: the snapshot, or NULL with the error set. */
struct snapshot *snapshot_open(const char *path, struct err *e);
void snapshot_free(struct snapshot *s);	/* NULL is fine */

/* Hex id of the content; the functions of two images with one id are same. */
const char *snapshot_id(const struct snapshot *s);

/*
 * True if deploy.yaml, the files that it includes and the handlers' binaries
 * are still those (device, inode, size, mtime) that the image was made from.
 */
bool snapshot_fresh(const struct snapshot *s);

const struct snap_site *snapshot_site(const struct snapshot *s);
size_t snapshot_functions(const struct snapshot *s);
const struct snap_function *snapshot_function(const struct snapshot *s,
    size_t i);	/* NULL out of range */

/* Index of a function by name, or -1. */
int snapshot_find(const struct snapshot *s, const char *name);

/* The string at an offset; "" if it is none or out of bounds. */
const char *snapshot_str(const struct snapshot *s, uint32_t at);
/* Item `i` of a list of strings or of pairs. */
const char *snapshot_item(const struct snapshot *s, struct snap_list l,
    size_t i);
const struct snap_pair *snapshot_pair(const struct snapshot *s,
    struct snap_list l, size_t i);

#endif
