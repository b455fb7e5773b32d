/*
 * What the launcher and its clients (gateway, CLI) say to each other.
 *
 * SEQPACKET on <state>/run/launch.sock, one message a packet: a struct
 * launch_msg, then `bytes` of text where the table says so.  Both ends are of
 * one machine and one installation; numbers are in its byte order, and
 * HELLO's version must be equal.  The launcher accepts just these requests
 * and closes the connection of who sends anything else, or does not begin with
 * the key.
 *
 *   launcher -> client
 *     HELLO    version, pid                      at once after accept
 *     LEASED   tag, count, ids[count]            + socket of each
 *     REFUSED  tag, code (enum launch_refusal)   + text: why, for people
 *     GRANTED  tag, id                           a concurrency slot
 *     EXIT     id, wait_status, max_rss_kb, cpu_us, code (enum launch_end)
 *     STATUS   + text: JSON
 *   client -> launcher
 *     PROVE    key (in `snapshot`)               first of all; see key.h
 *     LEASE    tag, snapshot, function, count    asks for children
 *     ACQUIRE  tag, snapshot, function           a slot of reservedConcurrency
 *     RELEASE  id                                gives a slot back
 *     WATCH    id, deadline_mono_ms              this child's request is long:
 *                                                sample it, end it in time
 *                                                (0: no deadline)
 *     REST     id                                that request is over
 *     DONE     id                                it has served its last: it
 *                                                ends by itself
 *     KILL     id, code                          sends it TERM (code), or
 *                                                ends it and its tree
 *     RETIRE   id                                its zygote gets no new children
 *     REPORT   id                                asks for its EXIT
 *     STATUS                                     asks for STATUS
 *     GIT      tag + text: its environment       runs git http-backend, not
 *              + its descriptors 0, 1, 2         confined; ends in EXIT of the
 *                                                tag, or with the connection
 *     QUIT                                       drain and leave
 *
 * Ids are never used again, by the next launcher neither.  When a connection
 * closes, its slots are free and its children are ended.
 */
#ifndef LAUNCH_PROTO_H
#define LAUNCH_PROTO_H

#include "fcgi/conf/snapshot.h"

#include <stdint.h>

enum {
	LAUNCH_VERSION = 3,
	LAUNCH_BATCH = 16,		/* children in one LEASED */
	LAUNCH_TEXT_MAX = 60 * 1024,	/* bytes of a text */
	LAUNCH_GIT_BYTES = 24 * 1024,	/* of GIT's: "NAME=value\0"... */
	LAUNCH_GIT_FDS = 3
};

enum launch_type {
	LAUNCH_HELLO = 1,
	LAUNCH_LEASED,
	LAUNCH_REFUSED,
	LAUNCH_GRANTED,
	LAUNCH_EXIT,
	LAUNCH_STATUS,
	LAUNCH_LEASE,
	LAUNCH_ACQUIRE,
	LAUNCH_RELEASE,
	LAUNCH_WATCH,
	LAUNCH_REST,
	LAUNCH_DONE,
	LAUNCH_KILL,
	LAUNCH_RETIRE,
	LAUNCH_REPORT,
	LAUNCH_QUIT,
	LAUNCH_PROVE,
	LAUNCH_GIT
};

enum launch_refusal {
	LAUNCH_BUSY = 1,	/* reservedConcurrency is used up: 429 */
	LAUNCH_BROKEN,		/* the function can't start: 502 */
	LAUNCH_THROTTLED,	/* it died at once, again and again: 503 */
	LAUNCH_UNKNOWN,		/* no such snapshot or function: reload */
	LAUNCH_LEAVING		/* the launcher is going: connect anew */
};

/* Why the launcher ended a child. */
enum launch_end {
	LAUNCH_END_ITSELF = 0,	/* it did not */
	LAUNCH_END_MEMORY,	/* memorySize was passed */
	LAUNCH_END_PROCESSES,	/* it had more than LIMITS_TREE of them */
	LAUNCH_END_DEADLINE,	/* the deadline of WATCH was passed */
	LAUNCH_END_LOST		/* it was another launcher's: not known */
};

struct launch_msg {
	uint32_t version;
	uint32_t type;
	uint32_t tag;		/* the client's own; comes back */
	uint32_t function;	/* index in the snapshot */
	uint32_t count;
	uint32_t code;
	int32_t pid;
	int32_t wait_status;
	uint32_t bytes;		/* of text behind this struct */
	uint32_t zero;
	uint64_t id;
	int64_t deadline_mono_ms;
	uint64_t max_rss_kb;
	uint64_t cpu_us;
	uint64_t ids[LAUNCH_BATCH];
	char snapshot[SNAP_ID_SIZE + 7];	/* NUL-terminated hex */
};

#endif
