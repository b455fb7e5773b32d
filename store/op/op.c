/*
 * The way of an operation: decoded, allowed, run, answered; and the table of
 * who runs which.
 */
#include "op_internal.h"

#include <errno.h>
#include <string.h>

static op_fn *const OPS[OP_END] = {
	[OP_GET_ITEM] = op_get_item,
	[OP_PUT_ITEM] = op_put_item,
	[OP_UPDATE_ITEM] = op_update_item,
	[OP_DELETE_ITEM] = op_delete_item,
	[OP_QUERY] = op_query,
	[OP_SCAN] = op_scan,
	[OP_BATCH_GET_ITEM] = op_batch_get,
	[OP_BATCH_WRITE_ITEM] = op_batch_write,
	[OP_TRANSACT_GET_ITEMS] = op_transact_get,
	[OP_TRANSACT_WRITE_ITEMS] = op_transact_write,
	[OP_EXECUTE_STATEMENT] = op_execute_statement,
	[OP_BATCH_EXECUTE_STATEMENT] = op_batch_execute_statement,
	[OP_EXECUTE_TRANSACTION] = op_execute_transaction,
	[OP_CREATE_TABLE] = op_create_table,
	[OP_UPDATE_TABLE] = op_update_table,
	[OP_DELETE_TABLE] = op_delete_table,
	[OP_DESCRIBE_TABLE] = op_describe_table,
	[OP_LIST_TABLES] = op_list_tables,
	[OP_UPDATE_TIME_TO_LIVE] = op_update_ttl,
	[OP_DESCRIBE_TIME_TO_LIVE] = op_describe_ttl,
	[OP_TAG_RESOURCE] = op_tag_resource,
	[OP_UNTAG_RESOURCE] = op_untag_resource,
	[OP_LIST_TAGS] = op_list_tags,
	[OP_DESCRIBE_LIMITS] = op_describe_limits,
	[OP_DESCRIBE_ENDPOINTS] = op_describe_endpoints,
	[OP_UPDATE_CONTINUOUS_BACKUPS] = op_update_pitr,
	[OP_DESCRIBE_CONTINUOUS_BACKUPS] = op_describe_pitr,
	[OP_CREATE_BACKUP] = op_create_backup,
	[OP_LIST_BACKUPS] = op_list_backups,
	[OP_DESCRIBE_BACKUP] = op_describe_backup,
	[OP_DELETE_BACKUP] = op_delete_backup,
	[OP_RESTORE_FROM_BACKUP] = op_restore_backup,
	[OP_RESTORE_TO_MOMENT] = op_restore_moment,
	[OP_EXPORT_TABLE] = op_export_table,
	[OP_DESCRIBE_EXPORT] = op_describe_export,
	[OP_LIST_EXPORTS] = op_list_exports,
	[OP_IMPORT_TABLE] = op_import_table,
	[OP_DESCRIBE_IMPORT] = op_describe_import,
	[OP_LIST_IMPORTS] = op_list_imports,
	[OP_LIST_STREAMS] = op_list_streams,
	[OP_DESCRIBE_STREAM] = op_describe_stream,
	[OP_GET_SHARD_ITERATOR] = op_shard_iterator,
	[OP_GET_RECORDS] = op_get_records,
	[OP_STAT] = op_stat,
	[OP_PATH] = op_path,
	[OP_LOG] = op_log,
	[OP_DIFF] = op_diff,
	[OP_BLAME] = op_blame,
	[OP_SHOW] = op_show,
	[OP_CHECKPOINT] = op_checkpoint,
	[OP_BACKUP] = op_backup,
	[OP_BACKUPS] = op_backups,
	[OP_RESTORE] = op_restore,
	[OP_FORGET] = op_forget,
	[OP_ADOPT] = op_adopt,
	[OP_CHECK] = op_check,
	[OP_REINDEX] = op_reindex,
	[OP_IMPORT] = op_import,
	[OP_EXPORT] = op_export,
	[OP_MIRROR] = op_mirror,
	[OP_STOP] = op_stop,
	[OP_DECLARE] = op_declare,
	[OP_MERGE] = op_merge,
};

/* --- coming and going ------------------------------------------------------------- */

void
op_init(struct op *op, struct store *s, struct buf *out,
    void (*done)(struct op *op), void *arg)
{
	*op = (struct op){.store = s, .out = out, .done = done, .arg = arg};
	arena_init(&op->arena, OP_ARENA_MAX);
}

void
op_release(struct op *op)
{
	arena_release(&op->arena);
}

void
op_reset(struct op *op)
{
	arena_reset(&op->arena);
	op->status = 0;
	op->plan = NULL;
	op->failed_item = NULL;
	op->answer = NULL;
	op->wait_file = op->gathered = op->stands = false;
	op->progress = NULL;
	op->later = NULL;
	op->metered = false;
	op->stop = NULL;
}

/* --- ends ---------------------------------------------------------------------------- */

int
op_no_memory(struct err *e)
{
	return err_set(e, FAULT_LIMIT, "the request takes too much memory");
}

/*
 * Writes the failure; `done` is for who calls.  Where the item can't be told
 * for want of memory it isn't said that there is none; and what stands isn't
 * said to have failed because its reply did.
 */
