/*
 * A request out, a reply back, as relay.h describes it.  Runs in
 * bothy-dispatch, and ends with it.
 *
 * Neither direction waits for the other: a gateway may answer before it has
 * read the body, and some web servers read no reply before they have written
 * it.  So all is done as descriptors become ready, until the body is over;
 * from then on only the reply is left, and is written as it comes.
 *
 * When may the request be served again by another?  A gateway begins a
 * function only when it has read all that we send, to the empty record after
 * the body.  The kernel says ECONNRESET (and EPIPE to who writes) if the other
 * end was closed with bytes unread: then it had not begun.  A plain end of
 * file says nothing, and is an error.  A short body that we had read by then is
 * given back, as a pipe.
 */
#include "relay.h"

#include "sys.h"
#include "text.h"

#include <errno.h>
#include <stdbool.h>

enum {
	BEGIN_REQUEST = 1,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	STDERR = 7
};

enum {
	HEADER = 8,
	RECORD = 65528,		/* the longest whole one, a multiple of 8 */
	OUT_ROOM = 192 * 1024,	/* more parameters are refused anyway */
	IN_ROOM = 64 * 1024,
	ATOMIC = 4096,		/* a pipe that is ready takes it at once */
	LINGER_GAP_MS = 1000,
	LINGER_BYTES = 512 << 20
};

/*
 * A FastCGI record (section 3.3 of its specification):
 *
 *   0 u8 version, 1   1 u8 type      2 u16 request, 1   4 u16 content's length
 *   6 u8 padding's length            7 u8 zero          8 content, padding
 *
 * Numbers have their high byte first; we send no padding.
 */
struct relay {
	int fd;
	unsigned char out[OUT_ROOM];	/* for the gateway */
	size_t out_at, out_end;
	size_t record;			/* where the open one begins in out */
	uint64_t sent;
	int64_t body_left;		/* -1: until its end */
	bool body_over, deaf;
	size_t pieces;			/* of the body, so far */
	size_t first_at, first_bytes;	/* the first of them, in out */
	unsigned char in[IN_ROOM];	/* from the gateway */
	size_t in_at, in_end;
	unsigned char header[HEADER];	/* of the record that is being read */
	size_t header_got, content_left, padding_left;
	bool heard, replied, ended, reset, closed;
};

/* ---- the request ------------------------------------------------------ */

static void
open_record(struct relay *r, unsigned char type)
{
	unsigned char *h = r->out + r->out_end;

	h[0] = h[3] = 1;
	h[1] = type;
	h[2] = h[6] = h[7] = 0;
	r->record = r->out_end;
	r->out_end += HEADER;
}

static void
close_record(struct relay *r)
{
	unsigned char *h = r->out + r->record;
	size_t n = r->out_end - r->record - HEADER;

	h[4] = (unsigned char)(n >> 8);
	h[5] = (unsigned char)n;
}

static bool
has_room(const struct relay *r, size_t n)
{
	return OUT_ROOM - r->out_end > n + 4 * HEADER;
}

/* Adds to the open record of parameters, and opens more as they fill. */
static void
add_params(struct relay *r, const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (r->out_end - r->record == HEADER + RECORD) {
			close_record(r);
			open_record(r, PARAMS);
		}
		r->out[r->out_end++] = (unsigned char)s[i];
	}
}

static void
add_length(struct relay *r, size_t n)
{
	char bytes[4] = {(char)(n >> 24 | 0x80), (char)(n >> 16),
	    (char)(n >> 8), (char)n};

	if (n < 128)
		add_params(r, bytes + 3, 1);
	else
		add_params(r, bytes, 4);
}

/* False if it has too much in it. */
static bool
add_environment(struct relay *r, char *const *envp)
{
	size_t name, value;

	open_record(r, PARAMS);
	for (; *envp; envp++) {
		for (name = 0; (*envp)[name] && (*envp)[name] != '='; name++)
			;
		if (!(*envp)[name])
			continue;
		value = text_length(*envp + name + 1);
		if (!has_room(r, name + value + 8))
			return false;
		add_length(r, name);
		add_length(r, value);
		add_params(r, *envp, name);
		add_params(r, *envp + name + 1, value);
	}
	if (r->out_end - r->record > HEADER) {
		close_record(r);
		open_record(r, PARAMS);
	}
	close_record(r);	/* the empty one is the end mark */
	return true;
}

