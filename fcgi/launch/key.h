/*
 * The launcher's key: run/launch.key, which a client must know.
 *
 * A function runs under the same uid as launcher and gateway, so the uid of a
 * peer proves nothing; but no function can read the state directory
 * (sandbox.h).  A new key is made at each start of the launcher.
 */
#ifndef LAUNCH_KEY_H
#define LAUNCH_KEY_H

#include "store/base/err.h"

#include <stdbool.h>

enum { KEY_SIZE = 33 };		/* 32 hex digits and a NUL */

/* Makes a key and writes the file below `state_dir`, mode 0600. 0 or -1. */
int key_make(const char *state_dir, char key[KEY_SIZE], struct err *e);

/* Reads it, `run_fd` being the directory run/: 0, or -1 with errno. */
int key_read(int run_fd, char key[KEY_SIZE]);

/* Compares in a time that does not tell where they differ. */
bool key_equal(const char *a, const char *b);

#endif
