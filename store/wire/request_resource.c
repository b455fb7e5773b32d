/*
 * Tags, point-in-time recovery, and what has no parameters, for request.h; and
 * the ARNs by which tables are named.
 */
#include "request_table.h"

#include <string.h>

#define RAW(field) offsetof(struct raw_resource, field)
#define RESOURCE_ARN {.name = "ResourceArn", .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED, .at = RAW(arn), .min = 1, .max = 1283}

struct raw_resource {
	struct text name, arn, next;
	const struct tag *tags;
	size_t ntags;
	const struct text *keys;
	size_t nkeys;
	const struct raw_pitr *pitr;
};

static const struct param tag_params[] = {
	RESOURCE_ARN,
	{.name = "Tags", .kind = PARAM_STRUCTS, .flags = PARAM_REQUIRED,
	    .at = RAW(tags), .of = &request_tag_schema},
};

static const struct param untag_params[] = {
	RESOURCE_ARN,
	{.name = "TagKeys", .kind = PARAM_TEXTS, .flags = PARAM_REQUIRED,
	    .at = RAW(keys)},
};

static const struct param list_params[] = {
	RESOURCE_ARN,
	{.name = "NextToken", .kind = PARAM_TEXT, .at = RAW(next)},
};

static const struct param pitr_members[] = {
	{.name = "PointInTimeRecoveryEnabled", .kind = PARAM_CHOICE,
	    .flags = PARAM_REQUIRED,
	    .at = offsetof(struct raw_pitr, enabled)},
	{.name = "RecoveryPeriodInDays", .kind = PARAM_INTEGER,
	    .at = offsetof(struct raw_pitr, days), .min = 1, .max = 35},
};

static const struct schema pitr_struct =
    SCHEMA("PointInTimeRecoverySpecification", struct raw_pitr, pitr_members);

static const struct param pitr_params[] = {
	{.name = "TableName", .kind = PARAM_TEXT,
	    .flags = PARAM_REQUIRED | PARAM_PATTERN | PARAM_FIRST | PARAM_ARN,
	    .at = RAW(name), .min = 3, .max = 255},
	{.name = "PointInTimeRecoverySpecification", .kind = PARAM_STRUCT,
	    .flags = PARAM_REQUIRED, .at = RAW(pitr), .of = &pitr_struct},
};

/* --- ARNs ----------------------------------------------------------------- */

/* The end of the fifth part of "arn:aws:dynamodb:region:account:", or NULL. */
static const char *
behind_account(const struct text *arn)
{
	static const char BEGIN[] = "arn:aws:dynamodb:";
	size_t i = sizeof BEGIN - 1;
	int colons = 0;

	if (!arn->p || arn->n < sizeof BEGIN ||
	    memcmp(arn->p, BEGIN, sizeof BEGIN - 1) != 0)
		return NULL;
	for (; i < arn->n && colons < 2; i++)
		colons += arn->p[i] == ':';
	return colons == 2 ? arn->p + i : NULL;
}

bool
request_arn(const struct text *arn, struct text *table, struct text *behind)
{
	static const char PART[] = "table/";
	const char *p = behind_account(arn), *end;

	if (!p)
		return false;
	end = arn->p + arn->n;
	if ((size_t)(end - p) < sizeof PART ||
	    memcmp(p, PART, sizeof PART - 1) != 0)
		return false;
	table->p = p + sizeof PART - 1;
	table->n = 0;
	while (table->p + table->n < end && table->p[table->n] != '/')
		table->n++;
	*behind = (struct text){table->p + table->n,
	    (size_t)(end - table->p) - table->n};
	return table->n >= 3 && table->n <= 255;
}

/* A table's own ARN; where it is another, no name. */
static void
take_resource(struct request *r, const struct raw_resource *raw)
{
	struct text behind;

	r->transfer = (struct transfer_request){.arn = raw->arn,
	    .start = raw->next};
	r->table = (struct table_request){.tags = raw->tags,
	    .ntags = raw->ntags, .tag_keys = raw->keys,
	    .ntag_keys = raw->nkeys};
	if (!request_arn(&raw->arn, &r->table.name, &behind) || behind.n)
		r->table.name = (struct text){NULL, 0};
}

/* --- checks --------------------------------------------------------------- */

static int
finish_tag(struct decoder *d, struct request *r, void *raw)
{
	take_resource(r, raw);
	if (r->table.ntags == 0)
		return schema_fail(d, "Atleast one Tag needs to be provided as "
		    "Input.");
	return request_check_tags(d, r->table.tags, r->table.ntags);
}

static int
finish_untag(struct decoder *d, struct request *r, void *raw)
{
	take_resource(r, raw);
	return request_check_tag_keys(d, r->table.tag_keys,
	    r->table.ntag_keys);
}

static int
finish_list(struct decoder *d, struct request *r, void *raw)
{
	(void)d;
	take_resource(r, raw);
	return 0;
}

static int
finish_pitr(struct decoder *d, struct request *r, void *raw)
{
	const struct raw_resource *q = raw;

	r->table = (struct table_request){.name = q->name,
	    .pitr = q->pitr->enabled, .pitr_days = q->pitr->days};
	if (q->pitr->enabled == CHOICE_NO && q->pitr->days)
		return schema_fail(d, "One or more parameter values were "
		    "invalid: RecoveryPeriodInDays cannot be specified when "
		    "PointInTimeRecoveryEnabled is false");
	return 0;
}

static const struct schema tag_schema = SCHEMA("TagResourceInput",
    struct raw_resource, tag_params);
static const struct schema untag_schema = SCHEMA("UntagResourceInput",
    struct raw_resource, untag_params);
static const struct schema list_schema = SCHEMA("ListTagsOfResourceInput",
    struct raw_resource, list_params);
static const struct schema pitr_schema =
    SCHEMA("UpdateContinuousBackupsInput", struct raw_resource, pitr_params);
static const struct schema nothing = {"Input", sizeof(struct request), NULL,
    0};

const struct form request_tag_form = {&tag_schema, true, finish_tag};
const struct form request_untag_form = {&untag_schema, true, finish_untag};
const struct form request_list_tags_form = {&list_schema, true, finish_list};
const struct form request_pitr_form = {&pitr_schema, true, finish_pitr};
const struct form request_nothing_form = {&nothing, false, NULL};
