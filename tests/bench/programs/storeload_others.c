/*
 * PostgreSQL (its protocol 3.0, prepared statements, JSONB) and Redis (RESP,
 * a JSON text under a key) for storeload.
 */
#include "storeload.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- PostgreSQL ----------------------------------------------------------- */

static const char *const STATEMENTS[KINDS] = {
	[GET] = "SELECT d FROM bench WHERE room = $1 AND at = $2::int",
	[PUT] = "INSERT INTO bench VALUES ($1, $2::int, $3::jsonb) ON CONFLICT"
	        " (room, at) DO UPDATE SET d = EXCLUDED.d",
	[UPDATE] = "UPDATE bench SET d = jsonb_set(jsonb_set(d, '{version}', "
	           "to_jsonb((d->>'version')::int + 1)), '{text}', to_jsonb("
	           "$3::text)) WHERE room = $1 AND at = $2::int AND "
	           "(d->>'version')::int > 0",
	[QUERY] = "SELECT d FROM bench WHERE room = $1 ORDER BY at",
	[SCAN] = "SELECT d FROM bench WHERE (room, at) > ($1, $2::int) "
	         "AND room < $3 ORDER BY room, at LIMIT 2000",
};

static void
put_be(struct bytes *b, uint32_t n, unsigned size)
{
	uint32_t big = htonl(n);

	put_bytes(b, (char *)&big + 4 - size, size);
}

/* A message; its length is filled in by end_message. */
static size_t
begin_message(struct bytes *b, char type)
{
	if (type)
		put_bytes(b, &type, 1);
	put_be(b, 0, 4);
	return b->len - 4;
}

static void
end_message(struct bytes *b, size_t at)
{
	uint32_t n = htonl((uint32_t)(b->len - at));

	memcpy(b->data + at, &n, 4);
}

static void
put_string(struct bytes *b, const char *s)
{
	put_bytes(b, s, strlen(s) + 1);
}

/* Messages until the server is ready; fails on an error. */
static void
until_ready(int fd)
{
	char head[5], *body;
	uint32_t n;

	do {
		receive_all(fd, head, sizeof head);
		memcpy(&n, head + 1, 4);
		n = ntohl(n) - 4;
		body = calloc(1, n + 1);
		if (n)
			receive_all(fd, body, n);
		if (head[0] == 'E' && !memmem(body, n, "42P07", 5))
			fail(body + 1);
		free(body);
	} while (head[0] != 'Z');
}

static void
simple_query(int fd, const char *sql)
{
	struct bytes b = {0};
	size_t at = begin_message(&b, 'Q');

	put_string(&b, sql);
	end_message(&b, at);
	send_all(fd, b.data, b.len);
	until_ready(fd);
	free(b.data);
}

static void
parse_all(int fd)
{
	struct bytes b = {0};
	char name[2] = "a";
	size_t at;
	int i;

	for (i = 0; i < KINDS; i++) {
		if (!STATEMENTS[i])
			continue;
		name[0] = (char)('a' + i);
		at = begin_message(&b, 'P');
		put_string(&b, name);
		put_string(&b, STATEMENTS[i]);
		put_be(&b, 0, 2);
		end_message(&b, at);
	}
	at = begin_message(&b, 'S');
	end_message(&b, at);
	send_all(fd, b.data, b.len);
	until_ready(fd);
	free(b.data);
}

static int
postgres_open(const char *dir)
{
	struct bytes b = {0};
	char path[4096];
	size_t at;
	int fd;

	snprintf(path, sizeof path, "%s/.s.PGSQL.5432", dir);
	fd = connect_unix(path);
	at = begin_message(&b, 0);
	put_be(&b, 3 << 16, 4);
	put_string(&b, "user");
	put_string(&b, "bench");
	put_string(&b, "database");
	put_string(&b, "postgres");
	put_bytes(&b, "", 1);
	end_message(&b, at);
	send_all(fd, b.data, b.len);
	free(b.data);
	until_ready(fd);
	simple_query(fd, "CREATE TABLE IF NOT EXISTS bench (room text COLLATE "
	    "\"C\", at int, d jsonb, PRIMARY KEY (room, at))");
	parse_all(fd);
	return fd;
}

static void
put_json(struct bytes *b, const struct document *d)
{
	put_text(b, "{\"at\":%u,\"room\":\"%s\",\"text\":\"%s\",\"version\":1}",
	    d->at, d->room, d->text);
}

static void
put_parameter(struct bytes *b, const char *p, size_t n)
{
	put_be(b, (uint32_t)n, 4);
	put_bytes(b, p, n);
}

static unsigned
parameters(enum kind k)
{
	return k == QUERY ? 1 : k == GET ? 2 : 3;
}

