/*
 * What CreateTable and UpdateTable ask of throughput, streams, classes and
 * tags, and what they refuse since it isn't here, for request_table.h.
 */
#include "request_table.h"

#include <stdio.h>
#include <string.h>

#define INVALID "One or more parameter values were invalid: "

enum {
	SHOWN = 160,
	WARM_READS = 12000, WARM_WRITES = 4000,	/* of any table */
	TAGS_MAX = 50,
	TAG_KEY_MAX = 128, TAG_VALUE_MAX = 256	/* characters */
};

static const uint64_t UNITS_MAX = 1000000000000;

/* A text as an argument of "%.*s", cut to what a message has room for. */
#define TEXT(t) (int)((t).n < SHOWN ? (t).n : SHOWN), (t).p

bool
request_is(const struct text *t, const char *word)
{
	return t->p && t->n == strlen(word) && memcmp(t->p, word, t->n) == 0;
}

/* --- throughput ----------------------------------------------------------- */

int
request_check_units(struct decoder *d, const struct throughput *t)
{
	if (t->reads > UNITS_MAX)
		return schema_fail(d, "Given value %llu for ReadCapacityUnits "
		    "is out of bounds", (unsigned long long)t->reads);
	if (t->writes > UNITS_MAX)
		return schema_fail(d, "Given value %llu for WriteCapacityUnits "
		    "is out of bounds", (unsigned long long)t->writes);
	return 0;
}

int
request_check_most(struct decoder *d, const struct raw_table *t,
    const struct raw_most *m, const struct text *index)
{
	const char *which = m && !m->has_reads ? "Write" : "Read";
	char of[SHOWN + 16] = "";

	if (!m || (!m->has_reads && !m->has_writes))
		return 0;
	if (index)
		snprintf(of, sizeof of, " for index: %.*s", TEXT(*index));
	if (!request_is(&t->billing, "PAY_PER_REQUEST"))
		return schema_fail(d, INVALID "Max%sRequestUnits for "
		    "OnDemandThroughput%s cannot be specified when table "
		    "BillingMode is PROVISIONED.", which, of);
	if ((!m->has_reads || m->reads > 0) && (!m->has_writes ||
	    m->writes > 0))
		return 0;
	return schema_fail(d, INVALID "Requested Max%sRequestUnits for "
	    "OnDemandThroughput for %s%.*s is outside of valid range",
	    m->has_reads && m->reads <= 0 ? "Read" : "Write",
	    index ? "index : " : "table", index ? (int)index->n : 0,
	    index ? index->p : "");
}

int
request_check_warm(struct decoder *d, const struct raw_table *t,
    const struct throughput *warm, const struct throughput *units,
    const struct text *index)
{
	bool on_demand = request_is(&t->billing, "PAY_PER_REQUEST");
	uint64_t reads = on_demand ? WARM_READS : units ? units->reads : 0;
	uint64_t writes = on_demand ? WARM_WRITES : units ? units->writes : 0;
	const char *which;

	if (!warm || (!warm->reads && !warm->writes))
		return 0;
	if (warm->reads && warm->reads < reads)
		which = "Read";
	else if (warm->writes && warm->writes < writes)
		which = "Write";
	else
		return 0;
	return schema_fail(d, INVALID "Requested %sUnitsPerSecond for "
	    "WarmThroughput for %s%.*s is lower than %s", which,
	    index ? "index " : "table", index ? (int)index->n : 0,
	    index ? index->p : "", on_demand ?
	    "initial throughput for OnDemand" : *which == 'R' ?
	    "ReadCapacityUnits of ProvisionedThroughput" :
	    "WriteCapacityUnits of ProvisionedThroughput");
}

int
request_check_billing(struct decoder *d, const struct raw_table *t)
{
	if (request_is(&t->billing, "PAY_PER_REQUEST"))
		return !t->throughput ? 0 : schema_fail(d, INVALID "Neither "
		    "ReadCapacityUnits nor WriteCapacityUnits can be specified "
		    "when BillingMode is PAY_PER_REQUEST");
	if (!t->throughput)
		return schema_fail(d, INVALID "ReadCapacityUnits and "
		    "WriteCapacityUnits must both be specified when "
		    "BillingMode is PROVISIONED");
	return request_check_units(d, t->throughput);
}

int
request_check_class(struct decoder *d, const struct raw_table *t)
{
	if (!t->class.p || request_is(&t->class, "STANDARD") ||
	    request_is(&t->class, "STANDARD_INFREQUENT_ACCESS"))
		return 0;
	return schema_fail(d, "Invalid table-class parameter provided. Please "
	    "try again with a valid table-class value: [STANDARD, "
	    "STANDARD_INFREQUENT_ACCESS].");
}

