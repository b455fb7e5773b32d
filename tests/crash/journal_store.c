/*
 * The smallest store there can be on the journal: its documents are one
 * number, how many lines were written.  Programme and checker of tests/crash
 * for the journal alone, as bothy-store and its client are for all of it.
 *
 *	journal_store run DIR RUN STEPS SEED	work, and tell what is promised
 *	journal_store DIR SENT cut|live|rot|recover
 *						see if the promises were kept
 *
 * What it promises goes over a socket, where the recorder sees it, and to the
 * standard output:
 *
 *	lines N RUN END BEGIN	N lines are there, the last one written by RUN
 *				and ending at END, in a batch that begins at
 *				BEGIN (0: they were read after a start)
 *	marks REDO FEED PITR	these marks stand
 *
 * Line N is {"n":N,"run":RUN,"x":"..."}, its length given by N.  The file
 * `applied` says "N POSITION": the first N lines end there.
 */
#include "store/base/buf.h"
#include "store/base/io.h"
#include "store/journal/journal.h"
#include "store/value/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SEGMENT = 4096,
	LINE_MAX_BYTES = 8192,
	LINES_MAX = 100000,
	LINES_LEFT = 200,	/* of them, for who comes after the work */
	FIRST_RUN = 100,	/* three digits: N gives a line's length */
	RECOVER_RUN = 900,
	OTHER_RUN = 999,	/* of the lines that a checker adds */
	REFUSED = 3		/* exit status: an error that was told */
};

struct store {
	int dir_fd, socket_fd;
	struct journal *j;
	int run;
	uint64_t n;			/* lines so far */
	int *run_of;			/* run_of[n]; 0: not read */
	uint64_t random;
	bool rot;			/* the end of the journal may be lost */
	struct err e;
};

static void __attribute__((format(printf, 1, 2), noreturn))
bad(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf("\n");
	(void)fflush(stdout);
	_exit(1);
}

static uint64_t
below(struct store *s, uint64_t n)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return s->random * 0x2545f4914f6cdd1dull % n;
}

static void __attribute__((format(printf, 2, 3)))
promise(struct store *s, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (send(s->socket_fd, text, (size_t)n, MSG_NOSIGNAL) != n ||
	    recv(s->socket_fd + 1, text, (size_t)n, 0) != n)
		bad("cannot tell what is promised");
	if (write(1, text, (size_t)n) != n)
		_exit(REFUSED);
}

/* --- lines -------------------------------------------------------------- */

static size_t
compose(char *out, uint64_t n, int run)
{
	int len = snprintf(out, LINE_MAX_BYTES,
	    "{\"n\":%" PRIu64 ",\"run\":%d,\"x\":\"", n, run);
	size_t fill = n % 41 == 40 ? 6000 : n % 17 == 16 ? 1500 : n * 37 % 300;

	memset(out + len, 'a' + (int)(n % 26), fill);
	memcpy(out + len + fill, "\"}", 3);
	return (size_t)len + fill + 2;
}

static int
add(struct store *s, uint64_t n, uint64_t *next)
{
	char line[LINE_MAX_BYTES];
	const struct iovec iov = {line, compose(line, n, s->run)};

	return journal_add(s->j, &iov, 1, next, &s->e);
}

struct reading {
	struct store *s;
	uint64_t n;		/* of the line before, UINT64_MAX at first */
	int run;		/* and who wrote it */
	uint64_t want_at, want_n;	/* want_n lines end at want_at */
};

static int
see(void *ctx, const struct journal_line *l)
{
	struct reading *r = ctx;
	char line[LINE_MAX_BYTES];
	uint64_t n;
	int run;

	if (sscanf(l->payload, "{\"n\":%" SCNu64 ",\"run\":%d,", &n, &run) !=
	    2 || n >= LINES_MAX)
		bad("no line of ours at %" PRIu64, l->position);
	if (compose(line, n, run) != l->len ||
	    memcmp(line, l->payload, l->len) != 0)
		bad("line %" PRIu64 " is not as it was written", n);
	if (r->n != UINT64_MAX && n != r->n + 1)
		bad("line %" PRIu64 " follows line %" PRIu64, n, r->n);
	if (run < r->run)
		bad("line %" PRIu64 " is of run %d after run %d", n, run,
		    r->run);
	if (l->position == r->want_at && n != r->want_n)
		bad("%" PRIu64 " lines end at %" PRIu64 ", not %" PRIu64, n,
		    l->position, r->want_n);
	r->n = n;
	r->run = run;
	r->s->run_of[n] = run;
	return 0;
}

