/*
 * Starting the store's daemon: for the gateway and the command line, never for
 * a function, which would hand down its confinement and die with it.
 */
#ifndef CLIENT_START_H
#define CLIENT_START_H

#include "store/base/err.h"

#include <stdbool.h>

struct start_options {
	const char *store_dir;	/* of the store; store.sock lies in it */
	const char *program;	/* bothy-store; NULL: $BOTHY_STORE_PROGRAM, or
				 * the one beside the running program */
	const char *const *arguments;	/* behind `--dir DIR`, ended by NULL;
					 * or NULL */
	bool shown;		/* it has our standard error: a person sees how
				 * far it is, and why it can't */
};

/*
 * Sees to it that the store's daemon listens: 0, or -1 and *e with its reason.
 * The daemon detaches itself: the process started here ends with status 0 once
 * its socket listens (also if another had the lock already), and prints why
 * not on standard error otherwise.
 */
int client_start(const struct start_options *o, struct err *e);

#endif
