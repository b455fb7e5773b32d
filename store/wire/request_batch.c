/*
 * Several items at once: BatchGetItem, BatchWriteItem, TransactGetItems and
 * TransactWriteItems, for request.h.
 */
#include "request_internal.h"

#define NOT_ONE "Supplied AttributeValue has more than one datatypes set, " \
	"must contain exactly one of the supported datatypes"

/* --- BatchGetItem --------------------------------------------------------- */

struct get_group {
	struct text table;
	struct value *keys;
	size_t nkeys;
	struct item_request shared;	/* what they all ask for */
};

struct batch_get {
	struct get_group *groups;
	size_t ngroups;
	enum return_capacity capacity;
};

#define SHARED(field) (offsetof(struct get_group, shared) + \
	offsetof(struct item_request, field))

static const struct param get_group_params[] = {
	{.name = "Keys", .kind = PARAM_ITEMS, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct get_group, keys), .min = 1,
	    .max = REQUEST_BATCH_GET_MAX},
	{.name = "ConsistentRead", .kind = PARAM_CHOICE,
	    .at = SHARED(consistent)},
	{.name = "ProjectionExpression", .kind = PARAM_TEXT,
	    .at = SHARED(projection)},
	{.name = "ExpressionAttributeNames", .kind = PARAM_NAMES,
	    .at = SHARED(names)},
	{.name = "AttributesToGet", .kind = PARAM_TEXTS,
	    .at = SHARED(to_get), .min = 1, .max = LEGACY_TO_GET_MAX},
};

static const struct schema get_group_schema = SCHEMA("KeysAndAttributes",
    struct get_group, get_group_params);

static const struct param batch_get_params[] = {
	{.name = "RequestItems", .kind = PARAM_MAP,
	    .flags = PARAM_REQUIRED | PARAM_PATTERN | PARAM_ARN,
	    .at = offsetof(struct batch_get, groups),
	    .of = &get_group_schema},
	{.name = "ReturnConsumedCapacity", .kind = PARAM_WORD,
	    .at = offsetof(struct batch_get, capacity),
	    .words = request_capacity_words},
};

static int
check_keys(struct decoder *d, const struct get_group *g)
{
	size_t i, k;

	for (i = 0; i < g->nkeys; i++)
		for (k = 0; k < i; k++)
			if (value_equal(&g->keys[i], &g->keys[k]))
				return schema_fail(d, "Provided list of item "
				    "keys contains duplicates");
	return 0;
}

/* What is wrong with a projection comes before what is with keys. */
static int
check_projection(struct decoder *d, const struct item_request *r)
{
	const struct expr_projection *tree;
	struct expr_scope s;

	if (!r->projection.p && !r->names)
		return 0;
	if (expr_scope_init(&s, d->arena, r->names, NULL, d->err) < 0 ||
	    expr_parse_projection(&s, r->projection.p, r->projection.n, &tree,
	        d->err) < 0)
		return -1;
	return expr_scope_finish(&s, d->err);
}

static int
make_gets(struct decoder *d, struct get_group *from, struct item_group *to)
{
	size_t i;

	from->shared.kind = ITEM_GET;
	from->shared.table = from->table;
	if (request_check_item(d, &from->shared) < 0 ||
	    check_projection(d, &from->shared) < 0 ||
	    schema_value(d, "Keys") < 0 || check_keys(d, from) < 0)
		return -1;
	*to = (struct item_group){.table = from->table,
	    .count = from->nkeys, .items = arena_array(d->arena, from->nkeys,
	    sizeof *to->items)};
	if (!to->items)
		return schema_no_memory(d);
	for (i = 0; i < to->count; i++) {
		to->items[i] = from->shared;
		to->items[i].key = &from->keys[i];
	}
	return 0;
}

