/*
 * Exports of tables to directories and imports from them, for request.h, in the
 * words that DynamoDB has for S3.
 */
#include "request_table.h"

#include <string.h>

#define RAW(field) offsetof(struct raw_transfer, field)
#define INVALID "One or more parameter values were invalid: "
#define ARN(called) {.name = (called), .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED, .at = RAW(arn), .min = 37, .max = 1024}
#define TABLE_ARN(flag) {.name = "TableArn", .kind = PARAM_TEXT, \
	.flags = (flag), .at = RAW(table_arn), .min = 1, .max = 1024}
#define TOKEN {.name = "ClientToken", .kind = PARAM_TEXT, .at = RAW(token), \
	.min = 1, .max = 128}
#define NEXT {.name = "NextToken", .kind = PARAM_TEXT, .at = RAW(next), \
	.min = 1, .max = 1024}

enum { BUCKET_MAX = 255, PREFIX_MAX = 1024 };

struct raw_source {
	struct text bucket, prefix;
	bool owner;
};

struct raw_csv {
	struct text delimiter;
	const struct text *header;
	size_t nheader;
};

struct raw_options {
	const struct raw_csv *csv;
};

struct raw_transfer {
	struct text arn, table_arn, token, bucket, prefix, next, type;
	int64_t at_ms;
	bool has_at, owner, key, incremental;
	struct text sse;
	enum file_format format;
	enum compression compression;
	const struct raw_source *source;
	const struct raw_options *options;
	const struct raw_table *table;
	uint32_t limit;
};

static const struct word out_words[] = {
	{"DYNAMODB_JSON", FORMAT_DYNAMODB_JSON}, {"ION", FORMAT_ION},
	{NULL, 0},
};

static const struct word in_words[] = {
	{"DYNAMODB_JSON", FORMAT_DYNAMODB_JSON}, {"ION", FORMAT_ION},
	{"CSV", FORMAT_CSV}, {NULL, 0},
};

static const struct word compression_words[] = {
	{"GZIP", COMPRESSION_GZIP}, {"ZSTD", COMPRESSION_ZSTD},
	{"NONE", COMPRESSION_NONE}, {NULL, 0},
};

static const struct word type_words[] = {
	{"FULL_EXPORT", 1}, {"INCREMENTAL_EXPORT", 2}, {NULL, 0},
};

static const struct word sse_words[] = {
	{"AES256", 1}, {"KMS", 2}, {NULL, 0},
};

static const struct param export_params[] = {
	TABLE_ARN(PARAM_REQUIRED), TOKEN,
	{.name = "ExportTime", .kind = PARAM_TIME, .at = RAW(at_ms),
	    .has_at = RAW(has_at)},
	{.name = "S3Bucket", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = RAW(bucket), .min = 1, .max = BUCKET_MAX},
	{.name = "S3BucketOwner", .kind = PARAM_THERE, .at = RAW(owner)},
	{.name = "S3Prefix", .kind = PARAM_TEXT, .at = RAW(prefix), .min = 1,
	    .max = PREFIX_MAX},
	{.name = "S3SseAlgorithm", .kind = PARAM_TEXT, .at = RAW(sse),
	    .words = sse_words},
	{.name = "S3SseKmsKeyId", .kind = PARAM_THERE, .at = RAW(key)},
	{.name = "ExportFormat", .kind = PARAM_WORD, .at = RAW(format),
	    .words = out_words},
	{.name = "ExportType", .kind = PARAM_TEXT, .at = RAW(type),
	    .words = type_words},
	{.name = "IncrementalExportSpecification", .kind = PARAM_THERE,
	    .at = RAW(incremental)},
};

static const struct param describe_export_params[] = {
	ARN("ExportArn"),
};

static const struct param describe_import_params[] = {
	ARN("ImportArn"),
};

static const struct param list_exports_params[] = {
	TABLE_ARN(0), NEXT,
	{.name = "MaxResults", .kind = PARAM_INTEGER, .at = RAW(limit),
	    .min = 1, .max = 25},
};

static const struct param list_imports_params[] = {
	TABLE_ARN(0), NEXT,
	{.name = "PageSize", .kind = PARAM_INTEGER, .at = RAW(limit),
	    .min = 1, .max = 25},
};

static const struct param source_params[] = {
	{.name = "S3Bucket", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_source, bucket), .min = 1,
	    .max = BUCKET_MAX},
	{.name = "S3KeyPrefix", .kind = PARAM_TEXT,
	    .at = offsetof(struct raw_source, prefix), .max = PREFIX_MAX},
	{.name = "S3BucketOwner", .kind = PARAM_THERE,
	    .at = offsetof(struct raw_source, owner)},
};

static const struct schema source_schema = SCHEMA("S3BucketSource",
    struct raw_source, source_params);

static const struct param csv_params[] = {
	{.name = "Delimiter", .kind = PARAM_TEXT,
	    .at = offsetof(struct raw_csv, delimiter), .min = 1, .max = 1},
	{.name = "HeaderList", .kind = PARAM_TEXTS,
	    .at = offsetof(struct raw_csv, header), .min = 1, .max = 255},
};

