/*
 * Replies as reply.h describes them.
 */
#include "reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char CHUNKED_END[] = "0\r\n\r\n";

enum { CHUNKED_END_LEN = sizeof CHUNKED_END - 1 };

void
reply_begin(struct reply *r)
{
	r->status = 0;
	r->begun = r->in_body = r->chunked = r->close = false;
	r->body_left = -1;
	r->head_len = 0;
	memset(r->tail, 0, sizeof r->tail);
}

static void
read_field(struct reply *r, const char *line)
{
	if (strncasecmp(line, "Content-Length:", 15) == 0)
		r->body_left = atol(line + 15);
	else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
		r->chunked = strstr(line, "chunked") != NULL;
	else if (strncasecmp(line, "Connection:", 11) == 0)
		r->close = strstr(line, "close") != NULL;
}

static int
read_head(struct reply *r)
{
	char *line = r->head, *next;

	if (strncmp(line, "HTTP/1.", 7) != 0 || r->head_len < 12)
		return -1;
	r->status = atoi(line + 9);
	while ((next = strstr(line, "\r\n"))) {
		*next = '\0';
		read_field(r, line);
		line = next + 2;
	}
	r->in_body = true;
	return 0;
}

static enum reply_progress
whole(const struct reply *r)
{
	return r->close ? REPLY_WHOLE_CLOSE : REPLY_WHOLE;
}

static enum reply_progress
feed_chunked(struct reply *r, const char *p, size_t n)
{
	size_t keep = n < CHUNKED_END_LEN ? CHUNKED_END_LEN - n : 0;

	memmove(r->tail, r->tail + CHUNKED_END_LEN - keep, keep);
	memcpy(r->tail + keep, p + n - (CHUNKED_END_LEN - keep),
	    CHUNKED_END_LEN - keep);
	return memcmp(r->tail, CHUNKED_END, CHUNKED_END_LEN) == 0
	    ? whole(r)
	    : REPLY_MORE;
}

static enum reply_progress
feed_body(struct reply *r, const char *p, size_t n)
{
	if (r->chunked)
		return n ? feed_chunked(r, p, n) : REPLY_MORE;
	if (r->body_left < 0)
		return REPLY_MORE;
	if ((long)n > r->body_left)
		return REPLY_BROKEN;
	r->body_left -= (long)n;
	return r->body_left ? REPLY_MORE : whole(r);
}

enum reply_progress
reply_feed(struct reply *r, const char *p, size_t n)
{
	size_t before = r->head_len, head;
	char *end;

	r->begun = true;
	if (r->in_body)
		return feed_body(r, p, n);
	if (n > REPLY_HEAD_MAX - r->head_len)
		return REPLY_BROKEN;
	memcpy(r->head + r->head_len, p, n);
	r->head_len += n;
	r->head[r->head_len] = '\0';
	end = strstr(r->head, "\r\n\r\n");
	if (!end)
		return REPLY_MORE;
	head = (size_t)(end - r->head) + 4 - before;
	end[2] = '\0';
	if (read_head(r) < 0)
		return REPLY_BROKEN;
	return feed_body(r, p + head, n - head);
}

enum reply_progress
reply_end(const struct reply *r)
{
	return r->in_body && !r->chunked && r->body_left < 0
	    ? REPLY_WHOLE_CLOSE
	    : REPLY_BROKEN;
}
