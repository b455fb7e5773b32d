/*
 * A table from the request that describes it, for table.h.
 */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
take_name(char *to, size_t size, const struct text *t)
{
	snprintf(to, size, "%.*s", (int)t->n, t->p);
}

static bool
is_named(const struct key_part *p, const struct text *name)
{
	return strlen(p->name) == name->n &&
	    memcmp(p->name, name->p, name->n) == 0;
}

/* The part of a key that has the name, or NULL. */
static const struct key_part *
part_named(const struct key_schema *k, const struct text *name)
{
	size_t i;

	for (i = 0; i < k->nhash; i++)
		if (is_named(&k->hash[i], name))
			return &k->hash[i];
	for (i = 0; i < k->nrange; i++)
		if (is_named(&k->range[i], name))
			return &k->range[i];
	return NULL;
}

static const struct key_part *
old_part(const struct table *old, const struct text *name)
{
	const struct key_part *p = NULL;
	size_t i;

	if (old)
		p = part_named(&old->key, name);
	for (i = 0; old && !p && i < old->nindexes; i++)
		p = part_named(&old->indexes[i].key, name);
	return p;
}

/* The type of an attribute; it stays what it was. */
static int
find_type(const struct table_request *q, const struct table *old,
    const struct text *name, const char *role, enum value_type *out,
    struct err *e)
{
	const struct key_part *was = old_part(old, name);
	size_t i;

	*out = was ? was->type : VALUE_TYPES;
	for (i = 0; i < q->nattributes; i++)
		if (text_compare(&q->attributes[i].name, name) == 0)
			*out = q->attributes[i].type;
	if (*out == VALUE_TYPES)
		return err_set(e, FAULT_VALIDATION, "One or more parameter "
		    "values were invalid: Some index key attributes are not "
		    "defined in AttributeDefinitions. Keys: [%.*s]",
		    (int)name->n, name->p);
	if (!was || was->type == *out)
		return 0;
	return err_set(e, FAULT_VALIDATION, "One or more parameter values were "
	    "invalid: Attributes cannot be redefined. Please check that your "
	    "attribute has the same type as previously defined. Existing "
	    "schema: Schema:[SchemaElement: key{%.*s:%s:%s}] New schema: "
	    "Schema:[SchemaElement: key{%.*s:%s:%s}]", (int)name->n, name->p,
	    value_type_name(was->type), role, (int)name->n, name->p,
	    value_type_name(*out), role);
}

static int
make_key(const struct table_request *q, const struct table *old,
    const struct key_element *elements, size_t n, struct key_schema *out,
    struct err *e)
{
	struct key_part *p;
	bool range;
	size_t i;

	*out = (struct key_schema){.nhash = 0};
	for (i = 0; i < n; i++) {
		range = elements[i].role == ROLE_RANGE;
		p = range ? &out->range[out->nrange++]
		          : &out->hash[out->nhash++];
		take_name(p->name, sizeof p->name, &elements[i].name);
		if (find_type(q, old, &elements[i].name,
		        range ? "RANGE" : "HASH", &p->type, e) < 0)
			return -1;
	}
	return 0;
}

static void
take_units(struct table_units *to, const struct throughput *from)
{
	*to = (struct table_units){from->reads, from->writes};
}

int
op_table_make_index(const struct table_request *q, const struct table *old,
    const struct index_request *r, struct table_index *ix, struct err *e)
{
	size_t i;

	take_name(ix->name, sizeof ix->name, &r->name);
	take_units(&ix->units, &r->throughput);
	take_units(&ix->most, &r->most);
	take_units(&ix->warm, &r->warm);
	if (make_key(q, old, r->key, r->nkey, &ix->key, e) < 0)
		return -1;
	ix->projection = PROJECT_ALL;
	if (*r->projection.p == 'K')
		ix->projection = PROJECT_KEYS;
	else if (*r->projection.p == 'I')
		ix->projection = PROJECT_INCLUDE;
	if (!r->nnonkey)
		return 0;
	ix->nonkey = calloc(r->nnonkey, sizeof *ix->nonkey);
	if (!ix->nonkey)
		return op_no_memory(e);
	for (i = 0; i < r->nnonkey; i++)
		take_name(ix->nonkey[i], sizeof ix->nonkey[i], &r->nonkey[i]);
	ix->nnonkey = r->nnonkey;
	return 0;
}

