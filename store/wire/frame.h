/*
 * Frames: how requests and replies pass over the store's socket, a unix
 * SOCK_STREAM.  store-wire(5) is the same for people.  Numbers are unsigned
 * and little endian; `length` counts the bytes behind itself.
 *
 * The server speaks first; who closes before the hello was told nothing, so
 * a client may try again.  Behind the hello requests and replies pass in any
 * order: a reply names its request by the id that the client chose.
 *
 *	hello, 72 bytes		request, 20 and more	reply, 12 and more
 *	 0 u32 length (68)	 0 u32 length		 0 u32 length
 *	 4 u32 magic		 4 u32 id		 4 u32 id
 *	 8 u16 version		 8 u16 operation	 8 u16 status
 *	10 u16 in flight	10 u16 flags		10 u16 flags
 *	12 u32 largest request	12 u32 patience_ms	12 body
 *	16 u32 largest reply	16 u16 token length
 *	20 u32 zero		18 u16 zero
 *	24 store id, 16		20 token
 *	40 challenge, 32	   body
 *
 * The body of a request is the JSON that DynamoDB takes for that operation,
 * of a reply what it gives; operation.h has the numbers.  Status is 0 or a
 * number of value/fault.h, then the body is {"message": ...} and what else
 * DynamoDB says (CancellationReasons, Item).
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum {
	FRAME_MAGIC = 0x53687442,	/* "BthS" */
	FRAME_VERSION = 1,
	FRAME_LENGTH_SIZE = 4,
	FRAME_HELLO_SIZE = 72,
	FRAME_REQUEST_SIZE = 20,	/* without token and body */
	FRAME_REPLY_SIZE = 12,
	FRAME_STORE_ID_SIZE = 16,
	FRAME_CHALLENGE_SIZE = 32,
	FRAME_TOKEN_MAX = 16 * 1024,
	FRAME_BODY_MAX = 16 * 1024 * 1024,	/* of a request */
	FRAME_REQUEST_MAX = FRAME_REQUEST_SIZE + FRAME_TOKEN_MAX +
	    FRAME_BODY_MAX,
	FRAME_REPLY_MAX = 64 * 1024 * 1024,
	FRAME_IN_FLIGHT_MAX = 256	/* requests of one connection */
};

/* Flags of a request. */
enum {
	FRAME_PLAIN = 1,	/* documents are plain JSON, in the reply too */
	FRAME_WAIT_FILE = 2,	/* reply once the documents lie as files */
	FRAME_PROOF = 4,	/* the token is a proof of the store's key */
	FRAME_HERE = 8		/* of the documents here, wherever others go:
				 * for who has proven the key */
};

/* Flags of a reply. */
enum {
	FRAME_PROGRESS = 2	/* how far it is; the reply itself follows */
};

struct frame_hello {
	uint16_t version, in_flight_max;
	uint32_t request_max, reply_max;
	unsigned char store_id[FRAME_STORE_ID_SIZE];
	unsigned char challenge[FRAME_CHALLENGE_SIZE];
};

/* Token and body are borrowed from the frame's bytes. */
struct frame_request {
	uint32_t id;
	uint16_t operation, flags;
	uint32_t patience_ms;	/* the client waits so long; 0: for ever */
	const char *token, *body;
	size_t ntoken, nbody;	/* no token: the connection's last one holds */
};

struct frame_reply {
	uint32_t id;
	uint16_t status, flags;
	const char *body;
	size_t nbody;
};

/*
 * How many bytes the frame at `p` has with its length, of which `n` are there:
 * 0 if fewer than 4 bytes tell; -1 if it is shorter than `least` or longer
 * than `most` (FRAME_..._SIZE and _MAX): then the stream is lost.
 */
ssize_t frame_size(const void *p, size_t n, size_t least, size_t most);

/*
 * One whole frame of `n` bytes, as frame_size() gave it: 0, or -1 and
 * FAULT_SERIALIZATION.  frame_read_request() gives the id even then, if it
 * can, so that the peer may be answered.
 */
int frame_read_hello(const void *p, size_t n, struct frame_hello *h,
    struct err *e);
int frame_read_request(const void *p, size_t n, struct frame_request *r,
    struct err *e);
int frame_read_reply(const void *p, size_t n, struct frame_reply *r,
    struct err *e);

/* Append a whole frame: 0, or -1 as buf_add(). */
int frame_write_hello(struct buf *b, const struct frame_hello *h);
int frame_write_request(struct buf *b, const struct frame_request *r);

/*
 * A reply whose body is written in place: where it begins in `b`; then the
 * body is appended; then frame_end_reply() fills in the rest.  -1 if the
 * buffer failed or the reply passes FRAME_REPLY_MAX: then it is cut off again.
 */
size_t frame_begin_reply(struct buf *b);
int frame_end_reply(struct buf *b, size_t begin, uint32_t id, int status,
    unsigned flags);

#endif
