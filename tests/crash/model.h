/*
 * A model of a file system that has seen the operations of a log up to some
 * record: what is on its disk for sure, and what may be or not.
 *
 * Rules.  strict: fsync and fdatasync of a file put its data and length on the
 * disk, fsync of a directory its names, syncfs everything; a rename is on the
 * disk when the directories on both sides are.  ext4: names get there in order,
 * and any fsync takes all names before it along.  A sync that failed leaves
 * the data that it covered open for ever: a later one that succeeds says
 * nothing of it.
 *
 * Names and lengths are of the file system's own log.  Where that can't be
 * written, ext4 and xfs change nothing any more: nobody opens the store again
 * before the next mount, which shows what is there.  So a sync by a later life
 * does say something of names.  One by the same life, which has its files open,
 * does not: fsync of a directory succeeds on an xfs that was shut down,
 * whatever of it is lost.
 */
#ifndef CRASH_MODEL_H
#define CRASH_MODEL_H

#include "record.h"
#include "store/base/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rules { RULES_STRICT, RULES_EXT4 };

/* What may be on the disk or not, in the order of the log. */
struct op {
	uint64_t at;		/* number of its record */
	uint32_t kind;		/* RECORD_WRITE, _TRUNCATE, _ALLOCATE, _NAME, */
				/* _MODE */
	bool durable;
	bool stuck;		/* a write: a sync of it failed */
	bool chosen;		/* in the state that is being made */

	size_t node;		/* data: whose */
	uint64_t offset;	/* of a write; or the length; or the mode */
	const char *bytes;	/* of a write, `len` */
	uint32_t len;

	struct entry {		/* names: one or two entries in one step */
		size_t dir, node;	/* node 0: nothing */
		const char *name;
		uint32_t len;
		bool synced;
		unsigned doubt;	/* life in which a sync of it failed, or 0 */
	} entries[2];
	int nentries;
};

/* A file, directory or link.  Number 0 is none, 1 the root. */
struct node {
	uint64_t inode;
	uint64_t what;		/* RECORD_FILE, _DIRECTORY, _LINK */
	const char *target;	/* of a link, `target_len` */
	uint32_t target_len;
	unsigned mode;
	char *data;		/* the file as it is for sure: */
	uint64_t used, room;	/* bytes of data; zeros follow */
	uint64_t size;
};

struct model {
	enum rules rules;
	struct node *nodes;
	size_t count, room;
	struct op *ops;		/* from the first that isn't durable on */
	size_t nops, ops_room;
	struct map names;	/* dir, name -> node, for sure */
	struct map inodes;	/* inode -> node, as of now */
	struct { uint64_t ticket, pid, at; } syncs[16];	/* that have begun */
	unsigned life;		/* programs that have started */
};

/* How the one write that is torn is torn. */
enum tear {
	TEAR_NONE,
	TEAR_SHORT,		/* only its first sectors came */
	TEAR_ZEROS,		/* the rest of its range is zeros */
	TEAR_HOLE,		/* one sector in it didn't come */
	TEAR_LATE,		/* only its last sectors came */
	TEAR_JUNK,		/* the rest holds what was there long ago */
	TEAR_END
};

void model_init(struct model *m, enum rules rules);
void model_release(struct model *m);

/* Takes the next record, number `at`, whose bytes stay with the caller. */
void model_take(struct model *m, const struct record *r, uint64_t at);

/* True if the op may be on the disk or not. */
static inline bool
model_open(const struct op *op)
{
	return !op->durable;
}

/*
 * Makes `path` anew, as the disk is with the `chosen` ops, the write ops[torn]
 * torn at a place that *random gives.  Gives a hash of it all.
 */
uint64_t model_make(const struct model *m, const char *path, size_t torn,
    enum tear tear, uint64_t *random);

/* The next number of a fixed sequence (xorshift64*); *state is never 0. */
uint64_t model_random(uint64_t *state);

#endif
