/*
 * What CreateTable and UpdateTable ask of keys, indexes and settings, in
 * DynamoDB's words and order.
 */
#include "request_table.h"

#include <string.h>

#define INVALID "One or more parameter values were invalid: "

enum { LOCALS_MAX = 5, GLOBALS_MAX = 20, NONKEY_MAX = 100, SHOWN = 160 };

static const uint64_t UNITS_MAX = 1000000000000;

static bool
same(const struct text *a, const struct text *b)
{
	return text_compare(a, b) == 0;
}

static bool
is(const struct text *t, const char *word)
{
	return t->p && t->n == strlen(word) && memcmp(t->p, word, t->n) == 0;
}

/* A text as an argument of "%.*s", cut to what a message has room for. */
#define TEXT(t) (int)((t).n < SHOWN ? (t).n : SHOWN), (t).p

static bool
defined(const struct raw_table *t, const struct text *name)
{
	size_t i;

	for (i = 0; i < t->nattributes; i++)
		if (same(&t->attributes[i].name, name))
			return true;
	return false;
}

/* "Keys: [a, b], AttributeDefinitions: [c]" */
static int
fail_undefined(struct decoder *d, const struct raw_table *t,
    const struct key_element *key, size_t n)
{
	struct buf keys, definitions;
	size_t i;
	int rc;

	buf_init(&keys, SHOWN);
	buf_init(&definitions, SHOWN);
	for (i = 0; i < n; i++)
		buf_printf(&keys, "%s%.*s", i ? ", " : "", TEXT(key[i].name));
	for (i = 0; i < t->nattributes; i++)
		buf_printf(&definitions, "%s%.*s", i ? ", " : "",
		    TEXT(t->attributes[i].name));
	rc = schema_fail(d, INVALID "Some index key attributes are not defined "
	    "in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
	    buf_str(&keys), buf_str(&definitions));
	buf_release(&keys);
	buf_release(&definitions);
	return rc;
}

/* Hash parts, then range parts, of each at most `most`. */
static int
check_roles(struct decoder *d, const struct key_element *key, size_t n,
    size_t most)
{
	size_t i, hash = 0;

	if (key[0].role != ROLE_HASH)
		return schema_fail(d, "Invalid KeySchema: The first "
		    "KeySchemaElement is not a HASH key type");
	if (most == 1 && n > 1 && key[1].role != ROLE_RANGE)
		return schema_fail(d, "Invalid KeySchema: The second "
		    "KeySchemaElement is not a RANGE key type");
	while (hash < n && key[hash].role == ROLE_HASH)
		hash++;
	for (i = hash; i < n; i++)
		if (key[i].role != ROLE_RANGE)
			return schema_fail(d, "Invalid KeySchema: HASH "
			    "elements must stand before RANGE elements");
	if (hash > most || n - hash > most)
		return schema_fail(d, "Invalid KeySchema: at most %zu elements "
		    "of each key type", most);
	return 0;
}

static int
check_key(struct decoder *d, const struct raw_table *t,
    const struct key_element *key, size_t n, size_t most)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		if (!defined(t, &key[i].name))
			return fail_undefined(d, t, key, n);
	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (same(&key[i].name, &key[k].name))
				return schema_fail(d, "Both the Hash Key and "
				    "the Range Key element in the KeySchema "
				    "have the same name");
	return check_roles(d, key, n, most);
}

/* --- throughput ----------------------------------------------------------- */

static int
check_units(struct decoder *d, const struct throughput *t)
{
	if (t->reads > UNITS_MAX)
		return schema_fail(d, "Given value %llu for ReadCapacityUnits "
		    "is out of bounds", (unsigned long long)t->reads);
	if (t->writes > UNITS_MAX)
		return schema_fail(d, "Given value %llu for WriteCapacityUnits "
		    "is out of bounds", (unsigned long long)t->writes);
	return 0;
}

