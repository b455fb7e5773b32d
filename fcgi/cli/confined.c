/*
 * One request by way of fcgi/invoke, without a gateway (confined.h).
 */
#include "confined.h"

#include "fcgi/conf/snapshot.h"
#include "fcgi/invoke/invoke.h"
#include "fcgi/invoke/link.h"
#include "fcgi/invoke/run.h"
#include "functions/sdk/abi.h"
#include "store/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOT_WAIT_MS = 5000 };	/* for reservedConcurrency without timeout */

/* --- what comes from the process ------------------------------------------ */

static int
take_output(void *ctx, const char *p, size_t n)
{
	cgishow_output(ctx, p, n);
	return ferror(stdout) ? -1 : 0;
}

static int
take_flush(void *ctx)
{
	(void)ctx;
	return ferror(stdout) ? -1 : 0;
}

static void
take_log(void *ctx, const char *p, size_t n)
{
	cgishow_errors(ctx, p, n);
}

/* Nobody waits for an answer at once: what it did is said at the end. */
static void
take_expired(void *ctx)
{
	(void)ctx;
}

/* --- the request ---------------------------------------------------------- */

/* The variables as the function ABI has them: 0, or -1 with the error. */
static int
make_block(const struct envlist *env, struct buf *block, struct err *e)
{
	size_t i;

	for (i = 0; i < env->count; i++)
		buf_add(block, env->items[i], strlen(env->items[i]) + 1);
	if (!buf_ok(block) || env->count > ABI_VARIABLES_MAX)
		return err_set(e, E2BIG, "the request's variables are more "
		    "than %d KB or %d: shorten its headers, its path or "
		    "`environment` in deploy.yaml", ABI_ENV_MAX / 1024,
		    ABI_VARIABLES_MAX);
	return 0;
}

/* What it may take, in ms; 0: as long as it likes. */
static uint32_t
may_take(const struct confined *c, const struct snap_function *fn)
{
	return c->limit_ms && (!fn->timeout_ms || c->limit_ms < fn->timeout_ms)
	    ? c->limit_ms : fn->timeout_ms;
}

static int64_t
set_deadline(const struct confined *c, const struct snap_function *fn)
{
	uint32_t ms = may_take(c, fn);
	char wall[32];

	if (!ms)
		return 0;
	snprintf(wall, sizeof wall, "%" PRId64, clock_wall_ms() + (int64_t)ms);
	envlist_set(c->env, "BOTHY_DEADLINE_MS", wall);
	return clock_mono_ms() + ms;
}

/* --- how it ended --------------------------------------------------------- */

static void
say_timeout(const struct confined *c, const struct snap_function *fn,
    const struct run_result *run, int64_t deadline_ms, char *text, size_t size)
{
	if (run->text[0])
		snprintf(text, size, "%s", run->text);
	else if (deadline_ms && clock_mono_ms() >= deadline_ms &&
	    may_take(c, fn) != fn->timeout_ms)
		snprintf(text, size, "ended after %.1f s, the most that it "
		    "may take here", c->limit_ms / 1000.0);
	else if (deadline_ms && clock_mono_ms() >= deadline_ms)
		snprintf(text, size, "timed out after %.1f s (`timeout` in "
		    "deploy.yaml)", fn->timeout_ms / 1000.0);
	else
		snprintf(text, size, "wrote nothing for %.1f s (`idleTimeout` "
		    "in deploy.yaml)", fn->idle_timeout_ms / 1000.0);
}

/* 0, or -1 with the error: it was no fault of the function's. */
static int
translate(const struct confined *c, const struct snap_function *fn,
    const struct run_result *run, int64_t deadline_ms, struct cgi_result *out,
    struct err *e)
{
	char *text = out->failure;
	const size_t size = sizeof out->failure;

	switch (run->end) {
	case RUN_EXIT:
		out->exit_status = run->status;
		break;
	case RUN_SIGNAL:
		out->signal = run->status;
		if (!run->status)
			snprintf(text, size, "its process ended without a "
			    "word");
		break;
	case RUN_NO_EXEC:
		snprintf(text, size, "cannot be started: %s",
		    strerror(run->status));
		break;
	case RUN_TIMEOUT:
		say_timeout(c, fn, run, deadline_ms, text, size);
		break;
	case RUN_MEMORY:
		snprintf(text, size, "used more than its memorySize of %u MB",
		    fn->memory_mb);
		break;
	case RUN_PROCESSES:
		snprintf(text, size, "had more processes than a request may");
		break;
	case RUN_REFUSED:
		if (run->status == LAUNCH_UNKNOWN ||
		    run->status == LAUNCH_LEAVING)
			return err_set(e, 0, "%s", run->text);
		snprintf(text, size, "%s", run->text);
		break;
	case RUN_CLOSED:
	case RUN_STOPPED:
		break;
	}
	return 0;
}

