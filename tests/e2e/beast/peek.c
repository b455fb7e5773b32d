/*
 * Says what happens when it opens paths that are not its own.
 */
#include <bothy.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
try_open(const char *path, int flags)
{
	int fd = path ? open(path, flags, 0600) : -1;

	if (fd < 0)
		return path ? errno : 0;
	close(fd);
	return 0;
}

static int
try_connect(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return errno;
	return connect(fd, (const struct sockaddr *)&to, sizeof to) < 0
	    ? errno
	    : 0;
}

int
bothy_handle(struct bothy_req *req)
{
	const char *port = bothy_query(req, "port");
	char mine[4096];

	snprintf(mine, sizeof mine, "%s/mine", getenv("TMPDIR"));
	return bothy_json_new(req, 200, json_pack(
	    "{s:i, s:i, s:i, s:i, s:i, s:s}",
	    "read", try_open(bothy_query(req, "read"), O_RDONLY),
	    "write", try_open(bothy_query(req, "write"), O_WRONLY | O_CREAT),
	    "scratch", try_open(mine, O_WRONLY | O_CREAT | O_EXCL),
	    "system", try_open("/usr/bin/env", O_RDONLY),
	    "connect", try_connect(port ? atoi(port) : 9),
	    "home", getenv("HOME")));
}