static int
check_billing(struct decoder *d, const struct raw_table *t)
{
	if (is(&t->billing, "PAY_PER_REQUEST"))
		return !t->throughput ? 0 : schema_fail(d, INVALID "Neither "
		    "ReadCapacityUnits nor WriteCapacityUnits can be specified "
		    "when BillingMode is PAY_PER_REQUEST");
	if (!t->throughput)
		return schema_fail(d, INVALID "ReadCapacityUnits and "
		    "WriteCapacityUnits must both be specified when "
		    "BillingMode is PROVISIONED");
	return check_units(d, t->throughput);
}

static int
check_stream(struct decoder *d, const struct raw_table *t)
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

/* --- indexes -------------------------------------------------------------- */

static int
check_projection(struct decoder *d, const struct raw_index *x, size_t *nonkey)
{
	const struct raw_projection *p = x->projection;

	if (!p->type.p)
		return schema_fail(d, INVALID "Unknown ProjectionType: null");
	if (p->nonkey && !is(&p->type, "INCLUDE"))
		return schema_fail(d, INVALID "ProjectionType is %.*s, but "
		    "NonKeyAttributes is specified", TEXT(p->type));
	if (!p->nonkey && is(&p->type, "INCLUDE"))
		return schema_fail(d, INVALID "ProjectionType is INCLUDE, but "
		    "NonKeyAttributes is not specified");
	*nonkey += p->nnonkey;
	if (*nonkey > NONKEY_MAX)
		return schema_fail(d, INVALID "Number of NonKeyAttributes "
		    "exceeds the per-table limit of %d", NONKEY_MAX);
	return 0;
}

/* No index of that name among the `n` of `list`. */
static int
check_new(struct decoder *d, const struct text *name,
    const struct raw_index *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (same(&list[i].name, name))
			return schema_fail(d, INVALID "Duplicate index name: "
			    "%.*s", TEXT(*name));
	return 0;
}

static int
check_local(struct decoder *d, const struct raw_table *t,
    const struct raw_index *x)
{
	if (check_key(d, t, x->key, x->nkey, 1) < 0)
		return -1;
	if (x->nkey != 2)
		return schema_fail(d, INVALID "Index KeySchema does not have a "
		    "range key for index: %.*s", TEXT(x->name));
	if (!same(&x->key[0].name, &t->key[0].name))
		return schema_fail(d, INVALID "Index KeySchema does not have "
		    "the same leading hash key as table KeySchema for index: "
		    "%.*s. index hash key: %.*s, table hash key: %.*s",
		    TEXT(x->name), TEXT(x->key[0].name),
		    TEXT(t->key[0].name));
	return 0;
}

static int
check_locals(struct decoder *d, const struct raw_table *t, size_t *nonkey)
{
	size_t i;

	if (!t->locals)
		return 0;
	if (t->nlocals == 0)
		return schema_fail(d, INVALID
		    "List of LocalSecondaryIndexes is empty");
	if (t->nkey != 2)
		return schema_fail(d, INVALID "Table KeySchema does not have a "
		    "range key, which is required when specifying a "
		    "LocalSecondaryIndex");
	if (t->nlocals > LOCALS_MAX)
		return schema_fail(d, INVALID "Number of LocalSecondaryIndexes "
		    "exceeds per-table limit of %d", LOCALS_MAX);
	for (i = 0; i < t->nlocals; i++)
		if (check_local(d, t, &t->locals[i]) < 0 ||
		    check_projection(d, &t->locals[i], nonkey) < 0 ||
		    check_new(d, &t->locals[i].name, t->locals, i) < 0)
			return -1;
	return 0;
}

static int
check_global(struct decoder *d, const struct raw_table *t,
    const struct raw_index *x, size_t *nonkey)
{
	if (check_key(d, t, x->key, x->nkey, REQUEST_KEY_PARTS) < 0 ||
	    check_projection(d, x, nonkey) < 0)
		return -1;
	if (is(&t->billing, "PAY_PER_REQUEST") && x->throughput)
		return schema_fail(d, INVALID "ProvisionedThroughput should "
		    "not be specified for index: %.*s when BillingMode is "
		    "PAY_PER_REQUEST", TEXT(x->name));
	return x->throughput ? check_units(d, x->throughput) : 0;
}