/* Bind and Execute of one statement. */
static void
put_execute(struct bytes *b, enum kind k, const char *room, unsigned at_n,
    const char *third, size_t nthird)
{
	char name[2] = {(char)('a' + k), 0}, number[16];
	size_t at = begin_message(b, 'B');
	unsigned n = parameters(k);

	put_string(b, "");
	put_string(b, name);
	put_be(b, 0, 2);
	put_be(b, n, 2);
	put_parameter(b, room, strlen(room));
	snprintf(number, sizeof number, "%u", at_n);
	if (n > 1)
		put_parameter(b, number, strlen(number));
	if (n > 2)
		put_parameter(b, third, nthird);
	put_be(b, 0, 2);
	end_message(b, at);
	at = begin_message(b, 'E');
	put_string(b, "");
	put_be(b, 0, 4);
	end_message(b, at);
}

/* Where a segment of a scan begins: behind the last room before it. */
static void
edge(char out[64], const struct request *r, unsigned segment)
{
	if (segment == 0)
		*out = '\0';
	else if (segment == r->segments)
		strcpy(out, "~");
	else
		snprintf(out, 64, "room-%07llu~", (unsigned long long)
		    (r->rooms * segment / r->segments - 1));
}

static void
postgres_ask(struct bytes *b, const struct request *r)
{
	static struct bytes json;
	const struct document *d = r->documents;
	char first[64], end[64];
	unsigned number = 0, i;
	size_t at;

	switch (r->kind) {
	case FILL:
	case PUT:
	case PUT_NEW:
		for (i = 0; i < r->count; i++) {
			json.len = 0;
			put_json(&json, &d[i]);
			put_execute(b, PUT, d[i].room, d[i].at, json.data,
			    json.len);
		}
		break;
	case SCAN:
		edge(first, r, r->segment);
		edge(end, r, r->segment + 1);
		if (r->after)
			sscanf(r->after, "%63s %u", first, &number);
		put_execute(b, SCAN, first, number, end, strlen(end));
		break;
	default:
		put_execute(b, r->kind, d->room, d->at, d->text, TEXT_BYTES);
	}
	at = begin_message(b, 'S');
	end_message(b, at);
}

/* Where a row of a scan lies: "room at". */
static char *
place_of(const char *row, size_t n)
{
	const char *room = memmem(row, n, "\"room\": \"", 9),
	    *at = memmem(row, n, "\"at\": ", 6);
	char *out = NULL;

	if (room && at && asprintf(&out, "%.*s %d",
	                      (int)strcspn(room + 9, "\""), room + 9,
	                      atoi(at + 6)) < 0)
		fail("out of memory");
	return out;
}

static size_t
postgres_hear(const char *p, size_t n, const struct request *r, bool *good,
    unsigned *documents, char **after)
{
	const char *row = NULL;
	size_t at = 0, nrow = 0;
	uint32_t size;

	*good = true;
	while (n - at >= 5) {
		memcpy(&size, p + at + 1, 4);
		size = ntohl(size) + 1;
		if (size > n - at)
			return 0;
		if (p[at] == 'E')
			*good = false;
		if (p[at] == 'D') {
			row = p + at;
			nrow = size;
			++*documents;
		}
		at += size;
		if (p[at - size] == 'Z') {
			if (r->kind == SCAN && row)
				*after = place_of(row, nrow);
			return at;
		}
	}
	return 0;
}

const struct driver postgres_driver = {"postgres", postgres_open, NULL,
    NULL, NULL, postgres_ask, postgres_hear};

/* ---- Redis ------------------------------------------------------------------ */

static int
redis_open(const char *path)
{
	return connect_unix(path);
}

static void
put_bulk(struct bytes *b, const char *p, size_t n)
{
	put_text(b, "$%zu\r\n", n);
	put_bytes(b, p, n);
	put_bytes(b, "\r\n", 2);
}

static void
redis_ask(struct bytes *b, const struct request *r)
{
	static struct bytes json;
	char key[64];
	unsigned i;
	int n;

	if (r->kind == GET) {
		n = snprintf(key, sizeof key, "%s:%u", r->documents[0].room,
		    r->documents[0].at);
		put_text(b, "*2\r\n$3\r\nGET\r\n");
		put_bulk(b, key, (size_t)n);
		return;
	}
	put_text(b, "*%u\r\n$4\r\nMSET\r\n", 1 + 2 * r->count);
	for (i = 0; i < r->count; i++) {
		n = snprintf(key, sizeof key, "%s:%u", r->documents[i].room,
		    r->documents[i].at);
		json.len = 0;
		put_json(&json, &r->documents[i]);
		put_bulk(b, key, (size_t)n);
		put_bulk(b, json.data, json.len);
	}
}

static size_t
redis_hear(const char *p, size_t n, const struct request *r, bool *good,
    unsigned *documents, char **after)
{
	const char *end = memmem(p, n, "\r\n", 2);
	size_t size;
	long length;

	(void)r;
	(void)documents;
	(void)after;
	if (!end)
		return 0;
	size = (size_t)(end + 2 - p);
	*good = p[0] != '-';
	if (p[0] != '$')
		return size;
	length = strtol(p + 1, NULL, 10);
	*good = length >= 0;
	if (length >= 0)
		size += (size_t)length + 2;
	return size <= n ? size : 0;
}

const struct driver redis_driver = {"redis", redis_open, NULL, NULL,
    NULL, redis_ask, redis_hear};
