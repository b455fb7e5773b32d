/*
 * What a push has to pass before git takes it (deploy.h, DESIGN).  Runs in a
 * process of its own for each hook, started by git in the repository.
 */
#include "deploy.h"

#include "checkout.h"
#include "git.h"
#include "judge.h"
#include "programs.h"
#include "quarantine.h"
#include "refline.h"
#include "stage.h"
#include "steps.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TURN_MS = 60000 };

/* A push that is being deployed. */
struct push {
	const struct deploy_tools *tools;
	struct release_site site; /* or the stage that is pushed */
	struct stage stage;	  /* of a stage alone */
	struct steps steps;
	char ref[RELEASE_NAME_SIZE];
	char old[RELEASE_COMMIT_SIZE], commit[RELEASE_COMMIT_SIZE];
	char next[PATH_MAX]; /* the release until it has a number */
	struct git_repository *repo;
	struct conf *conf;
	struct release release;
	bool keep; /* what was checked out, though refused */
	bool drop; /* the branch is deleted, and its stage with it */
	int lock_fd;
};

/* --- what is pushed ------------------------------------------------------- */

/* It is a stage's from now on, if the branch is one. */
static int
take_stage(struct push *p, const char *branch, struct err *e)
{
	const struct release_site site = p->site;

	if (p->drop) {
		stage_find(&site, branch, &p->site);
		return 0;
	}
	if (stage_look(&site, branch, &p->stage, e) < 0 ||
	    stage_options(&p->stage, e) < 0)
		return -1;
	return stage_open(p->tools, &site, branch, &p->stage, &p->site, e);
}

static int
judge_line(struct push *p, char **words, struct err *e)
{
	const char *branch = refline_branch(words[2]);

	if (!branch)
		return err_set(e, EINVAL,
		    "%.100s: branches are deployed, nothing else: git push "
		    "<remote> %s",
		    words[2], p->site.branch);
	if (stage_allowed(branch, e) < 0)
		return -1;
	p->drop = refline_none(words[1]);
	if (strcmp(branch, p->site.branch) != 0) {
		if (take_stage(p, branch, e) < 0)
			return -1;
	} else if (p->drop)
		return err_set(e, EINVAL,
		    "%s can't be deleted: it is what "
		    "serves; `bothy rollback` goes back to an earlier release",
		    branch);
	else if (stage_options(NULL, e) < 0)
		return -1;
	snprintf(p->old, sizeof p->old, "%s", words[0]);
	snprintf(p->commit, sizeof p->commit, "%s", words[1]);
	snprintf(p->ref, sizeof p->ref, "%s", words[2]);
	return 0;
}

/* All that git says is pushed: one branch. */
static int
read_push(struct push *p, struct err *e)
{
	char line[REFLINE_BYTES], more[REFLINE_BYTES], *words[3];

	if (!fgets(line, sizeof line, stdin))
		return err_set(e, EPROTO, "git says nothing is pushed");
	if (refline_split(line, words) < 0)
		return err_set(e, EPROTO,
		    "git says what is pushed in another way than this bothy "
		    "knows");
	if (fgets(more, sizeof more, stdin))
		return err_set(e, EINVAL,
		    "push one branch at a time, %s or a stage", p->site.branch);
	return judge_line(p, words, e);
}

/* --- whose turn it is ----------------------------------------------------- */

/* Until the git that moves the other push's ref has ended. */
static int
wait_for_other(const struct prepared *other, struct err *e)
{
	struct pollfd p = {.events = POLLIN};
	int rc = 0;

	p.fd = (int)syscall(SYS_pidfd_open, other->pid, 0);
	if (p.fd < 0 || !prepared_is_pending(other))
		rc = 0; /* it has ended, then */
	else if (poll(&p, 1, TURN_MS) == 0)
		rc = err_set(e, EBUSY,
		    "another push has not ended for %d s; "
		    "push again later",
		    TURN_MS / 1000);
	io_close(&p.fd);
	return rc;
}

static int
lock(struct push *p, struct err *e)
{
	p->lock_fd = release_lock(p->site.dir, false, e);
	if (p->lock_fd < 0 && e->code == EWOULDBLOCK) {
		steps_say("another push is being deployed; waiting for it");
		p->lock_fd = release_lock(p->site.dir, true, e);
	}
	return p->lock_fd < 0 ? -1 : 0;
}

