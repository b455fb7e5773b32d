/*
 * The replayer: makes the states in which a crash can leave a store's
 * directory, has a checker recover from each, and counts what it finds.
 *
 *	states OPTION... -- CHECKER ARGUMENT...
 *
 *	--log FILE	what the recorder noted
 *	--work DIR	where states are made (a tmpfs: a sync costs nothing)
 *	--states N	how many different ones to check
 *	--rot N		how many more with damage in their journal
 *	--nest N	how many more to recover from, crashing again
 *	--recorder SO	the recorder, for those
 *	--seed N	of all choices
 *	--first		stop at the first state that fails
 *
 * The checker is called with the state's directory, a file of all that was
 * sent before the crash, and what it is to do: `cut` (all that was promised
 * must be there), `rot` (refuse, or show nothing wrong) or `recover` (recover
 * and serve, under the recorder).  It exits with 0 if all is well.  What it
 * said of a state that failed goes to the standard output; the state itself is
 * left in DIR/failed-N.
 *
 * Exit status: 0 nothing failed, 1 something did, 2 it could not be tried.
 */
#include "model.h"

#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LOG_MAX = 512 << 20,
	CHECK_SECONDS = 20,
	PASSES = 12,		/* over a log, before its states are all seen */
	KEPT = 5		/* states that failed are left for inspection */
};

struct options {
	const char *log, *work, *recorder;
	long states, rot, nest;
	uint64_t seed;
	bool first;
	char **checker;
	int nchecker;
};

/* One log, and what of it has been checked. */
struct run {
	const struct options *o;
	const char *work;
	struct buf log;
	const struct record **records;
	size_t count, room;
	size_t first;		/* record after which a crash is tried */
	struct buf before;	/* what was sent before the log began */
	struct buf sent;	/* up to the record in question */
	struct map seen;	/* hashes of states */
	uint64_t random;
	long wanted, made, failed;
	long inner;		/* states of second crashes */
	const char *mode;
	bool nested;
};

static void explore_nested(struct run *outer, const char *state);

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- the log ------------------------------------------------------------ */

static void
read_log(struct run *run, const char *path)
{
	const struct record *r;
	struct err e;
	size_t at = 0;

	buf_init(&run->log, LOG_MAX);
	if (io_read_file(AT_FDCWD, path, &run->log, &e) < 0) {
		err_print(&e, "states");
		exit(2);
	}
	while (at + sizeof *r <= run->log.len) {
		r = (const struct record *)(run->log.data + at);
		at += sizeof *r + r->first + r->second + record_padding(r);
		if (run->count == run->room) {
			run->room = run->room ? 2 * run->room : 1024;
			run->records = realloc(run->records,
			    run->room * sizeof *run->records);
			if (run->records == NULL)
				die("realloc");
		}
		run->records[run->count++] = r;
		if (r->kind == RECORD_DURABLE)
			run->first = run->count;
	}
	if (at != run->log.len || run->count == 0) {
		(void)fprintf(stderr, "states: %s is no log\n", path);
		exit(2);
	}
}

/* --- choosing what came ------------------------------------------------- */

static bool
one_in(struct run *run, uint64_t n)
{
	return model_random(&run->random) % n == 0;
}

/*
 * Chooses among the open ops: none, all, names, data, all but one, only one,
 * up to one, or at random.  Gives the number of open ops.
 */
static size_t
choose(struct run *run, struct model *m)
{
	uint64_t how = model_random(&run->random) % 8, which;
	size_t i, open = 0, k = 0;
	struct op *op;

	for (i = 0; i < m->nops; i++)
		open += model_open(&m->ops[i]);
	which = open ? model_random(&run->random) % open : 0;
	for (i = 0; i < m->nops; i++) {
		op = &m->ops[i];
		if (!model_open(op))
			continue;
		op->chosen = how == 1 || (how == 2 && op->nentries) ||
		    (how == 3 && !op->nentries) || (how == 4 && k != which) ||
		    (how == 5 && k == which) || (how == 6 && k <= which) ||
		    (how == 7 && one_in(run, 2));
		k++;
	}
	return open;
}

/* ext4 commits names in order: what follows a name left out is left out. */
static void
order_names(struct model *m)
{
	bool left_out = false;
	size_t i;

	for (i = 0; i < m->nops; i++) {
		if (m->ops[i].nentries == 0 || m->ops[i].durable)
			continue;
		if (left_out)
			m->ops[i].chosen = false;
		left_out = left_out || !m->ops[i].chosen;
	}
}

