/*
 * bothy invoke: runs one function for one request, without a web server.
 *
 * As in production, confined and with its limits, by way of the launcher; with
 * --debug or --sanitize as a plain CGI program of this user, without either.
 */
#include "cgirun.h"
#include "cli.h"
#include "confined.h"
#include "debugger.h"
#include "event.h"
#include "reach.h"
#include "request.h"
#include "site.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *method, *path, *data, *event, *debug;
	struct opt_list headers;
	bool sanitize, include;
};

static const struct opt invoke_opts[] = {
	{"method", 'X', OPT_VALUE, "METHOD", offsetof(struct options, method),
	    "else that of its first route, POST with --data"},
	{"path", 0, OPT_VALUE, "PATH", offsetof(struct options, path),
	    "with ?query; else that of its first route"},
	{"data", 'd', OPT_VALUE, "TEXT", offsetof(struct options, data),
	    "the body; @FILE reads a file, @- standard input"},
	{"header", 'H', OPT_LIST, "LINE", offsetof(struct options, headers),
	    "a header, 'Name: value'"},
	{"event", 0, OPT_VALUE, "FILE", offsetof(struct options, event),
	    "an API Gateway event (payload 2.0) instead"},
	{"include", 'i', OPT_SWITCH, NULL, offsetof(struct options, include),
	    "print the reply's headers too"},
	{"debug", 0, OPT_MAYBE, "gdb|valgrind", offsetof(struct options, debug),
	    "unoptimised, dynamic; no limits, no sandbox"},
	{"sanitize", 0, OPT_SWITCH, NULL, offsetof(struct options, sanitize),
	    "the same with address and undefined sanitizers"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* One invocation, put together. */
struct call {
	const struct options *options;
	const struct conf_function *function;
	bool bare;			/* no launcher, no limits */
	char binary[PATH_MAX];
	char scratch[PATH_MAX];		/* of a bare one */
	char snapshot[SNAP_ID_SIZE];	/* deploy.yaml as it is now */
	struct envlist env;
	struct buf body;
};

static const char *
misfit(const struct options *o)
{
	if (o->event && (o->method || o->path || o->data || o->headers.count))
		return "--event stands for method, path, data and headers: "
		    "leave those away";
	if (o->sanitize && o->debug)
		return "choose --debug or --sanitize";
	if (o->debug && *o->debug && strcmp(o->debug, "gdb") != 0 &&
	    strcmp(o->debug, "valgrind") != 0)
		return "--debug is alone, --debug=gdb or --debug=valgrind";
	return NULL;
}

/* Makes the binary that is asked for: CLI_OK or an exit code. */
static int
make_binary(const struct cli *c, struct site *s, struct call *call)
{
	const struct options *o = call->options;
	struct build_result r;
	enum build_outcome outcome;
	struct err e;

	if (call->function->runtime != SNAP_RUNTIME_C) {
		if (o->sanitize || (o->debug && *o->debug))
			return cli_usage("invoke", "%s is `runtime: exec`: "
			    "--debug=... and --sanitize are for C functions",
			    call->function->name);
		if (place_path(call->binary, &e, "%s",
		    call->function->source) < 0)
			return cli_fail(&e, CLI_FAILED);
		return CLI_OK;
	}
	/* A release has its programs. */
	if (s->conf->release && !call->bare)
		return place_path(call->binary, &e, "%s",
		    call->function->binary ? call->function->binary : "") < 0 ?
		    cli_fail(&e, CLI_FAILED) : CLI_OK;
	if (site_builder(c, s, o->sanitize ? BUILD_SANITIZE :
	    o->debug ? BUILD_DEBUG : BUILD_RELEASE, &e) < 0)
		return cli_fail(&e, CLI_MISSING);
	build_result_init(&r);
	outcome = build_function(&s->build, call->function, &r, &e);
	fputs(buf_str(&r.messages), stderr);
	memcpy(call->binary, r.binary, sizeof call->binary);
	build_result_release(&r);
	if (outcome == BUILD_FAILED)
		return cli_fail(&e, CLI_FAILED);
	return outcome == BUILD_BROKEN ? CLI_INVALID : CLI_OK;
}

/* HOME and TMPDIR of a bare function: removed after the request. */
static int
make_scratch(const struct site *s, struct call *call, struct err *e)
{
	char dir[PATH_MAX];

	if (place_path(dir, e, "%s/scratch/%s", s->place.state,
	    call->function->name) < 0 || io_mkdirs(dir, 0711, e) < 0 ||
	    place_path(call->scratch, e, "%s/invoke.XXXXXX", dir) < 0)
		return -1;
	if (!mkdtemp(call->scratch))
		return err_sys(e, "cannot make %s", call->scratch);
	return 0;
}

/* Environment and body from the event. 0 or -1. */
static int
make_request(const struct site *s, struct call *call, struct err *e)
{
	const struct options *o = call->options;
	struct event_options eo = {.method = o->method, .path = o->path,
	    .data = o->data, .headers = o->headers.items,
	    .nheaders = o->headers.count};
	json_t *event;
	int rc;

	event = o->event ? event_read(o->event, e) :
	    event_make(s->conf, call->function, &eo, e);
	if (!event)
		return -1;
	if (call->bare) {
		envlist_set(&call->env, "HOME", call->scratch);
		envlist_set(&call->env, "TMPDIR", call->scratch);
	}
	rc = request_make(s->conf, call->function, event, &call->env,
	    &call->body, e);
	json_decref(event);
	return rc;
}

/* What the result means, said to a person. */
static int
verdict(const struct call *call, const struct cgi_result *r)
{
	const char *name = call->function->name;

	if (r->failure[0])
		fprintf(stderr, "%s: %s\n", name, r->failure);
	else if (r->signal && call->bare)
		fprintf(stderr, "%s: killed by signal %d (%s)\n", name,
		    r->signal, strsignal(r->signal));
	else if (r->signal)
		fprintf(stderr, "%s: killed by signal %d (%s); look into it "
		    "with `bothy invoke %s --debug=gdb`\n", name, r->signal,
		    strsignal(r->signal), name);
	else if (r->wrong[0] && r->exit_status)
		fprintf(stderr, "%s: exit status %d, and no CGI reply: %s\n",
		    name, r->exit_status, r->wrong);
	else if (r->wrong[0])
		fprintf(stderr, "%s: no CGI reply: %s\n", name, r->wrong);
	else if (r->exit_status)
		fprintf(stderr, "%s: exit status %d\n", name,
		    r->exit_status);
	else if (r->status >= 400)
		fprintf(stderr, "%s: status %d\n", name, r->status);
	return r->failure[0] || r->signal || r->wrong[0] || r->exit_status ||
	    r->status >= 500 ? CLI_FUNCTION : CLI_OK;
}

static int
run_bare(struct call *call, struct cgi_result *result, struct err *e)
{
	const char *argv[2] = {call->binary, NULL};
	struct cgirun r = {.function = call->function->name,
	    .argv = argv,
	    .envp = call->env.items,
	    .directory = call->function->directory,
	    .binary = call->function->runtime == SNAP_RUNTIME_C ?
	    call->binary : NULL,
	    .show_header = call->options->include};
	int rc;

	r.stdin_fd = request_body(&call->body, e);
	if (r.stdin_fd < 0)
		return -1;
	/* Ctrl-C is for the function: the scratch directory has to go. */
	signal(SIGINT, SIG_IGN);
	rc = cgirun(&r, result, e);
	signal(SIGINT, SIG_DFL);
	close(r.stdin_fd);
	return rc;
}

static int
run_confined(const struct site *s, struct call *call,
    struct cgi_result *result, struct err *e)
{
	struct confined c = {.place = &s->place,
	    .snapshot = call->snapshot,
	    .function = call->function->name,
	    .env = &call->env,
	    .body_bytes = call->body.len,
	    .show_header = call->options->include};
	int rc;

	c.body_fd = request_body(&call->body, e);
	if (c.body_fd < 0)
		return -1;
	rc = confined_run(&c, result, e);
	close(c.body_fd);
	return rc;
}

/* Runs the request: an exit code, or -1 with the error. */
static int
run_call(const struct site *s, struct call *call, struct err *e)
{
	const char *debug = call->options->debug;
	struct cgi_result result;
	int rc;

	if (debug && *debug)
		return debugger_run(debug, call->binary, &call->env,
		    call->function->directory, &call->body, call->scratch, e);
	rc = call->bare ? run_bare(call, &result, e)
	                : run_confined(s, call, &result, e);
	return rc < 0 ? -1 : verdict(call, &result);
}

/* With a site that is open: builds, makes the request, runs it. */
static int
invoke(const struct cli *c, struct site *s, struct call *call,
    const char *name)
{
	struct err e;
	int code;

	call->function = site_function(s, name, &e);
	if (!call->function)
		return cli_fail(&e, CLI_FAILED);
	code = make_binary(c, s, call);
	if (code != CLI_OK)
		return code;
	if (call->bare) {
		if (site_snapshot(s, call->snapshot, &e) < 0 ||
		    make_scratch(s, call, &e) < 0)
			return cli_fail(&e, CLI_FAILED);
	} else {
		code = site_refresh(s, call->snapshot);
		if (code != CLI_OK)
			return code;
		call->function = site_function(s, name, &e);
		if (!call->function)
			return cli_fail(&e, CLI_FAILED);
	}
	if (make_request(s, call, &e) < 0 ||
	    reach_store(&s->place, call->snapshot, call->function, call->bare,
	        &call->env, &e) < 0)
		code = cli_fail(&e, CLI_FAILED);
	else {
		code = run_call(s, call, &e);
		if (code < 0)
			code = cli_fail(&e, e.code == ENOENT ? CLI_MISSING :
			    CLI_FAILED);
	}
	if (call->bare)
		io_remove_tree(AT_FDCWD, call->scratch);
	return code;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	struct call call = {.options = o,
	    .bare = o->debug || o->sanitize};
	const char *wrong = misfit(o);
	struct site s;
	int code;

	(void)argc;
	if (wrong)
		return cli_usage("invoke", "%s", wrong);
	code = site_open(c, &s, false);
	if (code != CLI_OK)
		return code;
	envlist_init(&call.env);
	buf_init(&call.body, EVENT_MAX_BODY);
	code = invoke(c, &s, &call, argv[0]);
	envlist_release(&call.env);
	buf_release(&call.body);
	site_close(&s);
	return code;
}

const struct command command_invoke = {
	.name = "invoke",
	.arguments = "FUNCTION",
	.summary = "run a function once, without a web server",
	.help =
	    "Runs a function once, without a web server, and prints the "
	    "reply's body. It runs as in production, in a fresh process "
	    "with its sandbox and its limits; with --debug or --sanitize "
	    "as you, without either. Exits with 5 if it crashed, failed, "
	    "passed a limit, spoke no CGI or answered 500 or more.",
	.opts = invoke_opts,
	.size = sizeof(struct options),
	.least = 1,
	.most = 1,
	.words = "@functions",
	.run = run,
};