/* Not even in different tables may both ways be used. */
static int
check_mixture(struct decoder *d, const struct batch_get *batch)
{
	struct given news = {"ProjectionExpression", false};
	struct given olds = {"AttributesToGet", false};
	const struct expressions x = {.expressions = &news, .nexpressions = 1,
	    .older = &olds, .nolder = 1};
	size_t i;

	for (i = 0; i < batch->ngroups; i++) {
		news.there |= batch->groups[i].shared.projection.p != NULL;
		olds.there |= batch->groups[i].shared.to_get != NULL;
	}
	return request_check_expressions(d, &x);
}

static int
finish_batch_get(struct decoder *d, struct request *r, void *raw)
{
	struct batch_get *batch = raw;
	size_t i, total = 0;

	if (check_mixture(d, batch) < 0)
		return -1;
	r->capacity = batch->capacity;
	r->ngroups = batch->ngroups;
	r->groups = arena_array(d->arena, r->ngroups, sizeof *r->groups);
	if (!r->groups)
		return schema_no_memory(d);
	for (i = 0; i < r->ngroups; i++) {
		total += batch->groups[i].nkeys;
		if (total > REQUEST_BATCH_GET_MAX)
			return schema_fail(d, "Too many items requested for "
			    "the BatchGetItem call");
		if (make_gets(d, &batch->groups[i], &r->groups[i]) < 0)
			return -1;
	}
	return 0;
}

/* --- BatchWriteItem ------------------------------------------------------- */

struct document {
	const struct value *item;
};

struct write_part {
	struct document *put, *delete;
};

struct batch_write {
	struct named_list *groups;	/* of struct write_part */
	size_t ngroups;
	enum return_capacity capacity;
	enum return_metrics metrics;
};

static const struct param put_params[] = {
	{.name = "Item", .kind = PARAM_ITEM, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct document, item)},
};

static const struct param delete_params[] = {
	{.name = "Key", .kind = PARAM_ITEM, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct document, item)},
};

static const struct schema put_schema = SCHEMA("PutRequest",
    struct document, put_params);
static const struct schema delete_schema = SCHEMA("DeleteRequest",
    struct document, delete_params);

static const struct param write_part_params[] = {
	{.name = "PutRequest", .kind = PARAM_STRUCT,
	    .at = offsetof(struct write_part, put), .of = &put_schema},
	{.name = "DeleteRequest", .kind = PARAM_STRUCT,
	    .at = offsetof(struct write_part, delete), .of = &delete_schema},
};

static const struct schema write_part_schema = SCHEMA("WriteRequest",
    struct write_part, write_part_params);

static const struct param batch_write_params[] = {
	{.name = "RequestItems", .kind = PARAM_MAP_LISTS,
	    .flags = PARAM_REQUIRED | PARAM_PATTERN | PARAM_ARN,
	    .at = offsetof(struct batch_write, groups), .min = 1,
	    .max = REQUEST_BATCH_WRITE_MAX, .of = &write_part_schema},
	{.name = "ReturnConsumedCapacity", .kind = PARAM_WORD,
	    .at = offsetof(struct batch_write, capacity),
	    .words = request_capacity_words},
	{.name = "ReturnItemCollectionMetrics", .kind = PARAM_WORD,
	    .at = offsetof(struct batch_write, metrics),
	    .words = request_metrics_words},
};

static int
make_write(struct decoder *d, const struct text *table,
    const struct write_part *part, struct item_request *to)
{
	if (!part->put == !part->delete)
		return schema_fail(d, NOT_ONE);
	*to = (struct item_request){.table = *table};
	if (part->put) {
		to->kind = ITEM_PUT;
		to->item = part->put->item;
	} else {
		to->kind = ITEM_DELETE;
		to->key = part->delete->item;
	}
	return request_check_item(d, to);
}

