/*
 * The part of the table of keys (keys.h) that is about documents: tables in
 * Bothy's short words and in CloudFormation's, how they are kept, and what
 * functions may do with them.
 */
#include "keys.h"

#include "format.h"

/* In the words of DynamoDB, which go on to the store as they are. */
static const char *const types[] = {"S", "N", "B", NULL};
static const char *const key_types[] = {"HASH", "RANGE", NULL};
static const char *const projections[] = {"ALL", "KEYS_ONLY", NULL};
static const char *const projection_types[] = {
	"ALL", "KEYS_ONLY", "INCLUDE", NULL
};
static const char *const views[] = {
	"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", NULL
};
static const char *const billing_modes[] = {
	"PAY_PER_REQUEST", "PROVISIONED", NULL
};
static const char *const histories[] = {"on", "off", NULL};
static const char *const effects[] = {"Allow", "Deny", NULL};

#define ATTRIBUTE .shape = KEY_STRING, .max = 255, .format = format_attribute

static const struct key attribute_item = {
	.name = "*", ATTRIBUTE, .at = 1, .text = "An attribute's name.",
};

/* --- resources.tables, Bothy's words -------------------------------------- */

static const struct key type_item = {
	.name = "*", .shape = KEY_WORD, .words = types,
	.text = "S for strings, N for numbers, B for bytes.",
};

#define SHORT_KEY .name = "key", .shape = KEY_NAMES, .max = 2, \
	.item = &type_item, .format = format_attribute

static const struct key index_keys[] = {
	{ SHORT_KEY, .required = true,
	  .text = "The partition key, then, if there is one, the sort key." },
	{ .name = "projection", .shape = KEY_WORD | KEY_LIST, .max = 100,
	  .words = projections, .item = &attribute_item, .fallback = "ALL",
	  .text = "What is read through the index: ALL attributes, "
	    "KEYS_ONLY, or the keys and a list of others." },
	{ .name = "local", .shape = KEY_BOOL, .fallback = "false",
	  .text = "true: within each partition of the table, whose "
	    "partition key it has too; may be read consistently." },
	{ .name = NULL }
};

static const struct key index_item = {
	.name = "*", .shape = KEY_MAP, .keys = index_keys,
	.text = "One secondary index.",
};

/* --- resources.tables, CloudFormation's words ----------------------------- */

static const struct key definition_keys[] = {
	{ .name = "AttributeName", ATTRIBUTE, .required = true,
	  .text = "An attribute's name." },
	{ .name = "AttributeType", .shape = KEY_WORD, .words = types,
	  .required = true,
	  .text = "S for strings, N for numbers, B for bytes." },
	{ .name = NULL }
};

static const struct key definition_item = {
	.name = "*", .shape = KEY_MAP, .keys = definition_keys,
	.text = "The type of one attribute.",
};

static const struct key schema_keys[] = {
	{ .name = "AttributeName", ATTRIBUTE, .required = true,
	  .text = "An attribute of AttributeDefinitions." },
	{ .name = "KeyType", .shape = KEY_WORD, .words = key_types,
	  .required = true,
	  .text = "HASH for the partition key, RANGE for the sort key." },
	{ .name = NULL }
};

static const struct key schema_item = {
	.name = "*", .shape = KEY_MAP, .keys = schema_keys,
	.text = "One part of a key.",
};

static const struct key throughput_keys[] = {
	{ .name = "ReadCapacityUnits", .shape = KEY_NUMBER, .unit = "units",
	  .min = 1, .max = 1000000, .scale = 1, .required = true,
	  .text = "Fewer than 5 are a limit." },
	{ .name = "WriteCapacityUnits", .shape = KEY_NUMBER, .unit = "units",
	  .min = 1, .max = 1000000, .scale = 1, .required = true,
	  .text = "Fewer than 5 are a limit." },
	{ .name = NULL }
};

#define KEY_SCHEMA .name = "KeySchema", .shape = KEY_LIST, .max = 8, \
	.item = &schema_item
#define THROUGHPUT .name = "ProvisionedThroughput", .shape = KEY_MAP, \
	.keys = throughput_keys, .text = "Told by DescribeTable; fewer " \
	    "than 5 units are a limit, see bothy-store(8)."

