/*
 * Streams, between stream.c (which there are) and records.c (what they
 * hold).
 *
 *   ARN       OP_ARN table/NAME/stream/LABEL
 *   shard     one a stream: shardId-, 20 digits of its time, -, 8 of its table
 *   number    of a record: 17 digits of its line's position in the journal, 7
 *             of the change's place in that line
 *   iterator  ARN|1|position of the line|place|when it was given out, ms
 *
 * Nobody's secret stands in an iterator: the ARN in it is what access is asked
 * for, as it is for the ARN itself.
 */
#ifndef OP_OP_STREAM_H
#define OP_OP_STREAM_H

#include "store/op/op_internal.h"

#include "store/engine/parts.h"

enum {
	STREAM_ARN_MAX = 384,
	STREAM_SHARD_MAX = 48,
	STREAM_NUMBER_MAX = 32,
	STREAM_ITERATOR_MAX = STREAM_ARN_MAX + 80,
	STREAM_ITERATOR_MS = 15 * 60 * 1000
};

struct stream {
	struct table *table;		/* our copy */
	char arn[STREAM_ARN_MAX];
	bool on;
	enum stream_view view;		/* as it is, or was */
};

/* Where in a stream: the change `nth` of the line at or after a position. */
struct stream_place {
	uint64_t position, nth;
};

/* The stream of an ARN.  Release it also after a failure. */
int op_stream_find(struct store *s, const struct text *arn,
    struct stream *out, struct err *e);
void op_stream_release(struct stream *st);

void op_stream_shard(const struct stream *st, char out[STREAM_SHARD_MAX]);
void op_stream_number(const struct stream_place *p,
    char out[STREAM_NUMBER_MAX]);
int op_stream_number_read(const struct text *t, struct stream_place *out,
    struct err *e);

/* Where the feed begins, and where a stream does that is still in it. */
uint64_t op_stream_oldest(struct store *s);
uint64_t op_stream_first(struct store *s, const struct stream *st);

extern const char *const op_stream_views[];	/* by enum stream_view */

#endif
