/*
 * A unit: what one line of the journal says.  Changes of documents that stand
 * or fall together, or one change of a table; always as after-images, so that
 * reading it again evaluates nothing.
 *
 * A line is one JSON object:
 *
 *   {"at":1700000000000,             wall clock of the decision, ms
 *    "by":"ttl",                     if it wasn't a client
 *    "token":["...","hash"],         ClientRequestToken, and of what
 *    "changes":[
 *      {"t":7,"new":{item}},             put: table id, canonical item
 *      {"t":7,"new":{item},"old":{item}},    where the feed needs the old one
 *      {"t":7,"key":{key},"old":{item}},     delete
 *      {"t":0}]}                         it was erased: it is of no table
 *
 *   {"at":...,"table":{table_write()}}   made or changed
 *   {"at":...,"drop":7,"name":"x"}       gone with all its documents
 */
#ifndef ENGINE_UNIT_H
#define ENGINE_UNIT_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/table/table.h"

#include <stdbool.h>
#include <stdint.h>

enum { UNIT_TOKEN_MAX = 36 };	/* ClientRequestToken */

struct change {
	uint64_t table_id;	/* 0: erased, and nothing else is told */
	struct value key;	/* of a delete: its Key; else count is 0 */
	struct value item;	/* of a put */
	struct text bytes;	/* of a put: the item as typed JSON; p NULL: delete */
	struct text old;	/* item before, as typed JSON; p NULL: none told */
};

enum unit_kind { UNIT_CHANGES, UNIT_TABLE, UNIT_DROP };

struct unit {
	enum unit_kind kind;
	int64_t at_ms;
	bool by_ttl;
	struct text token, token_hash;	/* p NULL: none */
	struct change *changes;
	size_t count;
	struct text table;	/* UNIT_TABLE: for table_read() */
	uint64_t table_id;	/* UNIT_DROP, */
	struct text name;	/* and the table's name */
};

/*
 * Writing, piece by piece: begin, unit_add of each change, end.  `b` remembers
 * whether memory ran out (buf_ok).
 */
void unit_begin(struct buf *b, const struct unit *u);
void unit_add(struct buf *b, const struct change *c, bool first);
void unit_end(struct buf *b);

/* A whole unit of a table. */
void unit_write_table(struct buf *b, int64_t at_ms, const struct table *t);
void unit_write_drop(struct buf *b, int64_t at_ms, const struct table *t);

/*
 * Without reading it: true if a line tells of a table; or of a table or a
 * token, so of more than changes.
 */
bool unit_tells_table(const char *p, size_t n);
bool unit_tells_more(const char *p, size_t n);

/*
 * Reads a line; all lies in the arena or borrows from `p`.  0; or -1 and *e:
 * FAULT_INTERNAL for what this version doesn't know, FAULT_LIMIT.
 */
int unit_read(struct arena *a, const char *p, size_t n, struct unit *u,
    struct err *e);

#endif