static int
check_globals(struct decoder *d, const struct raw_table *t, size_t *nonkey)
{
	size_t i;

	if (!t->globals)
		return 0;
	if (t->nglobals == 0)
		return schema_fail(d, INVALID
		    "List of GlobalSecondaryIndexes is empty");
	if (t->nglobals > GLOBALS_MAX)
		return schema_fail(d, INVALID "GlobalSecondaryIndex count "
		    "exceeds the per-table limit of %d", GLOBALS_MAX);
	for (i = 0; i < t->nglobals; i++)
		if (check_global(d, t, &t->globals[i], nonkey) < 0 ||
		    check_new(d, &t->globals[i].name, t->locals,
		    t->nlocals) < 0 ||
		    check_new(d, &t->globals[i].name, t->globals, i) < 0)
			return -1;
	return 0;
}

/* Every attribute that is defined is of some key. */
static int
check_used(struct decoder *d, const struct raw_table *t)
{
	if (t->locals || t->globals || t->nkey == t->nattributes)
		return 0;
	return schema_fail(d, INVALID "Number of attributes in KeySchema does "
	    "not exactly match number of attributes defined in "
	    "AttributeDefinitions");
}

int
request_check_create(struct decoder *d, const struct raw_table *t)
{
	size_t nonkey = 0;

	if (check_billing(d, t) < 0)
		return -1;
	if (t->nkey > t->nattributes)
		return schema_fail(d, "Invalid KeySchema: Some index key "
		    "attribute have no definition");
	return check_key(d, t, t->key, t->nkey, 1) < 0 ||
	    check_used(d, t) < 0 || check_locals(d, t, &nonkey) < 0 ||
	    check_globals(d, t, &nonkey) < 0 || check_stream(d, t) < 0 ?
	    -1 : 0;
}

/* --- UpdateTable ---------------------------------------------------------- */

static const struct raw_index *
changed(const struct raw_change *c)
{
	return c->create ? c->create : c->update ? c->update : c->delete;
}

static int
check_change(struct decoder *d, const struct raw_table *t, size_t i)
{
	const struct raw_change *c = &t->changes[i];
	const struct raw_index *x = changed(c);
	size_t k, nonkey = 0;

	if (!x)
		return schema_fail(d, INVALID "One of "
		    "GlobalSecondaryIndexUpdate.Update, "
		    "GlobalSecondaryIndexUpdate.Create, "
		    "GlobalSecondaryIndexUpdate.Delete must not be null");
	if (!c->create + !c->update + !c->delete != 2)
		return schema_fail(d, INVALID "Only one of "
		    "GlobalSecondaryIndexUpdate.Update, "
		    "GlobalSecondaryIndexUpdate.Create, "
		    "GlobalSecondaryIndexUpdate.Delete may be given");
	for (k = 0; k < i; k++)
		if (same(&changed(&t->changes[k])->name, &x->name))
			return schema_fail(d, INVALID "Only one global "
			    "secondary index update per index is allowed "
			    "simultaneously. Index: %.*s", TEXT(x->name));
	return c->create ? check_global(d, t, x, &nonkey) : 0;
}

int
request_check_update(struct decoder *d, const struct raw_table *t)
{
	size_t i;

	if (!t->throughput && !t->billing.p && !t->stream && !t->nchanges &&
	    !t->encrypted && !t->class.p && t->protected == CHOICE_ABSENT &&
	    t->history == CHOICE_ABSENT)
		return schema_fail(d, "At least one of ProvisionedThroughput, "
		    "BillingMode, UpdateStreamEnabled, "
		    "GlobalSecondaryIndexUpdates or SSESpecification or "
		    "ReplicaUpdates is required");
	if (is(&t->billing, "PROVISIONED") && !t->throughput)
		return schema_fail(d, INVALID "ProvisionedThroughput must be "
		    "specified when BillingMode is PROVISIONED");
	if (t->throughput && check_units(d, t->throughput) < 0)
		return -1;
	for (i = 0; i < t->nchanges; i++)
		if (check_change(d, t, i) < 0)
			return -1;
	return check_stream(d, t);
}
