/*
 * GetItem, PutItem, UpdateItem and DeleteItem, for request.h.
 */
#include "request_internal.h"

#define ITEM(field) (AT(item) + offsetof(struct item_request, field))

#define KEY {.name = "Key", .kind = PARAM_ITEM, .flags = PARAM_REQUIRED, \
	.at = ITEM(key)}
#define NAMES {.name = "ExpressionAttributeNames", .kind = PARAM_NAMES, \
	.at = ITEM(names)}
#define VALUES {.name = "ExpressionAttributeValues", .kind = PARAM_BINDS, \
	.at = ITEM(values)}
#define CONDITION {.name = "ConditionExpression", .kind = PARAM_TEXT, \
	.at = ITEM(condition)}
#define METRICS {.name = "ReturnItemCollectionMetrics", .kind = PARAM_WORD, \
	.at = AT(metrics), .words = request_metrics_words}
#define RETURN_VALUES {.name = "ReturnValues", .kind = PARAM_WORD, \
	.at = ITEM(returns), .words = return_words}
#define ON_FAILURE {.name = "ReturnValuesOnConditionCheckFailure", \
	.kind = PARAM_WORD, .at = ITEM(on_failure), \
	.words = request_failure_words}
#define EXPECTED {.name = "Expected", .kind = PARAM_MAP, \
	.at = ITEM(expected), .of = &expected_schema}
#define JOINT {.name = "ConditionalOperator", .kind = PARAM_WORD, \
	.at = ITEM(joint), .words = request_joint_words}

static const struct word return_words[] = {
	{"ALL_NEW", RETURN_ALL_NEW}, {"UPDATED_OLD", RETURN_UPDATED_OLD},
	{"ALL_OLD", RETURN_ALL_OLD}, {"NONE", RETURN_NONE},
	{"UPDATED_NEW", RETURN_UPDATED_NEW}, {NULL, 0},
};

static const struct word action_words[] = {
	{"ADD", LEGACY_ADD}, {"PUT", LEGACY_PUT}, {"DELETE", LEGACY_DELETE},
	{NULL, 0},
};

#define OPERATOR(field_flags) {.name = "ComparisonOperator", \
	.kind = PARAM_WORD, .flags = (field_flags), \
	.at = offsetof(struct legacy_condition, op), .words = operator_words}
#define OPERANDS {.name = "AttributeValueList", .kind = PARAM_VALUES, \
	.at = offsetof(struct legacy_condition, values), \
	.has_at = offsetof(struct legacy_condition, has_values)}

static const struct word operator_words[] = {
	{"IN", LEGACY_IN}, {"NULL", LEGACY_NULL},
	{"BETWEEN", LEGACY_BETWEEN}, {"LT", LEGACY_LT},
	{"NOT_CONTAINS", LEGACY_NOT_CONTAINS}, {"EQ", LEGACY_EQ},
	{"GT", LEGACY_GT}, {"NOT_NULL", LEGACY_NOT_NULL},
	{"NE", LEGACY_NE}, {"LE", LEGACY_LE},
	{"BEGINS_WITH", LEGACY_BEGINS_WITH}, {"GE", LEGACY_GE},
	{"CONTAINS", LEGACY_CONTAINS}, {NULL, 0},
};

static const struct param condition_params[] = {
	OPERATOR(PARAM_REQUIRED), OPERANDS,
};

const struct schema request_condition_schema = SCHEMA("Condition",
    struct legacy_condition, condition_params);

static const struct param expected_params[] = {
	OPERATOR(0), OPERANDS,
	{.name = "Exists", .kind = PARAM_FLAG,
	    .at = offsetof(struct legacy_condition, exists),
	    .has_at = offsetof(struct legacy_condition, has_exists)},
	{.name = "Value", .kind = PARAM_VALUE,
	    .at = offsetof(struct legacy_condition, value)},
};

static const struct schema expected_schema = SCHEMA("ExpectedAttributeValue",
    struct legacy_condition, expected_params);

static const struct param change_params[] = {
	{.name = "Action", .kind = PARAM_WORD,
	    .at = offsetof(struct legacy_update, action),
	    .words = action_words},
	{.name = "Value", .kind = PARAM_VALUE,
	    .at = offsetof(struct legacy_update, value)},
};

static const struct schema change_schema = SCHEMA("AttributeValueUpdate",
    struct legacy_update, change_params);

static const struct param get_params[] = {
	TABLE_NAME(ITEM(table)), KEY, NAMES, CAPACITY,
	{.name = "ProjectionExpression", .kind = PARAM_TEXT,
	    .at = ITEM(projection)},
	{.name = "ConsistentRead", .kind = PARAM_CHOICE,
	    .at = ITEM(consistent)},
	{.name = "AttributesToGet", .kind = PARAM_TEXTS, .at = ITEM(to_get),
	    .min = 1, .max = LEGACY_TO_GET_MAX},
};