static int
finish_batch_write(struct decoder *d, struct request *r, void *raw)
{
	const struct batch_write *batch = raw;
	const struct write_part *parts;
	struct item_group *g;
	size_t i, k, total = 0;

	r->capacity = batch->capacity;
	r->metrics = batch->metrics;
	r->ngroups = batch->ngroups;
	r->groups = arena_array(d->arena, r->ngroups, sizeof *r->groups);
	if (!r->groups)
		return schema_no_memory(d);
	for (i = 0; i < r->ngroups; i++) {
		g = &r->groups[i];
		g->table = batch->groups[i].name;
		g->count = batch->groups[i].count;
		total += g->count;
		if (total > REQUEST_BATCH_WRITE_MAX)
			return schema_fail(d, "Too many items requested for "
			    "the BatchWriteItem call");
		g->items = arena_array(d->arena, g->count, sizeof *g->items);
		if (!g->items)
			return schema_no_memory(d);
		parts = batch->groups[i].list;
		for (k = 0; k < g->count; k++)
			if (make_write(d, &g->table, &parts[k],
			    &g->items[k]) < 0)
				return -1;
	}
	return 0;
}

/* --- transactions --------------------------------------------------------- */

struct transact_part {
	struct item_request *get, *put, *update, *delete, *check;
};

struct transact {
	struct transact_part *parts;
	size_t nparts;
	enum return_capacity capacity;
	enum return_metrics metrics;
	struct text token;
};

#define ITEM(field) offsetof(struct item_request, field)
#define KEY {.name = "Key", .kind = PARAM_ITEM, .flags = PARAM_REQUIRED, \
	.at = ITEM(key)}
#define NAMES {.name = "ExpressionAttributeNames", .kind = PARAM_NAMES, \
	.at = ITEM(names)}
#define VALUES {.name = "ExpressionAttributeValues", .kind = PARAM_BINDS, \
	.at = ITEM(values)}
#define CONDITION(required) {.name = "ConditionExpression", \
	.kind = PARAM_TEXT, .flags = (required), .at = ITEM(condition)}
#define ON_FAILURE {.name = "ReturnValuesOnConditionCheckFailure", \
	.kind = PARAM_WORD, .at = ITEM(on_failure), \
	.words = request_failure_words}

static const struct param get_params[] = {
	TABLE_NAME(ITEM(table)), KEY, NAMES,
	{.name = "ProjectionExpression", .kind = PARAM_TEXT,
	    .at = ITEM(projection)},
};

static const struct param transact_put_params[] = {
	TABLE_NAME(ITEM(table)), NAMES, VALUES, CONDITION(0), ON_FAILURE,
	{.name = "Item", .kind = PARAM_ITEM, .flags = PARAM_REQUIRED,
	    .at = ITEM(item)},
};

static const struct param transact_update_params[] = {
	TABLE_NAME(ITEM(table)), KEY, NAMES, VALUES, CONDITION(0), ON_FAILURE,
	{.name = "UpdateExpression", .kind = PARAM_TEXT,
	    .flags = PARAM_REQUIRED, .at = ITEM(update)},
};

static const struct param transact_delete_params[] = {
	TABLE_NAME(ITEM(table)), KEY, NAMES, VALUES, CONDITION(0), ON_FAILURE,
};

static const struct param transact_check_params[] = {
	TABLE_NAME(ITEM(table)), KEY, NAMES, VALUES,
	CONDITION(PARAM_REQUIRED), ON_FAILURE,
};

static const struct schema get_schema = SCHEMA("Get",
    struct item_request, get_params);
static const struct schema transact_put_schema = SCHEMA("Put",
    struct item_request, transact_put_params);
static const struct schema transact_update_schema = SCHEMA("Update",
    struct item_request, transact_update_params);
static const struct schema transact_delete_schema = SCHEMA("Delete",
    struct item_request, transact_delete_params);
static const struct schema transact_check_schema = SCHEMA("ConditionCheck",
    struct item_request, transact_check_params);

static const struct param get_part_params[] = {
	{.name = "Get", .kind = PARAM_STRUCT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct transact_part, get), .of = &get_schema},
};