/* --- the run -------------------------------------------------------------- */

/* With a pool: 0, or -1 with the error. */
static int
run_pool(const struct confined *c, struct invoke_pool *pool,
    struct cgishow *show, struct err *e)
{
	const struct snap_function *fn = invoke_pool_function(pool);
	struct run_request q = {.body_fd = c->body_fd,
	    .body_bytes = c->body_bytes,
	    .idle_timeout_ms = fn->idle_timeout_ms,
	    .client_fd = -1,
	    .ctx = show,
	    .output = take_output,
	    .flush = take_flush,
	    .log = take_log,
	    .expired = take_expired};
	struct run_result result = {.end = RUN_REFUSED};
	struct run *run = run_new();
	struct buf block;
	uint64_t slot = 0;
	int rc = -1;

	buf_init(&block, ABI_ENV_MAX);
	invoke_pool_warm(pool);		/* the launcher's start takes its time */
	q.deadline_mono_ms = set_deadline(c, fn);
	if (!run || c->env->failed) {
		err_set(e, ENOMEM, "no memory");
		goto done;
	}
	if (make_block(c->env, &block, e) < 0)
		goto done;
	q.env = block.data;
	q.env_bytes = block.len;
	q.env_count = c->env->count;
	result.status = slot_take(pool, q.deadline_mono_ms ?
	    q.deadline_mono_ms : clock_mono_ms() + SLOT_WAIT_MS, &slot, e);
	if (result.status == 0)
		run_request(run, pool, &q, &result);
	else
		snprintf(result.text, sizeof result.text, "%s", e->text);
	slot_give(pool, slot);
	rc = translate(c, fn, &result, q.deadline_mono_ms, show->result, e);
done:
	buf_release(&block);
	run_free(run);
	return rc;
}

/* Whether the site's launcher runs: with it limits are counted once for all. */
static bool
launcher_runs(const struct place *p)
{
	struct link_options o = {.site_dir = p->site, .state_dir = p->state};
	struct err ignored;
	int fd = link_open(&o, &ignored);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* With a snapshot: 0, or -1 with the error. */
static int
run_snapshot(const struct confined *c, const struct snapshot *s,
    struct cgishow *show, struct err *e)
{
	struct invoke_options o = {.site_dir = c->place->site,
	    .state_dir = c->place->state,
	    .private_launcher = !launcher_runs(c->place),
	    .single = true};
	int function = snapshot_find(s, c->function), rc = -1;
	struct invoke_pool *pool;
	struct invoke *v;

	if (function < 0)
		return err_set(e, 0, "deploy.yaml has lost %s meanwhile",
		    c->function);
	v = invoke_new(&o, e);
	if (!v)
		return -1;
	pool = invoke_pool_new(v, s, (uint32_t)function);
	if (pool)
		rc = run_pool(c, pool, show, e);
	else
		err_set(e, ENOMEM, "no memory");
	invoke_pool_free(pool);
	invoke_free(v);
	/* Our own launcher sees that we left, and ends all that it started. */
	while (o.private_launcher &&
	    (waitpid(-1, NULL, 0) > 0 || errno == EINTR))
		;
	return rc;
}

int
confined_run(const struct confined *c, struct cgi_result *result,
    struct err *e)
{
	struct cgishow show = {.function = c->function,
	    .show_header = c->show_header,
	    .keep = c->keep};
	const struct snap_function *fn;
	struct snapshot *s;
	char path[PATH_MAX];
	int at, rc;

	if (place_path(path, e, "%s/snap/%s", c->place->state,
	    c->snapshot) < 0)
		return -1;
	s = snapshot_open(path, e);
	if (!s)
		return -1;
	at = snapshot_find(s, c->function);
	fn = at < 0 ? NULL : snapshot_function(s, (size_t)at);
	if (fn && fn->runtime == SNAP_RUNTIME_C)
		show.binary = snapshot_str(s, fn->binary);
	cgishow_init(&show, result);
	rc = run_snapshot(c, s, &show, e);
	cgishow_end(&show);
	snapshot_free(s);
	return rc;
}