bool
op_table_on_demand(const struct text *billing)
{
	static const char MODE[] = "PAY_PER_REQUEST";

	return billing->p && billing->n == sizeof MODE - 1 &&
	    memcmp(billing->p, MODE, billing->n) == 0;
}

enum stream_view
op_table_view(const struct text *name)
{
	static const char *const NAMES[] = {
	    [STREAM_KEYS] = "KEYS_ONLY",
	    [STREAM_NEW] = "NEW_IMAGE",
	    [STREAM_OLD] = "OLD_IMAGE",
	    [STREAM_BOTH] = "NEW_AND_OLD_IMAGES",
	};
	size_t i;

	for (i = STREAM_KEYS; i <= STREAM_BOTH; i++)
		if (strlen(NAMES[i]) == name->n &&
		    memcmp(NAMES[i], name->p, name->n) == 0)
			return (enum stream_view)i;
	return STREAM_OFF;
}

/* --- terms --------------------------------------------------------------- */

static int
add_tag(struct table_terms *t, const struct tag *tag, struct err *e)
{
	struct table_tag *more = t->tags;
	size_t i;

	for (i = 0; i < t->ntags; i++)
		if (strlen(more[i].key) == tag->key.n &&
		    memcmp(more[i].key, tag->key.p, tag->key.n) == 0)
			break;
	if (i == t->ntags) {
		if (i == TABLE_TAGS_MAX)
			return err_set(e, FAULT_VALIDATION, "Number of Tags "
			    "exceed the current limit for the provided "
			    "ResourceArn");
		more = realloc(t->tags, (i + 1) * sizeof *more);
		if (!more)
			return op_no_memory(e);
		t->tags = more;
		t->ntags++;
		take_name(more[i].key, sizeof more[i].key, &tag->key);
	}
	take_name(more[i].value, sizeof more[i].value, &tag->value);
	return 0;
}

int
op_table_tag(struct table *t, const struct tag *tags, size_t n, struct err *e)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (add_tag(&t->terms, &tags[i], e) < 0)
			return -1;
	return 0;
}

static void
make_terms(const struct table_request *q, struct table_terms *t)
{
	t->provisioned = !op_table_on_demand(&q->billing);
	if (t->provisioned)
		take_units(&t->units, &q->throughput);
	take_units(&t->most, &q->most);
	take_units(&t->warm, &q->warm);
	if (q->class.p)
		t->class = q->class.n > 8 ? TABLE_CLASS_INFREQUENT
		                          : TABLE_CLASS_STANDARD;
}

/* --- the whole ----------------------------------------------------------- */

static int
make_indexes(const struct table_request *q, struct table *t, struct err *e)
{
	size_t i, n = q->nlocals + q->nglobals;
	struct table_index *ix;

	if (n && !(t->indexes = calloc(n, sizeof *t->indexes)))
		return op_no_memory(e);
	for (i = 0; i < n; i++) {
		ix = &t->indexes[t->nindexes++];
		ix->id = (uint32_t)i + 1;
		ix->global = i >= q->nlocals;
		if (op_table_make_index(q, NULL, ix->global
		                            ? &q->globals[i - q->nlocals]
		                            : &q->locals[i], ix, e) < 0)
			return -1;
	}
	t->next_index = (uint32_t)n + 1;
	return 0;
}

struct table *
op_table_make(const struct table_request *q, struct err *e)
{
	struct table *t = calloc(1, sizeof *t);

	if (!t) {
		op_no_memory(e);
		return NULL;
	}
	take_name(t->name, sizeof t->name, &q->name);
	t->history = q->history != CHOICE_NO;
	t->protected = q->protected == CHOICE_YES;
	if (q->stream == CHOICE_YES)
		t->stream = op_table_view(&q->stream_view);
	if (q->ttl.p)
		take_name(t->ttl, sizeof t->ttl, &q->ttl);
	make_terms(q, &t->terms);
	if (make_key(q, NULL, q->key, q->nkey, &t->key, e) < 0 ||
	    make_indexes(q, t, e) < 0 ||
	    op_table_tag(t, q->tags, q->ntags, e) < 0) {
		table_free(t);
		return NULL;
	}
	return t;
}
