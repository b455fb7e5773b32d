/*
 * What CreateTable and UpdateTable ask of keys and indexes, in DynamoDB's words
 * and order; request_terms.c asks the rest.
 */
#include "request_table.h"

#include "store/value/fault.h"

#include <string.h>

#define INVALID "One or more parameter values were invalid: "

enum { LOCALS_MAX = 5, GLOBALS_MAX = 20, NONKEY_MAX = 100, NAME_MAX = 255,
	SHOWN = 160 };

static bool
same(const struct text *a, const struct text *b)
{
	return text_compare(a, b) == 0;
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

/* Of a table or a local index: a hash part, then perhaps a range part. */
static int
check_pair(struct decoder *d, const struct key_element *key, size_t n)
{
	if (n > 1 && same(&key[0].name, &key[1].name))
		return schema_fail(d, "Both the Hash Key and the Range Key "
		    "element in the KeySchema have the same name");
	if (key[0].role != ROLE_HASH)
		return schema_fail(d, "Invalid KeySchema: The first "
		    "KeySchemaElement is not a HASH key type");
	if (n > 1 && key[1].role != ROLE_RANGE)
		return schema_fail(d, "Invalid KeySchema: The second "
		    "KeySchemaElement is not a RANGE key type");
	return 0;
}

/* Of a global index: hash parts, then range parts, of each at most four. */
static int
check_many(struct decoder *d, const struct key_element *key, size_t n)
{
	size_t i, k, hash = 0;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			if (same(&key[i].name, &key[k].name))
				return schema_fail(d, INVALID "The KeySchema "
				    "contains multiple key attributes with "
				    "the same name: duplicate %.*s",
				    TEXT(key[i].name));
	if (key[0].role != ROLE_HASH)
		return schema_fail(d, "Invalid KeySchema: The first "
		    "KeySchemaElement is not a HASH key type");
	while (hash < n && key[hash].role == ROLE_HASH)
		hash++;
	for (i = hash; i < n; i++)
		if (key[i].role != ROLE_RANGE)
			return schema_fail(d, INVALID "All HASH key attributes "
			    "must precede RANGE key attributes in the "
			    "KeySchema");
	if (hash > REQUEST_KEY_PARTS || n - hash > REQUEST_KEY_PARTS)
		return schema_fail(d, INVALID "The KeySchema exceeds the "
		    "maximum allowed number of %s key attributes",
		    hash > REQUEST_KEY_PARTS ? "HASH" : "RANGE");
	return 0;
}

static int
check_key(struct decoder *d, const struct raw_table *t,
    const struct key_element *key, size_t n, bool global)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!defined(t, &key[i].name))
			return fail_undefined(d, t, key, n);
	if (n == 2 && key[0].role == ROLE_HASH && key[1].role == ROLE_RANGE)
		return check_pair(d, key, n);
	return global ? check_many(d, key, n) : check_pair(d, key, n);
}

/* --- indexes -------------------------------------------------------------- */

static int
check_projection(struct decoder *d, const struct raw_index *x, size_t *nonkey)
{
	const struct raw_projection *p = x->projection;
	size_t i, k;

	if (!p->type.p)
		return schema_fail(d, INVALID "Unknown ProjectionType: null");
	if (p->nonkey && !request_is(&p->type, "INCLUDE"))
		return schema_fail(d, INVALID "ProjectionType is %.*s, but "
		    "NonKeyAttributes is specified", TEXT(p->type));
	if (!p->nonkey && request_is(&p->type, "INCLUDE"))
		return schema_fail(d, INVALID "ProjectionType is INCLUDE, but "
		    "NonKeyAttributes is not specified");
	for (i = 0; p->nonkey && i < p->nnonkey; i++)
		if (p->nonkey[i].n > NAME_MAX || p->nonkey[i].n == 0)
			return schema_fail(d, INVALID "An attribute name in "
			    "NonKeyAttributes has to have 1 to %d bytes",
			    NAME_MAX);
	for (i = 0; p->nonkey && i < p->nnonkey; i++)
		for (k = 0; k < i; k++)
			if (same(&p->nonkey[i], &p->nonkey[k]))
				return schema_fail(d, INVALID "Duplicate "
				    "element in NonKeyAttributes: %.*s",
				    TEXT(p->nonkey[i]));
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
	if (check_key(d, t, x->key, x->nkey, false) < 0)
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
	if (check_key(d, t, x->key, x->nkey, true) < 0 ||
	    check_projection(d, x, nonkey) < 0)
		return -1;
	if (request_is(&t->billing, "PAY_PER_REQUEST") && x->throughput)
		return schema_fail(d, INVALID "ProvisionedThroughput should "
		    "not be specified for index: %.*s when BillingMode is "
		    "PAY_PER_REQUEST", TEXT(x->name));
	return x->throughput ? request_check_units(d, x->throughput) : 0;
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
		    request_check_most(d, t, t->globals[i].most,
		    &t->globals[i].name) < 0 ||
		    request_check_warm(d, t, t->globals[i].warm,
		    t->globals[i].throughput, &t->globals[i].name) < 0 ||
		    check_new(d, &t->globals[i].name, t->locals,
		    t->nlocals) < 0 ||
		    check_new(d, &t->globals[i].name, t->globals, i) < 0)
			return -1;
	return 0;
}

static bool
in_key(const struct key_element *key, size_t n, const struct text *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (same(&key[i].name, name))
			return true;
	return false;
}

static bool
in_keys(const struct raw_index *list, size_t n, const struct text *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (in_key(list[i].key, list[i].nkey, name))
			return true;
	return false;
}

