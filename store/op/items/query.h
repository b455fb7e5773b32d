/*
 * Inside of store/op: a page of a query or scan, as its files share it.
 *
 *   query.c   what is asked for: table or index, expressions, range
 *   start.c   where it goes on: ExclusiveStartKey
 *   page.c    reading it, and the reply
 */
#ifndef OP_QUERY_H
#define OP_QUERY_H

#include "store/op/op_internal.h"

struct page {
	struct op *op;
	const struct read_request *q;
	const char *action;			/* for grants */
	bool query;				/* or a scan */
	const struct table *table;
	const struct table_index *index;	/* NULL: the table itself */
	const struct expr *keys;		/* KeyConditionExpression */
	const struct expr *filter;
	const struct expr_projection *projection;
	/* of a query: the values of its partition key, and all of that */
	struct value hash[TABLE_KEY_PARTS];
	struct key_range partition;
	struct key_range range;
	bool narrowed;		/* a query with a condition on its sort key */
	bool single;		/* a query for one item of a table at most */
	bool backward, count_only;
	bool reaches_back;	/* for what a local index doesn't have */
	/* what came of it */
	uint64_t count, scanned;
	size_t walked;		/* bytes of the items that were looked at */
	size_t bytes;		/* the same, of an index those of its entries */
	double back_units;	/* of the table, where it reaches back */
	struct value last;	/* LastEvaluatedKey; count 0: none */
};

/* query.c: 0, or -1 and *e. */
int op_page_plan(struct page *p, struct store_view *v, struct err *e);

/* page.c: the items, as parts of the list that the reply is at. 0 or -1. */
int op_page_read(struct page *p, struct store_view *v, struct reply *r,
    struct err *e);
void op_page_capacity(struct page *p, struct reply *r);

/*
 * start.c: the ExclusiveStartKey, if there is one, is a key of what is
 * read; then, once the range is known, it lies there and is dropped with what
 * stands before it.
 */
int op_start_check(const struct page *p, struct err *e);
int op_start_after(struct page *p, struct err *e);

#endif
