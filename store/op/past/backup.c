/*
 * CreateBackup, ListBackups, DescribeBackup, DeleteBackup.  They run in a
 * thread that may wait.
 */
#include "backup.h"

#include "store/base/clock.h"
#include "store/engine/parts.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 100, BACKUPS_MAX = 10000 };

static const char KIND[] = "backup";

void
op_backup_tag(const char *id, char out[BACKUP_TAG])
{
	snprintf(out, BACKUP_TAG, "dynamodb-%s", id);
}

void
op_backup_arn(const struct table *t, const char *id, char out[BACKUP_ARN])
{
	snprintf(out, BACKUP_ARN, OP_ARN "table/%s/backup/%s", t->name, id);
}

static void
write_details(struct reply *r, const struct table *t, const char *id,
    const struct json_node *record, const char *status)
{
	const struct text name = op_record_text(record, "name");
	char arn[BACKUP_ARN];

	op_backup_arn(t, id, arn);
	reply_string(r, "BackupArn", arn);
	reply_text(r, "BackupName", name.p, name.n);
	reply_integer(r, "BackupSizeBytes", op_record_number(record, "bytes"));
	reply_string(r, "BackupStatus", status);
	reply_string(r, "BackupType", "USER");
	reply_time(r, "BackupCreationDateTime",
	    op_record_number(record, "created"));
}

/* --- making ---------------------------------------------------------------- */

struct making {
	struct table *table;
	struct index_counts counts;
	char id[RECORD_ID];
	int64_t created_ms;
};

/* The table as it is, and how much it holds. */
static int
look(struct op *op, struct store_view *v, struct making *m, struct err *e)
{
	const struct text *name = &op->request.transfer.source;
	const struct table *t;
	int rc = 0;

	if (store_read_begin(v, e) < 0)
		return -1;
	t = catalog_named(v->catalog, name->p, name->n);
	if (!t)
		rc = err_set(e, FAULT_TABLE_NOT_FOUND, "Table not found: %.*s",
		    (int)name->n, name->p);
	else if (!t->history)
		rc = err_set(e, FAULT_VALIDATION, "%s is kept without history "
		    "(history: off), so no backup can hold it; turn its "
		    "history on first", t->name);
	else if (t->restoring)
		rc = err_set(e, FAULT_IN_USE, "Table is being created: %s",
		    t->name);
	else if (!(m->table = table_copy(t)))
		rc = op_no_memory(e);
	else
		rc = index_counts(v->index, t->id, 0, &m->counts, e);
	store_read_end(v);
	return rc;
}

static int
check_room(struct op *op, struct err *e)
{
	int n = op_record_count(op->store, KIND, e);

	return n < BACKUPS_MAX ? n < 0 ? -1 : 0 : err_set(e, FAULT_LIMIT,
	    "Subscriber limit exceeded: there can be %d backups at most; "
	    "delete some that are of no use any more", BACKUPS_MAX);
}

static int
record(struct op *op, const struct making *m, struct err *e)
{
	const struct text *name = &op->request.transfer.name;
	struct buf b;
	int rc;

	buf_init(&b, RECORD_MAX);
	buf_puts(&b, "{\"name\":");
	buf_json(&b, name->p, name->n);
	buf_printf(&b, ",\"created\":%lld,\"items\":%llu,\"bytes\":%llu,"
	    "\"table\":", (long long)m->created_ms,
	    (unsigned long long)m->counts.items,
	    (unsigned long long)m->counts.bytes);
	table_write(m->table, &b);
	buf_puts(&b, "}\n");
	rc = op_record_put(op->store, KIND, m->id, &b, e);
	buf_release(&b);
	return rc;
}

static void
write_made(struct reply *r, const struct op *op, const struct making *m)
{
	const struct text *name = &op->request.transfer.name;
	char arn[BACKUP_ARN];

	op_backup_arn(m->table, m->id, arn);
	reply_object(r, "BackupDetails");
	reply_string(r, "BackupArn", arn);
	reply_text(r, "BackupName", name->p, name->n);
	reply_integer(r, "BackupSizeBytes", (int64_t)m->counts.bytes);
	reply_string(r, "BackupStatus", "AVAILABLE");
	reply_string(r, "BackupType", "USER");
	reply_time(r, "BackupCreationDateTime", m->created_ms);
	reply_close(r);
}

