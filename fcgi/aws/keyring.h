/*
 * The access keys as a running gateway has them: what `bothy key` changes
 * holds from the next request on.
 */
#ifndef AWS_KEYRING_H
#define AWS_KEYRING_H

#include "keys.h"

#include <pthread.h>
#include <sys/stat.h>

struct aws_keyring {
	const char *state_dir;
	char path[KEYS_PATH_MAX];	/* of keys.json */
	pthread_mutex_t lock;		/* of what follows */
	struct aws_keys *keys;		/* NULL: not read yet */
	struct stat seen;		/* the file that they are from */
};

/* `state_dir` is borrowed.  0 or -1. */
int aws_keyring_init(struct aws_keyring *r, const char *state_dir,
    struct err *e);
void aws_keyring_release(struct aws_keyring *r);

/*
 * The keys of now, held; NULL with the error set: a file that can't be read
 * lets nobody in.
 */
struct aws_keys *aws_keyring_hold(struct aws_keyring *r, struct err *e);

/* Notes that the key was used today; once a day and process. */
void aws_keyring_used(const struct aws_keyring *r, struct aws_key *k,
    int64_t now_ms);

#endif
