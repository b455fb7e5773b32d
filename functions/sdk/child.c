/*
 * The child's end of the ABI, as child.h describes it.
 */
#include "child.h"

#include "store/base/sock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { OWN = 3 }; /* HOME, TMPDIR, and the end of the list */

/*
 * Takes in the descriptors that came with `h`.  1 and 2 were closed, so the
 * kernel has put stdout and stderr there; what follows is the body.
 */
static int
place(const struct abi_request *h, const int *fds)
{
	size_t at = 0;

	if (h->flags & ABI_HAS_OUTPUTS) {
		if (fds[0] != 1 || fds[1] != 2)
			return -1;
		at = 2;
	}
	if (h->flags & ABI_NO_STDIN)
		return 0;
	if (dup2(fds[at], 0) < 0)
		return -1;
	close(fds[at]);
	return 0;
}

int
child_receive(int ctl_fd, char *const own[2], struct child_request *r)
{
	struct iovec iov[2] = {{&r->head, sizeof r->head},
	    {r->room, ABI_ENV_MAX}};
	int fds[3];
	size_t nfds = 3;
	ssize_t n = sock_recv_plain(ctl_fd, iov, 2, fds, &nfds);

	if (n <= 0)
		return (int)n;
	if (abi_request_check(&r->head, (size_t)n, nfds) < 0)
		return -1;
	r->envp = r->few;
	if (r->head.env_count + OWN > CHILD_FEW)
		r->envp = r->room + (r->head.env_bytes + sizeof(char *) - 1) /
		    sizeof(char *);
	if (abi_env_split((char *)r->room, r->head.env_bytes,
	        r->head.env_count, r->envp) < 0 ||
	    place(&r->head, fds) < 0)
		return -1;
	r->envp[r->head.env_count] = own[0];
	r->envp[r->head.env_count + 1] = own[1];
	r->envp[r->head.env_count + 2] = NULL;
	return 1;
}

int
child_done(int ctl_fd, const struct abi_done *d, const void *out, size_t len)
{
	struct abi_done h = *d;
	struct iovec iov[2] = {{&h, sizeof h}, {NULL, len}};

	memcpy(&iov[1].iov_base, &out, sizeof out);
	h.magic = ABI_MAGIC;
	h.inline_bytes = (uint32_t)len;
	return sock_send(ctl_fd, iov, 2, NULL, 0, 0) < 0 ? -1 : 0;
}

int
child_flush(int ctl_fd)
{
	struct abi_done h = {.end = ABI_END_NOT_YET};

	return child_done(ctl_fd, &h, NULL, 0);
}
