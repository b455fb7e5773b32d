/*
 * The connection to the launcher: made, and the launcher started, on first
 * use.  Used by gateway and CLI; knows nothing of pools.
 */
#ifndef INVOKE_LINK_H
#define INVOKE_LINK_H

#include "fcgi/launch/proto.h"
#include "store/base/err.h"

#include <stdbool.h>

struct link_options {
	const char *site_dir, *state_dir;
	const char *launcher;	/* path of bothy-launch; NULL: beside us */
	bool private_launcher;
	bool start;		/* start one if none is there */
};

/*
 * Connects and reads HELLO, starting a launcher if need be; a private one if
 * none answers within seconds.  The descriptor, or -1 with the error set
 * (ENOENT: none is there and none was to start).
 */
int link_open(const struct link_options *o, struct err *e);

/* Sends one message without waiting: 0, or -1 (EAGAIN: it reads too slowly). */
int link_send(int fd, struct launch_msg *m);

/*
 * Receives one message: 1; 0 at the end; -1 for what is none.  `text` (may be
 * NULL) gets the text and a NUL; descriptors as sock_recv.
 */
int link_receive(int fd, struct launch_msg *m, char *text, size_t text_size,
    int *fds, size_t *nfds);

#endif
