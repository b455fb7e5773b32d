/*
 * DynamoDB's JSON for storeload, and the two that speak it: Bothy's store over
 * its socket, and a DynamoDB over HTTP.
 */
#include "storeload.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* ---- requests and replies ---------------------------------------------- */

static void
put_item(struct bytes *b, const struct document *d)
{
	put_text(b, "{\"at\":{\"N\":\"%u\"},\"room\":{\"S\":\"%s\"},\"text\":"
	    "{\"S\":\"%s\"},\"version\":{\"N\":\"1\"}}", d->at, d->room,
	    d->text);
}

static void
put_key(struct bytes *b, const struct document *d)
{
	put_text(b, "\"Key\":{\"room\":{\"S\":\"%s\"},\"at\":{\"N\":\"%u\"}}",
	    d->room, d->at);
}

const char *
dynamo_ask(struct bytes *b, const struct request *r)
{
	const struct document *d = r->documents;
	unsigned i;

	switch (r->kind) {
	case FILL:
		put_text(b, "{\"RequestItems\":{\"bench\":[");
		for (i = 0; i < r->count; i++) {
			put_text(b, "%s{\"PutRequest\":{\"Item\":",
			    i ? "," : "");
			put_item(b, &d[i]);
			put_text(b, "}}");
		}
		put_text(b, "]}}");
		return "BatchWriteItem";
	case GET:
		put_text(b, "{\"TableName\":\"bench\",");
		put_key(b, d);
		put_text(b, "}");
		return "GetItem";
	case PUT:
	case PUT_NEW:
		put_text(b, "{\"TableName\":\"bench\",\"Item\":");
		put_item(b, d);
		put_text(b, "}");
		return "PutItem";
	case UPDATE:
		put_text(b, "{\"TableName\":\"bench\",");
		put_key(b, d);
		put_text(b, ",\"ConditionExpression\":\"version > :zero\","
		    "\"UpdateExpression\":\"SET version = version + :one, "
		    "#t = :t\",\"ExpressionAttributeNames\":{\"#t\":\"text\"},"
		    "\"ExpressionAttributeValues\":{\":zero\":{\"N\":\"0\"},"
		    "\":one\":{\"N\":\"1\"},\":t\":{\"S\":\"%s\"}}}", d->text);
		return "UpdateItem";
	case QUERY:
		put_text(b, "{\"TableName\":\"bench\","
		    "\"KeyConditionExpression\":\"room = :r\","
		    "\"ExpressionAttributeValues\":{\":r\":{\"S\":\"%s\"}}}",
		    d->room);
		return "Query";
	default:
		put_text(b, "{\"TableName\":\"bench\",\"Segment\":%u,"
		    "\"TotalSegments\":%u%s%s}", r->segment, r->segments,
		    r->after ? ",\"ExclusiveStartKey\":" : "",
		    r->after ? r->after : "");
		return "Scan";
	}
}

void
dynamo_hear(const char *body, size_t n, const struct request *r,
    unsigned *documents, char **after)
{
	static const char LAST[] = "\"LastEvaluatedKey\":",
	    COUNT[] = "\"Count\":";
	const char *at, *end;

	if (r->kind != SCAN)
		return;
	at = memmem(body, n, COUNT, sizeof COUNT - 1);
	*documents = at ? (unsigned)atoi(at + sizeof COUNT - 1) : 0;
	at = memmem(body, n, LAST, sizeof LAST - 1);
	if (!at)
		return;
	at += sizeof LAST - 1;
	end = memmem(at, (size_t)(body + n - at), "}}", 2);
	*after = end ? strndup(at, (size_t)(end + 2 - at)) : NULL;
}

/* ---- Bothy's store -------------------------------------------------------- */

enum { FRAME = 20, REPLY = 12, HELLO = 72, PROOF = 32 };
enum {
	OP_CREATE_TABLE = 32,
	OP_LIST_TABLES = 36,
	OP_STAT = 96,
	OP_CHECKPOINT = 102
};

static const char TABLE[] = "{\"TableName\":\"bench\",\"KeySchema\":["
    "{\"AttributeName\":\"room\",\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}],"
    "\"AttributeDefinitions\":["
    "{\"AttributeName\":\"room\",\"AttributeType\":\"S\"},"
    "{\"AttributeName\":\"at\",\"AttributeType\":\"N\"}],"
    "\"BillingMode\":\"PAY_PER_REQUEST\"}";

static const char *const OPERATIONS[] = {"", "GetItem", "PutItem",
    "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem",
    "BatchWriteItem"};

static void
put32(char *p, uint32_t n)
{
	memcpy(p, &n, sizeof n);	/* little endian, as all that run this */
}

static uint32_t
get32(const char *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof n);
	return n;
}

/* A request's head, before `body` bytes. */
static void
put_frame(char *p, unsigned op, unsigned flags, unsigned token, size_t body)
{
	memset(p, 0, FRAME);
	put32(p, (uint32_t)(FRAME - 4 + token + body));
	put32(p + 4, 1);
	put32(p + 8, op | flags << 16);
	put32(p + 16, token);
}

/* Prints it if it is a failure, or if it is wanted. */
static void
receive_reply(int fd, bool print)
{
	char head[REPLY], *body;
	uint32_t n;

	receive_all(fd, head, sizeof head);
	n = get32(head) - (REPLY - 4);
	body = calloc(1, n + 1);
	receive_all(fd, body, n);
	if (get32(head + 8) & 0xffff)
		fprintf(stderr, "storeload: %s\n", body);
	else if (print)
		puts(body);
	free(body);
}

