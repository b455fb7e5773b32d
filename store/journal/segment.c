/*
 * The lines of a segment, as segment.h promises.
 */
#include "segment.h"

#include "store/base/plant.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
	WINDOW_BYTES = 256 << 10,	/* read at once */
	WINDOW_MAX = JOURNAL_LINE_MAX + SEGMENT_HEAD + SEGMENT_TAIL,
	CHECKED_FROM = 13		/* the checksum covers the rest */
};

_Static_assert(JOURNAL_OVERHEAD == SEGMENT_HEAD + SEGMENT_TAIL,
    "the public figure is the true one");

void
segment_name(char name[SEGMENT_NAME_SIZE], uint32_t number)
{
	(void)snprintf(name, SEGMENT_NAME_SIZE, "%08u.jsonl",
	    number % 100000000);
}

uint32_t
segment_number(const char *name)
{
	if (strlen(name) != SEGMENT_NAME_SIZE - 1 ||
	    strspn(name, "0123456789") != 8 || strcmp(name + 8, ".jsonl") != 0)
		return 0;
	return (uint32_t)strtoul(name, NULL, 10);
}

/* --- one line ----------------------------------------------------------- */

static void
put_hex(char *at, uint64_t n, int digits)
{
	while (digits--) {
		at[digits] = "0123456789abcdef"[n & 15];
		n >>= 4;
	}
}

/* `digits` lower-case hex digits: 0, or -1 if they aren't. */
static int
get_hex(const char *at, int digits, uint64_t *n)
{
	*n = 0;
	for (; digits--; at++) {
		if (*at >= '0' && *at <= '9')
			*n = *n << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*n = *n << 4 | (uint64_t)(*at - 'a' + 10);
		else
			return -1;
	}
	return 0;
}

static uint32_t
checksum(const char *line, uint64_t bytes)
{
	return (uint32_t)crc32_z(0, (const unsigned char *)line + CHECKED_FROM,
	    (size_t)bytes - CHECKED_FROM);
}

/*
 * A line, numbers in lower-case hex:
 *
 *	byte	bytes
 *	0	2	["
 *	2	8	CRC-32 (as zlib's) of the bytes from 13 to the end
 *	10	3	","
 *	13	8	length of the payload, n
 *	21	3	","
 *	24	16	position of the line
 *	40	3	","
 *	43	8	bytes from the begin of the line's batch to the line
 *	51	2	",
 *	53	n	the payload: a JSON value without a newline
 *	53 + n	2	], newline
 *
 * Together that is a JSON array on one line.  A batch is what was written by
 * one write and synced before the next: a line that begins a batch proves that
 * all before it was on the disk.
 */
int
segment_add(struct buf *b, uint64_t position, uint32_t batch,
    const struct iovec *iov, size_t niov)
{
	size_t len = 0, i;
	char *line;

	for (i = 0; i < niov; i++)
		len += iov[i].iov_len;
	if (buf_reserve(b, (size_t)segment_line_bytes(len)) < 0)
		return -1;
	line = b->data + b->len;
	memcpy(line, "[\"........\",\"........\",\"................\",\""
	    "........\",", SEGMENT_HEAD);
	put_hex(line + 13, len, 8);
	put_hex(line + 24, position, 16);
	put_hex(line + 43, batch, 8);
	b->len += SEGMENT_HEAD;
	for (i = 0; i < niov; i++)
		(void)buf_add(b, iov[i].iov_base, iov[i].iov_len);
	(void)buf_add(b, "]\n", SEGMENT_TAIL);
	put_hex(line + 2, checksum(line, segment_line_bytes(len)), 8);
	return 0;
}

/* Reads a head, of which all bytes are there: 0, or -1 if it is none. */
static int
parse_head(const char *p, struct segment_head *h)
{
	uint64_t crc, len, batch;

	if (memcmp(p, "[\"", 2) != 0 || memcmp(p + 10, "\",\"", 3) != 0 ||
	    memcmp(p + 21, "\",\"", 3) != 0 ||
	    memcmp(p + 40, "\",\"", 3) != 0 || memcmp(p + 51, "\",", 2) != 0)
		return -1;
	if (get_hex(p + 2, 8, &crc) < 0 || get_hex(p + 13, 8, &len) < 0 ||
	    get_hex(p + 24, 16, &h->position) < 0 ||
	    get_hex(p + 43, 8, &batch) < 0)
		return -1;
	if ((len == 0 || len > JOURNAL_LINE_MAX) &&
	    !planted(PLANT_LENGTH_UNCHECKED))
		return -1;
	h->crc = (uint32_t)crc;
	h->len = (uint32_t)len;
	h->batch = (uint32_t)batch;
	return h->batch <= h->position ? 0 : -1;
}

/* --- reading ------------------------------------------------------------ */

void
segment_reader_init(struct segment_reader *r, int fd, uint64_t base,
    uint64_t end)
{
	*r = (struct segment_reader){.fd = fd, .base = base, .end = end};
	buf_init(&r->window, WINDOW_MAX + WINDOW_BYTES);
}

void
segment_reader_release(struct segment_reader *r)
{
	buf_release(&r->window);
}

