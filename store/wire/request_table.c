/*
 * Operations on a table as a whole: their parameters, for request.h.  What is
 * asked of keys and indexes is in request_keys.c.
 */
#include "request_table.h"

#define TABLE(field) (AT(table) + offsetof(struct table_request, field))
#define RAW(field) offsetof(struct raw_table, field)
#define FIRST_NAME(where) {.name = "TableName", .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED | PARAM_PATTERN | PARAM_FIRST | PARAM_ARN, \
	.at = (where), .min = 3, .max = 255}
#define INDEX_NAME {.name = "IndexName", .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED | PARAM_PATTERN, \
	.at = offsetof(struct raw_index, name), .min = 3, .max = 255}

const struct word request_billing_words[] = {
	{"PROVISIONED", 1}, {"PAY_PER_REQUEST", 2}, {NULL, 0},
};

static const struct word type_words[] = {
	{"B", VALUE_B}, {"N", VALUE_N}, {"S", VALUE_S}, {NULL, 0},
};

static const struct word role_words[] = {
	{"HASH", ROLE_HASH}, {"RANGE", ROLE_RANGE}, {NULL, 0},
};

static const struct word projection_words[] = {
	{"ALL", 1}, {"INCLUDE", 2}, {"KEYS_ONLY", 3}, {NULL, 0},
};

static const struct word view_words[] = {
	{"NEW_IMAGE", 1}, {"OLD_IMAGE", 2}, {"NEW_AND_OLD_IMAGES", 3},
	{"KEYS_ONLY", 4}, {NULL, 0},
};

static const struct param attribute_params[] = {
	{.name = "AttributeName", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct attribute_definition, name), .min = 1,
	    .max = 255},
	{.name = "AttributeType", .kind = PARAM_WORD, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct attribute_definition, type),
	    .words = type_words},
};

const struct schema request_attribute_schema =
    SCHEMA("AttributeDefinition", struct attribute_definition,
    attribute_params);

static const struct param key_params[] = {
	{.name = "AttributeName", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct key_element, name), .min = 1, .max = 255},
	{.name = "KeyType", .kind = PARAM_WORD, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct key_element, role), .words = role_words},
};

const struct schema request_key_schema = SCHEMA("KeySchemaElement",
    struct key_element, key_params);

static const struct param throughput_params[] = {
	{.name = "ReadCapacityUnits", .kind = PARAM_LONG,
	    .flags = PARAM_REQUIRED,
	    .at = offsetof(struct throughput, reads), .min = 1},
	{.name = "WriteCapacityUnits", .kind = PARAM_LONG,
	    .flags = PARAM_REQUIRED,
	    .at = offsetof(struct throughput, writes), .min = 1},
};

const struct schema request_throughput_schema =
    SCHEMA("ProvisionedThroughput", struct throughput, throughput_params);

static const struct param most_params[] = {
	{.name = "MaxReadRequestUnits", .kind = PARAM_SIGNED,
	    .at = offsetof(struct raw_most, reads),
	    .has_at = offsetof(struct raw_most, has_reads)},
	{.name = "MaxWriteRequestUnits", .kind = PARAM_SIGNED,
	    .at = offsetof(struct raw_most, writes),
	    .has_at = offsetof(struct raw_most, has_writes)},
};

const struct schema request_most_schema = SCHEMA("OnDemandThroughput",
    struct raw_most, most_params);

static const struct param warm_params[] = {
	{.name = "ReadUnitsPerSecond", .kind = PARAM_LONG,
	    .at = offsetof(struct throughput, reads)},
	{.name = "WriteUnitsPerSecond", .kind = PARAM_LONG,
	    .at = offsetof(struct throughput, writes)},
};

static const struct schema warm_schema = SCHEMA("WarmThroughput",
    struct throughput, warm_params);

static const struct param projection_params[] = {
	{.name = "ProjectionType", .kind = PARAM_TEXT,
	    .at = offsetof(struct raw_projection, type),
	    .words = projection_words},
	{.name = "NonKeyAttributes", .kind = PARAM_TEXTS,
	    .at = offsetof(struct raw_projection, nonkey), .min = 1,
	    .max = 20},
};

static const struct schema projection_schema = SCHEMA("Projection",
    struct raw_projection, projection_params);

#define INDEX_KEY(parts) {.name = "KeySchema", .kind = PARAM_STRUCTS, \
	.flags = PARAM_REQUIRED, .at = offsetof(struct raw_index, key), \
	.min = 1, .max = (parts), .of = &request_key_schema}