/* 1 is the responder's role; no flags: the connection is not kept. */
static bool
add_request(struct relay *r, char *const *envp)
{
	static const unsigned char BODY[8] = {0, 1};
	size_t i;

	open_record(r, BEGIN_REQUEST);
	for (i = 0; i < sizeof BODY; i++)
		r->out[r->out_end++] = BODY[i];
	close_record(r);
	return add_environment(r, envp);
}

/* One read of the body becomes one record; the empty one is its end mark. */
static void
add_body(struct relay *r)
{
	size_t room = OUT_ROOM - r->out_end - 2 * HEADER;
	long n = 0;

	if (room > RECORD)
		room = RECORD;
	if (r->body_left >= 0 && (uint64_t)r->body_left < room)
		room = (size_t)r->body_left;
	open_record(r, STDIN);
	if (room)
		n = sys_read(0, r->out + r->out_end, room);
	if (n > 0) {
		if (r->pieces++ == 0) {
			r->first_at = r->out_end;
			r->first_bytes = (size_t)n;
		}
		r->out_end += (size_t)n;
		if (r->body_left > 0)
			r->body_left -= n;
	}
	r->body_over = n <= 0;
	close_record(r);
	if (n > 0 && r->body_left == 0) {
		open_record(r, STDIN);
		close_record(r);
		r->body_over = true;
	}
}

/* What waits for the gateway.  One that reads no more may still answer. */
static void
send_out(struct relay *r)
{
	long n = sys_send(r->fd, r->out + r->out_at, r->out_end - r->out_at);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n < 0) {
		r->reset |= n == -ECONNRESET || r->sent == 0;
		r->deaf = true;
		r->out_at = r->out_end = 0;
		return;
	}
	r->sent += (uint64_t)n;
	r->out_at += (size_t)n;
	if (r->out_at == r->out_end)
		r->out_at = r->out_end = 0;
}

/* ---- the reply -------------------------------------------------------- */

static void
receive(struct relay *r)
{
	long n = sys_read(r->fd, r->in, IN_ROOM);

	if (n == -EAGAIN || n == -EINTR)
		return;
	r->reset |= n == -ECONNRESET;
	r->closed = n <= 0;
	r->heard |= n > 0;
	r->in_at = 0;
	r->in_end = n > 0 ? (size_t)n : 0;
}

/* Takes a header as far as it is there. */
static void
read_header(struct relay *r)
{
	const unsigned char *h = r->header;

	while (r->header_got < HEADER && r->in_at < r->in_end)
		r->header[r->header_got++] = r->in[r->in_at++];
	if (r->header_got < HEADER)
		return;
	r->content_left = (size_t)(h[4] << 8 | h[5]);
	r->padding_left = h[6];
	r->ended = h[1] == END_REQUEST;
}

/* Passes one piece of a record on. 0, or -1: nobody reads it. */
static int
pass_content(struct relay *r)
{
	size_t n = r->in_end - r->in_at;
	int to = r->header[1] == STDOUT ? 1 : r->header[1] == STDERR ? 2 : -1;
	long done;

	if (n > r->content_left)
		n = r->content_left;
	if (!r->body_over && n > ATOMIC)
		n = ATOMIC;
	done = to < 0 ? (long)n : sys_write(to, r->in + r->in_at, n);
	if (done == -EINTR || done == -EAGAIN)
		return 0;
	if (done < 0)
		return -1;
	r->replied |= to == 1;
	r->in_at += (size_t)done;
	r->content_left -= (size_t)done;
	return 0;
}

