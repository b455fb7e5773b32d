/*
 * The launcher's end (quit.h).  Runs in `bothy run`, and where a stage goes.
 */
#include "quit.h"

#include <poll.h>
#include <unistd.h>

void
quit_launcher(const struct link_options *o, int wait_ms)
{
	struct launch_msg m = {.type = LAUNCH_QUIT};
	struct pollfd p = {.events = POLLIN};
	size_t nfds = 0;
	struct err ignored;

	p.fd = link_open(o, &ignored);
	if (p.fd < 0)
		return;
	if (link_send(p.fd, &m) == 0) {
		while (poll(&p, 1, wait_ms) > 0 &&
		       link_receive(p.fd, &m, NULL, 0, NULL, &nfds) > 0)
			nfds = 0;
	}
	close(p.fd);
}
