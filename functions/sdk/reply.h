/*
 * Whole replies, which take the place of a body that was begun.
 */
#ifndef SDK_REPLY_H
#define SDK_REPLY_H

#include "request.h"

/*
 * Replies with `n` bytes of media type `type`.  0; or -1, and then the reply
 * is not begun.
 */
int reply_whole(struct bothy_req *req, int status, const char *type,
    const void *p, size_t n);

#endif