/* --- what was applied, as files and history would be -------------------- */

static int
apply(struct store *s, uint64_t position)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 "\n", s->n,
	    position);
	int fd = openat(s->dir_fd, "applied.new",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = fd < 0 || io_write_all(fd, text, (size_t)n) < 0 ||
		fsync(fd) < 0 ||
		renameat(s->dir_fd, "applied.new", s->dir_fd, "applied") < 0 ||
		fsync(s->dir_fd) < 0 ? -1 : 0;

	io_close(&fd);
	return r;
}

static void
read_applied(struct store *s, uint64_t *n, uint64_t *position)
{
	char text[64] = "";
	int fd = openat(s->dir_fd, "applied", O_RDONLY | O_CLOEXEC);

	*n = *position = 0;
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
		exit(REFUSED);
	if (sscanf(text, "%" SCNu64 " %" SCNu64, n, position) != 2)
		bad("the file of what was applied holds \"%s\"", text);
	(void)close(fd);
}

/* --- coming up ---------------------------------------------------------- */

static int
open_journal(struct store *s)
{
	const struct journal_options o = {.segment_bytes = SEGMENT};

	return journal_open(s->dir_fd, &o, &s->j, &s->e);
}

/* Reads all there is, and sees that it holds together: 0, or -1. */
static int
read_all(struct store *s)
{
	struct reading r = {.s = s, .n = UINT64_MAX};
	uint64_t end = journal_end(s->j), next;
	struct mark m;

	journal_marks(s->j, &m);
	read_applied(s, &r.want_n, &r.want_at);
	if (r.want_at < m.redo.position || (r.want_at > end && !s->rot))
		bad("applied up to %" PRIu64 ", but the redo mark is at %"
		    PRIu64 " and the end at %" PRIu64, r.want_at,
		    m.redo.position, end);
	if (journal_read(s->j, mark_least(&m), see, &r, &next, &s->e) < 0)
		return -1;
	if (next != end)
		bad("read up to %" PRIu64 " of %" PRIu64, next, end);
	s->n = r.n == UINT64_MAX ? r.want_n : r.n + 1;
	if (r.want_at == end && s->n != r.want_n)
		bad("%" PRIu64 " lines, but %" PRIu64 " were applied", s->n,
		    r.want_n);
	return 0;
}

static void
promise_lines(struct store *s, uint64_t begin)
{
	promise(s, "lines %" PRIu64 " %d %" PRIu64 " %" PRIu64 "\n", s->n,
	    s->n ? s->run_of[s->n - 1] : 0, journal_end(s->j), begin);
}

/* --- work --------------------------------------------------------------- */

/* After a write or sync failed, nothing may be taken any more. */
static void
stay_stopped(struct store *s)
{
	struct err first = s->e;
	int i;

	for (i = 0; i < 5; i++)
		if (add(s, s->n, NULL) == 0 || s->e.code != FAULT_READ_ONLY ||
		    journal_sync(s->j, &s->e) == 0)
			bad("goes on after \"%s\"", first.text);
}

/* A batch of some lines: 0, or -1 where it is over. */
static int
write_batch(struct store *s, bool drop)
{
	uint64_t begin = journal_end(s->j), n = s->n;
	uint64_t more = 1 + below(s, below(s, 4) ? 4 : 12);
	uint64_t next = begin, dropped = 0;

	while (more-- && add(s, n, &next) == 0)
		n++;
	if (n == s->n)
		return s->e.code == FAULT_READ_ONLY ? -1 : 0;
	if (drop && add(s, n + 1, &dropped) == 0)
		journal_drop(s->j, next);
	if (journal_sync(s->j, &s->e) < 0) {
		stay_stopped(s);
		return -1;
	}
	if (journal_end(s->j) != next)
		bad("ends at %" PRIu64 " instead of %" PRIu64,
		    journal_end(s->j), next);
	for (; s->n < n; s->n++)
		s->run_of[s->n] = s->run;
	promise_lines(s, begin);
	return 0;
}

