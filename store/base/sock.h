/*
 * Unix sockets by directory and name, and messages that carry descriptors.
 *
 * A socket's path may be longer than sun_path (108 bytes): names are reached
 * through the directory's descriptor.  Everything is close-on-exec.
 */
#ifndef BASE_SOCK_H
#define BASE_SOCK_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { SOCK_MAX_FDS = 32 };

/*
 * Listen at `name` below `dirfd`, replacing a dead socket there; `type` is
 * SOCK_STREAM or SOCK_SEQPACKET (flags may be or'ed in).  The descriptor, or
 * -1 with errno.
 */
int sock_listen_at(int dirfd, const char *name, int type, mode_t mode,
    int backlog);

/* Connect to it: the descriptor, or -1 with errno. */
int sock_connect_at(int dirfd, const char *name, int type);

/*
 * Send one message with `nfds` descriptors (<= SOCK_MAX_FDS), no SIGPIPE;
 * `flags` as sendmsg's.  Bytes sent or -1.
 */
ssize_t sock_send(int fd, const struct iovec *iov, size_t niov,
    const int *fds, size_t nfds, int flags);

/*
 * Receive one message.  Up to `*nfds` descriptors land in `fds`, close-on-exec,
 * the number in *nfds; a message with more is an error (EMSGSIZE) and none is
 * kept.  So is a message longer than the room given.  Bytes, 0 at the end,
 * or -1.
 */
ssize_t sock_recv(int fd, const struct iovec *iov, size_t niov, int *fds,
    size_t *nfds, int flags);

/*
 * The same, blocking, for who wants the descriptors to stay open across exec:
 * they are not close-on-exec.
 */
ssize_t sock_recv_plain(int fd, const struct iovec *iov, size_t niov,
    int *fds, size_t *nfds);

#endif
