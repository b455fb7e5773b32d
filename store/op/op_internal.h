/*
 * What the files of this folder share: how an operation ends, and what they
 * all do with tables, keys and expressions.
 */
#ifndef OP_INTERNAL_H
#define OP_INTERNAL_H

#include "op.h"

#include "store/expr/expr.h"
#include "store/value/typed.h"
#include "store/value/fault.h"
#include "store/history/history.h"
#include "store/wire/reply.h"

/* --- op.c: ends ----------------------------------------------------------- */

/* With *e as the failure, or with the reply that was written. */
void op_fail(struct op *op, const struct err *e);
void op_done(struct op *op);

/* With the body and the status that are there. */
void op_end(struct op *op);

/* The reply, begun. */
void op_open(struct op *op, struct reply *r);

/* Ends the reply and the operation; a reply that grew too long is a failure. */
void op_close(struct op *op, struct reply *r);

int op_no_memory(struct err *e);

/* What the token doesn't allow: FAULT_DENIED. 0 or -1. */
int op_allow(struct op *op, const struct catalog *c, const struct access *a,
    struct err *e);

/*
 * Submits `run` as a job of the writer; then `answer` writes the reply, or
 * `failed` (NULL: op_fail) says why not.
 */
void op_submit(struct op *op,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void (*answer)(struct op *op),
    void (*failed)(struct op *op, const struct err *e), size_t bytes);
struct op *op_of(struct commit_job *job);

/* --- items/get.c ---------------------------------------------------------- */

/* Runs a reading operation within one snapshot; `fn` begins the reply. */
void op_within(struct op *op, struct store_view *v,
    int (*fn)(struct op *op, struct store_view *v, struct reply *r,
        struct err *e));

/* --- items/item.c: one item's operation, planned -------------------------- */

struct item_plan {
	const struct item_request *request;
	const struct table *table;
	struct text key;		/* key_item() */
	struct value members;		/* the Key */
	const struct expr *condition;
	const struct expr_update *update;
	const struct expr_projection *projection;
	struct expr_guard guard;
	/* what came of it */
	struct commit_old old;
	struct value fresh;		/* the new item; count 0: none */
	struct text fresh_bytes;
	bool failed;			/* the condition did */
	bool left;			/* in a batch: no throughput for it */
};

/* The open table of a name, or NULL with DynamoDB's error. */
const struct table *op_table(const struct catalog *c, const struct text *name,
    struct err *e);

/*
 * Finds table and key, parses the expressions: 0, or -1 and *e.  All that is
 * kept lies in the arena; the table is borrowed from the catalogue.
 */
int op_plan_item(struct arena *a, const struct catalog *c,
    const struct item_request *r, struct item_plan *p, struct err *e);

/* One of the first `n` plans is of that key. */
bool op_planned(const struct item_plan *plans, size_t n,
    const struct text *key);

/* The item has all of the table's key, each part of its type. */
bool op_key_fits(const struct table *t, const struct value *item);

/* Evaluates a write against what lies there now: asks for its change. */
int op_write_item(struct commit *c, struct arena *a, struct item_plan *p,
    struct err *e);

/*
 * items/write.c: the write of op->plan as a job of the writer, which `answer`
 * answers; and the item that it returns, if any, as a member or part.
 */
void op_submit_item(struct op *op, void (*answer)(struct op *op));
int op_write_returned(struct op *op, struct reply *r, const char *name,
    const struct item_plan *p, struct err *e);

/* No path goes below a key attribute of the table or an index; may be NULL. */
int op_check_paths(const struct table *t, const struct expr *cond,
    const struct expr_projection *projection, struct err *e);

/* The keys of a table or index as expressions want them. */
void op_keys(const struct key_schema *k, struct expr_keys *out);

/* The item fulfils the condition of a statement that reads it: 1, 0, -1. */
int op_fulfils(struct arena *a, const struct item_plan *p,
    const struct text *bytes, struct err *e);

/* The item as a projection gives it; NULL for all of it. */
int op_write_projected(struct reply *r, const char *name, struct arena *a,
    const struct expr_projection *p, const struct text *bytes, struct err *e);

/* Where everything lies, as ARNs have it: where clients are by default. */
#define OP_REGION "us-east-1"
#define OP_ARN "arn:aws:dynamodb:" OP_REGION ":000000000000:"

