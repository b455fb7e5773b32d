/*
 * Tables of deploy.yaml, for tables.h.  Runs where a configuration is loaded;
 * knows no store.
 */
#include "tables_internal.h"

#include <string.h>

enum { NONKEY_MAX = 100, JSON_MAX = 256 * 1024 };

/* --- writing -------------------------------------------------------------- */

static void
write_text(struct maker *m, const char *name, const char *s)
{
	buf_printf(&m->json, "\"%s\":", name);
	buf_json(&m->json, s, strlen(s));
}

static void
write_parts(struct maker *m, const char *name,
    const struct attribute *const *parts, size_t n)
{
	size_t i;

	buf_printf(&m->json, ",\"%s\":[", name);
	for (i = 0; i < n; i++) {
		buf_puts(&m->json, i ? ",{" : "{");
		write_text(m, "name", parts[i]->name);
		buf_putc(&m->json, ',');
		write_text(m, "type", parts[i]->type);
		buf_putc(&m->json, '}');
	}
	buf_putc(&m->json, ']');
}

static void
write_schema(struct maker *m, const struct schema *s)
{
	write_parts(m, "hash", s->hash, s->nhash);
	write_parts(m, "range", s->range, s->nrange);
}

/* A list of names, or NULL. */
static void
write_projection(struct maker *m, const char *type, const struct node *names)
{
	size_t i, n = tables_count(names, NODE_LIST);
	const char *s;

	buf_putc(&m->json, ',');
	write_text(m, "projection", type);
	buf_puts(&m->json, ",\"nonkey\":[");
	for (i = 0; i < n; i++) {
		s = tables_text_of(tables_element(m, names, i));
		if (i)
			buf_putc(&m->json, ',');
		if (s)
			buf_json(&m->json, s, strlen(s));
	}
	buf_putc(&m->json, ']');
	m->nonkey += n;
}

/* --- indexes -------------------------------------------------------------- */

static void
check_index_name(struct maker *m, const struct node *at, const char *name)
{
	size_t i;

	for (i = 0; i < m->nindexes; i++)
		if (strcmp(m->indexes[i], name) == 0)
			check_fail(m->c, at, "there are two indexes '%.64s' "
			    "in %s", name, m->name);
}

static void
check_index_key(struct maker *m, const struct node *at, const struct schema *s,
    bool local)
{
	if (!local || s->nhash == 0 || m->key.nhash == 0)
		return;
	if (m->key.nrange == 0)
		check_fail(m->c, at, "a local index needs a table with a sort "
		    "key");
	else if (s->nhash != 1 || s->hash[0] != m->key.hash[0])
		check_fail(m->c, at, "a local index has the table's partition "
		    "key, '%.64s'", m->key.hash[0]->name);
	else if (s->nrange != 1)
		check_fail(m->c, at, "a local index has one sort key");
}

/* The ProvisionedThroughput of a table or an index. */
static void
write_units(struct maker *m, const struct node *of)
{
	const struct node *units = tables_member(m, of,
	    "ProvisionedThroughput");
	const char *reads = tables_text(m, units, "ReadCapacityUnits");
	const char *writes = tables_text(m, units, "WriteCapacityUnits");

	if (reads && writes)
		buf_printf(&m->json, ",\"units\":{\"reads\":%s,"
		    "\"writes\":%s}", reads, writes);
}

/* Begins an index; what it projects and '}' are for the caller. */
static int
begin_index(struct maker *m, const struct node *at, const char *name,
    const struct schema *s, bool local)
{
	if (m->nindexes == INDEXES_MAX || (local && m->nlocal == LOCAL_MAX) ||
	    (!local && m->nindexes - m->nlocal == GLOBAL_MAX))
		return check_fail(m->c, at, "%s has more than %d %s indexes",
		    m->name, local ? LOCAL_MAX : GLOBAL_MAX,
		    local ? "local" : "global");
	check_index_name(m, at, name);
	check_index_key(m, at, s, local);
	buf_puts(&m->json, m->nindexes ? ",{" : "{");
	write_text(m, "name", name);
	m->indexes[m->nindexes++] = name;
	m->nlocal += local ? 1 : 0;
	buf_printf(&m->json, ",\"id\":%zu,\"global\":%s,\"filling\":false",
	    m->nindexes, local ? "false" : "true");
	write_schema(m, s);
	return 0;
}