static const struct param put_params[] = {
	TABLE_NAME(ITEM(table)), CONDITION, NAMES, VALUES, CAPACITY, METRICS,
	RETURN_VALUES, ON_FAILURE, EXPECTED, JOINT,
	{.name = "Item", .kind = PARAM_ITEM, .flags = PARAM_REQUIRED,
	    .at = ITEM(item)},
};

static const struct param update_params[] = {
	TABLE_NAME(ITEM(table)), KEY, CONDITION, NAMES, VALUES, CAPACITY,
	METRICS, RETURN_VALUES, ON_FAILURE, EXPECTED, JOINT,
	{.name = "UpdateExpression", .kind = PARAM_TEXT, .at = ITEM(update)},
	{.name = "AttributeUpdates", .kind = PARAM_MAP, .at = ITEM(updates),
	    .of = &change_schema},
};

static const struct param delete_params[] = {
	TABLE_NAME(ITEM(table)), KEY, CONDITION, NAMES, VALUES, CAPACITY,
	METRICS, RETURN_VALUES, ON_FAILURE, EXPECTED, JOINT,
};

/* --- checks --------------------------------------------------------------- */

static int
check_parameters(struct decoder *d, const struct item_request *r)
{
	static const char *const needs[] = {
		[ITEM_GET] = "",
		[ITEM_PUT] = "ConditionExpression is",
		[ITEM_UPDATE] = "UpdateExpression and ConditionExpression are",
		[ITEM_DELETE] = "ConditionExpression is",
		[ITEM_CHECK] = "ConditionExpression is",
	};
	const struct given news[] = {
		{"ProjectionExpression", r->projection.p != NULL},
		{"UpdateExpression", r->update.p != NULL},
		{"ConditionExpression", r->condition.p != NULL},
	};
	const struct given olds[] = {
		{"AttributesToGet", r->to_get != NULL},
		{"AttributeUpdates", r->updates != NULL},
		{"ConditionalOperator", r->joint != JOINT_ABSENT},
		{"Expected", r->expected.list != NULL},
	};
	const struct expressions x = {news, COUNT(news), olds, COUNT(olds),
	    r->names, r->values, needs[r->kind],
	    r->update.p || r->condition.p};

	return request_check_expressions(d, &x);
}

/* The names in the older parameters; in items they were looked at before. */
static int
check_names(struct decoder *d, const struct item_request *r)
{
	size_t i;

	for (i = 0; i < r->nupdates; i++)
		if (schema_attribute(d, &r->updates[i].name) < 0)
			return -1;
	return request_check_names(d, r->to_get, r->nto_get) < 0 ||
	    request_check_conditions(d, &r->expected) < 0 ? -1 : 0;
}

int
request_check_item(struct decoder *d, const struct item_request *r)
{
	if (check_parameters(d, r) < 0 || schema_value(d, "Key") < 0 ||
	    schema_value(d, "Item") < 0 || check_names(d, r) < 0)
		return -1;
	if (r->kind != ITEM_UPDATE && r->returns != RETURN_NONE &&
	    r->returns != RETURN_ALL_OLD)
		return schema_fail(d,
		    "ReturnValues can only be ALL_OLD or NONE");
	if (r->item && value_item_size(r->item) > VALUE_ITEM_MAX)
		return schema_fail(d,
		    "Item size has exceeded the maximum allowed size");
	return request_check_joint(d, r->joint, &r->expected);
}

static int
finish(struct decoder *d, struct request *r, void *raw)
{
	static const enum item_kind kinds[] = {
		[OP_GET_ITEM] = ITEM_GET, [OP_PUT_ITEM] = ITEM_PUT,
		[OP_UPDATE_ITEM] = ITEM_UPDATE, [OP_DELETE_ITEM] = ITEM_DELETE,
	};

	(void)raw;
	r->item.kind = kinds[r->info->op];
	return request_check_item(d, &r->item);
}

static const struct schema get_schema = SCHEMA("GetItemInput",
    struct request, get_params);
static const struct schema put_schema = SCHEMA("PutItemInput",
    struct request, put_params);
static const struct schema update_schema = SCHEMA("UpdateItemInput",
    struct request, update_params);
static const struct schema delete_schema = SCHEMA("DeleteItemInput",
    struct request, delete_params);

const struct form request_get_form = {&get_schema, false, finish};
const struct form request_put_form = {&put_schema, false, finish};
const struct form request_update_form = {&update_schema, false, finish};
const struct form request_delete_form = {&delete_schema, false, finish};