/* Takes the lock when no other push is on its way, and clears up after it. */
static int
take_turn(struct push *p, struct err *e)
{
	struct prepared other;

	for (;;) {
		if (lock(p, e) < 0)
			return -1;
		switch (release_settle(&p->site, &other, e)) {
		case SETTLE_FAILED:
			return -1;
		case SETTLE_PENDING:
			io_close(&p->lock_fd);
			if (wait_for_other(&other, e) < 0)
				return -1;
			break;
		case SETTLE_NOTHING:
		case SETTLE_LIVE:
		case SETTLE_DROPPED:
			/* Nobody moves the ref now: a lock is a dead git's. */
			return release_ref_unlock(
			    p->site.repository, p->ref, e);
		case SETTLE_LEFT:
			return err_set(e, ENOENT,
			    "stage %s was dropped meanwhile; push again",
			    p->site.stage);
		}
	}
}

/* What was pushed meanwhile would be lost. */
static int
check_base(const struct push *p, struct err *e)
{
	char now[RELEASE_COMMIT_SIZE];
	int there = release_ref(p->site.repository, p->ref, now, e);
	bool was_there = !refline_none(p->old);

	if (there < 0)
		return -1;
	if ((there > 0) != was_there || (there && strcmp(now, p->old) != 0))
		return err_set(e, EINVAL,
		    "%s has moved on since this push "
		    "began; git fetch, look at what came, and push again",
		    p->site.branch);
	return 0;
}

/* --- the release ---------------------------------------------------------- */

static void
say_size(uint64_t bytes, char *out, size_t room)
{
	if (bytes < 1000000)
		snprintf(out, room, "%" PRIu64 " kB", (bytes + 999) / 1000);
	else
		snprintf(out, room, "%.1f MB", (double)bytes / 1000000);
}

static int
check_out(struct push *p, struct err *e)
{
	char tree[PATH_MAX], size[32];
	struct checkout done;

	if (release_path(p->next, e, "%s/deploy/next", p->site.dir) < 0 ||
	    release_path(tree, e, "%s/tree", p->next) < 0)
		return -1;
	if (io_remove_tree(AT_FDCWD, p->next) < 0)
		return err_sys(e, "cannot remove %s", p->next);
	if (io_mkdirs(p->next, 0711, e) < 0 ||
	    checkout_tree(p->repo, p->commit, tree, 0, &done, e) < 0)
		return -1;
	say_size(done.bytes, size, sizeof size);
	steps_done(&p->steps, "%zu file%s, %s", done.files,
	    done.files == 1 ? "" : "s", size);
	return 0;
}

static int
check(struct push *p, struct err *e)
{
	/* Whose secrets they are is known before these are read. */
	if (judge_load(p->site.dir, p->next, &p->conf, e) < 0 ||
	    stage_judge(
		&p->site, p->site.stage[0] ? &p->stage : NULL, p->conf, e) < 0)
		return -1;
	if (judge_functions(p->conf, e) < 0) {
		p->keep = e->code == ENOENT;
		return -1;
	}
	steps_done(&p->steps, "deploy.yaml: %zu function%s, %zu route%s",
	    p->conf->nfunctions, p->conf->nfunctions == 1 ? "" : "s",
	    p->conf->nroutes, p->conf->nroutes == 1 ? "" : "s");
	return 0;
}

static int
build(struct push *p, struct err *e)
{
	struct making m = {.tools = p->tools,
	    .site = &p->site,
	    .repo = p->repo,
	    .commit = p->commit,
	    .dir = p->next,
	    .conf = p->conf};

	if (programs_make(&m, p->release.changed, e) < 0)
		return -1;
	steps_done(&p->steps, "built");
	return 0;
}

static int
copy_documents(struct push *p, struct err *e)
{
	if (!p->stage.copy)
		return 0;
	if (p->tools->copy(p->stage.site, p->site.dir, e) < 0)
		return -1;
	steps_done(&p->steps, "documents copied from prod");
	return 0;
}

/* What deploy.yaml has it answer before it goes live. */
static int
try(struct push *p, struct err *e)
{
	if (p->conf->smoke.count == 0)
		return 0;
	if (p->tools->smoke(p->site.dir, p->next, e) < 0)
		return -1;
	steps_begin(&p->steps); /* each was said */
	return 0;
}

/* "hello, orders; 3 files", against what is live. */
static void
say_changed(struct push *p)
{
	int64_t live = release_live(p->site.dir, &(struct err){0});
	size_t n = strlen(p->release.changed);
	struct err ignored;
	struct release was;
	long files = -1;

	if (live > 0 &&
	    release_read(p->site.dir, (uint32_t)live, &was, &ignored) == 0)
		files = git_files_changed(p->repo, was.commit, p->commit);
	if (files >= 0)
		snprintf(p->release.changed + n, RELEASE_TEXT_SIZE - n,
		    "%s%ld file%s", n ? "; " : "", files,
		    files == 1 ? "" : "s");
}

