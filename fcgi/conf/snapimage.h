/*
 * The layout of a snapshot file, shared by its writer (snapwrite.c) and its
 * reader (snapshot.c).
 *
 * An image begins with struct snap_image and ends with a NUL byte; between
 * them lie strings and tables in any order.  Offsets count from the start.
 * Numbers are in the machine's own order, and strings end in a NUL, so any
 * offset inside the image is the start of some string.  A change of any
 * struct in it or in snapshot.h changes SNAP_LAYOUT.
 */
#ifndef CONF_SNAPIMAGE_H
#define CONF_SNAPIMAGE_H

#include "conf.h"
#include "snapshot.h"
#include "stamp.h"

#include <stdbool.h>
#include <stdint.h>

#define SNAP_MAGIC "Bothysn"	/* 8 bytes with its NUL */

enum {
	SNAP_LAYOUT = 7,
	SNAP_MAX_IMAGE = 64 * 1024 * 1024
};

/* A file as it was when the configuration was read. */
struct snap_source {
	uint32_t path;		/* absolute, string */
	uint32_t zero;
	struct stamp stamp;
};

struct snap_image {
	char magic[8];
	uint32_t layout;
	uint32_t bytes;			/* of the whole image */
	char id[SNAP_ID_SIZE + 3];	/* padded with NULs */
	uint32_t default_route;		/* number + 1, or 0 */
	uint32_t stage_option;		/* strings: the options it was made */
	uint32_t env_file_option;	/* with; 0: not given */
	uint32_t settings;		/* string: of the store */
	uint32_t any_file_system;	/* 0 or 1 */
	struct snap_site site;
	struct snap_list functions;	/* struct snap_function */
	struct snap_list by_name;	/* u32 function numbers, sorted */
	struct snap_list routes;	/* struct snap_route */
	struct snap_list tables;	/* u32 strings */
	struct snap_list nodes;		/* struct snap_node */
	struct snap_list leaves;	/* struct snap_leaf */
	struct snap_list sources;	/* struct snap_source */
};

struct snapshot {
	const struct snap_image *image;
	bool mapped;		/* else malloc'ed */
};

/* True if header and tables lie in `n` bytes as they must. */
bool snapimage_check(const struct snap_image *image, size_t n);

/* The routes' trie, in malloc'ed tables (snaptrie.c). */
struct snap_trie {
	struct snap_node *nodes;	/* children.at: number of first edge */
	struct snap_edge *edges;	/* segment: 0, see `segments` */
	const char **segments;		/* of each edge, in the conf */
	struct snap_leaf *leaves;
	size_t nnodes, nedges, nleaves;
	uint32_t default_route;
};

/* 0, or -1 without memory; either way release it. */
int snaptrie_build(const struct conf *c, struct snap_trie *t);
void snaptrie_release(struct snap_trie *t);

#endif