/* A chosen write to tear, in every other state; or none. */
static size_t
choose_torn(struct run *run, const struct model *m)
{
	size_t i, found = m->nops;
	uint64_t seen = 0;

	if (one_in(run, 2))
		return m->nops;
	for (i = 0; i < m->nops; i++)
		if (model_open(&m->ops[i]) && m->ops[i].chosen &&
		    m->ops[i].kind == RECORD_WRITE && one_in(run, ++seen))
			found = i;
	return found;
}

/* --- damage ------------------------------------------------------------- */

/* Changes a byte or two in a line of one of the journal's segments. */
static void
rot(struct run *run, const char *state)
{
	char path[600], at[8];
	struct buf b;
	struct err e;
	size_t i, start = 0;
	uint64_t seen = 0;
	int fd, number;

	do {
		number = 1 + (int)(model_random(&run->random) % 8);
		(void)snprintf(path, sizeof path, "%s/journal/%08d.jsonl",
		    state, number);
	} while (access(path, F_OK) < 0 && ++seen < 64);
	buf_init(&b, LOG_MAX);
	if (seen == 64 || io_read_file(AT_FDCWD, path, &b, &e) < 0) {
		buf_release(&b);
		return;
	}
	seen = 0;
	for (i = 0; i + 60 < b.len; i++)
		if (memcmp(b.data + i, "[\"", 2) == 0 && b.data[i + 12] == '"' &&
		    one_in(run, ++seen))
			start = i;
	start += model_random(&run->random) % (one_in(run, 2) ? 53 : 120);
	memset(at, "0123456789abcdef"[model_random(&run->random) % 16],
	    sizeof at);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || pwrite(fd, at, 1 + model_random(&run->random) % 2,
		(off_t)start) < 0)
		die(path);
	(void)close(fd);
	buf_release(&b);
}

/* --- asking the checker ------------------------------------------------- */

static void
write_file(const char *path, const struct buf *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, buf_str(b), b->len) < 0)
		die(path);
	(void)close(fd);
}

static void
be_checker(const struct run *run, char **args, const char *output)
{
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	if (strcmp(args[run->o->nchecker + 2], "recover") == 0) {
		(void)setenv("CRASH_ROOT", args[run->o->nchecker], 1);
		(void)setenv("LD_PRELOAD", run->o->recorder, 1);
	}
	(void)alarm(CHECK_SECONDS);
	execvp(args[0], args);
	_exit(127);
}

/* Runs it: its wait status. */
static int
ask(const struct run *run, const char *state, const char *sent,
    const char *mode, const char *output)
{
	size_t n = (size_t)run->o->nchecker;
	char **args = calloc(n + 4, sizeof *args);
	int status;
	pid_t pid;

	if (args == NULL)
		die("calloc");
	memcpy(args, run->o->checker, n * sizeof *args);
	args[n] = (char *)(uintptr_t)state;
	args[n + 1] = (char *)(uintptr_t)sent;
	args[n + 2] = (char *)(uintptr_t)mode;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		be_checker(run, args, output);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	free(args);
	return status;
}

static void
report(struct run *run, const struct model *m, size_t at, int status,
    size_t torn, enum tear tear, const char *output)
{
	static const char *const KINDS[] = {"", "", "write", "truncate",
	    "allocate", "name"};
	struct buf said;
	struct err e;
	size_t i;

	(void)printf("FAILED: %s%s, %s rules, after record %zu of %zu, "
	    "status %#x\n", run->mode, run->nested ? " in recovery" : "",
	    m->rules == RULES_EXT4 ? "ext4" : "strict", at, run->count,
	    (unsigned int)status);
	for (i = 0; i < m->nops && run->failed < 2; i++)
		if (model_open(&m->ops[i]))
			(void)printf("  %s record %" PRIu64 ": %s %.*s of %"
			    PRIu64 ", %u bytes at %" PRIu64 "%s\n",
			    m->ops[i].chosen ? "with" : "without",
			    m->ops[i].at, KINDS[m->ops[i].kind],
			    (int)m->ops[i].entries[0].len,
			    m->ops[i].nentries ? m->ops[i].entries[0].name : "",
			    m->nodes[m->ops[i].node].inode, m->ops[i].len,
			    m->ops[i].offset, i == torn && tear
				? ", torn" : "");
	buf_init(&said, 1 << 16);
	if (io_read_file(AT_FDCWD, output, &said, &e) == 0)
		(void)printf("  the checker: %s\n", buf_str(&said));
	buf_release(&said);
	(void)fflush(stdout);
}