/* Moves the marks on, and lets go what lies below them: 0 or -1. */
static int
checkpoint(struct store *s)
{
	struct mark m;

	journal_marks(s->j, &m);
	if (below(s, 3) == 0)
		m.pitr.position = m.redo.position;
	m.redo.position = journal_end(s->j);
	if (below(s, 2) == 0)
		m.feed.position = journal_boundary(s->j, m.feed.position);
	if (below(s, 4) == 0)
		m.feed.position = m.pitr.position = m.redo.position;
	m.redo.at_ms = 1700000000000 + (int64_t)s->n;
	if (apply(s, m.redo.position) < 0 ||
	    journal_set_marks(s->j, &m, &s->e) < 0)
		return -1;
	promise(s, "marks %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    m.redo.position, m.feed.position, m.pitr.position);
	(void)journal_release(s->j, &s->e);
	return 0;
}

static int
work(struct store *s, int steps)
{
	uint64_t what;
	int r = 0;

	while (r == 0 && steps-- && s->n + LINES_LEFT < LINES_MAX) {
		what = below(s, 10);
		if (what < 2)
			r = checkpoint(s);
		else if (what < 3)
			(void)journal_prepare(s->j, &s->e);
		else
			r = write_batch(s, what < 4);
	}
	return r;
}

static int
run(struct store *s, int steps)
{
	if (open_journal(s) < 0 || read_all(s) < 0)
		return REFUSED;
	promise_lines(s, 0);
	if (work(s, steps) == 0)
		return 0;
	return s->j && read_all(s) == 0 ? 0 : REFUSED;
}

/* --- checking ----------------------------------------------------------- */

struct promises {
	uint64_t n, end;		/* lines, and where they end */
	uint64_t end_before_last;	/* where the last batch began */
	uint64_t redo, feed, pitr;
	struct { uint64_t n; int run; } lines[LINES_MAX];
	size_t count;
};

static void
read_promises(struct promises *p, const char *path)
{
	struct buf b;
	struct err e;
	char *line, *rest;
	uint64_t n, end, begin;
	int who;

	buf_init(&b, 64 << 20);
	if (io_read_file(AT_FDCWD, path, &b, &e) < 0)
		bad("%s", e.text);
	for (line = b.data; line && (rest = strchr(line, '\n')) != NULL;
	    line = rest + 1) {
		if (sscanf(line, "lines %" SCNu64 " %d %" SCNu64 " %" SCNu64,
			&n, &who, &end, &begin) == 4) {
			p->n = n;
			p->end = end;
			if (begin)
				p->end_before_last = begin;
			p->lines[p->count].n = n;
			p->lines[p->count++].run = who;
		} else if (sscanf(line, "marks %" SCNu64 " %" SCNu64 " %"
			SCNu64, &p->redo, &p->feed, &p->pitr) != 3) {
			bad("no promise: %.40s", line);
		}
	}
	buf_release(&b);
}

static int
see_one(void *ctx, const struct journal_line *l)
{
	(void)ctx;
	(void)l;
	return 1;
}

static void
check_marks(struct store *s, const struct promises *p)
{
	struct mark m;

	journal_marks(s->j, &m);
	if (m.redo.position < p->redo || m.feed.position < p->feed ||
	    m.pitr.position < p->pitr)
		bad("marks %" PRIu64 " %" PRIu64 " %" PRIu64 " are less than "
		    "%" PRIu64 " %" PRIu64 " %" PRIu64, m.redo.position,
		    m.feed.position, m.pitr.position, p->redo, p->feed,
		    p->pitr);
	if (journal_read(s->j, m.feed.position, see_one, NULL, NULL, &s->e) <
	    0 ||
	    journal_read(s->j, m.pitr.position, see_one, NULL, NULL, &s->e) <
	    0)
		bad("cannot read from a mark: %s", s->e.text);
}

static void
check_lines(struct store *s, const struct promises *p)
{
	size_t i;

	if (s->n < p->n || journal_end(s->j) < p->end)
		bad("%" PRIu64 " lines up to %" PRIu64 " are there; %" PRIu64
		    " up to %" PRIu64 " were promised", s->n,
		    journal_end(s->j), p->n, p->end);
	for (i = 0; i < p->count; i++)
		if (p->lines[i].n && s->run_of[p->lines[i].n - 1] &&
		    s->run_of[p->lines[i].n - 1] != p->lines[i].run)
			bad("line %" PRIu64 " was written by run %d, now it is "
			    "of run %d", p->lines[i].n - 1, p->lines[i].run,
			    s->run_of[p->lines[i].n - 1]);
}

/* Adds a line, starts again, and finds it there and nothing behind it. */
static void
check_that_it_goes_on(struct store *s)
{
	uint64_t n = s->n;

	s->run = OTHER_RUN;
	if (add(s, n, NULL) < 0 || journal_sync(s->j, &s->e) < 0)
		bad("cannot write after recovery: %s", s->e.text);
	journal_close(s->j);
	if (open_journal(s) < 0)
		bad("cannot recover a second time: %s", s->e.text);
	if (read_all(s) < 0)
		bad("cannot read a second time: %s", s->e.text);
	if (s->n != n + 1 || s->run_of[n] != OTHER_RUN)
		bad("one line was written after %" PRIu64 "; now there are %"
		    PRIu64 ", the last of run %d", n, s->n, s->run_of[n]);
}

static int
check(struct store *s, const struct promises *p)
{
	if (open_journal(s) < 0)
		bad("does not recover: %s", s->e.text);
	if (read_all(s) < 0)
		bad("cannot be read: %s", s->e.text);
	check_marks(s, p);
	check_lines(s, p);
	check_that_it_goes_on(s);
	check_that_it_goes_on(s);
	return 0;
}

/*
 * With a byte changed by the disk: refused; or what is there is right, and
 * nothing is missing but, at most, of the last batch.
 */
static int
check_rot(struct store *s, const struct promises *p)
{
	s->rot = true;
	if (open_journal(s) < 0)
		return s->e.code == EUCLEAN ? 0 : 1;
	if (read_all(s) < 0)
		return s->e.code == EUCLEAN ? 0 : 1;
	if (journal_end(s->j) < p->end_before_last)
		bad("ends at %" PRIu64 "; a batch was begun at %" PRIu64,
		    journal_end(s->j), p->end_before_last);
	return 0;
}

/* --- main --------------------------------------------------------------- */

static int
begin(struct store *s, const char *path)
{
	int pair[2];

	s->run_of = calloc(LINES_MAX, sizeof *s->run_of);
	s->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->run_of == NULL || s->dir_fd < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	s->socket_fd = pair[0];
	return pair[1] == pair[0] + 1 ? 0 : -1;
}

static int
end(struct store *s, int status)
{
	if (status == REFUSED && s->e.text[0])
		(void)fprintf(stderr, "%s\n", s->e.text);
	if (status == 0 || status == REFUSED)
		journal_close(s->j);
	io_close(&s->dir_fd);
	free(s->run_of);
	return status;
}

int
main(int argc, char **argv)
{
	struct store s = {.dir_fd = -1, .random = 1, .run = RECOVER_RUN};
	struct promises *p;
	int r;

	if (argc == 6 && strcmp(argv[1], "run") == 0) {
		s.run = FIRST_RUN + (int)strtol(argv[3], NULL, 10);
		s.random = strtoull(argv[5], NULL, 10) | 1;
		r = begin(&s, argv[2]) < 0 ? REFUSED
		    : run(&s, (int)strtol(argv[4], NULL, 10));
		return end(&s, r);
	}
	p = calloc(1, sizeof *p);
	if (argc != 4 || p == NULL || begin(&s, argv[1]) < 0)
		return 2;
	read_promises(p, argv[2]);
	if (strcmp(argv[3], "recover") == 0)
		r = run(&s, 6);
	else
		r = strcmp(argv[3], "rot") == 0 ? check_rot(&s, p)
						: check(&s, p);
	free(p);
	return end(&s, r);
}