static const struct key projection_keys[] = {
	{ .name = "ProjectionType", .shape = KEY_WORD,
	  .words = projection_types, .fallback = "ALL",
	  .text = "What is read through the index: ALL attributes, "
	    "KEYS_ONLY, or INCLUDE, which needs NonKeyAttributes." },
	{ .name = "NonKeyAttributes", .shape = KEY_LIST, .max = 100,
	  .item = &attribute_item,
	  .text = "Attributes beside the keys, for INCLUDE." },
	{ .name = NULL }
};

static const struct key index_list_keys[] = {
	{ .name = "IndexName", .shape = KEY_STRING, .max = 255,
	  .required = true, .format = format_table_name,
	  .pattern = FORMAT_TABLE_PATTERN, .text = "The index's name." },
	{ KEY_SCHEMA, .required = true, .text = "The index's key." },
	{ .name = "Projection", .shape = KEY_MAP, .keys = projection_keys,
	  .text = "What is read through the index." },
	{ THROUGHPUT },
	{ .name = NULL }
};

static const struct key index_list_item = {
	.name = "*", .shape = KEY_MAP, .keys = index_list_keys,
	.text = "One secondary index.",
};

static const struct key ttl_keys[] = {
	{ .name = "AttributeName", ATTRIBUTE, .required = true,
	  .text = "The attribute that says when an item expires." },
	{ .name = "Enabled", .shape = KEY_BOOL, .fallback = "true",
	  .text = "false: nothing expires." },
	{ .name = NULL }
};

static const struct key stream_keys[] = {
	{ .name = "StreamViewType", .shape = KEY_WORD, .words = views,
	  .required = true, .text = "What a record of the stream holds." },
	{ .name = "StreamEnabled", .shape = KEY_BOOL, .fallback = "true",
	  .text = "false: no stream." },
	{ .name = NULL }
};

static const struct key table_keys[] = {
	{ SHORT_KEY,
	  .text = "The partition key, then, if there is one, the sort key: "
	    "{room: S, at: N}." },
	{ .name = "indexes", .shape = KEY_NAMES, .max = 25,
	  .item = &index_item, .format = format_table_name,
	  .pattern = FORMAT_TABLE_PATTERN,
	  .text = "Secondary indexes by name: at most 20, and 5 local "
	    "ones." },
	{ .name = "ttl", ATTRIBUTE,
	  .text = "A number attribute: the second since 1970 after which an "
	    "item is deleted." },
	{ .name = "stream", .shape = KEY_WORD, .words = views,
	  .text = "Changes can be read in order for a day; what a record "
	    "holds of the item." },
	{ .name = "history", .shape = KEY_WORD, .words = histories,
	  .fallback = "on",
	  .text = "off: documents don't go into git; then they can't be "
	    "restored to an earlier time, backed up or branched." },
	{ .name = "AttributeDefinitions", .shape = KEY_LIST, .max = 200,
	  .item = &definition_item,
	  .text = "Types of the attributes that are in keys." },
	{ KEY_SCHEMA, .text = "The table's key, instead of key." },
	{ .name = "GlobalSecondaryIndexes", .shape = KEY_LIST, .max = 20,
	  .item = &index_list_item,
	  .text = "Indexes with partition keys of their own." },
	{ .name = "LocalSecondaryIndexes", .shape = KEY_LIST, .max = 5,
	  .item = &index_list_item,
	  .text = "Indexes within the table's partitions." },
	{ .name = "BillingMode", .shape = KEY_WORD, .words = billing_modes,
	  .text = "PROVISIONED needs ProvisionedThroughput." },
	{ THROUGHPUT },
	{ .name = "TimeToLiveSpecification", .shape = KEY_MAP,
	  .keys = ttl_keys, .text = "When items expire, instead of ttl." },
	{ .name = "StreamSpecification", .shape = KEY_MAP,
	  .keys = stream_keys, .text = "The stream, instead of stream." },
	{ .name = "DeletionProtectionEnabled", .shape = KEY_BOOL,
	  .fallback = "false",
	  .text = "true: the table can't be deleted." },
	{ .name = "TableName", .refused = "the table's name is the key that "
	    "it stands under; remove it" },
	{ .name = "PointInTimeRecoverySpecification", .refused = "every "
	    "table can be restored to any second of the journal; remove it" },
	{ .name = "SSESpecification", .refused = "files are encrypted by the "
	    "disk or not at all; remove it" },
	{ .name = "TableClass", .refused = "there is one class; remove it" },
	{ .name = "Tags", .refused = "tables have no tags; remove it" },
	{ .name = NULL }
};