static const struct param transact_part_params[] = {
	{.name = "ConditionCheck", .kind = PARAM_STRUCT,
	    .at = offsetof(struct transact_part, check),
	    .of = &transact_check_schema},
	{.name = "Put", .kind = PARAM_STRUCT,
	    .at = offsetof(struct transact_part, put),
	    .of = &transact_put_schema},
	{.name = "Delete", .kind = PARAM_STRUCT,
	    .at = offsetof(struct transact_part, delete),
	    .of = &transact_delete_schema},
	{.name = "Update", .kind = PARAM_STRUCT,
	    .at = offsetof(struct transact_part, update),
	    .of = &transact_update_schema},
};

static const struct schema get_part_schema = SCHEMA("TransactGetItem",
    struct transact_part, get_part_params);
static const struct schema transact_part_schema = SCHEMA("TransactWriteItem",
    struct transact_part, transact_part_params);

#define ITEMS(schema) {.name = "TransactItems", .kind = PARAM_STRUCTS, \
	.flags = PARAM_REQUIRED, .at = offsetof(struct transact, parts), \
	.min = 1, .max = REQUEST_TRANSACT_MAX, .of = (schema)}
#define TRANSACT_CAPACITY {.name = "ReturnConsumedCapacity", \
	.kind = PARAM_WORD, .at = offsetof(struct transact, capacity), \
	.words = request_capacity_words}

static const struct param transact_get_params[] = {
	ITEMS(&get_part_schema), TRANSACT_CAPACITY,
};

static const struct param transact_write_params[] = {
	ITEMS(&transact_part_schema), TRANSACT_CAPACITY,
	{.name = "ReturnItemCollectionMetrics", .kind = PARAM_WORD,
	    .at = offsetof(struct transact, metrics),
	    .words = request_metrics_words},
	{.name = "ClientRequestToken", .kind = PARAM_TEXT,
	    .at = offsetof(struct transact, token), .min = 1, .max = 36},
};

/* The one thing that a part asks for, with its kind; or NULL. */
static struct item_request *
only_one(const struct transact_part *part)
{
	struct item_request *const all[] = {
		[ITEM_GET] = part->get, [ITEM_PUT] = part->put,
		[ITEM_UPDATE] = part->update, [ITEM_DELETE] = part->delete,
		[ITEM_CHECK] = part->check,
	};
	struct item_request *one = NULL;
	size_t i;

	for (i = 0; i < COUNT(all); i++) {
		if (!all[i])
			continue;
		if (one)
			return NULL;
		one = all[i];
		one->kind = (enum item_kind)i;
	}
	return one;
}

static int
finish_transact(struct decoder *d, struct request *r, void *raw)
{
	const struct transact *t = raw;
	const struct item_request *one;
	size_t i;

	r->capacity = t->capacity;
	r->metrics = t->metrics;
	r->token = t->token;
	r->nitems = t->nparts;
	r->items = arena_array(d->arena, r->nitems, sizeof *r->items);
	if (!r->items)
		return schema_no_memory(d);
	for (i = 0; i < r->nitems; i++) {
		one = only_one(&t->parts[i]);
		if (!one)
			return schema_fail(d, "TransactItems can only contain "
			    "one of Check, Put, Update or Delete");
		if (request_check_item(d, one) < 0)
			return -1;
		r->items[i] = *one;
	}
	return 0;
}

static const struct schema batch_get_schema = SCHEMA("BatchGetItemInput",
    struct batch_get, batch_get_params);
static const struct schema batch_write_schema = SCHEMA("BatchWriteItemInput",
    struct batch_write, batch_write_params);
static const struct schema transact_get_schema = SCHEMA(
    "TransactGetItemsInput", struct transact, transact_get_params);
static const struct schema transact_write_schema = SCHEMA(
    "TransactWriteItemsInput", struct transact, transact_write_params);

const struct form request_batch_get_form = {&batch_get_schema, true,
    finish_batch_get};
const struct form request_batch_write_form = {&batch_write_schema, true,
    finish_batch_write};
const struct form request_transact_get_form = {&transact_get_schema, true,
    finish_transact};
const struct form request_transact_write_form = {&transact_write_schema, true,
    finish_transact};
