/*
 * A load generator that tells the accepted from the refused: CONNECTIONS
 * clients in one thread, each of which sends its next request the moment it
 * has a reply, whatever the reply was, for MILLISECONDS.
 *
 *   flood PORT PATH CONNECTIONS MILLISECONDS
 *
 * prints one line of JSON: how many replies of each kind came within that
 * time, the median and 99th percentile of their latencies in microseconds, and
 * how many requests had waited for longer than a second when time was up.
 * wrk can't do that: its percentiles mix both kinds.
 */
#include "reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, PAUSE_US = 1000, OVERDUE_US = 1000000 };

/* Latencies by their upper 6 bits: at most 1.6% off. */
enum { STEPS = 64, BUCKETS = 32 * STEPS };

enum kind { ACCEPTED, REFUSED, OTHER, KINDS };	/* 2xx, 503, any other */

struct tally {
	uint64_t count;
	uint64_t buckets[BUCKETS];
};

struct client {
	int fd;
	bool connecting;
	int64_t sent_us;
	struct reply reply;
};

static struct tally tallies[KINDS];
static uint64_t broken;		/* connections that ended amid a reply */
static struct client *clients;
static int epoll_fd;
static struct sockaddr_in server;
static char request[1024];
static size_t request_len;

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- latencies -------------------------------------------------------- */

static unsigned
bucket_of(uint64_t us)
{
	unsigned shift = 0;

	while (us >> shift >= 2 * STEPS)
		shift++;
	if (shift == 0)
		return (unsigned)us;
	return (shift + 1) * STEPS + (unsigned)(us >> shift) - STEPS;
}

static uint64_t
bucket_value(unsigned b)
{
	unsigned shift = b < 2 * STEPS ? 0 : b / STEPS - 1;

	return shift ? (uint64_t)(b % STEPS + STEPS) << shift : b;
}

static void
count(int status, int64_t us)
{
	enum kind k = status / 100 == 2 ? ACCEPTED
	    : status == 503 ? REFUSED : OTHER;
	unsigned b = bucket_of((uint64_t)us);

	tallies[k].count++;
	tallies[k].buckets[b < BUCKETS ? b : BUCKETS - 1]++;
}

static uint64_t
percentile(const struct tally *t, double part)
{
	uint64_t want = (uint64_t)((double)t->count * part), seen = 0;
	unsigned b;

	for (b = 0; b < BUCKETS; b++) {
		seen += t->buckets[b];
		if (seen > want)
			return bucket_value(b);
	}
	return 0;
}

/* ---- clients ---------------------------------------------------------- */

static void
watch(struct client *c, int op, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = c};

	if (epoll_ctl(epoll_fd, op, c->fd, &ev) < 0) {
		perror("flood: epoll_ctl");
		exit(1);
	}
}

static void
start_connection(struct client *c)
{
	const int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0) {
		perror("flood: socket");
		exit(1);
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	reply_begin(&c->reply);
	c->connecting = true;
	c->sent_us = now_us();
	if (connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0 &&
	    errno != EINPROGRESS)
		broken++;
	watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void
start_over(struct client *c)
{
	close(c->fd);
	start_connection(c);
}

static void
fail(struct client *c)
{
	broken++;
	usleep(PAUSE_US);	/* or a server that is gone is all we do */
	start_over(c);
}

static void
send_request(struct client *c)
{
	reply_begin(&c->reply);
	if (!c->connecting)
		c->sent_us = now_us();
	if (send(c->fd, request, request_len, MSG_NOSIGNAL) !=
	    (ssize_t)request_len) {
		fail(c);
		return;
	}
	if (c->connecting)
		watch(c, EPOLL_CTL_MOD, EPOLLIN);
	c->connecting = false;
}

static void
read_reply(struct client *c)
{
	char buf[16 * 1024];
	ssize_t n = recv(c->fd, buf, sizeof buf, 0);
	enum reply_progress p;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 && !c->reply.begun) {
		start_over(c);	/* a kept connection that the server closed */
		return;
	}
	p = n < 0 ? REPLY_BROKEN
	    : n == 0 ? reply_end(&c->reply)
	             : reply_feed(&c->reply, buf, (size_t)n);
	if (p == REPLY_MORE)
		return;
	if (p == REPLY_BROKEN) {
		fail(c);
		return;
	}
	count(c->reply.status, now_us() - c->sent_us);
	if (p == REPLY_WHOLE_CLOSE)
		start_over(c);
	else
		send_request(c);
}

static void
on_event(struct client *c, uint32_t events)
{
	if (c->connecting && events & (EPOLLERR | EPOLLHUP))
		fail(c);
	else if (c->connecting)
		send_request(c);
	else
		read_reply(c);
}

static void
run(int64_t end_us)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n, i;

	while (now_us() < end_us) {
		n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, 100);
		for (i = 0; i < n; i++)
			on_event(events[i].data.ptr, events[i].events);
	}
}

/* A request without an answer is in no percentile: it is counted here. */
static unsigned
overdue(long n, int64_t us)
{
	unsigned late = 0;
	long i;

	for (i = 0; i < n; i++)
		late += us - clients[i].sent_us > OVERDUE_US;
	return late;
}

/* ---- the program ------------------------------------------------------ */

static void
print_kind(const char *name, enum kind k)
{
	const struct tally *t = &tallies[k];

	printf("\"%s\":{\"count\":%llu,\"p50_us\":%llu,\"p99_us\":%llu},",
	    name, (unsigned long long)t->count,
	    (unsigned long long)percentile(t, 0.50),
	    (unsigned long long)percentile(t, 0.99));
}

static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int
main(int argc, char **argv)
{
	int port = argc == 5 ? atoi(argv[1]) : 0;
	long connections = argc == 5 ? atol(argv[3]) : 0, i;
	long ms = argc == 5 ? atol(argv[4]) : 0;
	int64_t start_us, took_us;

	if (port < 1 || port > 65535 || connections < 1 || ms < 1 ||
	    connections > 65536) {
		fprintf(stderr, "usage: flood PORT PATH CONNECTIONS "
		    "MILLISECONDS\n");
		return 2;
	}
	request_len = (size_t)snprintf(request, sizeof request,
	    "GET %.512s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", argv[2],
	    port);
	server = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	raise_files();
	clients = calloc((size_t)connections, sizeof *clients);
	epoll_fd = epoll_create1(0);
	if (!clients || epoll_fd < 0) {
		perror("flood");
		return 1;
	}
	start_us = now_us();
	for (i = 0; i < connections; i++)
		start_connection(&clients[i]);
	run(start_us + ms * 1000);
	took_us = now_us() - start_us;
	printf("{");
	print_kind("accepted", ACCEPTED);
	print_kind("refused", REFUSED);
	print_kind("other", OTHER);
	printf("\"broken\":%llu,\"overdue\":%u,\"duration_us\":%lld}\n",
	    (unsigned long long)broken,
	    overdue(connections, start_us + took_us),
	    (long long)took_us);
	free(clients);
	return 0;
}
