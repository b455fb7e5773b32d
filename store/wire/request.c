/*
 * Reading a request: the operation's table of parameters, then its checks; and
 * what a request wants to do, for grants.  Runs in the daemon.
 */
#include "request_internal.h"

#include "store/value/fault.h"

#include <stdio.h>
#include <string.h>

static const struct form *const forms[OP_STAT] = {
	[OP_GET_ITEM] = &request_get_form,
	[OP_PUT_ITEM] = &request_put_form,
	[OP_UPDATE_ITEM] = &request_update_form,
	[OP_DELETE_ITEM] = &request_delete_form,
	[OP_QUERY] = &request_query_form,
	[OP_SCAN] = &request_scan_form,
	[OP_BATCH_GET_ITEM] = &request_batch_get_form,
	[OP_BATCH_WRITE_ITEM] = &request_batch_write_form,
	[OP_TRANSACT_GET_ITEMS] = &request_transact_get_form,
	[OP_TRANSACT_WRITE_ITEMS] = &request_transact_write_form,
	[OP_EXECUTE_STATEMENT] = &request_statement_form,
	[OP_BATCH_EXECUTE_STATEMENT] = &request_batch_statement_form,
	[OP_EXECUTE_TRANSACTION] = &request_transact_statement_form,
	[OP_CREATE_TABLE] = &request_create_table_form,
	[OP_UPDATE_TABLE] = &request_update_table_form,
	[OP_DELETE_TABLE] = &request_table_form,
	[OP_DESCRIBE_TABLE] = &request_table_form,
	[OP_LIST_TABLES] = &request_list_tables_form,
	[OP_UPDATE_TIME_TO_LIVE] = &request_update_ttl_form,
	[OP_DESCRIBE_TIME_TO_LIVE] = &request_table_form,
	[OP_TAG_RESOURCE] = &request_tag_form,
	[OP_UNTAG_RESOURCE] = &request_untag_form,
	[OP_LIST_TAGS] = &request_list_tags_form,
	[OP_DESCRIBE_LIMITS] = &request_nothing_form,
	[OP_DESCRIBE_ENDPOINTS] = &request_nothing_form,
	[OP_UPDATE_CONTINUOUS_BACKUPS] = &request_pitr_form,
	[OP_DESCRIBE_CONTINUOUS_BACKUPS] = &request_table_form,
	[OP_CREATE_BACKUP] = &request_create_backup_form,
	[OP_LIST_BACKUPS] = &request_list_backups_form,
	[OP_DESCRIBE_BACKUP] = &request_backup_form,
	[OP_DELETE_BACKUP] = &request_backup_form,
	[OP_RESTORE_FROM_BACKUP] = &request_restore_form,
	[OP_RESTORE_TO_MOMENT] = &request_moment_form,
	[OP_EXPORT_TABLE] = &request_export_form,
	[OP_DESCRIBE_EXPORT] = &request_describe_export_form,
	[OP_LIST_EXPORTS] = &request_list_exports_form,
	[OP_IMPORT_TABLE] = &request_import_form,
	[OP_DESCRIBE_IMPORT] = &request_describe_import_form,
	[OP_LIST_IMPORTS] = &request_list_imports_form,
	[OP_LIST_STREAMS] = &request_list_streams_form,
	[OP_DESCRIBE_STREAM] = &request_describe_stream_form,
	[OP_GET_SHARD_ITERATOR] = &request_iterator_form,
	[OP_GET_RECORDS] = &request_records_form,
};

const struct word request_capacity_words[] = {
	{"INDEXES", CAPACITY_INDEXES}, {"TOTAL", CAPACITY_TOTAL},
	{"NONE", CAPACITY_NONE}, {NULL, 0},
};

const struct word request_metrics_words[] = {
	{"SIZE", METRICS_SIZE}, {"NONE", METRICS_NONE}, {NULL, 0},
};

const struct word request_failure_words[] = {
	{"ALL_OLD", RETURN_ALL_OLD}, {"NONE", RETURN_NONE}, {NULL, 0},
};

const struct word request_joint_words[] = {
	{"OR", JOINT_OR}, {"AND", JOINT_AND}, {NULL, 0},
};

const struct form *
request_form(int op)
{
	return op < OP_STAT ? forms[op] : &request_store_forms[op - OP_STAT];
}

int
request_read(struct request *r, int op, bool plain, struct arena *a,
    const char *body, size_t n, struct err *e)
{
	const struct operation_info *info = operation_info(op);
	struct decoder d = {.arena = a, .err = e, .plain = plain};
	const struct form *form;
	void *raw = r;

	*r = (struct request){.info = info, .plain = plain};
	if (!info)
		return err_set(e, FAULT_UNKNOWN_OPERATION,
		    "there is no operation %d", op);
	form = request_form(op);
	d.strict = info->family == OP_FAMILY_BOTHY;
	if (form->apart)
		raw = arena_array(a, 1, form->schema->size);
	if (!raw)
		return err_set(e, FAULT_LIMIT, "this needs more memory than "
		    "one operation may use");
	if (schema_read(&d, form->schema, raw, body, n) < 0) {
		r->refusal = d.whole;
		return -1;
	}
	r->arns = d.arns;
	if (form->finish && form->finish(&d, r, raw) < 0)
		return -1;
	return schema_value(&d, NULL);
}

/* --- expressions and what was before them --------------------------------- */

/* "{A, B}" of what is there: how many. */
static size_t
name_given(char *out, size_t size, const struct given *list, size_t n)
{
	size_t i, count = 0, len = 1;

	snprintf(out, size, "{");
	for (i = 0; i < n && len < size; i++)
		if (list[i].there)
			len += (size_t)snprintf(out + len, size - len, "%s%s",
			    count++ ? ", " : "", list[i].name);
	if (len < size)
		snprintf(out + len, size - len, "}");
	return count;
}