#define PROJECTION {.name = "Projection", .kind = PARAM_STRUCT, \
	.flags = PARAM_REQUIRED, .at = offsetof(struct raw_index, projection), \
	.of = &projection_schema}
#define INDEX_THROUGHPUT {.name = "ProvisionedThroughput", \
	.kind = PARAM_STRUCT, .at = offsetof(struct raw_index, throughput), \
	.of = &request_throughput_schema}, \
	{.name = "OnDemandThroughput", .kind = PARAM_STRUCT, \
	.at = offsetof(struct raw_index, most), .of = &request_most_schema}, \
	{.name = "WarmThroughput", .kind = PARAM_STRUCT, \
	.at = offsetof(struct raw_index, warm), .of = &warm_schema}

static const struct param local_params[] = {
	INDEX_NAME, INDEX_KEY(2), PROJECTION,
};

static const struct param global_params[] = {
	INDEX_NAME, INDEX_KEY(2 * REQUEST_KEY_PARTS), PROJECTION,
	INDEX_THROUGHPUT,
};

static const struct param index_update_params[] = {
	INDEX_NAME, INDEX_THROUGHPUT,
};

static const struct param index_delete_params[] = {
	INDEX_NAME,
};

const struct schema request_local_schema = SCHEMA("LocalSecondaryIndex",
    struct raw_index, local_params);
const struct schema request_global_schema = SCHEMA("GlobalSecondaryIndex",
    struct raw_index, global_params);
static const struct schema index_update_schema = SCHEMA(
    "UpdateGlobalSecondaryIndexAction", struct raw_index, index_update_params);
static const struct schema index_delete_schema = SCHEMA(
    "DeleteGlobalSecondaryIndexAction", struct raw_index, index_delete_params);

static const struct param change_params[] = {
	{.name = "Create", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_change, create), .of = &request_global_schema},
	{.name = "Update", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_change, update),
	    .of = &index_update_schema},
	{.name = "Delete", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_change, delete),
	    .of = &index_delete_schema},
};

static const struct schema change_schema = SCHEMA("GlobalSecondaryIndexUpdate",
    struct raw_change, change_params);

static const struct param stream_params[] = {
	{.name = "StreamEnabled", .kind = PARAM_CHOICE,
	    .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_stream, enabled)},
	{.name = "StreamViewType", .kind = PARAM_TEXT,
	    .at = offsetof(struct raw_stream, view), .words = view_words},
};

static const struct schema stream_schema = SCHEMA("StreamSpecification",
    struct raw_stream, stream_params);

static const struct word encryption_words[] = {
	{"AES256", 1}, {"KMS", 2}, {NULL, 0},
};

static const struct param encrypted_params[] = {
	{.name = "Enabled", .kind = PARAM_CHOICE,
	    .at = offsetof(struct raw_encrypted, enabled)},
	{.name = "SSEType", .kind = PARAM_TEXT,
	    .at = offsetof(struct raw_encrypted, type),
	    .words = encryption_words},
	{.name = "KMSMasterKeyId", .kind = PARAM_THERE,
	    .at = offsetof(struct raw_encrypted, key)},
};

const struct schema request_encrypted_schema = SCHEMA("SSESpecification",
    struct raw_encrypted, encrypted_params);

static const struct param ttl_params[] = {
	{.name = "AttributeName", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_ttl, attribute), .min = 1, .max = 255},
	{.name = "Enabled", .kind = PARAM_CHOICE, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_ttl, enabled)},
};

static const struct schema ttl_schema = SCHEMA("TimeToLiveSpecification",
    struct raw_ttl, ttl_params);

static const struct param tag_params[] = {
	{.name = "Key", .kind = PARAM_TEXT, .at = offsetof(struct tag, key)},
	{.name = "Value", .kind = PARAM_TEXT,
	    .at = offsetof(struct tag, value)},
};

const struct schema request_tag_schema = SCHEMA("Tag", struct tag, tag_params);

