/*
 * Tables as DescribeTable tells them, and words made into their keys
 * (storewords.h).
 */
#include "words.h"

#include "store/base/base64.h"
#include "store/base/utf8.h"
#include "store/value/fault.h"
#include "store/value/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE_SIZE = 256, NEAR = 4 };

/* --- asking ------------------------------------------------------------- */

static const struct json_node *
describe(struct storelink *l, const char *name, struct err *e)
{
	const struct json_node *n;
	struct reply r;

	storelink_begin(l, &r);
	reply_string(&r, "TableName", name);
	n = storelink_call(l, OP_DESCRIBE_TABLE, 0, &r, e);
	return n ? json_member(n, "Table") : NULL;
}

/* Which table was meant, perhaps. */
static int
no_table(struct storelink *l, const char *name)
{
	const struct json_node *n, *list;
	char near[256] = "", one[256];
	size_t best = NEAR, d;
	struct reply r;
	struct err e;

	storelink_begin(l, &r);
	n = storelink_call(l, OP_LIST_TABLES, 0, &r, &e);
	list = json_member(n, "TableNames");
	for (n = list ? list->first : NULL; n; n = n->next) {
		snprintf(one, sizeof one, "%.*s", (int)n->text.n, n->text.p);
		d = cli_distance(name, one);
		if (d < best) {
			best = d;
			memcpy(near, one, sizeof near);
		}
	}
	fprintf(stderr, "bothy: the store has no table %s%s%s%s\n", name,
	    *near ? "; did you mean " : "", near, *near ? "?" : "");
	if (!*near)
		fputs("bothy: `bothy store tables` lists them; new ones are "
		    "declared in deploy.yaml (resources.tables)\n", stderr);
	return CLI_FAILED;
}

static bool
same(const struct text *t, const struct json_node *n)
{
	return n && n->text.n == t->n && memcmp(n->text.p, t->p, t->n) == 0;
}

static enum value_type
type_of(const struct json_node *table, const struct text *name)
{
	const struct json_node *all = json_member(table,
	    "AttributeDefinitions"), *n, *type;

	for (n = all ? all->first : NULL; n; n = n->next)
		if (same(name, json_member(n, "AttributeName"))) {
			type = json_member(n, "AttributeType");
			return type ? value_type_parse(type->text.p,
			    type->text.n) : VALUE_S;
		}
	return VALUE_S;
}

/* KeySchema of a table or index; the names are copied. */
static int
read_key(struct storelink *l, const struct json_node *table,
    const struct json_node *of, struct storekey *k)
{
	const struct json_node *schema = json_member(of, "KeySchema"), *n;
	static const struct text HASH = {"HASH", 4};
	const struct json_node *name;
	struct storepart *part;
	char *copy;

	*k = (struct storekey){.nhash = 0};
	for (n = schema ? schema->first : NULL; n; n = n->next) {
		name = json_member(n, "AttributeName");
		if (k->nhash == STOREWORDS_PARTS ||
		    k->nrange == STOREWORDS_PARTS || !name)
			break;
		part = same(&HASH, json_member(n, "KeyType")) ?
		    &k->hash[k->nhash++] : &k->range[k->nrange++];
		copy = arena_copy(&l->arena, name->text.p, name->text.n);
		if (!copy)
			return -1;
		part->name = (struct text){copy, name->text.n};
		part->type = type_of(table, &part->name);
	}
	return 0;
}

static const struct json_node *
find_index(const struct json_node *table, const char *index)
{
	static const char *const lists[] = {"GlobalSecondaryIndexes",
	    "LocalSecondaryIndexes"};
	const struct text name = {index, strlen(index)};
	const struct json_node *list, *n;
	size_t i;

	for (i = 0; i < 2; i++) {
		list = json_member(table, lists[i]);
		for (n = list ? list->first : NULL; n; n = n->next)
			if (same(&name, json_member(n, "IndexName")))
				return n;
	}
	return NULL;
}

int
storewords_open(struct storelink *l, const char *name, const char *index,
    struct storewords *t)
{
	const struct json_node *table, *of;
	struct err e;
	int code;

