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
 * must be there), `live` (the same where only a process died), `rot` (refuse,
 * or show nothing wrong) or `recover` (recover and serve, under the recorder).
 * It exits with 0 if all is well.  What it said of a state that failed goes to
 * the standard output, with the command that asks it again; the state itself,
 * as it was before the checker recovered from it, is left in DIR/failed-N.
 *
 * Exit status: 0 nothing failed, 1 something did, 2 it could not be tried.
 */
#include "states.h"

#include "store/base/err.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PARTS = 4,	/* of the states that are wanted, one in each pass */
	PASSES = 24	/* over a log, before its states are all seen */
};

void
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
		run->writes += r->kind == RECORD_WRITE && r->first;
	}
	if (at != run->log.len || run->count == 0) {
		(void)fprintf(stderr, "states: %s is no log\n", path);
		exit(2);
	}
}

/* --- choosing what came ------------------------------------------------- */

bool
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

/* A chosen write to tear: the last, or any in every other state; or none. */
static size_t
choose_torn(struct run *run, struct model *m)
{
	size_t i, found = m->nops;
	uint64_t seen = 0;

	if (run->midst && m->nops) {
		m->ops[m->nops - 1].chosen = true;
		return m->nops - 1;
	}
	if (one_in(run, 2))
		return m->nops;
	for (i = 0; i < m->nops; i++)
		if (model_open(&m->ops[i]) && m->ops[i].chosen &&
		    m->ops[i].kind == RECORD_WRITE && one_in(run, ++seen))
			found = i;
	return found;
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
write_file(const char *path, const struct buf *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || io_write_all(fd, buf_str(b), b->len) < 0)
		die(path);
	(void)close(fd);
}

/* The state that is chosen for a model as it is, in the file system. */
static uint64_t
make_state(struct run *run, struct model *m, struct moment *when,
    const char *state)
{
	(void)choose(run, m);
	if (m->rules == RULES_EXT4)
		order_names(m);
	when->torn = choose_torn(run, m);
	if (when->torn < m->nops)
		when->tear = (enum tear)(1 +
		    model_random(&run->random) % (TEAR_END - 1));
	return model_make(m, state, when->torn, when->tear, &run->random);
}

/* Has a state checked: true if all is well. */
static bool
judge(struct run *run, const struct moment *when, const char *state,
    const char *sent)
{
	char output[PATH_BYTES];
	int status;

	if (strcmp(run->mode, "recover") == 0)
		return explore_nested(run, state);
	(void)snprintf(output, sizeof output, "%s/output", run->work);
	status = ask(run, state, sent, run->mode, output);
	if (status == 0)
		return true;
	run->failed++;
	report(run, when, status, output);
	return false;
}

static void
try_state(struct run *run, struct model *m, size_t at)
{
	char state[PATH_BYTES], sent[PATH_BYTES];
	struct moment when = {.m = m, .at = at};
	uint64_t hash, dice = run->random;
	bool rotten = strcmp(run->mode, "rot") == 0;

	(void)snprintf(state, sizeof state, "%s/state", run->work);
	(void)snprintf(sent, sizeof sent, "%s/sent", run->work);
	hash = make_state(run, m, &when, state);
	if (rotten)
		rot(run, state);
	else if (!is_new(run, hash))
		return;
	write_file(sent, &run->sent);
	run->made++;
	if (judge(run, &when, state, sent))
		return;
	/* The checker has changed it: the same dice make it again. */
	run->random = dice;
	(void)make_state(run, m, &when, state);
	if (rotten)
		rot(run, state);
	keep(run, state, sent);
}

/* --- all states of a log ------------------------------------------------ */

static bool
enough(const struct run *run)
{
	return run->made >= run->wanted || (run->o->first && run->failed);
}

/* How many states are made after a record. */
static uint64_t
states_due(struct run *run, const struct record *r)
{
	uint64_t part = (uint64_t)run->wanted * 1000 / PARTS;
	uint64_t each = part / run->count + 1;

	if (run->midst)
		each = r->kind == RECORD_WRITE && r->first
		    ? part / run->writes + 1
		    : 0;
	return each / 1000 + (model_random(&run->random) % 1000 < each % 1000);
}

/* From the begin of the log to its end, states being made on the way. */
static void
pass(struct run *run, enum rules rules)
{
	struct model m;
	uint64_t due;
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
		due = states_due(run, r);
		while (due-- && !enough(run))
			try_state(run, &m, i + 1);
	}
	model_release(&m);
}

void
explore(struct run *run, const char *mode, long wanted)
{
	int i;

	run->mode = mode;
	run->made = 0;
	run->wanted = wanted;
	for (i = 0; i < PASSES && !enough(run); i++) {
		run->midst = i % PARTS >= PARTS / 2;
		pass(run, i % 2 ? RULES_EXT4 : RULES_STRICT);
	}
}

void
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

void
run_release(struct run *run)
{
	map_release(&run->seen);
	buf_release(&run->sent);
	buf_release(&run->before);
	buf_release(&run->log);
	free(run->records);
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
	    o->nchecker > CHECKER_MAX ||
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
