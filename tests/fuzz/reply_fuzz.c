/*
 * Fuzz target: fcgi/gateway/reply.c on any output of a function.
 *
 * Input: one byte of flags (1 HEAD, 2 stream, 4 CORS; the upper five bits are
 * the size of a piece), then the output.  However it is cut, the result is
 * the same; and a header that is let out is one that every web server reads
 * as we meant it.
 */
#include "fcgi/gateway/reply.h"

#include "fuzz.h"

#include <string.h>
#include <strings.h>

/* Feeds in pieces: how many bytes were header. */
static size_t
feed(struct reply *r, const char *p, size_t n, size_t piece)
{
	size_t at = 0, used, len;

	while (at < n && r->state == REPLY_MORE) {
		len = n - at < piece ? n - at : piece;
		reply_feed(r, p + at, len, &used);
		require(used <= len);
		require(used == len || r->state != REPLY_MORE);
		at += used;
	}
	require(r->state != REPLY_BAD || r->reason);
	return at;
}

/* Lines with CRLF, no other CR, LF or control byte, and one empty line. */
static void
check_block(const struct buf *out)
{
	const char *s = buf_str(out), *end = s + out->len, *line;
	size_t n;

	require(strncmp(s, "Status: ", 8) == 0);
	for (line = s; line < end; line = line + n + 2) {
		n = strcspn(line, "\r\n");
		require(line + n + 2 <= end);
		require(line[n] == '\r' && line[n + 1] == '\n');
		require(n > 0 || line + 2 == end);
		require(n == 0 || memchr(line, ':', n));
		require(strncasecmp(line, "Transfer-Encoding:", 18) != 0);
		require(strncasecmp(line, "X-Accel-Redirect:", 17) != 0);
	}
	require(strlen(s) == out->len);
}

/* What we let out is itself a reply that means the same. */
static void
check_again(const struct buf *out, int status)
{
	struct reply again;
	size_t used;

	reply_init(&again);
	reply_feed(&again, out->data, out->len, &used);
	if (out->len <= REPLY_HEADER_MAX && again.state == REPLY_BAD)
		require(strstr(again.reason, "more than") != NULL);
	if (again.state == REPLY_READY) {
		require(used == out->len);
		require(again.status == status);
	}
	reply_release(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const origins[] = {"https://a"};
	const struct cors_rules rules = {
	    .origins = origins, .origin_count = 1};
	struct reply_extra x = {.request_id = "ID", .origin = "https://a"};
	struct reply whole, cut;
	struct cors cors;
	struct buf out;
	const char *p = (const char *)data + 1;
	size_t head_bytes, n;

	if (size == 0)
		return 0;
	n = size - 1;
	reply_init(&whole);
	reply_init(&cut);
	reply_begin(&whole, data[0] & 1);
	reply_begin(&cut, data[0] & 1);
	head_bytes = feed(&whole, p, n, n ? n : 1);
	require(feed(&cut, p, n, (size_t)(data[0] >> 3) + 1) == head_bytes ||
	    whole.state == REPLY_BAD);
	require(whole.state == cut.state && whole.status == cut.status);
	buf_init(&out, 1024 * 1024);
	cors_init(&cors);
	require(cors_set(&cors, &rules) == 0);
	x.cors = data[0] & 4 ? &cors : NULL;
	x.stream = (data[0] & 2) != 0;
	x.body_bytes = x.stream ? -1 : (int64_t)(n - head_bytes);
	if (whole.state == REPLY_READY && reply_head(&whole, &x, &out) == 0) {
		check_block(&out);
		check_again(&out, whole.status);
		reply_body(&whole, n - head_bytes);
		require(whole.sent_bytes <= n - head_bytes);
		require(whole.content_length < 0 ||
		    whole.sent_bytes <= (uint64_t)whole.content_length);
		require(x.stream || !reply_short(&whole));
	}
	cors_release(&cors);
	buf_release(&out);
	reply_release(&whole);
	reply_release(&cut);
	return 0;
}