static void
short_index(struct maker *m, const struct node *name, const struct node *n)
{
	const struct node *projection = tables_member(m, n, "projection");
	const char *word = tables_text_of(projection);
	struct schema s = {0};

	tables_short_key(m, tables_member(m, n, "key"), &s);
	if (begin_index(m, name, name->text, &s, tables_says(m, n, "local",
	    "true")) < 0)
		return;
	if (tables_count(projection, NODE_LIST))
		write_projection(m, "INCLUDE", projection);
	else if (projection && projection->type == NODE_LIST)
		write_projection(m, "KEYS_ONLY", NULL);
	else
		write_projection(m, word ? word : "ALL", NULL);
	buf_putc(&m->json, '}');
}

static void
listed_index(struct maker *m, const struct node *n, bool local)
{
	const struct node *name = tables_member(m, n, "IndexName");
	const struct node *projection = tables_member(m, n, "Projection");
	const struct node *names = tables_member(m, projection,
	    "NonKeyAttributes");
	const char *type = tables_text(m, projection, "ProjectionType");
	struct schema s = {0};
	bool include;

	tables_key_schema(m, tables_member(m, n, "KeySchema"), &s);
	if (!tables_text_of(name) ||
	    begin_index(m, name, name->text, &s, local) < 0)
		return;
	type = type ? type : "ALL";
	include = strcmp(type, "INCLUDE") == 0;
	if (include != (tables_count(names, NODE_LIST) > 0))
		check_fail(m->c, projection, "ProjectionType: INCLUDE and "
		    "NonKeyAttributes go together");
	write_projection(m, type, names);
	write_units(m, n);
	buf_putc(&m->json, '}');
}

static void
listed_indexes(struct maker *m, const char *key, bool local)
{
	const struct node *list = tables_member(m, m->node, key), *n;
	size_t i;

	for (i = 0; i < tables_count(list, NODE_LIST); i++) {
		n = tables_element(m, list, i);
		if (n && n->type == NODE_MAP)
			listed_index(m, n, local);
	}
}

static void
write_indexes(struct maker *m)
{
	const struct node *map = tables_member(m, m->node, "indexes"), *n;
	size_t i;

	buf_puts(&m->json, ",\"indexes\":[");
	for (i = 0; i < tables_count(map, NODE_MAP); i++) {
		n = vars_resolve(m->c->vars, map->items[i]);
		if (n && n->type == NODE_MAP)
			short_index(m, map->keys[i], n);
	}
	listed_indexes(m, "GlobalSecondaryIndexes", false);
	listed_indexes(m, "LocalSecondaryIndexes", true);
	buf_putc(&m->json, ']');
	if (m->nonkey > NONKEY_MAX)
		check_fail(m->c, m->node, "the indexes of %s project %zu "
		    "attributes by name; %d are the most", m->name, m->nonkey,
		    NONKEY_MAX);
}

/* --- a table -------------------------------------------------------------- */

/* The short key or the other; one of them must be there. */
static const struct node *
one_of(struct maker *m, const char *brief, const char *full, bool needed)
{
	const struct node *a = tables_member(m, m->node, brief);
	const struct node *b = tables_member(m, m->node, full);

	if (a && b)
		check_fail(m->c, b, "%s has %s and %s; one of them is enough",
		    m->name, brief, full);
	if (needed && !a && !b && !node_get(m->node, brief) &&
	    !node_get(m->node, full))
		check_fail(m->c, m->node, "%s needs a key: {id: S}, or "
		    "{room: S, at: N} with a sort key", m->name);
	return a ? a : b;
}

