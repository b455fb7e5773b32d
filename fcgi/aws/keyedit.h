/*
 * Making and removing access keys: for the command line.  Each change takes
 * the lock and replaces the file as one step; a gateway that runs sees it with
 * its next request.
 */
#ifndef AWS_KEYEDIT_H
#define AWS_KEYEDIT_H

#include "keys.h"

enum {
	KEYEDIT_ID_SIZE = 21,		/* "AKIA" and 16 more */
	KEYEDIT_SECRET_SIZE = 41,
	KEYEDIT_TOKEN_SIZE = 345
};

/* Fresh ones: 0, or -1 without randomness.  A session's id begins with ASIA. */
int keyedit_make_id(char id[KEYEDIT_ID_SIZE], bool session, struct err *e);
int keyedit_make_secret(char secret[KEYEDIT_SECRET_SIZE], struct err *e);
int keyedit_make_token(char token[KEYEDIT_TOKEN_SIZE], struct err *e);

/*
 * Adds a key: id, secret, token, times and grants (statements as JSON, which
 * must be well-formed).  0; or -1, EEXIST if there is one of that id.
 */
int keyedit_add(const char *state_dir, const struct aws_key *k,
    struct err *e);

/* Removes one: 0; or -1, ENOENT if there is none. */
int keyedit_remove(const char *state_dir, const char *id, struct err *e);

/* The day a key was last used, as its first second since 1970; 0: never. */
int64_t keyedit_used_s(const char *state_dir, const char *id);

#endif
