/*
 * Query and Scan, for request.h.
 */
#include "request_internal.h"

#include <string.h>

#define READ(field) (AT(read) + offsetof(struct read_request, field))

static const struct word select_words[] = {
	{"SPECIFIC_ATTRIBUTES", SELECT_SPECIFIC}, {"COUNT", SELECT_COUNT},
	{"ALL_ATTRIBUTES", SELECT_ALL_ATTRIBUTES},
	{"ALL_PROJECTED_ATTRIBUTES", SELECT_ALL_PROJECTED}, {NULL, 0},
};

#define BOTH \
	TABLE_NAME(READ(table)), CAPACITY, \
	{.name = "IndexName", .kind = PARAM_TEXT, .flags = PARAM_PATTERN, \
	    .at = READ(index), .min = 3, .max = 255}, \
	{.name = "Select", .kind = PARAM_WORD, .at = READ(select), \
	    .words = select_words}, \
	{.name = "Limit", .kind = PARAM_INTEGER, .at = READ(limit), \
	    .min = 1}, \
	{.name = "ConsistentRead", .kind = PARAM_CHOICE, \
	    .at = READ(consistent)}, \
	{.name = "ExclusiveStartKey", .kind = PARAM_ITEM, \
	    .at = READ(start)}, \
	{.name = "FilterExpression", .kind = PARAM_TEXT, \
	    .at = READ(filter)}, \
	{.name = "ProjectionExpression", .kind = PARAM_TEXT, \
	    .at = READ(projection)}, \
	{.name = "ExpressionAttributeNames", .kind = PARAM_NAMES, \
	    .at = READ(names)}, \
	{.name = "ExpressionAttributeValues", .kind = PARAM_BINDS, \
	    .at = READ(values)}, \
	{.name = "ConditionalOperator", .kind = PARAM_WORD, \
	    .at = READ(joint), .words = request_joint_words}, \
	{.name = "AttributesToGet", .kind = PARAM_TEXTS, .at = READ(to_get), \
	    .min = 1, .max = LEGACY_TO_GET_MAX}

static const struct param query_params[] = {
	BOTH,
	{.name = "KeyConditionExpression", .kind = PARAM_TEXT,
	    .at = READ(key_condition)},
	{.name = "ScanIndexForward", .kind = PARAM_CHOICE,
	    .at = READ(forward)},
	{.name = "KeyConditions", .kind = PARAM_MAP,
	    .at = READ(key_conditions), .of = &request_condition_schema},
	{.name = "QueryFilter", .kind = PARAM_MAP, .at = READ(conditions),
	    .of = &request_condition_schema},
};

static const struct param scan_params[] = {
	BOTH,
	{.name = "Segment", .kind = PARAM_INTEGER, .at = READ(segment),
	    .max = 999999, .has_at = READ(has_segment)},
	{.name = "TotalSegments", .kind = PARAM_INTEGER,
	    .at = READ(segments), .min = 1, .max = 1000000},
	{.name = "ScanFilter", .kind = PARAM_MAP, .at = READ(conditions),
	    .of = &request_condition_schema},
};

static int
check_parameters(struct decoder *d, const struct read_request *r, bool scan)
{
	const struct given news[] = {
		{"ProjectionExpression", r->projection.p != NULL},
		{"FilterExpression", r->filter.p != NULL},
		{"KeyConditionExpression", r->key_condition.p != NULL},
	};
	const struct given olds[] = {
		{"AttributesToGet", r->to_get != NULL},
		{scan ? "ScanFilter" : "QueryFilter",
		    r->conditions.list != NULL},
		{"ConditionalOperator", r->joint != JOINT_ABSENT},
		{"KeyConditions", r->key_conditions.list != NULL &&
		    r->key_condition.p != NULL},
	};
	const struct expressions x = {news, COUNT(news), olds, COUNT(olds),
	    r->names, r->values, scan ? "FilterExpression is" :
	    "FilterExpression and KeyConditionExpression are",
	    r->filter.p || r->key_condition.p};

	return request_check_expressions(d, &x);
}