int
request_check_expressions(struct decoder *d, const struct expressions *x)
{
	char news[160], olds[160];
	size_t nnew = name_given(news, sizeof news, x->expressions,
	    x->nexpressions);
	size_t nold = name_given(olds, sizeof olds, x->older, x->nolder);

	if (nnew && nold)
		return schema_fail(d, "Can not use both expression and "
		    "non-expression parameters in the same request: "
		    "Non-expression parameters: %s Expression parameters: %s",
		    olds, news);
	if (x->names && nnew == 0)
		return schema_fail(d, "ExpressionAttributeNames can only be "
		    "specified when using expressions");
	if (x->values && !x->valued)
		return schema_fail(d, "ExpressionAttributeValues can only be "
		    "specified when using expressions: %s null", x->need);
	return 0;
}

int
request_check_joint(struct decoder *d, enum joint joint,
    const struct conditions *conditions)
{
	if (joint == JOINT_ABSENT)
		return 0;
	if (!conditions->list)
		return schema_fail(d, "One or more parameter values were "
		    "invalid: ConditionalOperator cannot be used without "
		    "Filter or Expected");
	if (conditions->count < 2)
		return schema_fail(d, "One or more parameter values were "
		    "invalid: ConditionalOperator can only be used when "
		    "Filter or Expected has two or more elements");
	return 0;
}

int
request_check_names(struct decoder *d, const struct text *names, size_t n)
{
	const struct expr_projection *projection;
	size_t i;

	for (i = 0; i < n; i++)
		if (schema_attribute(d, &names[i]) < 0)
			return -1;
	return names ? legacy_projection(d->arena, names, n, &projection,
	                   d->err)
	             : 0;
}

int
request_check_conditions(struct decoder *d, const struct conditions *conditions)
{
	size_t i;

	for (i = 0; i < conditions->count; i++)
		if (schema_attribute(d, &conditions->list[i].name) < 0)
			return -1;
	return 0;
}

/* --- what a request wants ------------------------------------------------- */

static const char *
item_action(const struct item_request *item)
{
	static const char *const actions[] = {
		[ITEM_GET] = "dynamodb:GetItem",
		[ITEM_PUT] = "dynamodb:PutItem",
		[ITEM_UPDATE] = "dynamodb:UpdateItem",
		[ITEM_DELETE] = "dynamodb:DeleteItem",
		[ITEM_CHECK] = "dynamodb:ConditionCheckItem",
	};

	return actions[item->kind];
}

static bool
item_access(const struct item_request *item, const char *action,
    struct access *out)
{
	*out = (struct access){.action = action, .table = item->table,
	    .key = item->kind == ITEM_PUT ? item->item : item->key};
	return true;
}

static bool
group_access(const struct request *r, size_t i, struct access *out)
{
	size_t g;

	for (g = 0; g < r->ngroups; g++) {
		if (i < r->groups[g].count)
			return item_access(&r->groups[g].items[i],
			    r->info->action, out);
		i -= r->groups[g].count;
	}
	return false;
}

/*
 * The table and label of "arn:...:table/NAME/stream/LABEL", with which an
 * iterator begins too.
 */
static void
stream_access(const struct stream_request *q, struct access *out)
{
	static const char TABLE[] = ":table/", STREAM[] = "/stream/";
	const struct text *arn = q->arn.p ? &q->arn : &q->iterator;
	const char *name, *part, *end;

	out->table = q->table;
	name = arn->p ? memmem(arn->p, arn->n, TABLE, sizeof TABLE - 1) : NULL;
	if (!name)
		return;
	end = arn->p + arn->n;
	name += sizeof TABLE - 1;
	part = memmem(name, (size_t)(end - name), STREAM, sizeof STREAM - 1);
	if (!part)
		return;
	out->table = (struct text){name, (size_t)(part - name)};
	out->stream.p = part + sizeof STREAM - 1;
	while (out->stream.p + out->stream.n < end &&
	    out->stream.p[out->stream.n] != '|')
		out->stream.n++;
}

/* What is read from one table, and made of another. */
static bool
transfer_access(const struct request *r, size_t i, struct access *out)
{
	const struct text *from = &r->transfer.source;
	const struct text *to = &r->table.name;

	out->table = i == 0 && from->p ? *from : *to;
	return i == 0 || (i == 1 && from->p && to->p);
}

bool
request_access(const struct request *r, size_t i, struct access *out)
{
	*out = (struct access){.action = r->info->action};
	switch (r->info->op) {
	case OP_BATCH_GET_ITEM:
	case OP_BATCH_WRITE_ITEM:
		return group_access(r, i, out);
	case OP_TRANSACT_GET_ITEMS:
	case OP_TRANSACT_WRITE_ITEMS:
		return i < r->nitems && item_access(&r->items[i],
		    item_action(&r->items[i]), out);
	case OP_GET_ITEM:
	case OP_PUT_ITEM:
	case OP_UPDATE_ITEM:
	case OP_DELETE_ITEM:
		return i == 0 && item_access(&r->item, r->info->action, out);
	case OP_EXECUTE_STATEMENT:
	case OP_BATCH_EXECUTE_STATEMENT:
	case OP_EXECUTE_TRANSACTION:
		return false;
	case OP_QUERY:
	case OP_SCAN:
		out->table = r->read.table;
		out->index = r->read.index;
		break;
	default:
		if (r->info->family == OP_FAMILY_BOTHY)
			out->table = r->store.table;
		else if (r->info->family == OP_FAMILY_STREAMS)
			stream_access(&r->stream, out);
		else
			return transfer_access(r, i, out);
	}
	return i == 0;
}