static const struct schema csv_schema = SCHEMA("CsvOptions", struct raw_csv,
    csv_params);

static const struct param options_params[] = {
	{.name = "Csv", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_options, csv), .of = &csv_schema},
};

static const struct schema options_schema = SCHEMA("InputFormatOptions",
    struct raw_options, options_params);

static const struct param table_params[] = {
	{.name = "TableName", .kind = PARAM_TEXT,
	    .flags = PARAM_REQUIRED | PARAM_PATTERN,
	    .at = offsetof(struct raw_table, name), .min = 3, .max = 255},
	{.name = "AttributeDefinitions", .kind = PARAM_STRUCTS,
	    .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_table, attributes),
	    .of = &request_attribute_schema},
	{.name = "KeySchema", .kind = PARAM_STRUCTS, .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_table, key), .min = 1, .max = 2,
	    .of = &request_key_schema},
	{.name = "BillingMode", .kind = PARAM_TEXT,
	    .at = offsetof(struct raw_table, billing),
	    .words = request_billing_words},
	{.name = "ProvisionedThroughput", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_table, throughput),
	    .of = &request_throughput_schema},
	{.name = "OnDemandThroughput", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_table, most),
	    .of = &request_most_schema},
	{.name = "SSESpecification", .kind = PARAM_STRUCT,
	    .at = offsetof(struct raw_table, encrypted),
	    .of = &request_encrypted_schema},
	{.name = "GlobalSecondaryIndexes", .kind = PARAM_STRUCTS,
	    .at = offsetof(struct raw_table, globals),
	    .of = &request_global_schema},
};

static const struct schema table_schema = SCHEMA("TableCreationParameters",
    struct raw_table, table_params);

static const struct param import_params[] = {
	{.name = "ClientToken", .kind = PARAM_TEXT, .flags = PARAM_REQUIRED,
	    .at = RAW(token), .min = 1, .max = 128},
	{.name = "S3BucketSource", .kind = PARAM_STRUCT,
	    .flags = PARAM_REQUIRED, .at = RAW(source), .of = &source_schema},
	{.name = "InputFormat", .kind = PARAM_WORD, .flags = PARAM_REQUIRED,
	    .at = RAW(format), .words = in_words},
	{.name = "InputFormatOptions", .kind = PARAM_STRUCT,
	    .at = RAW(options), .of = &options_schema},
	{.name = "InputCompressionType", .kind = PARAM_WORD,
	    .at = RAW(compression), .words = compression_words},
	{.name = "TableCreationParameters", .kind = PARAM_STRUCT,
	    .flags = PARAM_REQUIRED, .at = RAW(table), .of = &table_schema},
};

static const struct schema export_schema =
    SCHEMA("ExportTableToPointInTimeInput", struct raw_transfer,
    export_params);
static const struct schema import_schema = SCHEMA("ImportTableInput",
    struct raw_transfer, import_params);
static const struct schema describe_export_schema =
    SCHEMA("DescribeExportInput", struct raw_transfer,
    describe_export_params);
static const struct schema describe_import_schema =
    SCHEMA("DescribeImportInput", struct raw_transfer,
    describe_import_params);
static const struct schema list_exports_schema = SCHEMA("ListExportsInput",
    struct raw_transfer, list_exports_params);
static const struct schema list_imports_schema = SCHEMA("ListImportsInput",
    struct raw_transfer, list_imports_params);

/* --- checks --------------------------------------------------------------- */

/* A directory's name: what S3 lets a bucket be called. */
static int
check_bucket(struct decoder *d, const struct text *name)
{
	size_t i;

	for (i = 0; i < name->n; i++)
		if (!(name->p[i] >= 'a' && name->p[i] <= 'z') &&
		    !(name->p[i] >= 'A' && name->p[i] <= 'Z') &&
		    !(name->p[i] >= '0' && name->p[i] <= '9') &&
		    (i == 0 || !memchr("._-", name->p[i], 3)))
			return schema_fail(d, "1 validation error detected: "
			    "Value '%.*s' at 's3Bucket' failed to satisfy "
			    "constraint: Member must satisfy regular "
			    "expression pattern: "
			    "^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
			    (int)name->n, name->p);
	return 0;
}

/* A way down from there: no way up, no empty or hidden step. */
static int
check_prefix(struct decoder *d, const char *called, const struct text *p)
{
	size_t i;
	char before = '/';

	for (i = 0; i < p->n; i++) {
		if ((unsigned char)p->p[i] < ' ' || (before == '/' &&
		    (p->p[i] == '.' || p->p[i] == '/')))
			return schema_fail(d, INVALID "%s has to be the "
			    "relative path of a directory, without empty "
			    "steps or such as begin with a point", called);
		before = p->p[i];
	}
	return 0;
}

static void
take(struct request *r, const struct raw_transfer *q)
{
	r->table = (struct table_request){.name = {NULL, 0}};
	r->token = q->token;
	r->transfer = (struct transfer_request){.arn = q->arn,
	    .type = q->type, .has_at = q->has_at, .at_ms = q->at_ms,
	    .bucket = q->bucket, .prefix = q->prefix, .format = q->format,
	    .compression = q->compression, .start = q->next,
	    .limit = q->limit};
}

