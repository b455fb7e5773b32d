/*
 * Any bytes as a stream of frames: nothing is read beyond them, and a request
 * that was understood is written again as the same bytes.
 */
#include "store/wire/frame.h"

#include "fuzz.h"

#include "store/value/fault.h"

#include <string.h>

static void
one_request(const char *p, size_t n)
{
	struct frame_request r;
	struct frame_reply reply;
	struct frame_hello h;
	struct err e = {0};
	struct buf b;

	if (frame_read_reply(p, n, &reply, &e) == 0)
		require(reply.body + reply.nbody == p + n);
	if (frame_read_hello(p, n, &h, &e) < 0)
		require(e.code == FAULT_SERIALIZATION);
	if (frame_read_request(p, n, &r, &e) < 0) {
		require(e.code == FAULT_SERIALIZATION);
		return;
	}
	require(r.body + r.nbody == p + n);
	buf_init(&b, FRAME_REQUEST_MAX);
	require(frame_write_request(&b, &r) == 0);
	require(b.len == n && memcmp(b.data, p, n) == 0);
	buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
	size_t at = 0;
	ssize_t size;
	char *frame;

	while (at < n) {
		size = frame_size(input + at, n - at, FRAME_REQUEST_SIZE,
		    FRAME_REQUEST_MAX);
		if (size <= 0 || (size_t)size > n - at)
			break;
		frame = malloc((size_t)size);	/* so that ends are seen */
		require(frame != NULL);
		memcpy(frame, input + at, (size_t)size);
		one_request(frame, (size_t)size);
		free(frame);
		at += (size_t)size;
	}
	return 0;
}