static const struct key table_item = {
	.name = "*", .shape = KEY_MAP, .keys = table_keys,
	.text = "One table; its key in Bothy's words or in "
	    "CloudFormation's.",
};

/* --- resources.store ------------------------------------------------------ */

#define STORE(field) .at = KEY_AT(struct site_keys, store.field)
#define HOURS .shape = KEY_NUMBER, .unit = "hours", .max = 87600, \
	.scale = 3600

static const struct key store_history_keys[] = {
	{ .name = "interval", .shape = KEY_NUMBER, .unit = "seconds",
	  .min = 0.01, .max = 3600, .scale = 1000, STORE(interval_ms),
	  .fallback = "1",
	  .text = "At least so long between two commits; longer by itself "
	    "where they cost much." },
	{ .name = "budget", .shape = KEY_NUMBER, .unit = "MB", .min = 1,
	  .max = 1048576, .scale = 1, STORE(budget_mb), .fallback = "100",
	  .text = "By how much the history may grow in a day before commits "
	    "are made more seldom." },
	{ .name = "all", HOURS, .min = 0.01, STORE(all_s), .fallback = "1",
	  .text = "How long every commit is kept." },
	{ .name = "minutes", HOURS, .min = 0.01, STORE(minutes_s),
	  .fallback = "24", .text = "How long one commit a minute is kept." },
	{ .name = "hours", HOURS, .min = 0.01, STORE(hours_s),
	  .fallback = "744",
	  .text = "How long one commit an hour is kept; then one a day is." },
	{ .name = NULL }
};

static const struct key mirror_item = {
	.name = "*", .shape = KEY_STRING, .at = KEY_AT(struct conf_pair, value),
	.max = 4000, .format = format_mirror_url,
	.text = "A bare git repository: a path, ssh:// or https://.",
};

static const struct key store_keys[] = {
	{ .name = "endpoint", .shape = KEY_STRING, .max = 250,
	  .format = format_endpoint, .pattern = FORMAT_ENDPOINT_PATTERN,
	  STORE(endpoint),
	  .text = "Documents are in the DynamoDB there, not here; its keys "
	    "are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the "
	    "environment." },
	{ .name = "region", .shape = KEY_STRING, .max = 60,
	  .format = format_region, .pattern = FORMAT_REGION_PATTERN,
	  STORE(region), .fallback = "us-east-1",
	  .text = "What requests to endpoint are signed for." },
	{ .name = "history", .shape = KEY_MAP, .keys = store_history_keys,
	  .text = "How closely documents are kept in git." },
	{ .name = "mirrors", .shape = KEY_NAMES, .max = 16,
	  .item = &mirror_item, .format = format_mirror_name,
	  .pattern = FORMAT_MIRROR_PATTERN, STORE(mirrors),
	  .text = "Repositories that follow the history, by name." },
	{ .name = "recoveryWindow", HOURS, STORE(recovery_s),
	  .fallback = "24",
	  .text = "How far back a restore finds every moment, and not only "
	    "the commits." },
	{ .name = "streamWindow", HOURS, STORE(streams_s), .fallback = "24",
	  .text = "How long changes can be read from a table's stream." },
	{ .name = "journalSize", .shape = KEY_NUMBER, .unit = "MB", .min = 1,
	  .max = 1048576, .scale = 1, STORE(journal_mb), .fallback = "1024",
	  .text = "What both windows may take on the disk; then they get "
	    "shorter." },
	{ .name = "expirySweep", .shape = KEY_NUMBER, .unit = "seconds",
	  .min = 0.1, .max = 86400, .scale = 1000, STORE(sweep_ms),
	  .fallback = "60",
	  .text = "How often documents are looked for that have expired." },
	{ .name = "idleTimeout", .shape = KEY_NUMBER, .unit = "seconds",
	  .max = 31622400, .scale = 1, STORE(idle_s), .fallback = "60",
	  .text = "When bothy-store leaves if nobody asks; 0: never." },
	{ .name = "anyFileSystem", .shape = KEY_BOOL, .fallback = "false",
	  STORE(any_file_system),
	  .text = "true: also on NFS, FUSE, overlay or tmpfs, where nothing "
	    "can be promised." },
	{ .name = "mirror", .refused = "write mirrors: {NAME: URL}" },
	{ .name = NULL }
};