int
request_check_lacking(struct decoder *d, const struct raw_table *t)
{
	const struct raw_encrypted *x = t->encrypted;

	if (x && x->enabled == CHOICE_NO && (x->type.p || x->key))
		return schema_fail(d, INVALID "SSEType can not be specified "
		    "if Enabled is false");
	if (x && (x->enabled == CHOICE_YES || x->type.p || x->key))
		return schema_fail(d, INVALID "SSESpecification: there is no "
		    "encryption with KMS here; leave it out, and encrypt the "
		    "disk");
	if (t->replicas || t->consistency || t->witnesses || t->sharing)
		return schema_fail(d, INVALID "ReplicaUpdates and what else "
		    "is about global tables: a table has no replicas here; "
		    "mirror the store instead");
	if (t->policy)
		return schema_fail(d, INVALID "ResourcePolicy: access is "
		    "given by the grants of keys and of deploy.yaml here");
	if (t->vectors)
		return schema_fail(d, INVALID "there are no vector indexes");
	return 0;
}

int
request_check_stream(struct decoder *d, const struct raw_table *t)
{
	if (!t->stream)
		return 0;
	if (t->stream->enabled == CHOICE_YES && !t->stream->view.p)
		return schema_fail(d, INVALID "StreamViewType is required when "
		    "StreamEnabled is true");
	if (t->stream->enabled == CHOICE_NO && t->stream->view.p)
		return schema_fail(d, INVALID "StreamViewType must not be "
		    "specified when StreamEnabled is false");
	return 0;
}

/* --- tags ----------------------------------------------------------------- */

/* How many characters, or SIZE_MAX: one of them may not be in a tag. */
static size_t
tag_length(const struct text *t)
{
	size_t i, n = 0;
	unsigned char c;

	for (i = 0; i < t->n; i++) {
		c = (unsigned char)t->p[i];
		if (c < 0x80 && !(c >= 'a' && c <= 'z') &&
		    !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    (c == 0 || !strchr(" +-=._:/@\t\n\r\f\v", c)))
			return SIZE_MAX;
		if (c == 0xf0 && i + 1 < t->n &&
		    (unsigned char)t->p[i + 1] == 0x9f)
			return SIZE_MAX;	/* emoji, no letters */
		n += (c & 0xc0) != 0x80;
	}
	return n;
}

static int
check_tag_key(struct decoder *d, const struct text *key)
{
	size_t n = key->p ? tag_length(key) : 0;

	if (n == 0 || n > TAG_KEY_MAX)
		return schema_fail(d, "The Tag Key provided is invalid, Key: "
		    "%.*s", key->p ? (int)(key->n < SHOWN ? key->n : SHOWN) : 4,
		    key->p ? key->p : "null");
	if (key->n >= 4 && memcmp(key->p, "aws:", 4) == 0)
		return schema_fail(d, "Tag Key cannot be prefixed with aws:, "
		    "Key: %.*s", TEXT(*key));
	return 0;
}

int
request_check_tags(struct decoder *d, const struct tag *tags, size_t n)
{
	const struct text *value;
	size_t i, k;

	if (n > TAGS_MAX)
		return schema_fail(d, "Number of Tags exceed the current limit "
		    "for the provided ResourceArn");
	for (i = 0; i < n; i++) {
		if (check_tag_key(d, &tags[i].key) < 0)
			return -1;
		value = &tags[i].value;
		if (!value->p || tag_length(value) > TAG_VALUE_MAX)
			return schema_fail(d, "The Tag Value provided is "
			    "invalid, Value: %.*s", value->p ?
			    (int)(value->n < SHOWN ? value->n : SHOWN) : 4,
			    value->p ? value->p : "null");
		for (k = 0; k < i; k++)
			if (text_compare(&tags[i].key, &tags[k].key) == 0)
				return schema_fail(d, "Duplicate Tag Keys "
				    "provided as input: Duplicate Tag Key "
				    "found %.*s", TEXT(tags[i].key));
	}
	return 0;
}

int
request_check_tag_keys(struct decoder *d, const struct text *keys, size_t n)
{
	size_t i;

	if (n == 0)
		return schema_fail(d, "Atleast one Tag Key needs to be "
		    "provided as Input.");
	if (n > TAGS_MAX)
		return schema_fail(d, "Number of Tags exceed the current limit "
		    "for the provided ResourceArn");
	for (i = 0; i < n; i++)
		if (check_tag_key(d, &keys[i]) < 0)
			return -1;
	return 0;
}