	*t = (struct storewords){.name = name};
	table = describe(l, name, &e);
	if (!table && e.code == FAULT_NOT_FOUND && !l->declared) {
		code = storelink_declare(l);
		if (code != CLI_OK)
			return code;
		table = describe(l, name, &e);
	}
	if (!table)
		return e.code == FAULT_NOT_FOUND ? no_table(l, name) :
		    storelink_fail(&e);
	of = index ? find_index(table, index) : table;
	if (!of) {
		err_set(&e, ENOENT, "%s has no index %s; `bothy store tables` "
		    "shows what there is", name, index);
		return cli_fail(&e, CLI_FAILED);
	}
	if (read_key(l, table, table, &t->key) < 0 ||
	    read_key(l, table, of, &t->order) < 0) {
		err_set(&e, ENOMEM, "no memory");
		return cli_fail(&e, CLI_FAILED);
	}
	return CLI_OK;
}

/* --- words -------------------------------------------------------------- */

/* "ROOM AT": upper case, and nothing that a terminal would mind. */
static size_t
put_part(const struct storepart *part, bool first, char *out, size_t size)
{
	size_t n = 0, i;

	if (!first && size > 1)
		out[n++] = ' ';
	for (i = 0; i < part->name.n && n + 1 < size; i++)
		out[n++] = (char)(isgraph((unsigned char)part->name.p[i]) ?
		    toupper((unsigned char)part->name.p[i]) : '_');
	out[n] = '\0';
	return n;
}

void
storewords_usage(const struct storekey *k, char *out)
{
	size_t i, at = 0;

	*out = '\0';
	for (i = 0; i < k->nhash; i++)
		at += put_part(&k->hash[i], i == 0, out + at, USAGE_SIZE - at);
	for (i = 0; i < k->nrange; i++)
		at += put_part(&k->range[i], false, out + at,
		    USAGE_SIZE - at);
}

static int
put_number(struct reply *r, const char *name, const struct storepart *part,
    const char *word, struct err *e)
{
	char text[NUMBER_TEXT_MAX];
	struct number n;

	if (number_read(&n, word, strlen(word), e) < 0)
		return err_set(e, EINVAL, "%.*s is a number (N), which %.100s "
		    "is not", (int)part->name.n, part->name.p, word);
	reply_raw(r, name, text, number_write(&n, text));
	return 0;
}

/* {"$binary": ...} */
static int
put_bytes(struct reply *r, const char *name, const struct storepart *part,
    const char *word, struct err *e)
{
	size_t n = strlen(word);
	void *bytes = malloc(n / 4 * 3 + 1);
	ssize_t got = bytes ? base64_decode(word, n, bytes) : -1;

	free(bytes);
	if (got < 0)
		return err_set(e, EINVAL, "%.*s is binary (B) and written in "
		    "base64, which %.100s is not", (int)part->name.n,
		    part->name.p, word);
	reply_object(r, name);
	reply_string(r, "$binary", word);
	reply_close(r);
	return 0;
}

int
storewords_word(struct reply *r, const char *name,
    const struct storepart *part, const char *word, struct err *e)
{
	if (!name)
		reply_name(r, &part->name);
	if (part->type == VALUE_N)
		return put_number(r, name, part, word, e);
	if (part->type == VALUE_B)
		return put_bytes(r, name, part, word, e);
	if (!utf8_valid(word, strlen(word)))
		return err_set(e, EILSEQ, "%.*s is a text, and what is given "
		    "for it is no UTF-8", (int)part->name.n, part->name.p);
	reply_string(r, name, word);
	return 0;
}

int
storewords_key(const struct storewords *t, struct reply *r, int nwords,
    char **words, struct err *e)
{
	const struct storekey *k = &t->key;
	char usage[USAGE_SIZE];
	size_t i;

	if ((size_t)nwords != k->nhash + k->nrange) {
		storewords_usage(k, usage);
		return err_set(e, EINVAL, "a document of %s is named by %s: "
		    "%zu word%s, not %d", t->name, usage, k->nhash + k->nrange,
		    k->nhash + k->nrange == 1 ? "" : "s", nwords);
	}
	reply_object(r, "Key");
	for (i = 0; i < k->nhash; i++)
		if (storewords_word(r, NULL, &k->hash[i], words[i], e) < 0)
			return -1;
	for (i = 0; i < k->nrange; i++)
		if (storewords_word(r, NULL, &k->range[i],
		        words[k->nhash + i], e) < 0)
			return -1;
	reply_close(r);
	return 0;
}
