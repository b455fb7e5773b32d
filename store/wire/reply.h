/*
 * Replies: the JSON that an operation answers, written straight into the
 * frame.  What the engine has as canonical typed bytes is copied; for a client
 * that asked for plain documents it is turned into plain JSON on the way.
 *
 * Sequence: reply_open, members and parts in any number, reply_close_all.
 * Writing never fails on its own: the buffer remembers (buf_ok), and so does
 * `failed` if bytes were no item.
 *
 * A writer's `name` is that of the member, or NULL inside a list.
 */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/value/value.h"

#include <stdint.h>

struct reply {
	struct buf *out;
	struct arena *arena;	/* for turning typed into plain */
	bool plain, failed;
	bool more;		/* a comma is due before the next part */
	unsigned depth;
	uint64_t objects;	/* a bit a level */
};

/* Begins the outermost object.  `arena` may be NULL unless `plain`. */
void reply_open(struct reply *r, struct buf *out, struct arena *arena,
    bool plain);

/* Ends all that is open: 0, or -1 if anything failed. */
int reply_close_all(struct reply *r);

void reply_object(struct reply *r, const char *name);
void reply_list(struct reply *r, const char *name);
void reply_close(struct reply *r);

/* A member of an object whose name is no constant: then what stands there. */
void reply_name(struct reply *r, const struct text *name);

void reply_text(struct reply *r, const char *name, const char *p, size_t n);
void reply_string(struct reply *r, const char *name, const char *s);
void reply_integer(struct reply *r, const char *name, int64_t n);
void reply_bool(struct reply *r, const char *name, bool b);
void reply_number(struct reply *r, const char *name, double d);

/* Milliseconds since 1970 as seconds with a fraction: 1700000000.123. */
void reply_time(struct reply *r, const char *name, int64_t wall_ms);

/* JSON that is right already. */
void reply_raw(struct reply *r, const char *name, const char *p, size_t n);

/* An item: canonical typed bytes, or a value of type M. */
void reply_item_bytes(struct reply *r, const char *name, const char *p,
    size_t n);
void reply_item(struct reply *r, const char *name, const struct value *item);

/* What an operation used, of one table. */
struct capacity {
	double read, write;		/* units in all */
	double table;			/* of the table itself */
	const struct capacity_index {
		const char *name;
		bool global;
		double units;
	} *indexes;
	size_t nindexes;
};

/*
 * ConsumedCapacity of one table: `indexes` as ReturnConsumedCapacity says;
 * `both`: with ReadCapacityUnits or WriteCapacityUnits (transactions).
 */
void reply_capacity(struct reply *r, const char *name, const struct text *table,
    const struct capacity *c, bool indexes, bool both);

/* Why an item stopped a transaction. */
struct cancel_reason {
	int fault;			/* 0: it did not */
	const char *text;
	const char *item;		/* typed bytes, or NULL */
	size_t nitem;
};

/* The Code of a fault: "ValidationError", "ConditionalCheckFailed", "None". */
struct text reply_code(int fault);

/*
 * The whole body of a failure: {"message": ...}, the old item of a failed
 * condition (typed bytes or NULL), the reasons of a cancelled transaction.
 * 0, or -1.
 */
int reply_fault(struct buf *out, struct arena *arena, bool plain,
    const struct err *e, const char *item, size_t nitem);
int reply_canceled(struct buf *out, struct arena *arena, bool plain,
    const struct cancel_reason *reasons, size_t n);

#endif
