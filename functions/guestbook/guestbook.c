/*
 * A guestbook with rooms:
 *	GET  /rooms/{room}/messages?limit=20&after=...	newest first
 *	POST /rooms/{room}/messages {"author":, "text":}
 *
 * A message is a document of the table `messages`: its key is the room and the
 * moment it was written at; see deploy.yaml.
 */
#include <bothy.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	PAGE = 20, PAGE_MOST = 100,
	ROOM_MOST = 64, AUTHOR_MOST = 80, TEXT_MOST = 2000,	/* bytes */
	TRIES = 3
};

/* --- GET ------------------------------------------------------------------ */

/* How many messages the client wants; 0 if it says nonsense. */
static size_t
page_size(struct bothy_req *req)
{
	const char *asked = bothy_query(req, "limit");
	unsigned long n;
	char *end;

	if (!asked)
		return PAGE;
	errno = 0;
	n = strtoul(asked, &end, 10);
	if (*asked < '0' || *asked > '9' || *end || errno || n > PAGE_MOST)
		return 0;
	return n;
}

static int
list(struct bothy_req *req, const char *room)
{
	const struct bothy_how how = {.descending = true,
	    .limit = page_size(req), .after = bothy_query(req, "after")};
	json_t *messages = bothy_keep(req, json_array()), *message;
	struct bothy_rows *rows;

	if (how.limit == 0)
		return bothy_error(req, 400, "limit is 1 to %d", PAGE_MOST);
	rows = bothy_find(req, "messages", "room = :room", bothy_keep(req,
	    json_pack("{s:s}", ":room", room)), &how);
	while ((message = bothy_next(rows)))
		json_array_append(messages, message);
	if (bothy_failed(req))
		return bothy_refuse(req);
	return bothy_json_new(req, 200, json_pack("{s:s, s:O, s:s?}", "room",
	    room, "messages", messages, "after", bothy_cursor(rows)));
}

/* --- POST ----------------------------------------------------------------- */

/* A text of the body with 1 to `most` bytes, or NULL. */
static const char *
text_of(const json_t *body, const char *name, size_t most)
{
	const json_t *value = json_object_get(body, name);
	const char *text = json_string_value(value);

	if (!text || json_string_length(value) > most ||
	    text[strspn(text, " \t\r\n")] == '\0')
		return NULL;
	return text;
}

/* "2026-11-22T10:20:30.123456Z": in the order of time. */
static void
now(char *out, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, size - n, ".%06ldZ", ts.tv_nsec / 1000);
}

/* Two may write in the same microsecond: then one of them takes the next. */
static json_t *
write_message(struct bothy_req *req, const char *room, const char *author,
    const char *text)
{
	json_t *message;
	char at[40];
	int i;

	for (i = 0; i < TRIES; i++) {
		now(at, sizeof at);
		message = bothy_keep(req, json_pack("{s:s, s:s, s:s, s:s}",
		    "room", room, "at", at, "author", author, "text", text));
		if (bothy_put_if(req, "messages", message,
		    "attribute_not_exists(room)", NULL) == 0)
			return message;
		if (bothy_failed(req) != 409)
			break;
	}
	return NULL;
}

static int
post(struct bothy_req *req, const char *room)
{
	const json_t *body = bothy_json_body(req), *message;
	const char *author, *text;

	if (!body)
		return bothy_refuse(req);
	author = text_of(body, "author", AUTHOR_MOST);
	text = text_of(body, "text", TEXT_MOST);
	if (!author || !text)
		return bothy_error(req, 422, "a message has an author of at "
		    "most %d bytes and a text of at most %d", AUTHOR_MOST,
		    TEXT_MOST);
	message = write_message(req, room, author, text);
	return message ? bothy_json(req, 201, message) : bothy_refuse(req);
}

int
bothy_handle(struct bothy_req *req)
{
	const char *room = bothy_param(req, "room");

	if (!room || !*room || strlen(room) > ROOM_MOST)
		return bothy_error(req, 400, "a room's name has 1 to %d bytes",
		    ROOM_MOST);
	return strcmp(bothy_method(req), "POST") == 0 ? post(req, room) :
	    list(req, room);
}
