/*
 * The store as its daemon, over its socket: programme and checker of
 * tests/crash.  What bothy-store sends is what it promises.
 *
 *	daemon_store run DIR RUN STEPS SEED	work, and tell what is promised
 *	daemon_store DIR SENT cut|live		see if the promises were kept
 *
 * The daemon is $DRILL_DAEMON, with $DRILL_PRELOAD preloaded: it alone is
 * recorded.  SENT holds its frames or, for `live`, what run told.
 */
#include "daemon_frames.h"
#include "drill.h"

#include "store/base/io.h"
#include "store/base/sock.h"
#include "store/client/prove.h"
#include "store/value/fault.h"
#include "store/wire/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRIES = 10000, TRY_US = 2000 };

struct talk {
	struct drill *d;
	pid_t pid;
	int fd;
	struct buf in;		/* frames that came */
	char key[512];
	unsigned char challenge[FRAME_CHALLENGE_SIZE];
	uint32_t n;		/* of requests that tell nothing */
	bool gone;		/* the daemon is */
};

/* --- the daemon --------------------------------------------------------- */

static void
be_daemon(const char *dir)
{
	const char *program = getenv("DRILL_DAEMON");
	const char *preload = getenv("DRILL_PRELOAD");

	if (preload)
		(void)setenv("LD_PRELOAD", preload, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (program)
		(void)execl(program, program, "--dir", dir, "--foreground",
		    "--idle", "0", "--force", "--checkpoint-ms", "2",
		    "--segment-bytes", "16384", (char *)NULL);
	_exit(127);
}

/* True if the daemon has ended by itself. */
static bool
has_ended(struct talk *t, int *status)
{
	return waitpid(t->pid, status, WNOHANG) == t->pid;
}

/* Waits for its socket: 0, or its exit status. */
static int
reach(struct talk *t, int *status)
{
	int dir_fd = open(t->d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), i;

	for (i = 0; i < TRIES && t->fd < 0; i++) {
		t->fd = sock_connect_at(dir_fd, "store.sock", SOCK_STREAM);
		if (t->fd < 0 && has_ended(t, status))
			break;
		if (t->fd < 0)
			usleep(TRY_US);
	}
	if (i == TRIES)
		bad("the daemon neither listens nor ends");
	(void)close(dir_fd);
	return t->fd < 0 ? -1 : 0;
}

/* --- frames ------------------------------------------------------------- */

/* Reads until a whole frame is there: its length, or 0 at the end. */
static size_t
receive(struct talk *t)
{
	ssize_t size, k;

	while ((size = frame_size(t->in.data, t->in.len, 1,
		    FRAME_REPLY_MAX)) >= 0 &&
	    (size == 0 || (size_t)size > t->in.len)) {
		if (buf_reserve(&t->in, 65536) < 0)
			bad("no memory for a reply");
		k = recv(t->fd, t->in.data + t->in.len, 65536, 0);
		if (k <= 0) {
			t->gone = true;
			return 0;
		}
		t->in.len += (size_t)k;
	}
	if (size < 0)
		bad("what the daemon sends is no frame");
	return (size_t)size;
}

static void
send_request(struct talk *t, uint32_t id, int operation, int flags,
    const struct buf *body)
{
	unsigned char proof[CLIENT_PROOF_SIZE];
	struct frame_request r = {.id = id, .operation = (uint16_t)operation,
	    .flags = (uint16_t)flags, .body = body->data, .nbody = body->len};
	struct buf frame;
	struct err e;

	if (id >= ID_RUN && id < ID_READ) {
		if (client_prove_key(t->key, t->challenge, proof, &e) < 0)
			bad("%s", e.text);
		r.flags |= FRAME_PROOF;
		r.token = (const char *)proof;
		r.ntoken = sizeof proof;
	}
	buf_init(&frame, REPLY_MAX);
	if (frame_write_request(&frame, &r) < 0)
		bad("no memory for a request");
	if (send(t->fd, frame.data, frame.len, MSG_NOSIGNAL) !=
	    (ssize_t)frame.len)
		t->gone = true;
	buf_release(&frame);
}

/* One reply; what it promises is told.  Its status, -1 at the end. */
static int
hear_reply(struct talk *t, struct buf *body)
{
	size_t size = t->gone ? 0 : receive(t);
	struct frame_reply r;
	uint32_t seen;
	struct err e;

	if (size == 0)
		return -1;
	if (frame_read_reply(t->in.data, size, &r, &e) < 0)
		bad("%s", e.text);
	buf_reset(body);
	(void)buf_add(body, r.body, r.nbody);
	if (r.id < ID_RUN && operation_outcome(r.status))
		promise(t->d, "%s %u\n", operation_outcome(r.status), r.id);
	seen = documents_newest(buf_str(body));
	if (seen && (r.status == FAULT_CONDITION || r.id >= ID_READ))
		promise(t->d, "done %u\n", seen);
	buf_consume(&t->in, size);
	return r.status;
}

/* A request and its reply, in `body` both. */
static int
ask_daemon(struct talk *t, uint32_t id, int operation, struct buf *body)
{
	send_request(t, id, operation, 0, body);
	return hear_reply(t, body);
}

/* --- work --------------------------------------------------------------- */

static int
hear_hello(struct talk *t)
{
	struct frame_hello h;
	struct err e;
	size_t size = receive(t);

	if (size == 0)
		return -1;
	if (frame_read_hello(t->in.data, size, &h, &e) < 0)
		bad("%s", e.text);
	memcpy(t->challenge, h.challenge, sizeof t->challenge);
	buf_consume(&t->in, size);
	return 0;
}

static struct document
read_one(struct talk *t, size_t i, struct buf *body)
{
	buf_reset(body);
	get_write(body, i);
	if (ask_daemon(t, ID_READ + ++t->n, OP_GET_ITEM, body) != 0)
		return (struct document){0, 0};
	return document_read(buf_str(body));
}

/* Tables made, and all that is there read: 0 or -1. */
static int
begin_run(struct talk *t, struct buf *body)
{
	struct document found;
	int status;
	size_t i;

	buf_reset(body);
	(void)buf_puts(body, "{}");
	if (hear_hello(t) < 0 ||
	    ask_daemon(t, ID_RUN + t->d->run, OP_LIST_TABLES, body) != 0)
		return -1;
	for (i = 0; table_name(i); i++) {
		buf_reset(body);
		create_write(body, i);
		status = ask_daemon(t, table_name(i + 1) ? ID_OTHER + ++t->n
			: ID_TABLES, OP_CREATE_TABLE, body);
		if (status != 0 && status != FAULT_IN_USE)
			return -1;
	}
	promise(t->d, "tables\n");
	for (i = 0; i < DOCUMENTS_ALL && !t->gone; i++) {
		found = read_one(t, i, body);
		if (found.m > t->d->m)
			t->d->m = found.m;
	}
	if (!t->gone)
		promise(t->d, "served %u %u\n", t->d->m, t->d->run);
	return t->gone ? -1 : 0;
}

static void
step(struct talk *t, struct buf *body)
{
	struct drill *d = t->d;
	uint32_t count = 1 + (uint32_t)below(d, AT_ONCE), i;
	int operation;

	for (i = 0; i < count; i++) {
		d->m++;
		buf_reset(body);
		operation = operation_write(body, d->m, d->run);
		send_request(t, d->m, operation,
		    operation_waits(d->m, d->run) ? FRAME_WAIT_FILE : 0, body);
	}
	/* A read meanwhile, of what may not be there yet. */
	buf_reset(body);
	(void)buf_puts(body, "{\"TableName\":\"docs\"}");
	send_request(t, ID_READ + ++t->n, OP_SCAN, 0, body);
	for (i = 0; i < count + 1; i++)
		d->failed = operation_failed(hear_reply(t, body)) || d->failed;
	(void)read_one(t, below(d, DOCUMENTS_ALL), body);
	if (below(d, 8) == 0 && !d->failed) {
		buf_reset(body);
		(void)buf_printf(body, "{\"Name\":\"" BACKUP "\"}", d->m);
		if (ask_daemon(t, ID_BACKUP + d->m, OP_BACKUP, body) == 0)
			promise(d, "backup %u\n", d->m);
	}
}

static int
run(struct drill *d, int steps)
{
	struct talk t = {.d = d, .fd = -1};
	struct buf body;
	int status = 0;

	(void)snprintf(t.key, sizeof t.key, "%s/key", d->path);
	buf_init(&t.in, REPLY_MAX);
	buf_init(&body, REPLY_MAX);
	t.pid = fork();
	if (t.pid < 0)
		return REFUSED;
	if (t.pid == 0)
		be_daemon(d->path);
	if (reach(&t, &status) == 0) {
		if (begin_run(&t, &body) < 0)
			d->failed = true;
		while (!d->failed && !t.gone && steps-- &&
		    d->m + OPERATIONS_LEFT < OPERATIONS_MAX)
			step(&t, &body);
		(void)close(t.fd);
		(void)kill(t.pid, SIGTERM);
		(void)waitpid(t.pid, &status, 0);
	}
	buf_release(&t.in);
	buf_release(&body);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		bad("the daemon died of signal %d", WTERMSIG(status));
	return t.gone || d->failed || status ? REFUSED : 0;
}

/* --- checking ----------------------------------------------------------- */

/* Frames that were sent, as a file of promises beside them: its path. */
static const char *
translate(const char *sent)
{
	static char path[512];
	struct buf frames, text;
	struct err e;
	int fd;

	buf_init(&frames, 64 << 20);
	buf_init(&text, 64 << 20);
	if (io_read_file(AT_FDCWD, sent, &frames, &e) < 0)
		bad("%s", e.text);
	if (frames_to_promises(buf_str(&frames), frames.len, &text) < 0)
		bad("what was sent is no frames");
	(void)snprintf(path, sizeof path, "%s.text", sent);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || io_write_all(fd, buf_str(&text), text.len) < 0)
		bad("cannot write %s", path);
	(void)close(fd);
	buf_release(&frames);
	buf_release(&text);
	return path;
}

int
main(int argc, char **argv)
{
	static struct drill d = {.run = OTHER_RUN, .random = 1,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .wake = PTHREAD_COND_INITIALIZER};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, d.sockets) < 0)
		return REFUSED;
	if (argc == 6 && strcmp(argv[1], "run") == 0) {
		d.path = argv[2];
		d.run = FIRST_RUN + (uint32_t)strtoul(argv[3], NULL, 10);
		d.random = strtoull(argv[5], NULL, 10) | 1;
		return run(&d, (int)strtol(argv[4], NULL, 10));
	}
	if (argc != 4)
		return 2;
	d.path = argv[1];
	if (strcmp(argv[3], "cut") != 0)
		return check(&d, argv[2]);
	damage_index(&d);
	return check(&d, translate(argv[2]));
}
