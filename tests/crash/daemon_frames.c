/*
 * What bothy-store sent, as frames one behind the other, told as promises.
 */
#include "daemon_frames.h"

#include "documents.h"

#include "store/value/fault.h"
#include "store/wire/frame.h"

#include <string.h>

/* What is known of the run that is being read. */
struct hearing {
	struct buf *out;
	uint32_t run, seen, reads;
	bool served;
};

static uint32_t
newest_of(const struct frame_reply *r)
{
	uint32_t newest;
	struct buf text;

	buf_init(&text, r->nbody + 1);
	(void)buf_add(&text, r->body, r->nbody);
	newest = documents_newest(buf_str(&text));
	buf_release(&text);
	return newest;
}

/* The first reads of a run are of all documents. */
static void
hear_read(struct hearing *h, uint32_t newest)
{
	if (newest > h->seen)
		h->seen = newest;
	if (++h->reads == DOCUMENTS_ALL)
		(void)buf_printf(h->out, "served %u %u\n", h->seen, h->run);
	else if (h->reads > DOCUMENTS_ALL && newest)
		(void)buf_printf(h->out, "done %u\n", newest);
}

/* What a condition that failed has seen is there, too. */
static void
hear_outcome(struct hearing *h, const struct frame_reply *r)
{
	uint32_t seen = r->status == FAULT_CONDITION ? newest_of(r) : 0;

	(void)buf_printf(h->out, "%s %u\n", operation_outcome(r->status),
	    r->id);
	if (seen)
		(void)buf_printf(h->out, "done %u\n", seen);
}

static void
hear(struct hearing *h, const struct frame_reply *r)
{
	if (r->id < ID_RUN && operation_outcome(r->status))
		hear_outcome(h, r);
	else if (r->id >= ID_RUN && r->id < ID_READ)
		*h = (struct hearing){.out = h->out, .run = r->id - ID_RUN};
	else if (r->id >= ID_READ && r->id < ID_OTHER && r->status == 0)
		hear_read(h, newest_of(r));
	else if (r->id > ID_BACKUP && r->id < ID_TABLES && r->status == 0)
		(void)buf_printf(h->out, "backup %u\n", r->id - ID_BACKUP);
	else if (r->id == ID_TABLES &&
	    (r->status == 0 || r->status == FAULT_IN_USE))
		(void)buf_puts(h->out, "tables\n");
}

int
frames_to_promises(const char *p, size_t n, struct buf *out)
{
	struct hearing h = {.out = out};
	struct frame_reply r;
	struct err e;
	ssize_t size;

	for (; n; p += size, n -= (size_t)size) {
		size = frame_size(p, n, 1, FRAME_REPLY_MAX);
		if (size <= 0 || (size_t)size > n)
			return -1;
		if (size == FRAME_HELLO_SIZE &&
		    memcmp(p + FRAME_LENGTH_SIZE, "BthS", 4) == 0)
			continue;
		if (frame_read_reply(p, (size_t)size, &r, &e) < 0)
			return -1;
		hear(&h, &r);
	}
	return 0;
}
