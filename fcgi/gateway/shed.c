/*
 * The shedding thread of shed.h.  It speaks the few bytes of FastCGI that a
 * refusal takes itself: libfcgi would read the whole request first.
 *
 * A record is (FastCGI 1.0, section 3.3)
 *   0 version=1   1 type   2-3 request id   4-5 content bytes
 *   6 padding bytes   7 reserved   8... content
 * and the reply is STDOUT, an empty STDOUT, END_REQUEST (section 5.5).
 */
#include "shed.h"

#include "gateway.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	ROOM = 4096,
	NICE = 19,
	HEADER = 8,
	TYPE_BEGIN = 1,
	TYPE_END = 3,
	TYPE_STDOUT = 6,
	STACK_BYTES = 256 * 1024,
	READ_WAIT_MS = 200
};

static const char MESSAGE[] =
    "{\"message\":\"too many requests are waiting; try later\"}";

static struct {
	struct queue queue;
	pthread_t thread;
	struct gateway *g;
	struct reqid ids;
	bool running;
} shedder;

static size_t
put_record(unsigned char *at, unsigned char type, const unsigned char *id,
    const void *content, size_t n)
{
	at[0] = 1;
	at[1] = type;
	at[2] = id[0];
	at[3] = id[1];
	at[4] = (unsigned char)(n >> 8);
	at[5] = (unsigned char)n;
	at[6] = at[7] = 0;
	if (n)
		memcpy(at + HEADER, content, n);
	return HEADER + n;
}

/* Answers and closes; what the peer sent is read first, or it sees a reset. */
static void
refuse(int fd)
{
	static const unsigned char END[8] = {0};
	struct timeval wait = {0, READ_WAIT_MS * 1000};
	unsigned char in[16 * 1024], out[512];
	char answer[256], id[REQID_SIZE];
	size_t n = 0;
	ssize_t got;
	int len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	got = recv(fd, in, sizeof in, 0);
	if (got >= HEADER && in[0] == 1 && in[1] == TYPE_BEGIN) {
		reqid_next(&shedder.ids, id);
		len = snprintf(answer, sizeof answer,
		    "Status: 503 Service Unavailable\r\n"
		    "Content-Type: application/json\r\n"
		    "Retry-After: 1\r\n"
		    "X-Request-Id: %s\r\n"
		    "Content-Length: %zu\r\n"
		    "\r\n"
		    "%s", id, sizeof MESSAGE - 1, MESSAGE);
		n += put_record(out + n, TYPE_STDOUT, in + 2, answer,
		    (size_t)len);
		n += put_record(out + n, TYPE_STDOUT, in + 2, NULL, 0);
		n += put_record(out + n, TYPE_END, in + 2, END, sizeof END);
		while (recv(fd, in, sizeof in, MSG_DONTWAIT) > 0)
			;
		send(fd, out, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	close(fd);
}

/*
 * A bucket of SHED_BURST answers that fills by SHED_RATE a second.  Whoever
 * retries without a pause is answered no faster than that, or the retries
 * would take the processor from those who are served.
 */
static void
wait_for_turn(void)
{
	static int64_t free_us;	/* when the bucket was or will be empty */
	int64_t now_us = clock_mono_us(), each_us = 1000000 / SHED_RATE;

	if (free_us < now_us - SHED_BURST * each_us)
		free_us = now_us - SHED_BURST * each_us;
	free_us += each_us;
	if (free_us > now_us)
		usleep((useconds_t)(free_us - now_us));
}

static void *
shed_main(void *arg)
{
	struct queue_item item;
	struct stats_sample s = {.outcome = OUTCOME_OVERLOADED, .status = 503};

	(void)arg;
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	while (queue_take(&shedder.queue, &item) == 0) {
		wait_for_turn();
		stats_begin(shedder.g->stats);
		refuse(item.fd);
		stats_end(shedder.g->stats, STATS_TOTAL, &s);
	}
	return NULL;
}

int
shed_start(struct gateway *g)
{
	pthread_attr_t attr;
	int rc;

	shedder.g = g;
	reqid_init(&shedder.ids);
	if (queue_init(&shedder.queue, ROOM) < 0)
		return -1;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&shedder.thread, &attr, shed_main, NULL);
	pthread_attr_destroy(&attr);
	shedder.running = rc == 0;
	return shedder.running ? 0 : -1;
}

void
shed_stop(void)
{
	if (!shedder.running)
		return;
	queue_close(&shedder.queue);
	pthread_join(shedder.thread, NULL);
	queue_release(&shedder.queue);
	shedder.running = false;
}

void
shed(struct gateway *g, int fd)
{
	(void)g;
	if (queue_put(&shedder.queue, fd) < 0)
		close(fd);
}
