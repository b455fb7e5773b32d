/*
 * A load generator for document stores: CLIENTS connections in one thread,
 * each of which sends its next request the moment it has a reply.
 *
 *   storeload DRIVER WHERE prepare | stat
 *   storeload DRIVER WHERE OPERATION CLIENTS MILLISECONDS DOCUMENTS
 *       [file] [RATE]
 *   storeload DRIVER WHERE checkpoint CHANGES TIMES DOCUMENTS
 *
 * DRIVER is store (WHERE: its directory), postgres (its socket's directory),
 * redis (its socket) or http (the port of a DynamoDB); OPERATION is fill, get,
 * put (over another), putnew, update (conditional), query (of 20) or scan (of
 * all, a segment each).  DOCUMENTS is how many there are.  fill and scan end
 * when they have gone through all once, the others after MILLISECONDS.
 * `file`: put replies when the document lies as a file.  RATE: so many a second
 * are sent and no more, and what one waits for its turn counts as its latency.
 *
 * checkpoint: CHANGES documents are put, then a checkpoint is asked for, TIMES
 * times; the latencies are those of the checkpoints.
 *
 * Prints one line of JSON: operations (documents for fill and scan), seconds,
 * errors, and latencies of replies in microseconds.
 */
#include "storeload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 64, RECEIVE_BYTES = 1 << 16, CLIENTS_MAX = 1024 };

/* Latencies by their upper 6 bits: at most 1.6% off. */
enum { STEPS = 64, BUCKETS = 32 * STEPS };

struct client {
	int fd;
	int64_t sent_us;
	struct request request;
	struct bytes out, in;
	size_t sent;
	bool busy, rests;
};

static const struct driver *const DRIVERS[] = {&store_driver,
    &postgres_driver, &redis_driver, &http_driver};
static const char *const KIND_NAMES[KINDS] = {"fill", "get", "put", "putnew",
    "update", "query", "scan", "checkpoint"};

static const struct driver *driver;
static struct client clients[CLIENTS_MAX];
static unsigned nclients, busy;
static enum kind kind;
static bool wait_file;
static uint64_t ndocuments, filled, counted, errors, replies;
static uint64_t buckets[BUCKETS];
static int64_t end_us;
static int epoll_fd;
static double rate;		/* 0: as fast as they go */
static int64_t due_us;		/* when the next one is to be sent */

/* ---- bits and pieces --------------------------------------------------- */

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t
random64(void)
{
	static uint64_t x;

	if (!x)
		x = (uint64_t)now_us() * 2654435761u + (uint64_t)getpid();
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x * 0x2545F4914F6CDD1Du;
}

static void
make_room(struct bytes *b, size_t n)
{
	while (b->room - b->len <= n) {
		b->room = b->room ? 2 * b->room : 4096;
		b->data = realloc(b->data, b->room);
		if (!b->data)
			fail("out of memory");
	}
}

