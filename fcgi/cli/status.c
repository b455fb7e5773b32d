/*
 * bothy status: the gateway's counters, and what the launcher says of itself.
 * Reads only; starts a launcher if it is told to.
 */
#include "cli.h"
#include "store/stat.h"
#include "table.h"

#include "fcgi/invoke/link.h"
#include "fcgi/invoke/stats.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MS = 3000, STAT_MAX = 1024 * 1024, HEAD_WIDTH = 11 };

struct options {
	bool start;
};

static const struct opt status_opts[] = {
	{"start", 0, OPT_SWITCH, NULL, offsetof(struct options, start),
	    "start the launcher if it is not running"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

static const struct column columns[] = {
    {"function", "FUNCTION"},
    {"requests", "REQUESTS"},
    {"2xx", "2XX"},
    {"3xx", "3XX"},
    {"4xx", "4XX"},
    {"5xx", "5XX"},
    {"p50_ms", "P50 MS"},
    {"p99_ms", "P99"},
    {"cpu_ms", "CPU"},
    {"peak_mb", "MB"},
    {"children", "PROCS"},
    {"idle", "IDLE"},
    {NULL, NULL},
};

/* One slot of counters as a row. */
static json_t *
counters(const struct stats_view *v, const char *name)
{
	double n = v->requests ? (double)v->requests : 1;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}",
	    "function", name, "requests", (json_int_t)v->requests, "2xx",
	    (json_int_t)v->classes[2], "3xx", (json_int_t)v->classes[3], "4xx",
	    (json_int_t)v->classes[4], "5xx", (json_int_t)v->classes[5],
	    "p50_ms", (double)stats_percentile_us(v, 50) / 1000, "p99_ms",
	    (double)stats_percentile_us(v, 99) / 1000, "cpu_ms",
	    (double)v->cpu_us / n / 1000, "peak_mb",
	    (double)v->peak_kb / 1024);
}

/* The row of a function, made if it has none. */
static json_t *
row_of(json_t *rows, const char *function)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (strcmp(json_string_value(json_object_get(row,
		    "function")), function) == 0)
			return row;
	}
	row = json_pack("{s:s}", "function", function);
	json_array_append_new(rows, row);
	return row;
}

/* Reads the gateways' counters into the answer. */
static void
read_stats(const struct place *p, json_t *answer, json_t *rows)
{
	struct stats_view v;
	struct stats *s;
	unsigned i, copies;
	uint64_t in_flight;
	struct err e;

	s = stats_open_read(p->state, &e);
	if (!s) {
		json_object_set_new(answer, "gateways", json_integer(0));
		if (e.code != ENOENT)
			json_object_set_new(answer, "stats_error",
			    json_string(e.text));
		return;
	}
	in_flight = stats_in_flight(s, &copies);
	json_object_set_new(answer, "gateways", json_integer(copies));
	json_object_set_new(answer, "in_flight",
	    json_integer((json_int_t)in_flight));
	json_object_set_new(answer, "since_ms",
	    json_integer(stats_since_ms(s)));
	if (stats_read(s, STATS_TOTAL, &v) == 0)
		json_object_set_new(answer, "total", counters(&v, "all"));
	for (i = 1; i < stats_used(s); i++) {
		if (stats_read(s, i, &v) == 0 && v.requests)
			json_array_append_new(rows, counters(&v, v.name));
	}
	if (stats_read(s, STATS_OTHER, &v) == 0 && v.requests)
		json_array_append_new(rows, counters(&v, "(others)"));
	stats_close(s);
}

/* Waits for the launcher's STATUS; its JSON, or NULL with the error set. */
static json_t *
ask_launcher(int fd, struct err *e)
{
	struct launch_msg m = {.type = LAUNCH_STATUS};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char *text = malloc(LAUNCH_TEXT_MAX + 1);
	json_t *answer = NULL;
	size_t nfds;

	if (!text || link_send(fd, &m) < 0) {
		err_sys(e, "cannot ask the launcher");
		goto out;
	}
	do {
		nfds = 0;
		if (poll(&p, 1, ANSWER_MS) <= 0 || link_receive(fd, &m, text,
		    LAUNCH_TEXT_MAX + 1, NULL, &nfds) <= 0) {
			err_set(e, ETIMEDOUT, "the launcher does not answer");
			goto out;
		}
	} while (m.type != LAUNCH_STATUS);
	answer = json_loads(text, 0, NULL);
	if (!answer)
		err_set(e, EPROTO, "the launcher's answer is no JSON");
out:
	free(text);
	return answer;
}

static void
read_launcher(const struct place *p, bool start, json_t *answer)
{
	struct link_options o = {.site_dir = p->site, .state_dir = p->state,
	    .start = start};
	char program[PATH_MAX];
	json_t *launcher = NULL;
	struct err e;
	int fd;

	if (place_program("bothy-launch", program, &e) == 0)
		o.launcher = program;
	fd = link_open(&o, &e);
	if (fd >= 0) {
		launcher = ask_launcher(fd, &e);
		close(fd);
	}
	if (!launcher)
		launcher = json_pack("{s:b, s:s}", "running", 0, "text",
		    fd < 0 && e.code == ENOENT && !start ?
		    "not running; it starts with the first request, or now "
		    "with `bothy status --start`" : e.text);
	json_object_set_new(answer, "launcher", launcher);
}

