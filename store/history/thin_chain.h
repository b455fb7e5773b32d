/*
 * Main's commits as a list, to be thinned and written again.
 *
 * Sequence: chain_load, chain_keep, chain_write, chain_publish,
 * chain_release.
 */
#ifndef HISTORY_THIN_CHAIN_H
#define HISTORY_THIN_CHAIN_H

#include "history_internal.h"

struct chain_commit {
	git_oid id, tree;
	git_oid new_id;			/* once chain_write is through */
	uint64_t position;
	int64_t time_s;
	bool keep, tagged;
	char *message;			/* a new one, malloc'ed, or NULL */
};

struct chain_tag {
	struct chain_tag *next;
	char ref[HISTORY_TAG_MAX + 32];
	git_oid id;
	size_t at;			/* its commit */
};

/*
 * Invariants:
 *   1. c[] goes from the oldest to the newest; positions never fall.
 *   2. `foreign`: something else than main and tags of its commits refers to
 *      objects here, and nothing may be dropped.
 */
struct chain {
	struct chain_commit *c;
	size_t n, room;
	struct chain_tag *tags;
	bool foreign;
};

/* 0 or -1 with *e; release in either case. */
int chain_load(struct history_view *v, struct chain *c, struct err *e);
void chain_release(struct chain *c);

/*
 * Of the commits of positions (after, upto] keeps the newest of each step of
 * `step_s` seconds, the newest of all and those with a tag; keeps all others.
 * Gives how many are dropped.
 */
size_t chain_keep(struct chain *c, uint64_t after, uint64_t upto,
    int64_t step_s);

/* The kept commit before `at`, or NULL. */
const struct chain_commit *chain_before(const struct chain *c, size_t at);

/* Writes what is kept as a chain of its own.  0 or -1 with *e. */
int chain_write(struct history_view *v, struct chain *c,
    struct pack_out *out, struct err *e);

/* Leads main, then the tags, to what was written. */
int chain_publish(struct history *h, const struct chain *c, struct err *e);

#endif
