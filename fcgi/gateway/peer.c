/*
 * libfcgi behind peer.h, fed with connections that were accepted elsewhere.
 */
#include "peer.h"

#include "store/base/io.h"

#include <fcgiapp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
	FCGX_Request request;
	bool cgi;
	bool open;		/* between begin and end */
	bool read_all;		/* the body's end was seen */
};

extern char **environ;

int
peer_library(void)
{
	/* libfcgi would linger up to 2 s over each close. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1);
	return FCGX_Init() == 0 ? 0 : -1;
}

bool
peer_is_cgi(void)
{
	return FCGX_IsCGI() != 0;
}

struct peer *
peer_new(void)
{
	struct peer *p = calloc(1, sizeof *p);

	if (p && FCGX_InitRequest(&p->request, -1, 0) != 0) {
		free(p);
		return NULL;
	}
	return p;
}

void
peer_free(struct peer *p)
{
	free(p);
}

int
peer_begin(struct peer *p, int fd)
{
	p->request.ipcFd = fd;
	p->request.keepConnection = 1;
	p->read_all = false;
	p->open = FCGX_Accept_r(&p->request) == 0;
	return p->open ? 0 : -1;
}

int
peer_begin_cgi(struct peer *p)
{
	p->cgi = p->open = true;
	return 0;
}

char **
peer_params(const struct peer *p)
{
	return p->cgi ? environ : p->request.envp;
}

ssize_t
peer_read(void *peer, void *buf, size_t n)
{
	struct peer *p = peer;
	int got;

	if (p->cgi)
		return io_read(STDIN_FILENO, buf, n);
	got = FCGX_GetStr(buf, n > 1 << 20 ? 1 << 20 : (int)n, p->request.in);
	if (got == 0 && FCGX_GetError(p->request.in) != 0)
		return -1;
	return got;
}

int
peer_write(void *peer, const void *buf, size_t n)
{
	struct peer *p = peer;
	const char *s = buf;

	if (p->cgi)
		return io_write_all(STDOUT_FILENO, buf, n);
	while (n) {
		int part = n > 1 << 20 ? 1 << 20 : (int)n;

		if (FCGX_PutStr(s, part, p->request.out) != part)
			return -1;
		s += part;
		n -= (size_t)part;
	}
	return 0;
}

int
peer_flush(struct peer *p)
{
	if (p->cgi)
		return 0;
	return FCGX_FFlush(p->request.out) == 0 ? 0 : -1;
}

int
peer_fd(const struct peer *p)
{
	return p->cgi ? -1 : p->request.ipcFd;
}

void
peer_body_over(struct peer *p)
{
	char byte;

	if (p->open && !p->cgi)
		p->read_all = FCGX_GetStr(&byte, 1, p->request.in) == 0;
}

/*
 * libfcgi's own close shuts down, polls and reads first, so that a peer that
 * is still sending gets the reply; one whose request was read to its end needs
 * none of that.  One that was not can't be used for another request.
 */
int
peer_end(struct peer *p)
{
	bool keep = p->request.keepConnection != 0;
	int fd;

	if (!p->open)
		return -1;
	p->open = false;
	if (p->cgi)
		return -1;
	p->request.keepConnection = p->read_all;
	FCGX_Finish_r(&p->request);
	fd = p->request.ipcFd;
	p->request.ipcFd = -1;
	if (fd >= 0 && !keep) {
		close(fd);
		fd = -1;
	}
	return fd;
}

void
peer_abort(struct peer *p)
{
	if (!p->open)
		return;
	if (p->cgi) {
		p->open = false;
		return;
	}
	shutdown(p->request.ipcFd, SHUT_RDWR);
	p->request.keepConnection = 0;
	p->read_all = true;
}
