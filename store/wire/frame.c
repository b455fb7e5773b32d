/*
 * Frames between bytes and structs, as frame.h lays them out.  Runs in the
 * daemon, in its clients and in functions; allocates nothing but in buffers.
 */
#include "frame.h"

#include "store/value/fault.h"

#include <string.h>

static const char ZEROS[FRAME_HELLO_SIZE];

static unsigned
get16(const unsigned char *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t
get32(const unsigned char *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static void
put16(unsigned char *p, unsigned n)
{
	p[0] = (unsigned char)n;
	p[1] = (unsigned char)(n >> 8);
}

static void
put32(unsigned char *p, uint32_t n)
{
	put16(p, n & 0xffff);
	put16(p + 2, n >> 16);
}

ssize_t
frame_size(const void *p, size_t n, size_t least, size_t most)
{
	size_t size;

	if (n < FRAME_LENGTH_SIZE)
		return 0;
	size = (size_t)get32(p) + FRAME_LENGTH_SIZE;
	return size < least || size > most ? -1 : (ssize_t)size;
}

int
frame_read_hello(const void *p, size_t n, struct frame_hello *h,
    struct err *e)
{
	const unsigned char *b = p;

	if (n != FRAME_HELLO_SIZE || get32(b + 4) != FRAME_MAGIC)
		return err_set(e, FAULT_SERIALIZATION,
		    "who answers here is no store of Bothy's");
	h->version = (uint16_t)get16(b + 8);
	h->in_flight_max = (uint16_t)get16(b + 10);
	h->request_max = get32(b + 12);
	h->reply_max = get32(b + 16);
	memcpy(h->store_id, b + 24, sizeof h->store_id);
	memcpy(h->challenge, b + 40, sizeof h->challenge);
	if (h->version != FRAME_VERSION)
		return err_set(e, FAULT_SERIALIZATION, "the running store "
		    "speaks version %u of its protocol, this program %d",
		    (unsigned)h->version, FRAME_VERSION);
	return 0;
}

int
frame_write_hello(struct buf *b, const struct frame_hello *h)
{
	unsigned char out[FRAME_HELLO_SIZE] = {0};

	put32(out, FRAME_HELLO_SIZE - FRAME_LENGTH_SIZE);
	put32(out + 4, FRAME_MAGIC);
	put16(out + 8, h->version);
	put16(out + 10, h->in_flight_max);
	put32(out + 12, h->request_max);
	put32(out + 16, h->reply_max);
	memcpy(out + 24, h->store_id, sizeof h->store_id);
	memcpy(out + 40, h->challenge, sizeof h->challenge);
	return buf_add(b, out, sizeof out);
}

int
frame_read_request(const void *p, size_t n, struct frame_request *r,
    struct err *e)
{
	const unsigned char *b = p;

	*r = (struct frame_request){0};
	if (n < FRAME_REQUEST_SIZE)
		return err_set(e, FAULT_SERIALIZATION,
		    "the frame is too short");
	r->id = get32(b + 4);
	r->operation = (uint16_t)get16(b + 8);
	r->flags = (uint16_t)get16(b + 10);
	r->patience_ms = get32(b + 12);
	r->ntoken = get16(b + 16);
	r->token = (const char *)b + FRAME_REQUEST_SIZE;
	if (r->ntoken > FRAME_TOKEN_MAX || r->ntoken > n - FRAME_REQUEST_SIZE)
		return err_set(e, FAULT_SERIALIZATION,
		    "the frame ends within its token");
	if (get16(b + 18) != 0 ||
	    (r->flags & ~(FRAME_PLAIN | FRAME_WAIT_FILE | FRAME_PROOF |
	        FRAME_HERE)))
		return err_set(e, FAULT_SERIALIZATION,
		    "the frame has flags that this store doesn't know");
	r->body = r->token + r->ntoken;
	r->nbody = n - FRAME_REQUEST_SIZE - r->ntoken;
	return 0;
}

int
frame_write_request(struct buf *b, const struct frame_request *r)
{
	unsigned char out[FRAME_REQUEST_SIZE] = {0};
	size_t begin = b->len, size = sizeof out + r->ntoken + r->nbody;

	if (r->ntoken > FRAME_TOKEN_MAX || r->nbody > FRAME_BODY_MAX) {
		b->failed = true;
		return -1;
	}
	put32(out, (uint32_t)(size - FRAME_LENGTH_SIZE));
	put32(out + 4, r->id);
	put16(out + 8, r->operation);
	put16(out + 10, r->flags);
	put32(out + 12, r->patience_ms);
	put16(out + 16, (unsigned)r->ntoken);
	if (buf_reserve(b, size) < 0)
		return -1;
	buf_add(b, out, sizeof out);
	buf_add(b, r->token, r->ntoken);
	buf_add(b, r->body, r->nbody);
	return b->len == begin + size ? 0 : -1;
}

int
frame_read_reply(const void *p, size_t n, struct frame_reply *r,
    struct err *e)
{
	const unsigned char *b = p;

	if (n < FRAME_REPLY_SIZE)
		return err_set(e, FAULT_SERIALIZATION,
		    "the frame is too short");
	r->id = get32(b + 4);
	r->status = (uint16_t)get16(b + 8);
	r->flags = (uint16_t)get16(b + 10);
	r->body = (const char *)b + FRAME_REPLY_SIZE;
	r->nbody = n - FRAME_REPLY_SIZE;
	return 0;
}

size_t
frame_begin_reply(struct buf *b)
{
	size_t begin = b->len;

	buf_add(b, ZEROS, FRAME_REPLY_SIZE);
	return begin;
}

int
frame_end_reply(struct buf *b, size_t begin, uint32_t id, int status,
    unsigned flags)
{
	unsigned char *out;
	size_t size = b->len - begin;

	if (!buf_ok(b) || size > FRAME_REPLY_MAX) {
		b->len = begin;
		return -1;
	}
	if (status && (status < FAULT_FIRST || status >= FAULT_END))
		status = FAULT_INTERNAL;
	out = (unsigned char *)b->data + begin;
	put32(out, (uint32_t)(size - FRAME_LENGTH_SIZE));
	put32(out + 4, id);
	put16(out + 8, (unsigned)status);
	put16(out + 10, flags);
	return 0;
}