void
put_bytes(struct bytes *b, const void *p, size_t n)
{
	make_room(b, n);
	memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
put_text(struct bytes *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	put_bytes(b, text, (size_t)n);
}

/* ---- latencies --------------------------------------------------------- */

static void
count(int64_t us)
{
	unsigned shift = 0, b;

	while ((uint64_t)us >> shift >= 2 * STEPS)
		shift++;
	b = shift ? (shift + 1) * STEPS + (unsigned)(us >> shift) - STEPS
	          : (unsigned)us;
	buckets[b < BUCKETS ? b : BUCKETS - 1]++;
	replies++;
}

static uint64_t
percentile(double part)
{
	uint64_t want = (uint64_t)((double)replies * part), seen = 0;
	unsigned b, shift;

	for (b = 0; b < BUCKETS; b++) {
		seen += buckets[b];
		if (seen <= want)
			continue;
		shift = b < 2 * STEPS ? 0 : b / STEPS - 1;
		return shift ? (uint64_t)(b % STEPS + STEPS) << shift : b;
	}
	return 0;
}

/* ---- requests ---------------------------------------------------------- */

static void
make_document(struct document *d, uint64_t i, bool fresh)
{
	static const char DIGITS[] = "0123456789abcdef";
	uint64_t bits = 0;
	unsigned j;

	if (fresh)
		snprintf(d->room, sizeof d->room, "new-%016llx",
		    (unsigned long long)random64());
	else
		snprintf(d->room, sizeof d->room, "room-%07llu",
		    (unsigned long long)(i / ROOM_DOCUMENTS));
	d->at = (unsigned)(i % ROOM_DOCUMENTS);
	for (j = 0; j < TEXT_BYTES; j++) {
		if (j % 16 == 0)
			bits = random64();
		d->text[j] = DIGITS[bits & 15];
		bits >>= 4;
	}
	d->text[TEXT_BYTES] = '\0';
}

/* The next one of this client; false if there is no more to do. */
static bool
choose(struct client *c)
{
	struct request *r = &c->request;

	r->kind = kind;
	r->wait_file = wait_file;
	r->count = 1;
	if (kind == FILL) {
		for (r->count = 0; r->count < FILL_DOCUMENTS &&
		    filled < ndocuments; r->count++)
			make_document(&r->documents[r->count], filled++,
			    false);
		return r->count > 0;
	}
	if (kind == SCAN) {
		r->segment = (unsigned)(c - clients);
		r->segments = nclients;
		r->rooms = (ndocuments + ROOM_DOCUMENTS - 1) / ROOM_DOCUMENTS;
		return c->sent_us == 0 || r->after;
	}
	make_document(&r->documents[0], random64() % ndocuments,
	    kind == PUT_NEW);
	return now_us() < end_us;
}

static void
go_on_sending(struct client *c)
{
	ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

	if (n < 0 && errno != EAGAIN)
		fail("cannot send");
	if (n > 0)
		c->sent += (size_t)n;
	if (c->sent == c->out.len)
		return;
	ev.events |= EPOLLOUT;
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
}

/* At a rate it is told by the clock when the next one is sent. */
static void
next(struct client *c)
{
	if (rate > 0 && now_us() < due_us && due_us < end_us) {
		c->rests = true;
		return;
	}
	c->rests = false;
	if ((rate > 0 && due_us >= end_us) || !choose(c)) {
		c->busy = false;
		busy--;
		return;
	}
	c->out.len = c->sent = 0;
	driver->ask(&c->out, &c->request);
	c->sent_us = rate > 0 ? due_us : now_us();
	if (rate > 0)
		due_us += (int64_t)(1e6 / rate);
	go_on_sending(c);
}

/* Those that rest, as far as their time has come; milliseconds to the next. */
static int
wake_rested(void)
{
	unsigned k;

	for (k = 0; k < nclients; k++)
		if (clients[k].busy && clients[k].rests)
			next(&clients[k]);
	for (k = 0; k < nclients; k++)
		if (clients[k].busy && clients[k].rests)
			return due_us > now_us() ? 1 : 0;
	return 30000;
}

/* Whole replies of `in`: there is one at most. */
static void
hear(struct client *c)
{
	bool good = false;
	unsigned documents = 0;
	char *after = NULL;
	size_t n = driver->hear(c->in.data, c->in.len, &c->request, &good,
	    &documents, &after);

	if (!n)
		return;
	if (!good && !errors++)
		fprintf(stderr, "storeload: %.*s\n", (int)n, c->in.data);
	memmove(c->in.data, c->in.data + n, c->in.len - n);
	c->in.len -= n;
	count(now_us() - c->sent_us);
	if (good)
		counted += kind == FILL ? c->request.count :
		    kind == SCAN ? documents : 1;
	free((char *)(uintptr_t)c->request.after);
	c->request.after = after;
	next(c);
}

static void
ready(struct client *c, uint32_t events)
{
	ssize_t n;

	if (events & EPOLLOUT) {
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
		go_on_sending(c);
	}
	if (!(events & ~(uint32_t)EPOLLOUT))
		return;
	make_room(&c->in, RECEIVE_BYTES);
	n = recv(c->fd, c->in.data + c->in.len, RECEIVE_BYTES, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("the server closed a connection");
	c->in.len += (size_t)n;
	hear(c);
}

static void
run(const char *where)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n, i, wait_ms;
	unsigned k;

	epoll_fd = epoll_create1(0);
	for (k = 0; k < nclients; k++) {
		struct epoll_event ev = {.events = EPOLLIN,
		    .data.ptr = &clients[k]};

		clients[k].fd = driver->open(where);
		clients[k].busy = true;
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, clients[k].fd, &ev);
	}
	busy = nclients;
	due_us = now_us();
	end_us += due_us;
	for (k = 0; k < nclients; k++)
		next(&clients[k]);
	while (busy) {
		wait_ms = wake_rested();
		if (!busy)
			break;
		n = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, wait_ms);
		if (n == 0 && wait_ms > 1)
			fail("no reply for half a minute");
		for (i = 0; i < n; i++)
			ready(events[i].data.ptr, events[i].events);
	}
}

