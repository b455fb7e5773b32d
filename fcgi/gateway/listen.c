/*
 * Listening sockets, as listen.h describes them.
 */
#include "listen.h"

#include "store/base/io.h"
#include "store/base/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, SOCKET_MODE = 0660, PRIVATE_MODE = 0600 };

static int
open_unix(struct listener *l, const char *path, mode_t mode, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char dir[4096];
	int dir_fd, alive;

	if (snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1,
	        slash ? (slash == path ? "/" : path) : ".") >=
	        (int)sizeof dir ||
	    strlen(path) >= sizeof l->path)
		return err_set(e, ENAMETOOLONG, "--listen unix: the path is "
		    "too long: %.100s...", path);
	if (io_mkdirs(dir, 0711, e) < 0)
		return -1;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_sys(e, "cannot open %s", dir);
	alive = sock_connect_at(dir_fd, name, SOCK_STREAM);
	if (alive >= 0) {
		close(alive);
		close(dir_fd);
		return err_set(e, EADDRINUSE, "%s: another bothy-fcgi serves "
		    "there; stop it first", path);
	}
	l->fd = sock_listen_at(dir_fd, name, SOCK_STREAM | SOCK_NONBLOCK,
	    mode, BACKLOG);
	if (l->fd < 0)
		err_sys(e, "cannot listen at %s", path);
	else
		snprintf(l->path, sizeof l->path, "%s", path);
	close(dir_fd);
	return l->fd < 0 ? -1 : 0;
}

static int
open_tcp(struct listener *l, const char *address, struct err *e)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	const char *colon = strrchr(address, ':');
	char host[64], *end;
	unsigned long port;
	int on = 1;

	if (!colon || (size_t)(colon - address) >= sizeof host)
		return err_set(e, EINVAL, "--listen tcp: takes "
		    "127.0.0.1:PORT, not %s", address);
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	port = strtoul(colon + 1, &end, 10);
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1 || *end ||
	    end == colon + 1 || port > 65535)
		return err_set(e, EINVAL, "--listen tcp: takes "
		    "127.0.0.1:PORT, not %s", address);
	if (ntohl(sin.sin_addr.s_addr) >> 24 != 127)
		return err_set(e, EINVAL, "--listen tcp:%s: FastCGI is only "
		    "for this machine's web server; use 127.0.0.1", address);
	sin.sin_port = htons((uint16_t)port);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return err_sys(e, "cannot make a socket");
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(l->fd, (const struct sockaddr *)&sin, sizeof sin) < 0 ||
	    listen(l->fd, BACKLOG) < 0) {
		err_sys(e, "cannot listen at %s", address);
		io_close(&l->fd);
		return -1;
	}
	return 0;
}

int
listen_open(struct listener *l, const char *address, struct err *e)
{
	*l = (struct listener){.fd = -1};
	if (strncmp(address, "unix:", 5) == 0)
		return open_unix(l, address + 5, SOCKET_MODE, e);
	if (strncmp(address, "tcp:", 4) == 0)
		return open_tcp(l, address + 4, e);
	return err_set(e, EINVAL, "--listen takes unix:PATH or "
	    "tcp:127.0.0.1:PORT, not %s", address);
}

int
listen_private(struct listener *l, const char *path, struct err *e)
{
	*l = (struct listener){.fd = -1};
	return open_unix(l, path, PRIVATE_MODE, e);
}

int
listen_inherited(struct listener *l, struct err *e)
{
	*l = (struct listener){.fd = -1};
	l->fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (l->fd < 0 || io_nonblock(l->fd) < 0)
		return err_sys(e, "cannot use the socket at descriptor 0");
	return 0;
}

void
listen_close(struct listener *l)
{
	if (l->path[0])
		unlink(l->path);
	io_close(&l->fd);
}