/* pread until `n` bytes or the end of the file: bytes, or -1. */
static ssize_t
read_at(int fd, char *p, size_t n, uint64_t at)
{
	size_t have = 0;
	ssize_t k;

	while (have < n) {
		k = pread(fd, p + have, n - have, (off_t)(at + have));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		have += (size_t)k;
	}
	return (ssize_t)have;
}

/* Bytes of the window from `at` on. */
static size_t
ready(const struct segment_reader *r)
{
	if (r->at < r->window_at || r->at > r->window_at + r->window.len)
		return 0;
	return (size_t)(r->window_at + r->window.len - r->at);
}

/*
 * Sees to `n` bytes at `at`: a pointer to them, borrowed until the next call;
 * or NULL, with errno 0 if they reach beyond the end.
 */
static const char *
need(struct segment_reader *r, uint64_t n)
{
	size_t have = ready(r), want;
	ssize_t k;

	errno = 0;
	if (r->end < r->at || n > r->end - r->at)
		return NULL;
	if (have >= n)
		return r->window.data + r->window.len - have;
	if (have)
		buf_consume(&r->window, r->window.len - have);
	else
		buf_reset(&r->window);
	r->window_at = r->at;
	want = n > WINDOW_BYTES ? (size_t)n : WINDOW_BYTES;
	if (want > r->end - r->at)
		want = (size_t)(r->end - r->at);
	if (buf_reserve(&r->window, want - have) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	k = read_at(r->fd, r->window.data + have, want - have, r->at + have);
	if (k < 0)
		return NULL;
	r->window.len = have + (size_t)k;
	errno = 0;
	return r->window.len >= n ? r->window.data : NULL;
}

/* The line at `at`, whatever its position; `at` stays. */
static enum segment_found
look(struct segment_reader *r, struct segment_head *h, const char **line)
{
	const char *p = need(r, SEGMENT_HEAD);
	uint64_t bytes;

	if (p == NULL)
		return errno ? SEGMENT_FAILED : SEGMENT_NONE;
	if (parse_head(p, h) < 0)
		return SEGMENT_NONE;
	bytes = segment_line_bytes(h->len);
	p = need(r, bytes);
	if (planted(PLANT_LENGTH_UNCHECKED) && p == NULL)
		p = r->window.data;
	if (p == NULL)
		return errno ? SEGMENT_FAILED : SEGMENT_NONE;
	if (memcmp(p + bytes - SEGMENT_TAIL, "]\n", SEGMENT_TAIL) != 0)
		return SEGMENT_NONE;
	if (checksum(p, bytes) != h->crc && !planted(PLANT_NO_CHECKSUM))
		return SEGMENT_NONE;
	*line = p;
	return SEGMENT_LINE;
}

enum segment_found
segment_next(struct segment_reader *r, struct segment_head *h,
    const char **payload)
{
	const char *line;
	enum segment_found found = look(r, h, &line);

	if (found != SEGMENT_LINE)
		return found;
	if (h->position != r->base + r->at)
		return SEGMENT_NONE;
	*payload = line + SEGMENT_HEAD;
	r->at += segment_line_bytes(h->len);
	return SEGMENT_LINE;
}

enum segment_found
segment_base(int fd, uint64_t size, uint64_t *base)
{
	struct segment_reader r;
	struct segment_head h;
	const char *line;
	enum segment_found found;

	segment_reader_init(&r, fd, 0, size);
	found = look(&r, &h, &line);
	segment_reader_release(&r);
	if (found == SEGMENT_LINE)
		*base = h.position;
	return found;
}

/* --- what a torn or damaged line leaves behind it ----------------------- */

/* Moves `at` to the next byte that could begin a line: 1, 0 or -1. */
static int
to_candidate(struct segment_reader *r)
{
	const char *p, *found;
	size_t n;

	while (r->at < r->end) {
		p = need(r, 1);
		if (p == NULL)
			return errno ? -1 : 0;
		n = ready(r);
		found = memchr(p, '[', n);
		if (found) {
			r->at += (uint64_t)(found - p);
			return 1;
		}
		r->at += n;
	}
	return 0;
}

enum segment_found
segment_beyond(struct segment_reader *r, uint64_t *where)
{
	bool anywhere = r->base == SEGMENT_ANYWHERE;
	uint64_t damage = r->at, base;
	struct segment_head h;
	const char *line;
	enum segment_found found;
	int more;

	if (planted(PLANT_GAP_ACCEPTED))
		return SEGMENT_NONE;
	while ((more = to_candidate(r)) > 0) {
		found = look(r, &h, &line);
		if (found == SEGMENT_FAILED)
			return found;
		*where = r->at;
		base = anywhere ? h.position - r->at : r->base;
		if (found == SEGMENT_LINE && h.position >= r->at &&
		    h.position == base + r->at &&
		    h.position - h.batch > base + damage)
			return found;
		r->at++;
	}
	return more < 0 ? SEGMENT_FAILED : SEGMENT_NONE;
}

int
segment_blank(int fd, uint64_t at, uint64_t size)
{
	static const char zeros[4096];
	char piece[sizeof zeros];
	ssize_t k;

	for (; at < size; at += (uint64_t)k) {
		k = read_at(fd, piece, sizeof piece, at);
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		if (memcmp(piece, zeros, (size_t)k) != 0)
			return 0;
	}
	return 1;
}
