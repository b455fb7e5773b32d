/*
 * A commit's message: what changed in which table, and the trailer that ties
 * it to the journal.
 *
 *   messages: 3 written, 1 gone; users: 1 written; rooms: settings
 *
 *   (one line a table, where the first line is a note or has no room)
 *
 *   Bothy-Position: 4711
 *   Bothy-Note: backup monday        (where the first line is that)
 */
#ifndef HISTORY_HISTORY_MESSAGE_H
#define HISTORY_HISTORY_MESSAGE_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct message {
	struct buf subject, lines;
	uint64_t tables, unnamed;	/* told of; without room in subject */
};

void message_init(struct message *m);
void message_release(struct message *m);

/* One table's share; tables in any order, each once. */
struct message_counts {
	uint64_t written, gone;
	bool settings;			/* the table's own files changed */
	bool cleared;			/* all that was there went first */
};
void message_table(struct message *m, const char *table, size_t n,
    const struct message_counts *c);

/* The whole, appended; `note` may be NULL.  0 or -1 with *e. */
int message_finish(const struct message *m, const char *note,
    uint64_t position, struct buf *out, struct err *e);

#endif
