/*
 * Operations and documents of a store's life, as documents.h says.
 */
#include "documents.h"

#include "store/value/fault.h"
#include "store/wire/operation.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 3, LONG = 3000 };

/* What an operation does to documents; the first one is always put. */
struct plan {
	int operation;
	size_t put[3], nput;
	size_t gone;		/* deleted too; DOCUMENTS_ALL: none */
	bool create;		/* only if there is none */
};

/* Keys that a file's name can't have as they are are among them. */
static const char *const KEYS[DOCUMENTS_KEYS + DOCUMENTS_PAIRS] = {"a", "b",
    "c", "d", "e", "f", "g", "h", "room/1", ".git", "\xc3\xbc", "a b", "m",
    "n", "o", "p", "q", "r", "s", "t", "one", "two", "three", "four"};

static uint32_t
hash(uint32_t m, uint32_t run, uint32_t salt)
{
	uint64_t h = (uint64_t)m << 32 | (run << 8 ^ salt);

	h = (h ^ h >> 33) * 0xff51afd7ed558ccdull;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ull;
	return (uint32_t)(h >> 33);
}

static struct plan
plan(uint32_t m, uint32_t run)
{
	size_t pair = hash(m, run, 1) % DOCUMENTS_PAIRS;
	size_t key = hash(m, run, 2) % DOCUMENTS_KEYS;
	size_t other = (key + 1 + hash(m, run, 3) % (DOCUMENTS_KEYS - 1)) %
	    DOCUMENTS_KEYS;
	struct plan p = {OP_PUT_ITEM, {key}, 1, DOCUMENTS_ALL, false};

	switch (hash(m, run, 4) % 8) {
	case 0:
	case 1:
		p.operation = OP_TRANSACT_WRITE_ITEMS;
		p.put[0] = DOCUMENTS_KEYS + pair;
		p.put[1] = DOCUMENTS_KEYS + DOCUMENTS_PAIRS + pair;
		p.nput = 2;
		break;
	case 2:
	case 3:
		p.operation = OP_TRANSACT_WRITE_ITEMS;
		p.gone = other;
		break;
	case 4:
		p.operation = OP_UPDATE_ITEM;
		break;
	case 5:		/* of what the one before has put, mostly */
		p.create = true;
		p.put[0] = hash(m - 1, run, 2) % DOCUMENTS_KEYS;
		break;
	default:
		break;
	}
	return p;
}

void
documents_after(const struct history_of_runs *runs, uint32_t m,
    struct document all[DOCUMENTS_ALL])
{
	struct plan p;
	uint32_t i;
	size_t k;

	memset(all, 0, DOCUMENTS_ALL * sizeof *all);
	for (i = 1; i <= m; i++) {
		if (runs->run[i] == 0)
			continue;
		p = plan(i, runs->run[i]);
		if (p.create && all[p.put[0]].m)
			continue;
		for (k = 0; k < p.nput; k++)
			all[p.put[k]] = (struct document){i, runs->run[i]};
		if (p.gone < DOCUMENTS_ALL)
			all[p.gone] = (struct document){0, 0};
	}
}

static const char *const TABLES[] = {"docs", "left", "right", NULL};

const char *
table_name(size_t i)
{
	return TABLES[i];
}

