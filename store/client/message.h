/*
 * The text of a failure, out of the body of its reply.  Inside store/client
 * alone.
 */
#ifndef CLIENT_MESSAGE_H
#define CLIENT_MESSAGE_H

#include <stddef.h>

/*
 * Decodes the string that {"message":"..." begins with into `out` (cut at
 * `size` bytes with the NUL); another body gives "".
 */
void message_read(const char *body, size_t n, char *out, size_t size);

#endif
