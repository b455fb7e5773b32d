/*
 * The store's key: the file `key` in its directory, 32 random bytes, mode 0600.
 * Tokens are signed with it, and who can read it may do everything: no function
 * can see the directory.
 */
#ifndef WIRE_SECRET_H
#define WIRE_SECRET_H

#include "store/base/err.h"
#include "token.h"

/* Reads it into TOKEN_SECRET_SIZE bytes: 0, or -1 and *e. */
int secret_load(const char *path, unsigned char *secret, struct err *e);

/* The same; makes the file first if it isn't there. */
int secret_make(const char *path, unsigned char *secret, struct err *e);

#endif