/* No attribute is defined twice. */
static int
check_once(struct decoder *d, const struct raw_table *t)
{
	size_t i, k;

	for (i = 0; i < t->nattributes; i++)
		for (k = 0; k < i; k++)
			if (same(&t->attributes[i].name,
			    &t->attributes[k].name))
				return schema_fail(d, "Attribute Name is "
				    "duplicated: %.*s",
				    TEXT(t->attributes[i].name));
	return 0;
}

/* Every attribute that is defined is of some key. */
static int
check_used(struct decoder *d, const struct raw_table *t)
{
	const struct text *name;
	size_t i;

	for (i = 0; i < t->nattributes; i++) {
		name = &t->attributes[i].name;
		if (in_key(t->key, t->nkey, name) ||
		    in_keys(t->locals, t->nlocals, name) ||
		    in_keys(t->globals, t->nglobals, name))
			continue;
		if (!t->locals && !t->globals)
			return schema_fail(d, INVALID "Number of attributes "
			    "in KeySchema does not exactly match number of "
			    "attributes defined in AttributeDefinitions");
		return schema_fail(d, INVALID "Some AttributeDefinitions are "
		    "not used. AttributeDefinitions: [%.*s]", TEXT(*name));
	}
	return 0;
}

/* An index of a PROVISIONED table has its own throughput. */
static int
check_provided(struct decoder *d, const struct raw_table *t)
{
	size_t i;

	if (request_is(&t->billing, "PAY_PER_REQUEST"))
		return 0;
	for (i = 0; i < t->nglobals; i++)
		if (!t->globals[i].throughput)
			return schema_fail(d, INVALID "ProvisionedThroughput "
			    "is not specified for index: %.*s",
			    TEXT(t->globals[i].name));
	return 0;
}

int
request_check_create(struct decoder *d, const struct raw_table *t)
{
	size_t nonkey = 0;

	if (request_check_billing(d, t) < 0)
		return -1;
	if (t->nkey > t->nattributes)
		return schema_fail(d, "Invalid KeySchema: Some index key "
		    "attribute have no definition");
	return check_key(d, t, t->key, t->nkey, false) < 0 ||
	    check_once(d, t) < 0 || check_locals(d, t, &nonkey) < 0 ||
	    check_globals(d, t, &nonkey) < 0 || check_used(d, t) < 0 ||
	    check_provided(d, t) < 0 ||
	    request_check_most(d, t, t->most, NULL) < 0 ||
	    request_check_warm(d, t, t->warm, t->throughput, NULL) < 0 ||
	    request_check_stream(d, t) < 0 || request_check_class(d, t) < 0 ||
	    request_check_lacking(d, t) < 0 ||
	    request_check_tags(d, t->tags, t->ntags) < 0 ? -1 : 0;
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
		    "GlobalSecondaryIndexUpdate.Delete may be specified");
	for (k = 0; k < i; k++)
		if (same(&changed(&t->changes[k])->name, &x->name))
			return schema_fail(d, INVALID "Only one global "
			    "secondary index update per index is allowed "
			    "simultaneously. Index: %.*s", TEXT(x->name));
	return c->create ? check_global(d, t, x, &nonkey) : 0;
}

/* One index comes or goes at a time. */
static int
check_one(struct decoder *d, const struct raw_table *t)
{
	size_t i, n = 0;

	for (i = 0; t->changes && i < t->nchanges; i++)
		n += !t->changes[i].update;
	if (n < 2)
		return 0;
	return err_set(d->err, FAULT_LIMIT, "Subscriber limit exceeded: Only 1 "
	    "online index can be created or deleted simultaneously per table");
}

static bool
says_anything(const struct raw_table *t)
{
	return t->throughput || t->billing.p || t->stream || t->nchanges ||
	    t->encrypted || t->class.p || t->protected != CHOICE_ABSENT ||
	    t->history != CHOICE_ABSENT || t->most || t->warm ||
	    t->replicas || t->consistency || t->witnesses || t->sharing ||
	    t->vectors;
}

int
request_check_update(struct decoder *d, const struct raw_table *t)
{
	size_t i;

	if (!says_anything(t))
		return schema_fail(d, "At least one of ProvisionedThroughput, "
		    "BillingMode, UpdateStreamEnabled, "
		    "GlobalSecondaryIndexUpdates, SSESpecification, "
		    "ReplicaUpdates, MultiAccountReplicaReady, "
		    "ReplicaTransitRoleArn, MultiRegionConsistency, "
		    "DeletionProtectionEnabled, OnDemandThroughput, "
		    "WarmThroughput or TableClass is required");
	if (t->changes && t->nchanges == 0)
		return schema_fail(d, INVALID "List of "
		    "GlobalSecondaryIndexUpdates is empty");
	if (request_is(&t->billing, "PROVISIONED") && !t->throughput)
		return schema_fail(d, INVALID "ProvisionedThroughput must be "
		    "specified when BillingMode is PROVISIONED");
	if (request_is(&t->billing, "PAY_PER_REQUEST") &&
	    request_check_billing(d, t) < 0)
		return -1;
	if (t->throughput && request_check_units(d, t->throughput) < 0)
		return -1;
	for (i = 0; t->changes && i < t->nchanges; i++)
		if (check_change(d, t, i) < 0)
			return -1;
	return check_one(d, t) < 0 || request_check_stream(d, t) < 0 ||
	    request_check_class(d, t) < 0 ? -1 : request_check_lacking(d, t);
}