/* All that was received, or one piece of it while the body comes. */
static int
deliver(struct relay *r)
{
	size_t n;

	while (r->in_at < r->in_end && !r->ended) {
		if (r->header_got < HEADER)
			read_header(r);
		else if (r->content_left) {
			if (pass_content(r) < 0)
				return -1;
			if (!r->body_over)
				return 0;
		} else {
			n = r->in_end - r->in_at;
			if (n > r->padding_left)
				n = r->padding_left;
			r->in_at += n;
			r->padding_left -= n;
		}
		if (r->header_got == HEADER && !r->content_left &&
		    !r->padding_left)
			r->header_got = 0;
	}
	return 0;
}

/* ---- both ------------------------------------------------------------- */

/* Waits for what can be done next, and does it. -1: the client left. */
static int
step(struct relay *r)
{
	bool wants_body = !r->body_over && !r->deaf && r->out_end == 0;
	bool has_reply = r->in_at < r->in_end;
	struct pollfd p[3] = {{r->fd, 0, 0}, {wants_body ? 0 : -1, POLLIN, 0},
	    {1, has_reply ? POLLOUT : 0, 0}};
	long n;

	if (!has_reply)
		p[0].events |= POLLIN;
	if (r->out_end)
		p[0].events |= POLLOUT;
	if (has_reply && !r->out_end)
		p[0].fd = -1;
	n = sys_poll(p, 3, -1);
	if (n < 0)
		return n == -EINTR ? 0 : -1;
	if (p[2].revents & (POLLERR | POLLHUP | POLLNVAL))
		return -1;
	if (p[1].revents)
		add_body(r);
	if (r->out_end && (p[1].revents || p[0].revents & POLLOUT))
		send_out(r);
	if (!has_reply && p[0].revents & (POLLIN | POLLHUP | POLLERR))
		receive(r);
	if (r->body_over || p[2].revents & POLLOUT)
		return deliver(r);
	return 0;
}

/*
 * A web server whose writing fails never gets to the reply: so it is let
 * write on, in vain, until it ends or pauses.
 */
static void
linger(struct relay *r)
{
	struct pollfd p = {0, POLLIN, 0};
	uint64_t bytes = 0;
	long n = 1;

	sys_close(1);
	while (n > 0 && bytes < LINGER_BYTES &&
	    sys_poll(&p, 1, LINGER_GAP_MS) > 0) {
		n = sys_read(0, r->in, IN_ROOM);
		bytes += n > 0 ? (uint64_t)n : 0;
	}
}

/* Makes descriptor 0 what it was; only if one piece was all of the body. */
static bool
give_back(const struct relay *r)
{
	int ends[2] = {-1, -1};

	if (r->pieces == 0)
		return true;
	if (r->pieces > 1 || !r->body_over || sys_pipe(ends) < 0)
		return false;
	/* A pipe holds 64 KB, and a piece is shorter. */
	return sys_write(ends[1], r->out + r->first_at, r->first_bytes) ==
	    (long)r->first_bytes && sys_dup(ends[0], 0) == 0;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un sun;
	struct text t = {sun.sun_path, 0, sizeof sun.sun_path, false};
	long fd = -1;

	sun.sun_family = AF_UNIX;
	text_puts(&t, path);
	if (!t.full)
		fd = sys_socket();
	if (fd >= 0 && sys_connect((int)fd, &sun) < 0) {
		sys_close((int)fd);
		fd = -1;
	}
	return (int)fd;
}

enum relay_end
relay(const char *socket_path, char *const *envp)
{
	static struct relay r;
	struct pollfd body = {0, POLLIN, 0};

	r.fd = connect_to(socket_path);
	if (r.fd < 0)
		return RELAY_NOT_BEGUN;
	r.body_left = text_number(text_variable(envp, "CONTENT_LENGTH="));
	if (!add_request(&r, envp))
		return RELAY_NOT_BEGUN;
	if (r.body_left == 0 || sys_poll(&body, 1, 0) > 0)
		add_body(&r);
	send_out(&r);
	while (!r.ended && !r.closed)
		if (step(&r) < 0)
			return RELAY_LEFT;
	if (r.reset && !r.heard && give_back(&r))
		return RELAY_NOT_BEGUN;
	if (r.ended && !r.body_over)
		linger(&r);
	return r.ended ? RELAY_DONE : r.replied ? RELAY_BROKEN : RELAY_SILENT;
}