/* Proves that it knows the store's key, with a request that lists tables. */
static int
store_open(const char *dir)
{
	char path[4096], hello[HELLO], asked[43], frame[FRAME + PROOF + 2];
	unsigned char key[PROOF];
	unsigned n;
	FILE *f;
	int fd;

	snprintf(path, sizeof path, "%s/key", dir);
	f = fopen(path, "r");
	if (!f || fread(key, 1, sizeof key, f) != sizeof key)
		fail(path);
	fclose(f);
	snprintf(path, sizeof path, "%s/store.sock", dir);
	fd = connect_unix(path);
	receive_all(fd, hello, sizeof hello);
	memcpy(asked, "bothy-store", 11);
	memcpy(asked + 11, hello + 40, 32);
	put_frame(frame, OP_LIST_TABLES, 4, PROOF, 2);
	HMAC(EVP_sha256(), key, sizeof key, (unsigned char *)asked,
	    sizeof asked, (unsigned char *)frame + FRAME, &n);
	memcpy(frame + FRAME + PROOF, "{}", 2);
	send_all(fd, frame, sizeof frame);
	receive_reply(fd, false);
	return fd;
}

static void
store_prepare(int fd)
{
	char frame[FRAME];

	put_frame(frame, OP_CREATE_TABLE, 0, 0, sizeof TABLE - 1);
	send_all(fd, frame, sizeof frame);
	send_all(fd, TABLE, sizeof TABLE - 1);
	receive_reply(fd, false);
}

static void
store_do(int fd, unsigned op, bool print)
{
	char frame[FRAME + 2] = "";

	put_frame(frame, op, 0, 0, 2);
	memcpy(frame + FRAME, "{}", 2);
	send_all(fd, frame, sizeof frame);
	receive_reply(fd, print);
}

static void
store_stat(int fd)
{
	store_do(fd, OP_STAT, true);
}

static void
store_checkpoint(int fd)
{
	store_do(fd, OP_CHECKPOINT, false);
}

static void
store_ask(struct bytes *b, const struct request *r)
{
	char frame[FRAME] = {0};
	const char *name;
	unsigned op;

	put_bytes(b, frame, sizeof frame);
	name = dynamo_ask(b, r);
	for (op = 1; strcmp(OPERATIONS[op], name) != 0; op++)
		;
	put_frame(b->data, op, r->wait_file ? 2 : 0, 0, b->len - FRAME);
}

static size_t
store_hear(const char *p, size_t n, const struct request *r, bool *good,
    unsigned *documents, char **after)
{
	size_t size;

	if (n < REPLY || (size = 4 + (size_t)get32(p)) > n)
		return 0;
	*good = (get32(p + 8) & 0xffff) == 0;
	dynamo_hear(p + REPLY, size - REPLY, r, documents, after);
	return size;
}

const struct driver store_driver = {"store", store_open, store_prepare,
    store_stat, store_checkpoint, store_ask, store_hear};

/* ---- a DynamoDB over HTTP --------------------------------------------------- */

static void
put_http(struct bytes *b, const char *name, const char *body, size_t n)
{
	put_text(b, "POST / HTTP/1.1\r\nhost: localhost\r\n"
	    "content-type: application/x-amz-json-1.0\r\n"
	    "x-amz-target: DynamoDB_20120810.%s\r\ncontent-length: %zu\r\n"
	    "x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 "
	    "Credential=a/20260101/us-east-1/dynamodb/aws4_request, "
	    "SignedHeaders=host, Signature=0\r\n\r\n", name, n);
	put_bytes(b, body, n);
}

static size_t
http_hear(const char *p, size_t n, const struct request *r, bool *good,
    unsigned *documents, char **after)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4), *length;
	size_t head, body;

	if (!end)
		return 0;
	head = (size_t)(end + 4 - p);
	length = strcasestr(p, "content-length:");
	body = length && length < end ? strtoul(length + 15, NULL, 10) : 0;
	if (head + body > n)
		return 0;
	*good = n > 12 && memcmp(p + 9, "200", 3) == 0;
	dynamo_hear(end + 4, body, r, documents, after);
	return head + body;
}

static int
http_open(const char *where)
{
	return connect_port(where);
}

/* Makes the table, and waits until it can be used. */
static void
http_prepare(int fd)
{
	static const char DESCRIBE[] = "{\"TableName\":\"bench\"}";
	struct bytes b = {0};
	char reply[8192] = "";
	ssize_t n;

	put_http(&b, "CreateTable", TABLE, sizeof TABLE - 1);
	do {
		send_all(fd, b.data, b.len);
		n = recv(fd, reply, sizeof reply - 1, 0);
		if (n <= 0)
			fail("no reply");
		reply[n] = '\0';
		b.len = 0;
		put_http(&b, "DescribeTable", DESCRIBE, sizeof DESCRIBE - 1);
		nanosleep(&(struct timespec){0, 50000000}, NULL);
	} while (!strstr(reply, "\"ACTIVE\""));
	free(b.data);
}

static void
http_ask(struct bytes *b, const struct request *r)
{
	static struct bytes body;
	const char *name;

	body.len = 0;
	name = dynamo_ask(&body, r);
	put_http(b, name, body.data, body.len);
}

const struct driver http_driver = {"http", http_open, http_prepare, NULL,
    NULL, http_ask, http_hear};