/* The store's figures, if the site has one. */
static void
read_store(const struct cli *c, const struct place *p, json_t *answer)
{
	char dir[PATH_MAX];
	json_t *store = NULL;
	struct buf text;
	struct err e;
	int rc;

	if (place_path(dir, &e, "%s/store", p->state) < 0 ||
	    access(dir, F_OK) < 0)
		return;
	buf_init(&text, STAT_MAX);
	rc = storestat_ask(c, &text, &e);
	if (rc > 0)
		store = json_loadb(buf_str(&text), text.len, 0, NULL);
	if (!store)
		store = json_pack("{s:s}", "text", rc < 0 ? e.text :
		    "not running; it starts when it is first used");
	json_object_set_new(store, "running", json_boolean(rc > 0));
	json_object_set_new(answer, "store", store);
	buf_release(&text);
}

static void
print_lines(const char *head, const json_t *text)
{
	const char *s = json_string_value(text), *nl;

	while (s && *s) {
		nl = strchr(s, '\n');
		printf("%-11s%.*s\n", head, nl ? (int)(nl - s) :
		    (int)strlen(s), s);
		s = nl ? nl + 1 : NULL;
		head = "";
	}
}

static void
print_store(const json_t *store)
{
	char *text;

	if (!store)
		return;
	if (json_object_get(store, "text")) {
		print_lines("store", json_object_get(store, "text"));
		return;
	}
	text = json_dumps(store, 0);
	if (text)
		storestat_print(text, strlen(text), HEAD_WIDTH);
	free(text);
}

/* The children of each function, beside its counters. */
static void
merge_pools(json_t *answer, json_t *rows)
{
	json_t *launcher = json_object_get(answer, "launcher"), *pool, *row;
	json_t *failure;
	size_t i;

	json_array_foreach(json_object_get(launcher, "functions"), i, pool) {
		const char *name = json_string_value(
		    json_object_get(pool, "function"));

		if (!name)
			continue;
		row = row_of(rows, name);
		json_object_set(row, "children",
		    json_object_get(pool, "children"));
		json_object_set(row, "idle", json_object_get(pool, "idle"));
		failure = json_object_get(pool, "failure");
		if (json_string_length(failure))
			json_object_set(row, "failure", failure);
	}
}

static void
print_head(const json_t *answer)
{
	const json_t *launcher = json_object_get(answer, "launcher");
	json_int_t since = json_integer_value(json_object_get(answer,
	    "since_ms"));
	json_int_t gateways = json_integer_value(json_object_get(answer,
	    "gateways"));
	time_t t = (time_t)(since / 1000);
	char when[32] = "";

	printf("%-11s%s\n", "site",
	    json_string_value(json_object_get(answer, "site")));
	printf("%-11s", "gateway");
	if (gateways)
		printf("%lld running, %lld requests in flight\n",
		    (long long)gateways, (long long)json_integer_value(
		    json_object_get(answer, "in_flight")));
	else
		puts("not running");
	if (since && strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S",
	    localtime(&t)))
		printf("%-11s%lld requests since %s\n", "counted",
		    (long long)json_integer_value(json_object_get(
		    json_object_get(answer, "total"), "requests")), when);
	if (json_object_get(launcher, "pid"))
		printf("%-11spid %lld, %lld children\n", "launcher",
		    (long long)json_integer_value(
		    json_object_get(launcher, "pid")),
		    (long long)json_integer_value(
		    json_object_get(launcher, "children")));
	print_lines(json_object_get(launcher, "pid") ? "" : "launcher",
	    json_object_get(launcher, "text"));
	print_lines("missing", json_object_get(launcher, "missing"));
	print_store(json_object_get(answer, "store"));
}

/* Why functions do not run: too long for a column beside the counters. */
static void
print_failures(const json_t *rows)
{
	static const struct column FAILED[] = {
	    {"function", "FAILED"}, {"failure", "WHY"}, {NULL, NULL}};
	json_t *failed = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (json_object_get(row, "failure"))
			json_array_append(failed, row);
	}
	if (json_array_size(failed)) {
		putchar('\n');
		table_print(failed, FAILED, false);
	}
	json_decref(failed);
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct options *o = values;
	json_t *answer, *rows;
	struct place p;
	struct err e;

	(void)argc;
	(void)argv;
	if (cli_place(c, &p, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	answer = json_pack("{s:s, s:s}", "site", p.site, "state", p.state);
	rows = json_array();
	read_stats(&p, answer, rows);
	read_launcher(&p, o->start, answer);
	read_store(c, &p, answer);
	merge_pools(answer, rows);
	json_object_set(answer, "functions", rows);
	if (c->json)
		table_json(answer);
	else {
		print_head(answer);
		if (json_array_size(rows)) {
			putchar('\n');
			table_print(rows, columns, false);
			print_failures(rows);
		}
	}
	json_decref(rows);
	json_decref(answer);
	return CLI_OK;
}

const struct command command_status = {
	.name = "status",
	.arguments = "",
	.summary = "show counters, children and containment",
	.help =
	    "Shows counters, children and containment. P50 and P99 are from "
	    "the gateway's accepting a request to its end; CPU is the "
	    "mean of a request, also in milliseconds; MB is the most memory "
	    "that one took. PROCS are a function's processes, IDLE those "
	    "that wait for a request. `missing` is what this machine does "
	    "not give to contain functions.",
	.opts = status_opts,
	.size = sizeof(struct options),
	.tables = true,
	.run = run,
};
