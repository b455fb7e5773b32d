/*
 * The ceiling of the benchmark: a libfcgi responder that answers in its own
 * process, with THREADS threads that accept for themselves.  It does nothing
 * that a function platform has to do: no routes, no process, no limit, no log.
 *
 *   inprocess SOCKET THREADS
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096, THREADS_MAX = 256 };

static int listen_fd;

static void
leave(int sig)
{
	(void)sig;
	_exit(0);
}

static void
answer(FCGX_Request *r)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", r->envp);
	const char *name = uri ? strrchr(uri, '/') : NULL;
	char body[256], reply[640];
	int n;

	n = snprintf(body, sizeof body, "{\"hello\":\"%.100s\"}\n",
	    name ? name + 1 : "world");
	n = snprintf(reply, sizeof reply,
	    "Status: 200 OK\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %d\r\n"
	    "X-Request-Id: %s\r\n"
	    "\r\n%s", n, REQUEST_ID, body);
	FCGX_PutStr(reply, n, r->out);
}

static void *
serve(void *unused)
{
	FCGX_Request r;

	(void)unused;
	if (FCGX_InitRequest(&r, listen_fd, 0) != 0)
		_exit(1);
	while (FCGX_Accept_r(&r) == 0) {
		answer(&r);
		FCGX_Finish_r(&r);
	}
	return NULL;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || strlen(path) >= sizeof sun.sun_path)
		return -1;
	strcpy(sun.sun_path, path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof sun) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -1;
	return fd;
}

int
main(int argc, char **argv)
{
	int threads = argc == 3 ? atoi(argv[2]) : 0, i;
	pthread_t t;

	if (threads < 1 || threads > THREADS_MAX) {
		fprintf(stderr, "usage: inprocess SOCKET THREADS\n");
		return 2;
	}
	listen_fd = listen_at(argv[1]);
	if (listen_fd < 0) {
		perror(argv[1]);
		return 1;
	}
	/* libfcgi would swallow TERM, and linger up to 2 s at each close. */
	signal(SIGTERM, leave);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1);
	if (FCGX_Init() != 0)
		return 1;
	for (i = 1; i < threads; i++)
		if (pthread_create(&t, NULL, serve, NULL) != 0)
			return 1;
	serve(NULL);
	return 0;
}
