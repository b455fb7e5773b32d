/*
 * Thinning: a span of the history, gathered.  Of its commits one a step stays;
 * what those have that the commit before has not becomes one pack, and the
 * packs of the span give way to it.  All commits of main lie in one pack more,
 * written anew each time, because each names the one before.
 *
 * Why nothing is lost: a pack of the positions (a, b] holds, for each commit of
 * these, all that its tree has and the tree of the commit before has not; the
 * newest commit of a span always stays; so the tree of any kept commit is found
 * in the packs up to its own.
 */
#ifndef HISTORY_THIN_H
#define HISTORY_THIN_H

#include "pack_set.h"
#include "thin_chain.h"

enum {
	THIN_LEVEL = 10,		/* of packs below: merged, not thinned */
	THIN_LEVEL_ALL = 98,		/* of what an erasure wrote */
	THIN_LEVEL_CHAIN = 99		/* of the pack of all commits */
};

struct thin_span {
	uint64_t after, upto;		/* positions (after, upto] */
	int64_t step_s;			/* 0: every commit stays */
	unsigned level;			/* of the pack that it becomes */
	int64_t time_s;			/* of its newest commit */
};

/*
 * Gathers a span of main's chain (one without `foreign`).  The span's packs,
 * and all that held commits only, are superseded.  0; or -1 with *e and
 * nothing lost.
 */
int thin_gather(struct history *h, const struct thin_span *span,
    struct chain *chain, struct err *e);

/*
 * The same for all there is, foreign packs too: what is left is only what
 * main's commits reach.
 */
int thin_all(struct history *h, struct chain *chain,
    const struct history_progress *progress, struct err *e);

/* A pack may go, when nobody reads and it has lingered: 0 or -1 with *e. */
int thin_doom(struct history *h, const char *pack, struct err *e);

/* Copies packs, neighbours, into one of a level; they are superseded. */
int thin_merge(struct history *h, const struct pack_file *packs, size_t n,
    unsigned level, struct err *e);

#endif
