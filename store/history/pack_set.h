/*
 * The packs of a repository, as their directory lists them.
 */
#ifndef HISTORY_PACK_SET_H
#define HISTORY_PACK_SET_H

#include "pack_write.h"

struct pack_file {
	char name[PACK_NAME_SIZE];	/* "pack-<sum>", without a suffix */
	bool own;			/* it has a span */
	struct pack_span span;
	uint64_t bytes;			/* pack and index */
};

/* Own packs stand behind the foreign ones, in the order of their spans. */
struct pack_set {
	struct pack_file *files;
	size_t n, foreign;
};

/* 0 or -1 with *e; release in either case. */
int pack_set_read(int dir_fd, struct pack_set *s, struct err *e);
void pack_set_release(struct pack_set *s);

/* Removes a pack; its index goes first.  What isn't there is fine. */
void pack_remove(int dir_fd, const char *name);

#endif
