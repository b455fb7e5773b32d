/*
 * The four operations on streams, for request.h.
 */
#include "request_internal.h"

#define STREAM(field) (AT(stream) + offsetof(struct stream_request, field))
#define ARN(flag) {.name = "StreamArn", .kind = PARAM_TEXT, .flags = (flag), \
	.at = STREAM(arn), .min = 37, .max = 1024}
#define LIMIT(most) {.name = "Limit", .kind = PARAM_INTEGER, \
	.at = STREAM(limit), .min = 1, .max = (most)}

static const struct word type_words[] = {
	{"TRIM_HORIZON", 1}, {"LATEST", 2}, {"AT_SEQUENCE_NUMBER", 3},
	{"AFTER_SEQUENCE_NUMBER", 4}, {NULL, 0},
};

static const struct param list_params[] = {
	LIMIT(100),
	{.name = "TableName", .kind = PARAM_TEXT,
	    .flags = PARAM_PATTERN | PARAM_ARN, .at = STREAM(table),
	    .min = 3, .max = 255},
	{.name = "ExclusiveStartStreamArn", .kind = PARAM_TEXT,
	    .at = STREAM(start), .min = 37, .max = 1024},
};

static const struct word filter_words[] = {
	{"CHILD_SHARDS", 1}, {NULL, 0},
};

static const struct param filter_params[] = {
	{.name = "Type", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct stream_filter, type),
	    .words = filter_words},
	{.name = "ShardId", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct stream_filter, shard), .min = 28,
	    .max = 65},
};

static const struct schema filter_schema = SCHEMA("ShardFilter",
    struct stream_filter, filter_params);

static const struct param describe_params[] = {
	ARN(PARAM_REQUIRED), LIMIT(100),
	{.name = "ShardFilter", .kind = PARAM_STRUCT, .at = STREAM(filter),
	    .of = &filter_schema},
	{.name = "ExclusiveStartShardId", .kind = PARAM_TEXT,
	    .at = STREAM(start), .min = 28, .max = 65},
};

static const struct param iterator_params[] = {
	ARN(PARAM_REQUIRED),
	{.name = "ShardId", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = STREAM(shard), .min = 28, .max = 65},
	{.name = "ShardIteratorType", .kind = PARAM_TEXT,
	    .flags = PARAM_REQUIRED, .at = STREAM(iterator_type),
	    .words = type_words},
	{.name = "SequenceNumber", .kind = PARAM_TEXT,
	    .at = STREAM(sequence), .min = 21, .max = 40},
};

static const struct param records_params[] = {
	LIMIT(1000),
	{.name = "ShardIterator", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = STREAM(iterator), .min = 1, .max = 2048},
};

/* "...SEQUENCE_NUMBER" asks for one, the others for none. */
static int
finish_iterator(struct decoder *d, struct request *r, void *raw)
{
	const struct text *type = &r->stream.iterator_type;
	bool numbered = type->n > 0 && type->p[type->n - 1] == 'R';

	(void)raw;
	if (numbered && !r->stream.sequence.p)
		return schema_fail(d, "SequenceNumber is required for "
		    "ShardIteratorType %.*s", (int)type->n, type->p);
	if (!numbered && r->stream.sequence.p)
		return schema_fail(d, "SequenceNumber must not be given for "
		    "ShardIteratorType %.*s", (int)type->n, type->p);
	return 0;
}

static const struct schema list_schema = SCHEMA("ListStreamsInput",
    struct request, list_params);
static const struct schema describe_schema = SCHEMA("DescribeStreamInput",
    struct request, describe_params);
static const struct schema iterator_schema = SCHEMA("GetShardIteratorInput",
    struct request, iterator_params);
static const struct schema records_schema = SCHEMA("GetRecordsInput",
    struct request, records_params);

const struct form request_list_streams_form = {&list_schema, false, NULL};
const struct form request_describe_stream_form = {&describe_schema, false,
    NULL};
const struct form request_iterator_form = {&iterator_schema, false,
    finish_iterator};
const struct form request_records_form = {&records_schema, false, NULL};