/* ---- checkpoints ----------------------------------------------------------- */

/* Puts some, one after the other, on a connection of its own. */
static void
put_some(struct client *c, uint64_t changes)
{
	uint64_t i = random64() % ndocuments, n;
	struct request *r = &c->request;
	unsigned documents = 0;
	char *after = NULL;
	bool good = true;

	r->kind = FILL;
	for (; changes; changes -= n) {
		n = changes < FILL_DOCUMENTS ? changes : FILL_DOCUMENTS;
		for (r->count = 0; r->count < n; r->count++)
			make_document(&r->documents[r->count],
			    i++ % ndocuments, false);
		c->out.len = 0;
		driver->ask(&c->out, r);
		send_all(c->fd, c->out.data, c->out.len);
		c->in.len = 0;
		do {
			ssize_t got;

			make_room(&c->in, RECEIVE_BYTES);
			got = recv(c->fd, c->in.data + c->in.len,
			    RECEIVE_BYTES, 0);
			if (got <= 0)
				fail("the server closed a connection");
			c->in.len += (size_t)got;
		} while (!driver->hear(c->in.data, c->in.len, r, &good,
		    &documents, &after));
		errors += !good;
	}
}

static void
take_checkpoints(const char *where, uint64_t changes, int times)
{
	struct client *c = &clients[0];
	int64_t begin_us;

	c->fd = driver->open(where);
	while (times--) {
		put_some(c, changes);
		begin_us = now_us();
		driver->checkpoint(c->fd);
		count(now_us() - begin_us);
		counted++;
	}
}

/* ---- the command line ------------------------------------------------------ */

static void
choose_driver(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof DRIVERS / sizeof *DRIVERS; i++)
		if (strcmp(DRIVERS[i]->name, name) == 0)
			driver = DRIVERS[i];
	if (!driver)
		fail("no such driver");
}

static void
choose_kind(const char *name)
{
	for (kind = 0; kind < KINDS; kind++)
		if (strcmp(KIND_NAMES[kind], name) == 0)
			return;
	fail("no such operation");
}

int
main(int argc, char **argv)
{
	void (*about)(int fd);
	int64_t begin_us;
	int i;

	if (argc < 4)
		fail("usage: storeload DRIVER WHERE OPERATION CLIENTS "
		    "MILLISECONDS DOCUMENTS [file] [RATE]");
	choose_driver(argv[1]);
	if (argc == 4) {
		about = strcmp(argv[3], "stat") == 0 ? driver->stat
		                                     : driver->prepare;
		if (about)
			about(driver->open(argv[2]));
		return 0;
	}
	choose_kind(argv[3]);
	nclients = (unsigned)atoi(argv[4]);
	end_us = atoll(argv[5]) * 1000;
	ndocuments = argc > 6 ? (uint64_t)atoll(argv[6]) : 0;
	for (i = 7; i < argc; i++) {
		if (strcmp(argv[i], "file") == 0)
			wait_file = true;
		else
			rate = atof(argv[i]);
	}
	if (nclients < 1 || nclients > CLIENTS_MAX || ndocuments < 1)
		fail("bad numbers");
	begin_us = now_us();
	if (kind != CHECKPOINT)
		run(argv[2]);
	else if (driver->checkpoint)
		take_checkpoints(argv[2], nclients, atoi(argv[5]));
	printf("{\"operations\": %llu, \"seconds\": %.3f, \"errors\": %llu, "
	    "\"p50_us\": %llu, \"p99_us\": %llu, \"most_us\": %llu}\n",
	    (unsigned long long)counted,
	    (double)(now_us() - begin_us) / 1e6, (unsigned long long)errors,
	    (unsigned long long)percentile(0.5),
	    (unsigned long long)percentile(0.99),
	    (unsigned long long)percentile(0.999999));
	return 0;
}
