/*
 * What the files of the checkpoints share.
 *
 *   checkpoint.c          one of them, from the commit to the marks
 *   checkpoint_changes.c  what changed since the last, as the history pulls it
 *   checkpoint_table.c    tables as the snapshot knows them; one told anew
 *   checkpoint_turn.c     the thread: when, and for whom
 */
#ifndef ENGINE_CHECKPOINT_INTERNAL_H
#define ENGINE_CHECKPOINT_INTERNAL_H

#include "store_internal.h"

enum { CHECKPOINT_AHEAD = 512 };	/* lines of the journal read at once */

/* A table as the snapshot knows it. */
struct laid {
	struct table *table;
	unsigned level;			/* of its documents in the history */
	bool anew;			/* all of it is told: the level grew */
	bool told;			/* its own file is */
	struct laid *next;
};

struct checkpoint {
	struct store *s;
	struct index_view *view;
	uint64_t from, to;
	struct laid *tables;
	/* what history_commit pulls */
	uint64_t at;			/* in the journal */
	struct buf lines;		/* read ahead, one behind the other */
	struct ahead {
		uint64_t position;
		size_t begin, len;
	} ahead[CHECKPOINT_AHEAD];
	size_t nahead, used;
	struct unit unit;		/* of one of them, at `from` */
	size_t change;
	struct arena arena;		/* of the unit */
	struct arena item_arena;
	struct laid *whole;		/* the table that is told anew */
	int stage;
	struct index_cursor *cursor;
	char path[PATH_MAX_BYTES];
	struct buf plain;
};

/* --- checkpoint_changes.c -------------------------------------------------- */

/* A snapshot, and where the history ends: 0, or -1; either way to be ended. */
int checkpoint_begin(struct checkpoint *c, struct store *s, struct err *e);
void checkpoint_end(struct checkpoint *c);

/* A history_next; `ctx` is the checkpoint. */
int checkpoint_next(void *ctx, struct history_change *out, struct err *e);

/* --- checkpoint_table.c ---------------------------------------------------- */

/* All tables of the snapshot, into c->tables. */
int checkpoint_take_tables(struct checkpoint *c, struct err *e);
struct laid *checkpoint_table(struct checkpoint *c, uint64_t id);

/* Where the document lies in the history, into c->path. */
int checkpoint_path(struct checkpoint *c, const struct laid *l,
    const struct value *item, struct err *e);

/* The document as its file has it, into *out: 1, or -1. */
int checkpoint_tell_item(struct checkpoint *c, const struct laid *l,
    const struct text *bytes, struct history_change *out, struct err *e);

/* The table's own file; once. */
void checkpoint_tell_table(struct checkpoint *c, struct laid *l,
    struct history_change *out);

/* c->whole, told anew: 1 with the next of it, 0, -1. */
int checkpoint_next_of_table(struct checkpoint *c, struct history_change *out,
    struct err *e);

/* --- checkpoint.c ---------------------------------------------------------- */

/* Takes one: 0, and all that was visible before is in history and files. */
int checkpoint_take(struct store *s, struct err *e);

#endif