static void
keep(const struct run *run, const char *state, const char *sent)
{
	char path[512];

	if (run->failed > KEPT)
		return;
	(void)snprintf(path, sizeof path, "%s/failed-%ld", run->work,
	    run->failed);
	(void)io_remove_tree(AT_FDCWD, path);
	(void)rename(state, path);
	(void)snprintf(path, sizeof path, "%s/failed-%ld.sent", run->work,
	    run->failed);
	(void)rename(sent, path);
}

/* --- one state ---------------------------------------------------------- */

static bool
is_new(struct run *run, uint64_t hash)
{
	uint64_t key[2] = {hash, run->sent.len};

	if (map_find(&run->seen, (char *)key, sizeof key))
		return false;
	if (map_set(&run->seen, (char *)key, sizeof key, run, NULL) < 0)
		die("map_set");
	return true;
}

static void
try_state(struct run *run, struct model *m, size_t at)
{
	char state[512], sent[512], output[512];
	enum tear tear = TEAR_NONE;
	size_t torn;
	uint64_t hash;
	int status;

	(void)snprintf(state, sizeof state, "%s/state", run->work);
	(void)snprintf(sent, sizeof sent, "%s/sent", run->work);
	(void)snprintf(output, sizeof output, "%s/output", run->work);
	(void)choose(run, m);
	if (m->rules == RULES_EXT4)
		order_names(m);
	torn = choose_torn(run, m);
	if (torn < m->nops)
		tear = (enum tear)(1 +
		    model_random(&run->random) % (TEAR_END - 1));
	hash = model_make(m, state, torn, tear, &run->random);
	if (strcmp(run->mode, "rot") == 0)
		rot(run, state);
	else if (!is_new(run, hash))
		return;
	write_file(sent, &run->sent);
	run->made++;
	if (strcmp(run->mode, "recover") == 0) {
		explore_nested(run, state);
		return;
	}
	status = ask(run, state, sent, run->mode, output);
	if (status == 0)
		return;
	run->failed++;
	report(run, m, at, status, torn, tear, output);
	keep(run, state, sent);
}

/* --- all states of a log ------------------------------------------------ */

static bool
enough(const struct run *run)
{
	return run->made >= run->wanted || (run->o->first && run->failed);
}

/* From the begin of the log to its end, states being made on the way. */
static void
pass(struct run *run, enum rules rules)
{
	uint64_t each = (uint64_t)run->wanted * 1000 / run->count / 2 + 1, due;
	struct model m;
	size_t i;

	model_init(&m, rules);
	buf_reset(&run->sent);
	if (buf_add(&run->sent, buf_str(&run->before), run->before.len) < 0)
		die("buf_add");
	for (i = 0; i < run->count && !enough(run); i++) {
		const struct record *r = run->records[i];

		model_take(&m, r, i + 1);
		if (r->kind == RECORD_SENT &&
		    buf_add(&run->sent, r + 1, r->first) < 0)
			die("buf_add");
		if (i + 1 < run->first)
			continue;
		due = each / 1000 +
		    (model_random(&run->random) % 1000 < each % 1000);
		while (due-- && !enough(run))
			try_state(run, &m, i + 1);
	}
	model_release(&m);
}

static void
explore(struct run *run, const char *mode, long wanted)
{
	int i;

	run->mode = mode;
	run->made = 0;
	run->wanted = wanted;
	for (i = 0; i < PASSES && !enough(run); i++)
		pass(run, i % 2 ? RULES_EXT4 : RULES_STRICT);
}

static void
run_init(struct run *run, const struct options *o, const char *work,
    const char *log, uint64_t seed)
{
	*run = (struct run){.o = o, .work = work,
	    .random = seed * 0x9e3779b97f4a7c15ull + 1};
	map_init(&run->seen);
	buf_init(&run->sent, LOG_MAX);
	buf_init(&run->before, LOG_MAX);
	read_log(run, log);
}

static void
run_release(struct run *run)
{
	map_release(&run->seen);
	buf_release(&run->sent);
	buf_release(&run->before);
	buf_release(&run->log);
	free(run->records);
}

/* --- a crash during the recovery from a crash --------------------------- */

static void
log_record(int fd, struct record r, const void *first)
{
	const char zeros[8] = "";

	if (io_write_all(fd, &r, sizeof r) < 0 ||
	    io_write_all(fd, first, r.first) < 0 ||
	    io_write_all(fd, zeros, record_padding(&r)) < 0)
		die("log");
}

