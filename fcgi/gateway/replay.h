/*
 * The command that does a crashed request again, and the body that it needs.
 *
 * Run by bothy-fcgi's workers, once a crash.  Bodies are kept in
 * <state>/crash/, the latest REPLAY_KEPT of them.
 */
#ifndef GATEWAY_REPLAY_H
#define GATEWAY_REPLAY_H

#include "store/base/buf.h"

#include <stdint.h>

enum {
	REPLAY_MAX = 8 * 1024,		/* bytes of the command */
	REPLAY_BODY_MAX = 1 << 20,	/* a larger body is not kept */
	REPLAY_KEPT = 50
};

struct replay {
	const char *function, *method;
	const char *target;		/* path and query as they were sent */
	const char *content_type;	/* NULL: none */
	const char *request_id;
	int body_fd;			/* -1: no body */
	uint64_t body_bytes;
};

/*
 * Appends "again: bothy invoke ..." with arguments quoted for a shell; keeps
 * the body where there is one, or says that it was too large.
 */
void replay_command(const struct replay *r, int state_fd,
    const char *state_dir, struct buf *out);

#endif