/* The first one has an index. */
void
create_write(struct buf *b, size_t i)
{
	(void)buf_printf(b, "{\"TableName\":\"%s\","
	    "\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":["
	    "{\"AttributeName\":\"k\",\"KeyType\":\"HASH\"}],"
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"k\","
	    "\"AttributeType\":\"S\"}", TABLES[i]);
	if (i == 0)
		(void)buf_puts(b, ",{\"AttributeName\":\"g\","
		    "\"AttributeType\":\"S\"},{\"AttributeName\":\"m\","
		    "\"AttributeType\":\"N\"}],"
		    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byGroup\","
		    "\"KeySchema\":[{\"AttributeName\":\"g\","
		    "\"KeyType\":\"HASH\"},{\"AttributeName\":\"m\","
		    "\"KeyType\":\"RANGE\"}],"
		    "\"Projection\":{\"ProjectionType\":\"ALL\"}}");
	(void)buf_puts(b, "]}");
}

const char *
document_table(size_t i)
{
	return TABLES[i < DOCUMENTS_KEYS ? 0
		: i < DOCUMENTS_KEYS + DOCUMENTS_PAIRS ? 1 : 2];
}

const char *
document_key(size_t i)
{
	return KEYS[i < DOCUMENTS_KEYS + DOCUMENTS_PAIRS ? i
							: i - DOCUMENTS_PAIRS];
}

const char *
document_file(size_t i)
{
	static const char *const ODD[][2] = {{"room/1", "room%2F1"},
	    {".git", "%2Egit"}, {"\xc3\xbc", "%C3%BC"}, {"a b", "a%20b"}};
	const char *key = document_key(i);
	size_t k;

	for (k = 0; k < sizeof ODD / sizeof *ODD; k++)
		if (strcmp(key, ODD[k][0]) == 0)
			return ODD[k][1];
	return key;
}

struct document
document_of_file(const char *text)
{
	const char *m = strstr(text, "\"m\": ");
	const char *run = strstr(text, "\"run\": ");
	struct document d = {0, 0};

	if (m && run) {
		d.m = (uint32_t)strtoul(m + 5, NULL, 10);
		d.run = (uint32_t)strtoul(run + 7, NULL, 10);
	}
	return d;
}

/* Text whose length and letter an operation gives. */
static void
write_text(struct buf *b, const struct document *d)
{
	uint32_t n = hash(d->m, d->run, 5) % 300;

	if (n % 20 == 0)
		n = LONG;
	while (n--)
		(void)buf_putc(b, (char)('a' + d->m % 26));
}

static void
write_key(struct buf *b, size_t i)
{
	(void)buf_puts(b, "\"k\":{\"S\":");
	(void)buf_json(b, document_key(i), strlen(document_key(i)));
	(void)buf_puts(b, "}");
}

void
document_write(struct buf *b, size_t i, const struct document *d)
{
	(void)buf_printf(b, "{\"g\":{\"S\":\"group %u\"},",
	    hash(d->m, d->run, 6) % GROUPS);
	write_key(b, i);
	(void)buf_printf(b, ",\"m\":{\"N\":\"%u\"},\"run\":{\"N\":\"%u\"},"
	    "\"x\":{\"S\":\"", d->m, d->run);
	write_text(b, d);
	(void)buf_puts(b, "\"}}");
}

static void
write_table(struct buf *b, size_t i)
{
	(void)buf_printf(b, "\"TableName\":\"%s\"", document_table(i));
}

void
get_write(struct buf *b, size_t i)
{
	(void)buf_puts(b, "{");
	write_table(b, i);
	(void)buf_puts(b, ",\"Key\":{");
	write_key(b, i);
	(void)buf_puts(b, "},\"ConsistentRead\":true}");
}

/* What a reply to it shows. */
struct document
document_read(const char *reply)
{
	const char *m = strstr(reply, "\"m\":{\"N\":\"");
	const char *run = strstr(reply, "\"run\":{\"N\":\"");
	struct document d = {0, 0};

	if (m && run) {
		d.m = (uint32_t)strtoul(m + 10, NULL, 10);
		d.run = (uint32_t)strtoul(run + 12, NULL, 10);
	}
	return d;
}

uint32_t
documents_newest(const char *reply)
{
	const char *at = reply;
	uint32_t m, newest = 0;

	while ((at = strstr(at, "\"m\":{\"N\":\"")) != NULL) {
		at += 10;
		m = (uint32_t)strtoul(at, NULL, 10);
		newest = m > newest ? m : newest;
	}
	return newest;
}

static void
write_put(struct buf *b, size_t i, const struct document *d, bool create)
{
	(void)buf_puts(b, "{");
	write_table(b, i);
	if (create)
		(void)buf_puts(b, ",\"ConditionExpression\":"
		    "\"attribute_not_exists(k)\","
		    "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"");
	(void)buf_puts(b, ",\"Item\":");
	document_write(b, i, d);
	(void)buf_puts(b, "}");
}

static void
write_update(struct buf *b, size_t i, const struct document *d)
{
	(void)buf_puts(b, "{");
	write_table(b, i);
	(void)buf_puts(b, ",\"Key\":{");
	write_key(b, i);
	(void)buf_printf(b, "},\"UpdateExpression\":\"SET m = :m, #r = :r, "
	    "g = :g, x = :x\",\"ExpressionAttributeNames\":{\"#r\":\"run\"},"
	    "\"ExpressionAttributeValues\":{\":m\":{\"N\":\"%u\"},"
	    "\":r\":{\"N\":\"%u\"},\":g\":{\"S\":\"group %u\"},"
	    "\":x\":{\"S\":\"", d->m, d->run, hash(d->m, d->run, 6) % GROUPS);
	write_text(b, d);
	(void)buf_puts(b, "\"}}}");
}

static void
write_transaction(struct buf *b, const struct plan *p,
    const struct document *d)
{
	size_t k;

	(void)buf_puts(b, "{\"TransactItems\":[");
	for (k = 0; k < p->nput; k++) {
		(void)buf_puts(b, k ? ",{\"Put\":" : "{\"Put\":");
		write_put(b, p->put[k], d, false);
		(void)buf_puts(b, "}");
	}
	if (p->gone < DOCUMENTS_ALL) {
		(void)buf_puts(b, ",{\"Delete\":{");
		write_table(b, p->gone);
		(void)buf_puts(b, ",\"Key\":{");
		write_key(b, p->gone);
		(void)buf_puts(b, "}}}");
	}
	(void)buf_puts(b, "]}");
}

int
operation_write(struct buf *b, uint32_t m, uint32_t run)
{
	struct plan p = plan(m, run);
	struct document d = {m, run};

	if (p.operation == OP_TRANSACT_WRITE_ITEMS)
		write_transaction(b, &p, &d);
	else if (p.operation == OP_UPDATE_ITEM)
		write_update(b, p.put[0], &d);
	else
		write_put(b, p.put[0], &d, p.create);
	return p.operation;
}

const char *
operation_outcome(int status)
{
	switch (status) {
	case 0:
		return "done";
	case FAULT_INTERNAL:
		return "unknown";
	case FAULT_READ_ONLY:
	case FAULT_UNKNOWN_OUTCOME:
		return NULL;
	default:
		return "refused";
	}
}

bool
operation_failed(int status)
{
	return status != 0 && status != FAULT_CONDITION;
}

bool
operation_waits(uint32_t m, uint32_t run)
{
	return hash(m, run, 7) % 4 == 0;
}