static void
read_key(struct maker *m)
{
	const struct node *n = one_of(m, "key", "KeySchema", true);

	if (n && n->type == NODE_LIST)
		tables_key_schema(m, n, &m->key);
	else if (n && n->type == NODE_MAP)
		tables_short_key(m, n, &m->key);
	if (m->key.nhash > 1 || m->key.nrange > 1)
		check_fail(m->c, n, "the key of a table is a partition key "
		    "and at most one sort key");
}

static void
write_settings(struct maker *m)
{
	const struct node *ttl = one_of(m, "ttl", "TimeToLiveSpecification",
	    false);
	const struct node *stream = one_of(m, "stream", "StreamSpecification",
	    false);
	const char *s = tables_text_of(ttl);
	bool off, protected;

	if (!s && !tables_says(m, ttl, "Enabled", "false"))
		s = tables_text(m, ttl, "AttributeName");
	if (s) {
		buf_putc(&m->json, ',');
		write_text(m, "ttl", s);
	}
	s = tables_text_of(stream);
	if (!s && !tables_says(m, stream, "StreamEnabled", "false"))
		s = tables_text(m, stream, "StreamViewType");
	if (s) {
		buf_putc(&m->json, ',');
		write_text(m, "stream", s);
	}
	off = tables_says(m, m->node, "history", "off");
	protected = tables_says(m, m->node, "DeletionProtectionEnabled",
	    "true");
	buf_printf(&m->json, ",\"history\":%s,\"protected\":%s",
	    off ? "false" : "true", protected ? "true" : "false");
}

/* BillingMode and what is provisioned, as table_terms.c of the store has it. */
static void
write_terms(struct maker *m)
{
	const struct node *at = node_get(m->node, "BillingMode");
	const char *mode = tables_text(m, m->node, "BillingMode");
	bool units = node_get(m->node, "ProvisionedThroughput") != NULL;

	if (mode && (strcmp(mode, "PROVISIONED") == 0 ? !units :
	    units && strcmp(mode, "PAY_PER_REQUEST") == 0))
		check_fail(m->c, at, "BillingMode: PROVISIONED and "
		    "ProvisionedThroughput go together");
	if (!units)
		return;
	buf_puts(&m->json, ",\"terms\":{\"provisioned\":true");
	write_units(m, m->node);
	buf_putc(&m->json, '}');
}

static void
make_table(struct maker *m, const struct node *name, struct conf_table *out)
{
	m->name = name->text;
	tables_definitions(m);
	read_key(m);
	buf_putc(&m->json, '{');
	write_text(m, "name", m->name);
	write_schema(m, &m->key);
	write_indexes(m);
	tables_check_used(m);
	write_settings(m);
	write_terms(m);
	buf_putc(&m->json, '}');
	if (!buf_ok(&m->json))
		check_fail(m->c, name, "the table '%.64s' says too much",
		    m->name);
	*out = (struct conf_table){
		.name = m->name,
		.json = zone_strndup(m->c->zone, buf_str(&m->json),
		    m->json.len),
		.place = {name->file, name->line, name->col},
	};
}

void
tables_make(struct checker *c, struct node *tables)
{
	struct conf *conf = c->conf;
	struct maker *m = zone_alloc(c->zone, sizeof *m);
	struct node *n;
	size_t i;

	if (tables_count(tables, NODE_MAP) == 0)
		return;
	conf->tables = zone_alloc(c->zone,
	    tables->count * sizeof *conf->tables);
	for (i = 0; m && conf->tables && i < tables->count; i++) {
		n = vars_resolve(c->vars, tables->items[i]);
		if (!n || n->type != NODE_MAP)
			continue;
		*m = (struct maker){.c = c, .node = n};
		buf_init(&m->json, JSON_MAX);
		make_table(m, tables->keys[i],
		    &conf->tables[conf->ntables++]);
		buf_release(&m->json);
	}
}