const struct key keys_resources[] = {
	{ .name = "store", .shape = KEY_MAP, .keys = store_keys,
	  .text = "How documents are kept." },
	{ .name = "tables", .shape = KEY_NAMES, .max = CONF_MAX_TABLES,
	  .item = &table_item, .format = format_table_name,
	  .pattern = FORMAT_TABLE_PATTERN, .text = "The tables by name." },
	{ .name = "Resources", .refused = "write the Properties of an "
	    "AWS::DynamoDB::Table below tables and the table's name" },
	{ .name = "Outputs", .refused = "nothing is put out; remove it" },
	{ .name = "extensions", .refused = "there is nothing to extend; "
	    "remove it" },
	{ .name = NULL }
};

/* --- iam ------------------------------------------------------------------ */

static const struct key action_item = {
	.name = "*", .shape = KEY_STRING, .at = 1, .max = 128,
	.text = "An operation, as dynamodb:GetItem; * and ? stand for others.",
};

static const struct key resource_item = {
	.name = "*", .shape = KEY_STRING, .at = 1, .max = 512,
	.format = format_resource, .text = "A table or an index.",
};

static const struct key leading_item = {
	.name = "*", .shape = KEY_STRING, .at = 1, .max = 2048,
	.text = "A partition key.",
};

static const struct key leading_keys[] = {
	{ .name = "dynamodb:LeadingKeys", .shape = KEY_STRING | KEY_LIST,
	  .max = 256, .item = &leading_item, .required = true,
	  .text = "Partition keys that the statement is about." },
	{ .name = NULL }
};

#define LEADING .shape = KEY_MAP, .keys = leading_keys

static const struct key condition_keys[] = {
	{ .name = "ForAllValues:StringEquals", LEADING,
	  .text = "Just these partition keys." },
	{ .name = "ForAllValues:StringLike", LEADING,
	  .text = "Partition keys with * and ?." },
	{ .name = NULL }
};

static const struct key statement_keys[] = {
	{ .name = "Effect", .shape = KEY_WORD, .words = effects,
	  .required = true,
	  .text = "Allow, or Deny, which goes before every Allow." },
	{ .name = "Action", .shape = KEY_STRING | KEY_LIST, .max = 128,
	  .item = &action_item, .required = true,
	  .text = "Operations: dynamodb:GetItem, dynamodb:*." },
	{ .name = "Resource", .shape = KEY_STRING | KEY_LIST, .max = 512,
	  .item = &resource_item, .required = true, .format = format_resource,
	  .text = "What they may be done with: table/NAME, "
	    "table/NAME/index/NAME, with * and ?; or * for all." },
	{ .name = "Condition", .shape = KEY_MAP, .keys = condition_keys,
	  .text = "Only for some partition keys." },
	{ .name = "Sid", .shape = KEY_STRING, .max = 128,
	  .text = "A name for the reader." },
	{ .name = "NotAction", .refused = "write what is meant as Action" },
	{ .name = "NotResource", .refused = "write what is meant as "
	    "Resource" },
	{ .name = "Principal", .refused = "it is the function; remove it" },
	{ .name = NULL }
};

static const struct key statement_item = {
	.name = "*", .shape = KEY_MAP, .keys = statement_keys,
	.text = "One statement.",
};

static const struct key role_keys[] = {
	{ .name = "statements", .shape = KEY_LIST, .max = 64,
	  .item = &statement_item,
	  .text = "What is allowed and denied; what nothing allows is "
	    "denied." },
	{ .name = "managedPolicies", .refused = "there are none; write "
	    "statements" },
	{ .name = NULL }
};

const struct key keys_iam[] = {
	{ .name = "role", .shape = KEY_MAP, .keys = role_keys,
	  .text = "What a function is while it runs." },
	{ .name = NULL }
};