/* streams/stream.c: a stream's label, "2026-11-22T10:00:00.000". */
void op_stream_label(const struct table *t, char out[32]);

/* care/stat.c: a commit's members, as all operations on the history tell them. */
void op_write_commit(struct reply *r, const struct history_commit *c);

/* care/mirror.c: the list of mirrors and how they are; NULL: none. */
struct mirrors;
void op_write_mirrors(struct reply *r, struct mirrors *m);

/* Pushes to all of them, and waits for that as long as `op` may. */
void op_push_mirrors(struct op *op);

/* --- items/capacity.c ----------------------------------------------------- */

/* Units of reading or writing so many bytes. */
double op_read_units(size_t bytes, bool consistent);
double op_write_units(size_t bytes);

/* Bytes of an item as an index has it. */
size_t op_projected_size(const struct table *t, const struct table_index *ix,
    const struct value *item);

/* The larger of the item before and after a write. */
size_t op_plan_size(const struct item_plan *p);

/* What one table took: of itself, and of each of its indexes. */
struct op_used {
	const struct table *table;
	bool write;
	double units;
	double indexes[TABLE_INDEXES_MAX];	/* beside table->indexes */
};

/* That of a table in a list with room for all of them. */
struct op_used *op_used_of(struct op_used *list, size_t *n,
    const struct table *t);

/* Adds what a write took; of the table `factor` times as much. */
void op_used_write(struct op_used *u, const struct item_plan *p,
    double factor);

/*
 * ConsumedCapacity of a table or of several, if it was asked for; `kinds`:
 * told as reading or writing units too.
 */
void op_used_reply(struct op *op, struct reply *r, const char *name,
    const struct op_used *u, bool kinds);
void op_used_list(struct op *op, struct reply *r, const struct op_used *list,
    size_t n, bool kinds);

/* The same of one table, or of one of its indexes. */
void op_capacity(struct op *op, struct reply *r, const struct table *t,
    const struct table_index *ix, double read, double write);

/* What was used has to be counted: it was asked for, or is limited. */
bool op_counts(const struct op *op);

/* --- items/meter.c: limits of throughput ---------------------------------- */

/* 0; or -1 and ProvisionedThroughputExceededException. */
int op_meter_check(struct op *op, struct err *e);

/* True if an item of a batch may go on that has used so much of its table. */
bool op_meter_has(struct op *op, const struct op_used *u, bool write);

/* Counts what was used of a table, if it is limited. */
void op_meter_take(struct op *op, const struct op_used *u);

/* --- items/metrics.c: ReturnItemCollectionMetrics ------------------------- */

/* ItemCollectionMetrics of one write, if it was asked for. */
void op_metrics(struct op *op, struct reply *r, const struct item_plan *p);

/* Of many: by table, each collection once. */
void op_metrics_list(struct op *op, struct reply *r,
    const struct item_plan *plans, size_t n);

/* --- the operations ------------------------------------------------------- */

typedef void op_fn(struct op *op, struct store_view *v);

op_fn op_get_item, op_batch_get, op_transact_get;
op_fn op_put_item, op_update_item, op_delete_item, op_batch_write;
op_fn op_transact_write;
op_fn op_query, op_scan;
op_fn op_execute_statement, op_batch_execute_statement,
    op_execute_transaction;
op_fn op_create_table, op_update_table, op_delete_table, op_describe_table,
    op_list_tables, op_update_ttl, op_describe_ttl;
op_fn op_tag_resource, op_untag_resource, op_list_tags, op_describe_limits,
    op_describe_endpoints, op_update_pitr, op_describe_pitr;
op_fn op_create_backup, op_list_backups, op_describe_backup, op_delete_backup,
    op_restore_backup, op_restore_moment;
op_fn op_export_table, op_describe_export, op_list_exports, op_import_table,
    op_describe_import, op_list_imports;
op_fn op_list_streams, op_describe_stream, op_shard_iterator, op_get_records;
op_fn op_stat, op_path, op_log, op_diff, op_blame, op_show, op_checkpoint,
    op_backup, op_backups, op_restore, op_forget, op_adopt, op_check,
    op_reindex, op_import, op_export, op_mirror, op_stop, op_declare,
    op_merge;

#endif