/* Logs a file or directory that is there, and its name in `dir`. */
static void
log_there(int log_fd, int dir_fd, uint64_t dir, const char *name)
{
	struct stat st;
	struct buf b;
	struct err e;
	struct dirent *entry;
	DIR *d;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die(name);
	log_record(log_fd, (struct record){.kind = dir ? RECORD_NEW
		: RECORD_START, .a = st.st_ino, .b = S_ISDIR(st.st_mode)},
	    NULL);
	if (dir)
		log_record(log_fd, (struct record){.kind = RECORD_NAME,
		    .a = dir, .b = st.st_ino,
		    .first = (uint32_t)strlen(name)}, name);
	if (S_ISDIR(st.st_mode)) {
		d = fdopendir(fd);
		while (d && (entry = readdir(d)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 &&
			    strcmp(entry->d_name, "..") != 0)
				log_there(log_fd, fd, st.st_ino,
				    entry->d_name);
		(void)closedir(d);
		return;
	}
	buf_init(&b, LOG_MAX);
	if (io_read_fd(fd, name, &b, &e) < 0)
		die(name);
	log_record(log_fd, (struct record){.kind = RECORD_WRITE,
	    .a = st.st_ino, .first = (uint32_t)b.len}, buf_str(&b));
	buf_release(&b);
	(void)close(fd);
}

static void
explore_nested(struct run *outer, const char *state)
{
	char work[512], log[600], sent[600], output[600];
	struct run inner;
	int log_fd, status;

	(void)snprintf(work, sizeof work, "%s/nested", outer->work);
	(void)snprintf(log, sizeof log, "%s/log", work);
	(void)snprintf(sent, sizeof sent, "%s/sent", outer->work);
	(void)snprintf(output, sizeof output, "%s/output", work);
	(void)mkdir(work, 0700);
	log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (log_fd < 0)
		die(log);
	log_there(log_fd, AT_FDCWD, 0, state);
	log_record(log_fd, (struct record){.kind = RECORD_DURABLE}, NULL);
	(void)close(log_fd);
	(void)setenv("CRASH_LOG", log, 1);
	status = ask(outer, state, sent, "recover", output);
	run_init(&inner, outer->o, work, log, outer->random | 1);
	if (buf_add(&inner.before, outer->sent.data, outer->sent.len) < 0)
		die("buf_add");
	inner.nested = true;
	if (status)
		(void)printf("the recovery under the recorder: status %#x\n",
		    (unsigned int)status);
	explore(&inner, "cut", 16);
	outer->failed += inner.failed + (status != 0);
	outer->inner += inner.made;
	run_release(&inner);
}

/* --- main --------------------------------------------------------------- */

static void
usage(void)
{
	(void)fprintf(stderr, "usage: states --log FILE --work DIR [--states N]"
	    " [--rot N] [--nest N --recorder SO] [--seed N] [--first] -- "
	    "CHECKER ARGUMENT...\n");
	exit(2);
}

static void
parse(struct options *o, int argc, char **argv)
{
	static const struct option LONG[] = {
	    {"log", required_argument, NULL, 'l'},
	    {"work", required_argument, NULL, 'w'},
	    {"states", required_argument, NULL, 's'},
	    {"rot", required_argument, NULL, 'r'},
	    {"nest", required_argument, NULL, 'n'},
	    {"recorder", required_argument, NULL, 'p'},
	    {"seed", required_argument, NULL, 'd'},
	    {"first", no_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.seed = 1};
	while ((c = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->log = optarg;
			break;
		case 'w':
			o->work = optarg;
			break;
		case 's':
			o->states = strtol(optarg, NULL, 10);
			break;
		case 'r':
			o->rot = strtol(optarg, NULL, 10);
			break;
		case 'n':
			o->nest = strtol(optarg, NULL, 10);
			break;
		case 'p':
			o->recorder = optarg;
			break;
		case 'd':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			o->first = true;
			break;
		default:
			usage();
		}
	}
	o->work = realpath(o->work ? o->work : "", NULL);
	o->checker = argv + optind;
	o->nchecker = argc - optind;
	if (!o->log || !o->work || o->nchecker == 0 ||
	    (o->nest && !o->recorder))
		usage();
}

int
main(int argc, char **argv)
{
	struct options o;
	struct run run;
	long cut, rotten, nested;

	parse(&o, argc, argv);
	run_init(&run, &o, o.work, o.log, o.seed);
	explore(&run, "cut", o.states);
	cut = run.made;
	explore(&run, "rot", o.rot);
	rotten = run.made;
	map_release(&run.seen);
	map_init(&run.seen);
	explore(&run, "recover", o.nest);
	nested = run.inner;
	(void)printf("%ld states, %ld rotten, %ld of a second crash; %ld "
	    "failed; %zu records, seed %" PRIu64 "\n", cut, rotten, nested,
	    run.failed, run.count, o.seed);
	run_release(&run);
	return run.failed ? 1 : 0;
}