static void
write_failure(struct op *op, const struct err *e)
{
	struct buf item;
	struct err other;

	buf_init(&item, REQUEST_ARENA_MAX);
	if (op->stands) {
		err_set(&other, FAULT_UNKNOWN_OUTCOME, "it was done, but what "
		    "came of it can't be told: %s", e->text);
		e = &other;
	} else if (op->failed_item &&
	    typed_write_item(&item, op->failed_item) < 0) {
		op->failed_item = NULL;
		err_set(&other, FAULT_BUSY, "no memory to tell the item");
		e = &other;
	}
	op->status = e->code >= FAULT_FIRST && e->code < FAULT_END
	    ? e->code
	    : FAULT_INTERNAL;
	op->out->len = op->out_at;
	reply_fault(op->out, &op->arena, op->plain, e,
	    op->failed_item ? item.data : NULL, item.len);
	buf_release(&item);
}

void
op_end(struct op *op)
{
	if (op->catalog)
		store_catalog_release(op->store, op->catalog);
	op->catalog = NULL;
	op->done(op);
}

void
op_fail(struct op *op, const struct err *e)
{
	write_failure(op, e);
	op_end(op);
}

void
op_done(struct op *op)
{
	op->status = 0;
	op_end(op);
}

void
op_open(struct op *op, struct reply *r)
{
	reply_open(r, op->out, &op->arena, op->plain);
}

void
op_close(struct op *op, struct reply *r)
{
	struct err e;

	if (reply_close_all(r) == 0) {
		op_done(op);
		return;
	}
	if (op->answer)
		err_set(&e, FAULT_INTERNAL, "it was done, but the reply takes "
		    "too much memory");
	else
		err_set(&e, FAULT_LIMIT, "the reply takes too much memory; ask "
		    "for less, with Limit or a projection");
	op_fail(op, &e);
}

/* --- decoding and running --------------------------------------------------------------- */

/* The partition key's text in a Key or item of the table, if it is there. */
static struct text
partition_of(const struct catalog *c, const struct access *a)
{
	const struct table *t =
	    a->key ? catalog_named(c, a->table.p, a->table.n) : NULL;
	const char *name = t ? t->key.hash[0].name : NULL;
	const struct value *v =
	    t ? value_member(a->key, name, strlen(name)) : NULL;

	return v && v->type == t->key.hash[0].type ? v->text
	                                           : (struct text){NULL, 0};
}

int
op_allow(struct op *op, const struct catalog *c, const struct access *a,
    struct err *e)
{
	const struct wish w = {.action = a->action, .table = a->table,
	    .index = a->index, .stream = a->stream,
	    .key = partition_of(c, a)};

	return op->token ? token_allows(op->token, &w, e) : 0;
}

static int
allow_each(struct op *op, const struct catalog *c, struct err *e)
{
	struct access a;
	size_t i;

	for (i = 0; request_access(&op->request, i, &a); i++)
		if (op_allow(op, c, &a, e) < 0)
			return -1;
	return 0;
}

/*
 * What a query may do is known once its key condition is (items/query.c), what a
 * statement once it is read (statements/statement.c).
 */
static int
allow(struct op *op, const struct token *token, struct err *e)
{
	const struct operation_info *info = op->request.info;
	struct catalog *c;
	int rc;

	if (info->family == OP_FAMILY_BOTHY && info->class == OP_ADMIN)
		return err_set(e, FAULT_DENIED, "%.*s may not do %s: no grant "
		    "covers what the command line does",
		    (int)token->function.n, token->function.p, info->name);
	op->token = token;
	if (info->op == OP_QUERY)
		return 0;
	c = store_catalog_hold(op->store);
	rc = allow_each(op, c, e);
	store_catalog_release(op->store, c);
	return rc;
}

/* What is wrong with the request, of which an error may hold the beginning. */
static void
write_refusal(struct op *op, const struct err *e)
{
	struct reply r;

	if (!op->request.refusal) {
		write_failure(op, e);
		return;
	}
	op->status = e->code;
	op->out->len = op->out_at;
	op_open(op, &r);
	reply_string(&r, "message", op->request.refusal);
	reply_close_all(&r);
}

int
op_read(struct op *op, int operation, bool plain, const char *body, size_t n,
    const struct token *token)
{
	struct err e;

	op->plain = plain;
	op->token = NULL;
	op->out_at = op->out->len;
	if (request_read(&op->request, operation, plain, &op->arena, body, n,
	        &e) == 0 &&
	    (!token || token->all || allow(op, token, &e) == 0))
		return 0;
	write_refusal(op, &e);
	return -1;
}

bool
op_is_long(const struct op *op)
{
	enum operation o = op->request.info->op;

	if (op->request.info->family == OP_FAMILY_BOTHY)
		return o != OP_STAT && o != OP_PATH && o != OP_DECLARE;
	return o >= OP_CREATE_BACKUP && o < OP_LIST_STREAMS;
}

void
op_run(struct op *op, struct store_view *view)
{
	struct err e;

	if (op_meter_check(op, &e) < 0)
		op_fail(op, &e);
	else
		OPS[op->request.info->op](op, view);
}

/* --- writes --------------------------------------------------------------------------------- */

struct op *
op_of(struct commit_job *job)
{
	return (struct op *)(void *)((char *)job - offsetof(struct op, job));
}

static void
written(struct commit_job *job, const struct err *failed)
{
	struct op *op = op_of(job);

	op->stands = !failed;
	if (!failed)
		op->answer(op);
	else if (op->failed)
		op->failed(op, failed);
	else
		op_fail(op, failed);
}

void
op_submit(struct op *op,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e),
    void (*answer)(struct op *op),
    void (*failed)(struct op *op, const struct err *e), size_t bytes)
{
	op->stands = false;
	op->answer = answer;
	op->failed = failed;
	op->job = (struct commit_job){.run = run, .done = written,
	    .arena = &op->arena, .bytes = bytes, .wait_file = op->wait_file,
	    .gathered = op->gathered};
	op->gathered = false;	/* another comes from where nobody gathers */
	commit_submit(op->store, &op->job);
}