static int
take_table(struct decoder *d, struct request *r, const struct text *arn)
{
	struct text behind;

	if (!arn->p)
		return 0;
	if (request_arn(arn, &r->transfer.source, &behind) && behind.n == 0)
		return 0;
	return schema_fail(d, "Invalid TableArn: Invalid Table ARN");
}

static int
finish_list(struct decoder *d, struct request *r, void *raw)
{
	const struct raw_transfer *q = raw;

	take(r, q);
	return take_table(d, r, &q->table_arn);
}

static int
take_kind(struct decoder *d, struct request *r, const char *part,
    const char *called)
{
	struct text behind;

	if (request_arn(&r->transfer.arn, &r->transfer.source, &behind) &&
	    behind.n > strlen(part) &&
	    memcmp(behind.p, part, strlen(part)) == 0)
		return 0;
	return schema_fail(d, "Invalid %s ARN", called);
}

static int
finish_describe_export(struct decoder *d, struct request *r, void *raw)
{
	take(r, raw);
	return take_kind(d, r, "/export/", "Export");
}

static int
finish_describe_import(struct decoder *d, struct request *r, void *raw)
{
	take(r, raw);
	return take_kind(d, r, "/import/", "Import");
}

static int
finish_export(struct decoder *d, struct request *r, void *raw)
{
	const struct raw_transfer *q = raw;

	take(r, q);
	if (take_table(d, r, &q->table_arn) < 0 ||
	    check_bucket(d, &q->bucket) < 0 ||
	    check_prefix(d, "S3Prefix", &q->prefix) < 0)
		return -1;
	if (q->format == FORMAT_ION)
		return schema_fail(d, INVALID "ExportFormat ION isn't "
		    "written here; DYNAMODB_JSON is");
	if (request_is(&q->type, "INCREMENTAL_EXPORT") || q->incremental)
		return schema_fail(d, INVALID "ExportType INCREMENTAL_EXPORT "
		    "and its IncrementalExportSpecification aren't here; "
		    "FULL_EXPORT is, of any moment");
	if (q->owner || q->sse.p || q->key)
		return schema_fail(d, INVALID "S3BucketOwner, S3SseAlgorithm "
		    "and S3SseKmsKeyId are nothing that a directory has");
	return 0;
}

static int
take_csv(struct decoder *d, struct request *r, const struct raw_csv *csv)
{
	struct transfer_request *t = &r->transfer;

	t->delimiter = (struct text){",", 1};
	if (!csv)
		return 0;
	if (t->format != FORMAT_CSV)
		return schema_fail(d, INVALID "InputFormatOptions.Csv goes "
		    "with InputFormat CSV");
	if (csv->delimiter.p)
		t->delimiter = csv->delimiter;
	if (!memchr(",\t:;| ", *t->delimiter.p, 6))
		return schema_fail(d, INVALID "Delimiter has to be one of "
		    "comma, tab, colon, semicolon, pipe and space");
	t->header = csv->header;
	t->nheader = csv->nheader;
	return 0;
}

static int
finish_import(struct decoder *d, struct request *r, void *raw)
{
	const struct raw_transfer *q = raw;

	take(r, q);
	r->transfer.bucket = q->source->bucket;
	r->transfer.prefix = q->source->prefix;
	if (memchr(q->token.p, '$', q->token.n))
		return schema_fail(d, "1 validation error detected: Value "
		    "'%.*s' at 'clientToken' failed to satisfy constraint: "
		    "Member must satisfy regular expression pattern: "
		    "^[^\\$]+$", (int)q->token.n, q->token.p);
	if (check_bucket(d, &q->source->bucket) < 0 ||
	    check_prefix(d, "S3KeyPrefix", &q->source->prefix) < 0)
		return -1;
	if (q->source->owner)
		return schema_fail(d, INVALID "S3BucketOwner is nothing that "
		    "a directory has");
	if (q->format == FORMAT_ION)
		return schema_fail(d, INVALID "InputFormat ION isn't read "
		    "here; DYNAMODB_JSON and CSV are");
	if (q->compression == COMPRESSION_ZSTD)
		return schema_fail(d, INVALID "InputCompressionType ZSTD "
		    "isn't read here; GZIP and NONE are");
	if (take_csv(d, r, q->options ? q->options->csv : NULL) < 0 ||
	    request_check_create(d, q->table) < 0)
		return -1;
	return request_make_table(d, q->table, &r->table);
}

const struct form request_export_form = {&export_schema, true,
    finish_export};
const struct form request_describe_export_form = {&describe_export_schema,
    true, finish_describe_export};
const struct form request_list_exports_form = {&list_exports_schema, true,
    finish_list};
const struct form request_import_form = {&import_schema, true,
    finish_import};
const struct form request_describe_import_form = {&describe_import_schema,
    true, finish_describe_import};
const struct form request_list_imports_form = {&list_imports_schema, true,
    finish_list};