/* What is wrong with the value is said plainly, or of the starting key. */
static int
check_start(struct decoder *d)
{
	static const char *const plain[] = {"contains duplicates",
	    "number set", "numeric value", "significant digits",
	    "number with magnitude"};
	char why[sizeof d->err->text];
	size_t i;

	if (schema_value(d, "ExclusiveStartKey") == 0)
		return 0;
	for (i = 0; i < COUNT(plain); i++)
		if (strstr(d->err->text, plain[i]))
			return -1;
	memcpy(why, d->err->text, sizeof why);
	return schema_fail(d, "The provided starting key is invalid: %.460s",
	    why);
}

static int
check_select(struct decoder *d, const struct read_request *r)
{
	const char *picks = r->projection.p ? "ProjectionExpression" :
	    r->to_get ? "AttributesToGet" : NULL;

	if (r->select == SELECT_ALL_PROJECTED && !r->index.p)
		return schema_fail(d, "One or more parameter values were "
		    "invalid: ALL_PROJECTED_ATTRIBUTES can be used only when "
		    "Querying using an IndexName");
	if (r->select == SELECT_SPECIFIC && !picks)
		return schema_fail(d, "Must specify the AttributesToGet or "
		    "ProjectionExpression when choosing to get "
		    "SPECIFIC_ATTRIBUTES");
	if (!picks || r->select == SELECT_ABSENT ||
	    r->select == SELECT_SPECIFIC)
		return 0;
	return schema_fail(d, "Cannot specify the %s when choosing to get %s",
	    picks, r->select == SELECT_COUNT ? "only the Count" :
	    r->select == SELECT_ALL_ATTRIBUTES ? "ALL_ATTRIBUTES" :
	    "ALL_PROJECTED_ATTRIBUTES");
}

static int
check_segments(struct decoder *d, const struct read_request *r)
{
	if (r->has_segment && r->segments == 0)
		return schema_fail(d, "The TotalSegments parameter is required "
		    "but was not present in the request when Segment parameter "
		    "is present");
	if (r->segments && !r->has_segment)
		return schema_fail(d, "The Segment parameter is required but "
		    "was not present in the request when parameter "
		    "TotalSegments is present");
	if (r->segments && r->segment >= r->segments)
		return schema_fail(d, "The Segment parameter is zero-based and "
		    "must be less than parameter TotalSegments: Segment: %u is "
		    "not less than TotalSegments: %u", (unsigned)r->segment,
		    (unsigned)r->segments);
	return 0;
}

/* QueryFilter or ScanFilter, looked at as it is compiled later. */
static int
check_filter(struct decoder *d, const struct read_request *r)
{
	const struct conditions *c = &r->conditions;
	const struct expr *tree;

	if (request_check_conditions(d, c) < 0 ||
	    schema_value(d, "QueryFilter") < 0 ||
	    schema_value(d, "ScanFilter") < 0)
		return -1;
	return legacy_filter(d->arena, c->list, c->count, false, &tree,
	    d->err);
}

static int
check_scan(struct decoder *d, const struct read_request *r)
{
	if (request_check_names(d, r->to_get, r->nto_get) < 0 ||
	    check_filter(d, r) < 0 || check_start(d) < 0)
		return -1;
	return check_segments(d, r);
}

static int
check_query(struct decoder *d, const struct read_request *r)
{
	if (check_filter(d, r) < 0 ||
	    request_check_names(d, r->to_get, r->nto_get) < 0 ||
	    check_start(d) < 0)
		return -1;
	if (!r->key_conditions.list && !r->key_condition.p)
		return schema_fail(d, "Either the KeyConditions or "
		    "KeyConditionExpression parameter must be specified in the "
		    "request.");
	return request_check_conditions(d, &r->key_conditions);
}

static int
finish(struct decoder *d, struct request *r, void *raw)
{
	const struct read_request *read = &r->read;
	bool scan = r->info->op == OP_SCAN;

	(void)raw;
	if (check_parameters(d, read, scan) < 0 ||
	    (scan ? check_scan(d, read) : check_query(d, read)) < 0 ||
	    check_select(d, read) < 0)
		return -1;
	return request_check_joint(d, read->joint, &read->conditions);
}

static const struct schema query_schema = SCHEMA("QueryInput",
    struct request, query_params);
static const struct schema scan_schema = SCHEMA("ScanInput",
    struct request, scan_params);

const struct form request_query_form = {&query_schema, false, finish};
const struct form request_scan_form = {&scan_schema, false, finish};