void
op_create_backup(struct op *op, struct store_view *v)
{
	struct making m = {.table = NULL};
	char tag[BACKUP_TAG];
	struct reply r;
	struct err e;
	int rc = look(op, v, &m, &e);

	m.created_ms = clock_wall_ms();
	op_record_id(m.created_ms, m.id);
	op_backup_tag(m.id, tag);
	if (rc == 0)
		rc = check_room(op, &e);
	if (rc == 0)
		rc = store_checkpoint(op->store, tag, &e);
	if (rc == 0)
		rc = record(op, &m, &e);
	if (rc == 0) {
		op_open(op, &r);
		write_made(&r, op, &m);
	}
	table_free(m.table);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &r);
}

/* --- listing --------------------------------------------------------------- */

struct listing {
	struct reply reply;
	const struct transfer_request *q;
	uint32_t left;
	char last[BACKUP_ARN];
};

static bool
is_wanted(const struct listing *l, const struct table *t, int64_t created_ms)
{
	const struct text *name = &l->q->source;

	if (name->p && (strlen(t->name) != name->n ||
	                   memcmp(t->name, name->p, name->n) != 0))
		return false;
	return (!l->q->from_ms || created_ms >= l->q->from_ms) &&
	    (!l->q->until_ms || created_ms < l->q->until_ms);
}

static void
write_summary(struct reply *r, const struct table *t, const char *id,
    const struct json_node *one)
{
	char arn[OP_TABLE_ARN], table_id[OP_TABLE_ID];

	op_table_arn(t->name, arn);
	op_table_id(t->id, table_id);
	reply_object(r, NULL);
	reply_string(r, "TableName", t->name);
	reply_string(r, "TableId", table_id);
	reply_string(r, "TableArn", arn);
	write_details(r, t, id, one, "AVAILABLE");
	reply_close(r);
}

/* 1: there is more than was asked for. */
static int
list_one(void *ctx, const char *id, const struct json_node *one,
    struct err *e)
{
	struct listing *l = ctx;
	struct table *t = op_record_table(one, e);
	int rc = 0;

	if (!t)
		return -1;
	if (is_wanted(l, t, op_record_number(one, "created"))) {
		if (l->left) {
			l->left--;
			write_summary(&l->reply, t, id, one);
			op_backup_arn(t, id, l->last);
		} else
			rc = 1;
	}
	table_free(t);
	return rc;
}

/* All backups are of users; of the other types there are none. */
static bool
lists_users(const struct text *type)
{
	return !type->p || *type->p == 'U' || (type->n == 3);
}

void
op_list_backups(struct op *op, struct store_view *v)
{
	const struct transfer_request *q = &op->request.transfer;
	struct listing l = {.q = q, .left = q->limit ? q->limit : LIST_MAX};
	char start[RECORD_ID] = "";
	struct err e;
	int rc = 0;

	(void)v;
	if (q->start.p && !op_record_of_arn(&q->start, KIND, start))
		rc = err_set(&e, FAULT_VALIDATION, "Invalid Backup ARN");
	op_open(op, &l.reply);
	reply_list(&l.reply, "BackupSummaries");
	if (rc == 0 && lists_users(&q->type))
		rc = op_record_each(op->store, KIND, start, false, list_one,
		    &l, &e);
	reply_close(&l.reply);
	if (rc > 0)
		reply_string(&l.reply, "LastEvaluatedBackupArn", l.last);
	if (rc < 0)
		op_fail(op, &e);
	else
		op_close(op, &l.reply);
}

/* --- describing ------------------------------------------------------------ */

int
op_backup_find(struct op *op, char id[RECORD_ID],
    const struct json_node **one, struct err *e)
{
	const struct transfer_request *q = &op->request.transfer;
	const struct text *arn = &q->arn;
	int rc = 0;

	if (op_record_of_arn(arn, KIND, id))
		rc = op_record_get(op->store, KIND, id, &op->arena, one, e);
	if (rc > 0)
		rc = op_record_is_of(*one, &q->source, e);
	if (rc == 0)
		return err_set(e, FAULT_BACKUP_NOT_FOUND, "Backup not found: "
		    "%.*s", (int)(arn->n < 300 ? arn->n : 300), arn->p);
	return rc < 0 ? -1 : 0;
}

