/*
 * Tables as operations make, change and tell them: between table.c (the
 * operations), table_make.c (a request -> a table), table_change.c
 * (UpdateTable) and describe.c (a table -> a reply).
 */
#ifndef OP_OP_TABLE_H
#define OP_OP_TABLE_H

#include "store/op/op_internal.h"

enum { TABLE_JOB_ROOM = 128 * 1024 };

/* What a job on a table needs, and its reply. */
struct table_plan {
	struct table *table;		/* as it became; our copy */
	const char *status;		/* to be told */
};

/*
 * Runs `run` as a job with a table_plan as op->plan, which the two below take
 * apart: `answered` has the table as it became.
 */
void op_table_submit(struct op *op,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void (*answered)(struct op *op));

/* Gives the job the table that the plan has made, and keeps a copy. */
int op_table_settle(struct op *op, struct commit *c, struct table *t,
    struct err *e);

/* Forgets it. */
void op_table_drop(struct op *op);

/*
 * Within a job: a table of the catalogue by its name, or NULL with
 * ResourceNotFoundException, or ResourceInUseException while it is made.
 */
const struct table *op_table_now(struct commit *c, const struct text *name,
    struct err *e);

/* --- table_make.c ------------------------------------------------------- */

/* Heap, without number and times; NULL with an error. */
struct table *op_table_make(const struct table_request *q, struct err *e);

/*
 * An index of `r` into *ix, with types from the request or else from `old`
 * (NULL: none); `ix` is cleared, and freed by its table.
 */
int op_table_make_index(const struct table_request *q,
    const struct table *old, const struct index_request *r,
    struct table_index *ix, struct err *e);

/* A BillingMode says PAY_PER_REQUEST. */
bool op_table_on_demand(const struct text *billing);

enum stream_view op_table_view(const struct text *name);

/* Tags of a request, added to a table's: 0, or -1 (more than fifty). */
int op_table_tag(struct table *t, const struct tag *tags, size_t n,
    struct err *e);

/* --- table_change.c ----------------------------------------------------- */

/* `t`, a copy of `old`, as an UpdateTable wants it. */
int op_table_change(const struct table_request *q, const struct table *old,
    struct table *t, int64_t now_ms, struct err *e);

/* Turns a table's stream on or off; the one before stays readable a while. */
void op_table_stream(struct table *t, enum stream_view view, int64_t now_ms);

/* True if it takes DynamoDB a while, so that the table is UPDATING. */
bool op_table_changes_slowly(const struct table_request *q);

/* --- describe.c --------------------------------------------------------- */

/*
 * A TableDescription as a member of a reply; `v` NULL: nothing is counted, as
 * of a table that was just made.
 */
void op_table_write(struct reply *r, const char *name, const struct table *t,
    struct index_view *v, const char *status);

/* What DeleteTable tells of one: without its keys and indexes. */
void op_table_write_gone(struct reply *r, const char *name,
    const struct table *t);

/* "arn:...:table/NAME", and a table's id as it is told. */
enum { OP_TABLE_ARN = 320, OP_TABLE_ID = 40 };
void op_table_arn(const char *name, char out[OP_TABLE_ARN]);
void op_table_id(uint64_t id, char out[OP_TABLE_ID]);

/* AttributeDefinitions, KeySchema, Projection, StreamSpecification,
 * ProvisionedThroughput. */
void op_table_write_key(struct reply *r, const struct key_schema *k);
void op_table_write_definitions(struct reply *r, const struct table *t);
void op_table_write_projection(struct reply *r, const struct table_index *ix);
void op_table_write_stream(struct reply *r, const struct table *t,
    const char *name);
void op_table_write_units(struct reply *r, const struct table_units *u,
    const struct table_terms *terms);

/* --- past/pitr.c ------------------------------------------------------------- */

/* The first moment that a table may be restored to, if it may. */
int64_t op_pitr_earliest(const struct table *t, int64_t now_ms);

#endif
