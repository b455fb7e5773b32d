/*
 * libfcgi behind peer.h, fed with connections that were accepted elsewhere.
 */
#include "peer.h"

#include "store/base/io.h"

#include <fcgiapp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	REST_GAP_MS = 20,	/* a body that is on its way comes without gaps */
	LINGER_GAP_MS = 1000,
	LINGER_BYTES = 512 << 20,
	PIECE = 16 * 1024
};

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

	if (p->cgi)
		p->read_all = true;
	else if (p->open)
		p->read_all = FCGX_GetStr(&byte, 1, p->request.in) == 0;
}

static void
set_receive_ms(int fd, int ms)
{
	struct timeval t = {ms / 1000, ms % 1000 * 1000};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

/* Reads what is left of a body that nobody wanted, as long as it flows. */
static void
read_rest(struct peer *p)
{
	char piece[PIECE];

	set_receive_ms(p->request.ipcFd, REST_GAP_MS);
	while (FCGX_GetStr(piece, PIECE, p->request.in) == PIECE)
		;
	p->read_all = FCGX_GetError(p->request.in) == 0;
	FCGX_ClearError(p->request.in);
	set_receive_ms(p->request.ipcFd, 0);	/* none */
}

/*
 * A web server whose writing fails never gets to the reply: so it is let
 * write on, in vain, until it closes or pauses.
 */
static void
linger(int fd)
{
	char piece[PIECE];
	size_t bytes = 0;
	ssize_t n;

	shutdown(fd, SHUT_WR);
	set_receive_ms(fd, LINGER_GAP_MS);
	while (bytes < LINGER_BYTES &&
	    (n = recv(fd, piece, sizeof piece, 0)) > 0)
		bytes += (size_t)n;
}

/* The same for plain CGI, where the body is a pipe or a socket. */
static void
linger_cgi(void)
{
	struct pollfd in = {STDIN_FILENO, POLLIN, 0};
	char piece[PIECE];
	size_t bytes = 0;
	ssize_t n;

	close(STDOUT_FILENO);
	while (bytes < LINGER_BYTES && poll(&in, 1, LINGER_GAP_MS) > 0 &&
	    (n = io_read(STDIN_FILENO, piece, sizeof piece)) > 0)
		bytes += (size_t)n;
}

/*
 * libfcgi is told to keep the connection whatever happens: its own close
 * loses the reply if the peer is still sending.  A connection whose request
 * was not read to its end can't be used for another.
 */
int
peer_end(struct peer *p)
{
	bool keep = p->request.keepConnection != 0;
	int fd;

	if (!p->open)
		return -1;
	p->open = false;
	if (p->cgi) {
		if (!p->read_all)
			linger_cgi();
		return -1;
	}
	if (!p->read_all)
		read_rest(p);
	p->request.keepConnection = 1;
	FCGX_Finish_r(&p->request);
	fd = p->request.ipcFd;
	p->request.ipcFd = -1;
	if (fd >= 0 && !p->read_all)
		linger(fd);
	if (fd >= 0 && (!keep || !p->read_all)) {
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
