/*
 * Where the gateway is: its program, and the socket of the resident one.
 *
 * Found as bothy-fcgi finds its site (fcgi/gateway/sitefile.h): from BOTHY_SITE
 * and BOTHY_STATE, else from bothy.site beside this program.  A resident
 * gateway's socket is named after all that it was started with, so one of
 * another release, stage or configuration is never asked:
 *
 *   <state>/run/resident-<16 hex digits>.sock
 */
#ifndef DISPATCH_PLACE_H
#define DISPATCH_PLACE_H

#include <stddef.h>

enum {
	PLACE_PATH = 4096,
	PLACE_FILE = 16 * 1024
};

struct place {
	char program[PLACE_PATH];	/* bothy-fcgi */
	char socket[PLACE_PATH];	/* "": no resident is wanted */
	char file[PLACE_FILE];		/* bothy.site; its lines end in NUL */
};

/* `self` is how this program was called. 0, or -1: paths are too long. */
int place_find(struct place *p, const char *self, char *const *envp);

#endif
