/*
 * Base64 as people and functions write it in events; store/base/base64.h is
 * the strict one.
 */
#ifndef CLI_LOOSE64_H
#define CLI_LOOSE64_H

#include "store/base/buf.h"

/*
 * Appends the bytes that `text` stands for; white space is skipped, padding
 * may be absent.  0, or -1 for a wrong character or no room.
 */
int loose64_decode(const char *text, struct buf *out);

#endif
