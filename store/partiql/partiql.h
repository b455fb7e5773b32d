/*
 * PartiQL as DynamoDB has it: a statement becomes the requests of store/wire,
 * which then run as those of the ordinary calls do.
 *
 *	statement = select | insert | update | delete | exists
 *	select    = SELECT ("*" | column *("," column)) FROM table ["." index]
 *	            [WHERE condition] [ORDER BY key *("," key)]
 *	key       = name [ASC | DESC]
 *	insert    = INSERT INTO table VALUE map
 *	update    = UPDATE table 1*change [WHERE condition] [returning]
 *	change    = SET assign *("," assign) | REMOVE path *("," path)
 *	delete    = DELETE FROM table [WHERE condition] [returning]
 *	returning = RETURNING (ALL | MODIFIED) (OLD | NEW) "*"
 *	exists    = EXISTS "(" select ")"
 *
 * What conditions and assignments are stands in condition.c and update.c,
 * values in literal.c.  Conditions become the trees of expr.h.
 *
 * Sequence: partiql_read; the table is looked up and its keys told; then
 * partiql_item or partiql_range.  All lies in the arena or borrows from the
 * text, which is read once.  Failure is -1 with FAULT_VALIDATION and
 * DynamoDB's text, or FAULT_LIMIT where the arena is full.
 */
#ifndef PARTIQL_PARTIQL_H
#define PARTIQL_PARTIQL_H

#include "store/wire/request.h"

enum {
	PARTIQL_DEPTH_MAX = 200,	/* brackets, calls and NOTs in one
					 * another */
	PARTIQL_PARTITIONS_MAX = 50	/* that one SELECT queries */
};

enum partiql_kind {
	PARTIQL_SELECT, PARTIQL_INSERT, PARTIQL_UPDATE, PARTIQL_DELETE,
	PARTIQL_EXISTS
};

struct partiql_order {
	struct text name;
	bool descending;
};

struct partiql {
	enum partiql_kind kind;
	struct text table, index;		/* index.p NULL: none */
	const struct expr *where;		/* NULL: none */
	const struct expr_projection *columns;	/* NULL: "*" */
	const struct partiql_order *order;
	size_t norder;
	const struct value *item;		/* INSERT */
	const struct expr_update *update;	/* UPDATE */
	enum return_values returns;		/* RETURNING */
};

/*
 * Reads `n` bytes of a statement, whose every `?` is the next of the
 * parameters.
 */
int partiql_read(struct partiql *q, struct arena *a, const char *text,
    size_t n, const struct value *parameters, size_t nparameters,
    struct err *e);

/* "dynamodb:PartiQLSelect", ...: what grants speak of. */
const char *partiql_action(const struct partiql *q);

/* It writes, or (EXISTS) stands among those that write. */
bool partiql_writes(const struct partiql *q);

/*
 * The statement as the operation on one item of a table with these keys,
 * into a cleared *out: 1; 0 if it is a SELECT that asks for more or less than
 * one by its key; or -1.  The condition of a SELECT is what the item has to
 * fulfil besides.
 */
int partiql_item(const struct partiql *q, struct arena *a,
    const struct expr_keys *keys, struct item_request *out, struct err *e);

/* One after the other, as the client sees them. */
struct partiql_ranges {
	bool query;			/* of a partition each; or one Scan */
	struct read_request *list;
	size_t count;
};

/*
 * A SELECT as Queries or a Scan of the table or index with these keys: of
 * several partitions if the partition key is asked for by IN, or by
 * equalities with OR between them.
 */
int partiql_range(const struct partiql *q, struct arena *a,
    const struct expr_keys *keys, struct partiql_ranges *out, struct err *e);

#endif
