/*
 * Unix sockets with descriptors in their messages, as sock.h describes.
 */
#include "sock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int
address(struct sockaddr_un *sun, int dirfd, const char *name)
{
	int n;

	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(sun->sun_path, sizeof sun->sun_path,
	    "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t)n >= sizeof sun->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

int
sock_listen_at(int dirfd, const char *name, int type, mode_t mode,
    int backlog)
{
	struct sockaddr_un sun;
	int fd;

	if (address(&sun, dirfd, name) < 0)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if ((unlinkat(dirfd, name, 0) < 0 && errno != ENOENT) ||
	    bind(fd, (const struct sockaddr *)&sun, sizeof sun) < 0 ||
	    fchmodat(dirfd, name, mode, 0) < 0 || listen(fd, backlog) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

int
sock_connect_at(int dirfd, const char *name, int type)
{
	struct sockaddr_un sun;
	int fd, saved;

	if (address(&sun, dirfd, name) < 0)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof sun) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(SOCK_MAX_FDS * sizeof(int))];
};

ssize_t
sock_send(int fd, const struct iovec *iov, size_t niov, const int *fds,
    size_t nfds, int flags)
{
	struct iovec parts[4];
	union control control;
	struct msghdr msg = {0};
	struct cmsghdr *c;
	ssize_t n;

	if (nfds > SOCK_MAX_FDS || niov > sizeof parts / sizeof parts[0]) {
		errno = EINVAL;
		return -1;
	}
	memcpy(parts, iov, niov * sizeof *iov);
	msg.msg_iov = parts;
	msg.msg_iovlen = niov;
	if (nfds) {
		memset(&control, 0, CMSG_SPACE(nfds * sizeof(int)));
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Takes the descriptors out of `msg`; how many there were. */
static size_t
take_fds(struct msghdr *msg, int *all)
{
	struct cmsghdr *c;
	size_t n = 0, k;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(all + n, CMSG_DATA(c), k * sizeof(int));
		n += k;
	}
	return n;
}

static ssize_t
receive(int fd, const struct iovec *iov, size_t niov, int *fds, size_t *nfds,
    int flags)
{
	struct iovec parts[4];
	union control control;
	struct msghdr msg = {0};
	int all[SOCK_MAX_FDS];
	size_t got, room = nfds ? *nfds : 0, i;
	ssize_t n;

	if (niov > sizeof parts / sizeof parts[0]) {
		errno = EINVAL;
		return -1;
	}
	memcpy(parts, iov, niov * sizeof *iov);
	msg.msg_iov = parts;
	msg.msg_iovlen = niov;
	msg.msg_control = control.space;
	msg.msg_controllen = sizeof control.space;
	do
		n = recvmsg(fd, &msg, flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	got = take_fds(&msg, all);
	if (got > room || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (i = 0; i < got; i++)
			close(all[i]);
		errno = EMSGSIZE;
		return -1;
	}
	if (got)
		memcpy(fds, all, got * sizeof(int));
	if (nfds)
		*nfds = got;
	return n;
}

ssize_t
sock_recv(int fd, const struct iovec *iov, size_t niov, int *fds,
    size_t *nfds, int flags)
{
	return receive(fd, iov, niov, fds, nfds, flags | MSG_CMSG_CLOEXEC);
}

ssize_t
sock_recv_plain(int fd, const struct iovec *iov, size_t niov, int *fds,
    size_t *nfds)
{
	return receive(fd, iov, niov, fds, nfds, 0);
}