static void
write_source(struct reply *r, const struct table *t,
    const struct json_node *one)
{
	char arn[OP_TABLE_ARN], id[OP_TABLE_ID];

	op_table_arn(t->name, arn);
	op_table_id(t->id, id);
	reply_object(r, "SourceTableDetails");
	reply_string(r, "TableName", t->name);
	reply_string(r, "TableId", id);
	reply_string(r, "TableArn", arn);
	reply_integer(r, "TableSizeBytes", op_record_number(one, "bytes"));
	op_table_write_key(r, &t->key);
	reply_time(r, "TableCreationDateTime", t->created_ms);
	op_table_write_units(r, &t->terms.units, NULL);
	reply_integer(r, "ItemCount", op_record_number(one, "items"));
	reply_string(r, "BillingMode",
	    t->terms.provisioned ? "PROVISIONED" : "PAY_PER_REQUEST");
	reply_close(r);
}

static void
write_indexes(struct reply *r, const struct table *t, const char *name,
    bool global)
{
	bool open = false;
	size_t i;

	for (i = 0; i < t->nindexes; i++) {
		const struct table_index *ix = &t->indexes[i];

		if (ix->global != global)
			continue;
		if (!open)
			reply_list(r, name);
		open = true;
		reply_object(r, NULL);
		reply_string(r, "IndexName", ix->name);
		op_table_write_key(r, &ix->key);
		op_table_write_projection(r, ix);
		if (global)
			op_table_write_units(r, &ix->units, NULL);
		reply_close(r);
	}
	if (open)
		reply_close(r);
}

static void
write_features(struct reply *r, const struct table *t)
{
	reply_object(r, "SourceTableFeatureDetails");
	write_indexes(r, t, "LocalSecondaryIndexes", false);
	write_indexes(r, t, "GlobalSecondaryIndexes", true);
	op_table_write_stream(r, t, "StreamDescription");
	if (*t->ttl) {
		reply_object(r, "TimeToLiveDescription");
		reply_string(r, "TimeToLiveStatus", "ENABLED");
		reply_string(r, "AttributeName", t->ttl);
		reply_close(r);
	}
	reply_close(r);
}

static void
answer_backup(struct op *op, const struct table *t, const char *id,
    const struct json_node *one, const char *status)
{
	struct reply r;

	op_open(op, &r);
	reply_object(&r, "BackupDescription");
	reply_object(&r, "BackupDetails");
	write_details(&r, t, id, one, status);
	reply_close(&r);
	write_source(&r, t, one);
	write_features(&r, t);
	reply_close(&r);
	op_close(op, &r);
}

void
op_describe_backup(struct op *op, struct store_view *v)
{
	const struct json_node *one = NULL;
	struct table *t = NULL;
	char id[RECORD_ID];
	struct err e;

	(void)v;
	if (op_backup_find(op, id, &one, &e) == 0)
		t = op_record_table(one, &e);
	if (t)
		answer_backup(op, t, id, one, "AVAILABLE");
	else
		op_fail(op, &e);
	table_free(t);
}

/* --- dropping -------------------------------------------------------------- */

static int
drop(struct op *op, const char *id, struct err *e)
{
	char tag[BACKUP_TAG];
	int rc;

	op_backup_tag(id, tag);
	store_history_lock(op->store);
	rc = history_untag(store_history(op->store), tag, e);
	store_history_unlock(op->store);
	if (rc < 0 && e->code != FAULT_NOT_FOUND)
		return -1;
	return op_record_remove(op->store, KIND, id, e);
}

void
op_delete_backup(struct op *op, struct store_view *v)
{
	const struct json_node *one = NULL;
	struct table *t = NULL;
	char id[RECORD_ID];
	struct err e;

	(void)v;
	if (op_backup_find(op, id, &one, &e) == 0)
		t = op_record_table(one, &e);
	if (t && drop(op, id, &e) == 0)
		answer_backup(op, t, id, one, "DELETED");
	else
		op_fail(op, &e);
	table_free(t);
}