#define BOTH \
	FIRST_NAME(RAW(name)), \
	{.name = "BillingMode", .kind = PARAM_TEXT, .at = RAW(billing), \
	    .words = request_billing_words}, \
	{.name = "ProvisionedThroughput", .kind = PARAM_STRUCT, \
	    .at = RAW(throughput), .of = &request_throughput_schema}, \
	{.name = "StreamSpecification", .kind = PARAM_STRUCT, \
	    .at = RAW(stream), .of = &stream_schema}, \
	{.name = "SSESpecification", .kind = PARAM_STRUCT, \
	    .at = RAW(encrypted), .of = &request_encrypted_schema}, \
	{.name = "DeletionProtectionEnabled", .kind = PARAM_CHOICE, \
	    .at = RAW(protected)}, \
	{.name = "TableClass", .kind = PARAM_TEXT, .at = RAW(class)}, \
	{.name = "OnDemandThroughput", .kind = PARAM_STRUCT, \
	    .at = RAW(most), .of = &request_most_schema}, \
	{.name = "WarmThroughput", .kind = PARAM_STRUCT, \
	    .at = RAW(warm), .of = &warm_schema}, \
	{.name = "MultiRegionConsistency", .kind = PARAM_THERE, \
	    .at = RAW(consistency)}, \
	{.name = "GlobalTableSettingsReplicationMode", \
	    .kind = PARAM_THERE, .at = RAW(sharing)}, \
	{.name = "History", .kind = PARAM_CHOICE, .at = RAW(history)}

static const struct param create_params[] = {
	BOTH,
	{.name = "AttributeDefinitions", .kind = PARAM_STRUCTS,
	    .flags = PARAM_REQUIRED, .at = RAW(attributes),
	    .of = &request_attribute_schema},
	{.name = "KeySchema", .kind = PARAM_STRUCTS, .flags = PARAM_REQUIRED,
	    .at = RAW(key), .min = 1, .max = 2, .of = &request_key_schema},
	{.name = "LocalSecondaryIndexes", .kind = PARAM_STRUCTS,
	    .at = RAW(locals), .of = &request_local_schema},
	{.name = "GlobalSecondaryIndexes", .kind = PARAM_STRUCTS,
	    .at = RAW(globals), .of = &request_global_schema},
	{.name = "Tags", .kind = PARAM_STRUCTS, .at = RAW(tags),
	    .of = &request_tag_schema},
	{.name = "TimeToLiveSpecification", .kind = PARAM_STRUCT,
	    .at = RAW(ttl), .of = &ttl_schema},
	{.name = "ResourcePolicy", .kind = PARAM_THERE, .at = RAW(policy)},
	{.name = "VectorIndexes", .kind = PARAM_THERE, .at = RAW(vectors)},
	{.name = "GlobalTableSourceArn", .kind = PARAM_THERE,
	    .at = RAW(replicas)},
};

static const struct param update_params[] = {
	BOTH,
	{.name = "AttributeDefinitions", .kind = PARAM_STRUCTS,
	    .at = RAW(attributes), .of = &request_attribute_schema},
	{.name = "GlobalSecondaryIndexUpdates", .kind = PARAM_STRUCTS,
	    .at = RAW(changes), .of = &change_schema},
	{.name = "ReplicaUpdates", .kind = PARAM_THERE, .at = RAW(replicas)},
	{.name = "GlobalTableWitnessUpdates", .kind = PARAM_THERE,
	    .at = RAW(witnesses)},
	{.name = "VectorIndexUpdates", .kind = PARAM_THERE,
	    .at = RAW(vectors)},
};

static const struct param ttl_update_params[] = {
	FIRST_NAME(RAW(name)),
	{.name = "TimeToLiveSpecification", .kind = PARAM_STRUCT,
	    .flags = PARAM_REQUIRED, .at = RAW(ttl), .of = &ttl_schema},
};

static const struct param table_params[] = {
	FIRST_NAME(TABLE(name)),
};

static const struct param list_params[] = {
	{.name = "ExclusiveStartTableName", .kind = PARAM_TEXT,
	    .flags = PARAM_PATTERN, .at = TABLE(start), .min = 3, .max = 255},
	{.name = "Limit", .kind = PARAM_INTEGER, .at = TABLE(limit),
	    .min = 1, .max = 100},
};

static const struct schema create_schema = SCHEMA("CreateTableInput",
    struct raw_table, create_params);
static const struct schema update_schema = SCHEMA("UpdateTableInput",
    struct raw_table, update_params);
static const struct schema ttl_update_schema = SCHEMA("UpdateTimeToLiveInput",
    struct raw_table, ttl_update_params);
static const struct schema table_schema = SCHEMA("TableInput",
    struct request, table_params);
static const struct schema list_schema = SCHEMA("ListTablesInput",
    struct request, list_params);