/* The release gets its number. */
static int
number(struct push *p, struct err *e)
{
	uint32_t *numbers;
	size_t n;

	if (release_list(p->site.dir, &numbers, &n, e) < 0)
		return -1;
	p->release.number = n ? numbers[n - 1] + 1 : 1;
	free(numbers);
	if (p->release.number > RELEASE_MAX)
		return err_set(e, EOVERFLOW,
		    "there is no number for another "
		    "release");
	p->release.time_ms = clock_wall_ms();
	say_changed(p);
	return release_write(&p->release, p->next, e);
}

static int
mark(const struct push *p, struct err *e)
{
	struct prepared mark = {.number = p->release.number, .pid = getppid()};

	memcpy(mark.ref, p->ref, sizeof mark.ref);
	memcpy(mark.old, p->old, sizeof mark.old);
	memcpy(mark.commit, p->commit, sizeof mark.commit);
	mark.started = prepared_started(mark.pid);
	return prepared_write(&mark, p->site.dir, e);
}

/*
 * From here on it goes live with its ref, and not without.  The mark is first:
 * a release among the others that none speaks of could be rolled back to.
 */
static int
prepare(struct push *p, struct err *e)
{
	char to[PATH_MAX];
	struct err ignored;

	if (release_path(
		to, e, "%s/releases/%u", p->site.dir, p->release.number) < 0 ||
	    mark(p, e) < 0)
		return -1;
	if (rename(p->next, to) < 0) {
		err_sys(e, "cannot put %s in place", to);
		prepared_remove(p->site.dir, &ignored);
		return -1;
	}
	if (!planted(PLANT_RELEASE_UNSYNCED) &&
	    release_sync(p->site.dir, e) < 0)
		return -1;
	if (planted(PLANT_LIVE_BEFORE_TAKEN))
		release_switch(p->site.dir, p->release.number, e);
	steps_done(&p->steps, "release %u is ready", p->release.number);
	return 0;
}

/* --- the hooks ------------------------------------------------------------ */

/* The stage goes with its ref. */
static int
prepare_drop(struct push *p, struct err *e)
{
	if (mark(p, e) < 0)
		return -1;
	steps_say("stage %s goes: its releases, documents, environment and "
		  "secrets",
	    p->site.stage);
	return 0;
}

static int
receive(struct push *p, struct err *e)
{
	if (read_push(p, e) < 0)
		return -1;
	if (p->drop && !p->site.stage[0])
		return 0; /* a branch that never was a stage */
	if (take_turn(p, e) < 0 || check_base(p, e) < 0)
		return -1;
	if (p->drop)
		return prepare_drop(p, e);
	quarantine_clear(p->site.repository);
	steps_begin(&p->steps);
	p->repo = git_of_push(e);
	if (!p->repo || git_describe(p->repo, p->commit, &p->release, e) < 0 ||
	    check_out(p, e) < 0 || check(p, e) < 0 || build(p, e) < 0 ||
	    copy_documents(p, e) < 0 || try(p, e) < 0 || number(p, e) < 0)
		return -1;
	return prepare(p, e);
}

/* After a refusal the pusher may ask himself what is served. */
static void
say_what_serves(const struct push *p)
{
	struct err ignored;
	int64_t live = release_live(p->site.dir, &ignored);

	if (live > 0)
		steps_say("release %" PRId64 "%s%s serves on", live,
		    p->site.stage[0] ? " of stage " : "", p->site.stage);
}

int
deploy_pre_receive(
    const struct deploy_tools *t, const char *site, struct err *e)
{
	struct push p = {.tools = t, .lock_fd = -1};
	int rc;

	if (release_site_read(&p.site, site, e) < 0)
		return -1;
	umask(022);
	/* Of a git that is killed nothing goes live: no build goes on for it,
	 * and nobody waits for its lock. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	rc = receive(&p, e);
	if (rc < 0)
		say_what_serves(&p);
	/* `bothy secret` looks there what a first push is called. */
	if (rc < 0 && p.next[0] && !p.keep)
		io_remove_tree(AT_FDCWD, p.next);
	if (rc < 0 && p.stage.fresh && !p.keep)
		stage_undo(t, &p.site, site);
	conf_free(p.conf);
	git_close(p.repo);
	io_close(&p.lock_fd);
	return rc;
}