/* --- from what was read to struct table_request --------------------------- */

/* -1: there is to be no limit. */
static void
make_most(const struct raw_most *raw, struct throughput *to)
{
	if (!raw)
		return;
	to->no_reads = raw->reads < 0;
	to->no_writes = raw->writes < 0;
	to->reads = raw->reads > 0 ? (uint64_t)raw->reads : 0;
	to->writes = raw->writes > 0 ? (uint64_t)raw->writes : 0;
}

static void
make_index(const struct raw_index *raw, enum index_change change,
    struct index_request *to)
{
	*to = (struct index_request){.change = change, .name = raw->name,
	    .key = raw->key, .nkey = raw->nkey};
	if (raw->projection) {
		to->projection = raw->projection->type;
		to->nonkey = raw->projection->nonkey;
		to->nnonkey = raw->projection->nnonkey;
	}
	if (raw->throughput)
		to->throughput = *raw->throughput;
	if (raw->warm)
		to->warm = *raw->warm;
	make_most(raw->most, &to->most);
}

static int
make_indexes(struct decoder *d, const struct raw_index *raw, size_t n,
    const struct index_request **to, size_t *nto)
{
	struct index_request *list;
	size_t i;

	if (!raw)
		return 0;
	list = arena_array(d->arena, n, sizeof *list);
	if (!list)
		return schema_no_memory(d);
	for (i = 0; i < n; i++)
		make_index(&raw[i], INDEX_CREATE, &list[i]);
	*to = list;
	*nto = n;
	return 0;
}

static int
make_changes(struct decoder *d, const struct raw_table *raw,
    struct table_request *t)
{
	const struct raw_change *c = raw->changes;
	struct index_request *list;
	size_t i;

	if (!c)
		return 0;
	list = arena_array(d->arena, raw->nchanges, sizeof *list);
	if (!list)
		return schema_no_memory(d);
	for (i = 0; i < raw->nchanges; i++, c++)
		if (c->create)
			make_index(c->create, INDEX_CREATE, &list[i]);
		else if (c->update)
			make_index(c->update, INDEX_UPDATE, &list[i]);
		else
			make_index(c->delete, INDEX_DELETE, &list[i]);
	t->globals = list;
	t->nglobals = raw->nchanges;
	return 0;
}

int
request_make_table(struct decoder *d, const struct raw_table *raw,
    struct table_request *t)
{
	*t = (struct table_request){.name = raw->name,
	    .attributes = raw->attributes, .nattributes = raw->nattributes,
	    .key = raw->key, .nkey = raw->nkey, .billing = raw->billing,
	    .protected = raw->protected, .class = raw->class,
	    .tags = raw->tags, .ntags = raw->ntags, .history = raw->history};
	if (raw->throughput)
		t->throughput = *raw->throughput;
	if (raw->warm)
		t->warm = *raw->warm;
	make_most(raw->most, &t->most);
	if (raw->stream) {
		t->stream = raw->stream->enabled;
		t->stream_view = raw->stream->view;
	}
	if (raw->encrypted)
		t->encrypted = raw->encrypted->enabled;
	if (raw->ttl) {
		t->ttl = raw->ttl->attribute;
		t->ttl_enabled = raw->ttl->enabled;
	}
	if (make_indexes(d, raw->locals, raw->nlocals, &t->locals,
	    &t->nlocals) < 0 ||
	    make_indexes(d, raw->globals, raw->nglobals, &t->globals,
	    &t->nglobals) < 0)
		return -1;
	return make_changes(d, raw, t);
}

static int
finish_create(struct decoder *d, struct request *r, void *raw)
{
	return request_check_create(d, raw) < 0 ? -1 :
	    request_make_table(d, raw, &r->table);
}

static int
finish_update(struct decoder *d, struct request *r, void *raw)
{
	return request_check_update(d, raw) < 0 ? -1 :
	    request_make_table(d, raw, &r->table);
}

static int
finish_ttl(struct decoder *d, struct request *r, void *raw)
{
	return request_make_table(d, raw, &r->table);
}

const struct form request_create_table_form = {&create_schema, true,
    finish_create};
const struct form request_update_table_form = {&update_schema, true,
    finish_update};
const struct form request_update_ttl_form = {&ttl_update_schema, true,
    finish_ttl};
const struct form request_table_form = {&table_schema, false, NULL};
const struct form request_list_tables_form = {&list_schema, false, NULL};
