/*
 * deploy.yaml -> struct conf: what values arrive, where defaults come from,
 * and what holds over several keys.  What is refused is cases_test.c's.
 */
#include "tests/unit/fcgi/conf/site.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define HELLO "    handler: functions/hello/hello.c\n"

/* The value of a function's variable, or NULL. */
static const char *
variable(const struct conf_function *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->environment.count; i++)
		if (strcmp(f->environment.items[i].name, name) == 0)
			return f->environment.items[i].value;
	return NULL;
}

static const struct conf_function *
function(const struct site *s, const char *name)
{
	const struct conf_function *f = conf_find(s->conf, name);

	assert_non_null(f);
	return f;
}

static void
defaults(void **state)
{
	const struct conf_function *f;
	struct site s;
	char path[256];

	(void)state;
	site_make(&s);
	site_assert_loads(&s, SITE_HEAD "functions:\n  a:\n" HELLO, NULL);
	assert_string_equal(s.conf->service, "s");
	assert_string_equal(s.conf->stage, "dev");
	assert_string_equal(s.conf->directory, s.dir);
	assert_string_equal(s.conf->base_path, "");
	assert_int_equal(s.conf->confinement_required, 0);
	assert_int_equal(s.conf->cors.enabled, 0);
	assert_int_equal(s.conf->nroutes, 0);
	f = function(&s, "a");
	assert_int_equal(f->runtime, SNAP_RUNTIME_C);
	assert_int_equal(f->timeout_ms, 6000);
	assert_int_equal(f->memory_mb, 128);
	assert_int_equal(f->idle_timeout_ms, 0);
	assert_true(f->reserved_concurrency == SNAP_UNLIMITED);
	assert_int_equal(f->requests_per_process, 1);
	assert_int_equal(f->warm, 0);
	assert_int_equal(f->response, SNAP_RESPONSE_BUFFERED);
	assert_int_equal(f->on_disconnect, SNAP_DISCONNECT_AUTO);
	assert_int_equal(f->network, SNAP_NETWORK_ALL);
	assert_int_equal(f->linkage, SNAP_LINK_STATIC);
	assert_null(f->binary);
	assert_null(f->link);
	snprintf(path, sizeof path, "%s/functions/hello/hello.c", s.dir);
	assert_string_equal(f->source, path);
	snprintf(path, sizeof path, "%s/functions/hello", s.dir);
	assert_string_equal(f->directory, path);
	assert_null(conf_find(s.conf, "b"));
	site_remove(&s);
}

static const char everything[] =
    "functions:\n"		/* before the provider, on purpose */
    "  tool:\n"
    "    handler: functions/tool\n"
    "    timeout: 0\n"
    "    response: stream\n"
    "    idleTimeout: 0.5\n"
    "    onDisconnect: stop\n"
    "    reservedConcurrency: 0\n"
    "    environment: {B: own, C: 2.50}\n"
    "    paths: {read: [/usr/share, data/x], write: [/var/tmp]}\n"
    "    network: none\n"
    "    events: [httpApi: '*']\n"
    "  hello:\n" HELLO
    "    runtime: c\n"
    "    timeout: 7.125\n"
    "    memorySize: 99\n"
    "    requestsPerProcess: 0\n"
    "    warm: 3\n"
    "    link: dynamic\n"
    "    events:\n"
    "      - httpApi: get /hello/{first-name}/{rest+}\n"
    "provider:\n"
    "  name: bothy\n"
    "  stage: prod\n"
    "  runtime: exec\n"
    "  timeout: 2.5\n"
    "  memorySize: 64\n"
    "  environment: {A: all, B: hidden}\n"
    "  confinement: required\n"
    "  basePath: /x/y\n"
    "  trustedProxies: [10.0.0.0/8]\n"
    "  httpApi: {cors: {allowedOrigins: ['https://a.example'],\n"
    "    allowCredentials: true, maxAge: 60}}\n"
    "service: all\n";

static void
every_key_arrives(void **state)
{
	const struct conf_function *f;
	const struct conf_route *r;
	struct site s;
	char path[256];

	(void)state;
	site_make(&s);
	site_assert_loads(&s, everything, NULL);
	assert_string_equal(s.conf->stage, "prod");
	assert_string_equal(s.conf->base_path, "/x/y");
	assert_int_equal(s.conf->confinement_required, 1);
	assert_int_equal(s.conf->trusted_proxies.count, 1);
	assert_string_equal(s.conf->trusted_proxies.items[0], "10.0.0.0/8");
	f = function(&s, "tool");
	assert_int_equal(f->runtime, SNAP_RUNTIME_EXEC);
	assert_int_equal(f->timeout_ms, 0);
	assert_int_equal(f->idle_timeout_ms, 500);
	assert_int_equal(f->memory_mb, 64);
	assert_int_equal(f->response, SNAP_RESPONSE_STREAM);
	assert_int_equal(f->on_disconnect, SNAP_DISCONNECT_STOP);
	assert_int_equal(f->reserved_concurrency, 0);
	assert_int_equal(f->network, SNAP_NETWORK_NONE);
	assert_int_equal(f->environment.count, 3);
	assert_string_equal(variable(f, "A"), "all");
	assert_string_equal(variable(f, "B"), "own");
	assert_string_equal(variable(f, "C"), "2.50");
	assert_string_equal(f->read_paths.items[0], "/usr/share");
	snprintf(path, sizeof path, "%s/data/x", s.dir);
	assert_string_equal(f->read_paths.items[1], path);
	assert_string_equal(f->write_paths.items[0], "/var/tmp");
	snprintf(path, sizeof path, "%s/functions/tool", s.dir);
	assert_string_equal(f->binary, path);
	f = function(&s, "hello");
	assert_int_equal(f->runtime, SNAP_RUNTIME_C);
	assert_int_equal(f->timeout_ms, 7125);
	assert_int_equal(f->memory_mb, 99);
	assert_int_equal(f->requests_per_process, 0);
	assert_int_equal(f->warm, 3);
	assert_int_equal(f->linkage, SNAP_LINK_DYNAMIC);
	assert_int_equal(s.conf->nroutes, 2);
	r = &s.conf->routes[0];
	assert_string_equal(r->key, "$default");
	assert_int_equal(r->kind, SNAP_KIND_DEFAULT);
	r = &s.conf->routes[1];
	assert_string_equal(r->key, "GET /hello/{first-name}/{rest+}");
	assert_int_equal(r->kind, SNAP_KIND_GREEDY);
	assert_int_equal(r->nparams, 2);
	assert_string_equal(r->params[0].name, "first-name");
	assert_string_equal(r->params[0].variable, "BOTHY_PARAM_first_name");
	assert_string_equal(r->params[1].name, "rest");
	assert_int_equal(r->function, 1);
	assert_int_equal(r->place.line, 22);
	assert_int_equal(s.conf->cors.enabled, 1);
	assert_int_equal(s.conf->cors.credentials, 1);
	assert_int_equal(s.conf->cors.max_age_s, 60);
	assert_string_equal(s.conf->cors.origins.items[0],
	    "https://a.example");
	site_remove(&s);
}

static bool
holds(const struct conf_list *l, const char *word)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		if (strcmp(l->items[i], word) == 0)
			return true;
	return false;
}

static void
cors_true_means_everyone_and_the_methods_of_the_routes(void **state)
{
	static const char yaml[] = "service: s\n"
	    "provider: {name: bothy, httpApi: {cors: true}}\n"
	    "functions:\n  a:\n" HELLO
	    "    events: [httpApi: GET /a, httpApi: PUT /a]\n";
	const struct conf_cors *cors;
	struct site s;

	(void)state;
	site_make(&s);
	site_assert_loads(&s, yaml, NULL);
	cors = &s.conf->cors;
	assert_int_equal(cors->enabled, 1);
	assert_int_equal(cors->origins.count, 1);
	assert_string_equal(cors->origins.items[0], "*");
	assert_int_equal(cors->methods.count, 3);
	assert_true(holds(&cors->methods, "GET"));
	assert_true(holds(&cors->methods, "PUT"));
	assert_true(holds(&cors->methods, "OPTIONS"));
	assert_true(holds(&cors->headers, "Authorization"));
	site_remove(&s);
}

static void
variables_become_values(void **state)
{
	static const char yaml[] = SITE_HEAD
	    "params:\n"
	    "  default: {x: default-x, y: default-y, n: 9}\n"
	    "  prod: {x: prod-x}\n"
	    "custom:\n"
	    "  name: hello\n"
	    "  events: [httpApi: 'GET /${self:custom.name}']\n"
	    "functions:\n"
	    "  a:\n"
	    "    handler: functions/${self:custom.name}/hello.c\n"
	    "    timeout: ${param:n}\n"
	    "    memorySize: ${env:SIZE}\n"
	    "    events: ${self:custom.events}\n"
	    "    environment:\n"
	    "      A: ${param:x}/${param:y}\n"
	    "      B: ${env:NONE, 'it''s, {fine}'}\n"
	    "      C: ${env:NONE, env:NOR, 5}\n"
	    "      D: ${env:NONE, ${self:functions.a.timeout}}\n"
	    "      E: ${file(part.yml):list.1}\n"
	    "      F: \\${x} $y $${z\n"
	    "      G: a${secret:ONE}b${secret:TWO}\n"
	    "      H: ${sls:stage}\n"
	    "      I: ${env:QUOTED}\n"
	    "      J: ${file(none.yml), \"none\"}\n"
	    "      K: ${env:EMPTY}\n"
	    "      L: ${param:${self:custom.name}, 'nested'}\n";
	const struct conf_options prod = {.stage = "prod"};
	const struct conf_function *f;
	struct site s;
	char *good;

	(void)state;
	site_make(&s);
	site_write(&s, ".env", "# comment\nSIZE=32\n"
	    "export QUOTED=\"a\\nb # \\$c\" # end\nEMPTY=\n", 0600);
	site_write(&s, "part.yml", "list: [zero, '${env:SIZE}']\n", 0600);
	good = strdup(yaml);
	assert_non_null(good);
	memcpy(strstr(good, " $${z"), "     ", 5);
	site_assert_loads(&s, good, NULL);
	f = function(&s, "a");
	assert_int_equal(f->timeout_ms, 9000);
	assert_int_equal(f->memory_mb, 32);
	assert_string_equal(s.conf->routes[0].key, "GET /hello");
	assert_string_equal(variable(f, "A"), "default-x/default-y");
	assert_string_equal(variable(f, "B"), "it''s, {fine}");
	assert_string_equal(variable(f, "C"), "5");
	assert_string_equal(variable(f, "D"), "9");
	assert_string_equal(variable(f, "E"), "32");
	assert_string_equal(variable(f, "F"), "${x} $y");
	assert_string_equal(variable(f, "G"), "a${secret:ONE}b${secret:TWO}");
	assert_string_equal(variable(f, "H"), "dev");
	assert_string_equal(variable(f, "I"), "a\nb # $c");
	assert_string_equal(variable(f, "J"), "none");
	assert_string_equal(variable(f, "K"), "");
	assert_string_equal(variable(f, "L"), "nested");
	site_assert_loads(&s, good, &prod);
	assert_string_equal(s.conf->stage, "prod");
	assert_string_equal(variable(function(&s, "a"), "A"),
	    "prod-x/default-y");
	assert_string_equal(variable(function(&s, "a"), "H"), "prod");
	assert_int_equal(site_load_text(&s, yaml, NULL), -1);
	site_assert_error(&s, "'${' without its '}'");
	free(good);
	site_remove(&s);
}

/* What another stage needs need not be there. */
static void
stages_that_are_not_used_are_passed_over(void **state)
{
	static const char yaml[] = "service: s\n"
	    "provider: {name: bothy, stage: '${env:STAGE, ''test''}'}\n"
	    "params:\n"
	    "  test: {x: 1}\n"
	    "  prod: {x: '${env:NOT_THERE}'}\n";
	static const char own[] = "service: s\n"
	    "provider: {name: bothy, stage: '${param:x}'}\n"
	    "params: {default: {x: y}}\n";
	const struct conf_options prod = {.stage = "prod"};
	struct site s;

	(void)state;
	site_make(&s);
	site_assert_loads(&s, yaml, NULL);
	assert_string_equal(s.conf->stage, "test");
	assert_int_equal(site_load(&s, &prod), -1);
	site_assert_error(&s, "does not set NOT_THERE");
	site_assert_loads(&s, own, &prod);
	assert_string_equal(s.conf->stage, "prod");
	site_remove(&s);
}

/* Only the site's env file counts, and it can be another one. */
static void
environment_of_the_process_is_not_read(void **state)
{
	static const char yaml[] = "service: ${env:BOTHY_TEST_NAME, 'own'}\n"
	    "provider: {name: bothy}\n";
	struct conf_options opt = {0};
	struct site s;
	char path[128];

	(void)state;
	site_make(&s);
	setenv("BOTHY_TEST_NAME", "process", 1);
	site_assert_loads(&s, yaml, NULL);
	assert_string_equal(s.conf->service, "own");
	snprintf(path, sizeof path, "%s/other.env", s.dir);
	opt.env_file = path;
	assert_int_equal(site_load(&s, &opt), -1);
	site_assert_error(&s, "cannot open");
	site_write(&s, "other.env", "BOTHY_TEST_NAME=other\n", 0600);
	site_assert_loads(&s, yaml, &opt);
	assert_string_equal(s.conf->service, "other");
	site_remove(&s);
}

static void
bad_lines_of_the_env_file(void **state)
{
	static const char expected[] =
	    ".env:1:1: must be NAME=value, the name of letters, digits and "
	    "'_', with no digit first\n"
	    ".env:2:1: must be NAME=value, the name of letters, digits and "
	    "'_', with no digit first\n"
	    ".env:4:1: A is here twice\n"
	    ".env:5:3: no closing quote in this line\n"
	    ".env:6:7: text behind the closing quote\n"
	    ".env:7:1: a line must be UTF-8 without NUL bytes, at most 65536 "
	    "of them\n";
	struct site s;
	char *text;

	(void)state;
	site_make(&s);
	site_write(&s, ".env", "what\n1A=b\nA=1\r\nA=2\nB='x\nC='x' y\n"
	    "D=\xff\n  E = spaced  # comment\n", 0600);
	assert_int_equal(site_load_text(&s, SITE_HEAD, NULL), -1);
	text = site_errors(&s.errors);
	assert_string_equal(text, expected);
	free(text);
	site_remove(&s);
}

static void
builds_are_asked_for_only_where_told(void **state)
{
	static const char yaml[] = SITE_HEAD "functions:\n  a:\n" HELLO;
	struct conf_options opt = {.require_builds = true};
	const struct conf_function *f;
	struct site s;
	char link[128], binary[128];

	(void)state;
	site_make(&s);
	opt.state_dir = s.state;
	assert_int_equal(site_load_text(&s, yaml, &opt), -1);
	site_assert_error(&s, "the function 'a' is not built");
	opt.require_builds = false;
	site_assert_loads(&s, yaml, &opt);
	f = function(&s, "a");
	assert_null(f->binary);
	snprintf(link, sizeof link, "%s/build/a", s.state);
	assert_string_equal(f->link, link);
	site_write(&s, ".bothy/build/cache/1/a", "binary", 0700);
	assert_int_equal(symlink("cache/1/a", link), 0);
	opt.require_builds = true;
	site_assert_loads(&s, yaml, &opt);
	snprintf(binary, sizeof binary, "%s/build/cache/1/a", s.state);
	assert_string_equal(function(&s, "a")->binary, binary);
	site_remove(&s);
}

static void
stage_of_the_caller_must_be_a_name(void **state)
{
	const struct conf_options opt = {.stage = "../prod"};
	struct site s;

	(void)state;
	site_make(&s);
	assert_int_equal(site_load_text(&s, SITE_HEAD, &opt), -1);
	site_assert_error(&s, "'../prod' must be 1 to 64");
	site_remove(&s);
}

static void
what_cannot_be_read_is_said(void **state)
{
	const struct conf_options none = {0};
	struct errlist errors;
	struct conf *conf;
	struct site s;
	struct buf big;

	(void)state;
	errlist_init(&errors);
	assert_int_equal(conf_load("/nowhere/at/all", &none, &conf, &errors),
	    -1);
	assert_null(conf);
	assert_int_equal(errors.count, 1);
	errlist_release(&errors);
	site_make(&s);
	assert_int_equal(site_load(&s, NULL), -1);
	site_assert_error(&s, "cannot open deploy.yaml");
	buf_init(&big, 2 * CONF_MAX_FILE);
	while (big.len <= CONF_MAX_FILE)
		buf_puts(&big, "# a comment that makes the file too long\n");
	assert_int_equal(site_load_text(&s, buf_str(&big), NULL), -1);
	site_assert_error(&s, "deploy.yaml:1:1: the file has more than "
	    "1048576 bytes; move parts of it into files of their own, as in "
	    "'functions: ${file(functions.yml)}'");
	buf_release(&big);
	site_remove(&s);
}

/* --- many of everything --------------------------------------------------- */

static void
a_thousand_functions_and_their_routes(void **state)
{
	struct site s;
	struct buf b;
	int i;

	(void)state;
	site_make(&s);
	buf_init(&b, CONF_MAX_FILE);
	buf_puts(&b, SITE_HEAD "functions:\n");
	for (i = 0; i < CONF_MAX_FUNCTIONS; i++)
		buf_printf(&b, "  f%d:\n" HELLO "    events: "
		    "[httpApi: 'GET /r%d/{id}', httpApi: 'PUT /r%d']\n", i, i,
		    i);
	site_assert_loads(&s, buf_str(&b), NULL);
	assert_int_equal(s.conf->nfunctions, CONF_MAX_FUNCTIONS);
	assert_int_equal(s.conf->nroutes, 2 * CONF_MAX_FUNCTIONS);
	buf_puts(&b, "  one-more:\n" HELLO);
	assert_int_equal(site_load_text(&s, buf_str(&b), NULL), -1);
	site_assert_error(&s, "functions has 1001 entries; 1000 are the most");
	buf_release(&b);
	site_remove(&s);
}

/* Shared lists must not be checked again and again without end. */
static void
shared_lists_end_at_the_limits(void **state)
{
	struct site s;
	struct buf b;
	int i;

	(void)state;
	site_make(&s);
	buf_init(&b, CONF_MAX_FILE);
	buf_puts(&b, SITE_HEAD "custom:\n  events:\n");
	for (i = 0; i < 5000; i++)
		buf_printf(&b, "    - httpApi: GET /%d\n", i);
	buf_puts(&b, "functions:\n");
	for (i = 0; i < CONF_MAX_FUNCTIONS; i++)
		buf_printf(&b, "  f%d:\n" HELLO
		    "    events: ${self:custom.events}\n", i);
	assert_int_equal(site_load_text(&s, buf_str(&b), NULL), -1);
	assert_int_equal(s.errors.count, ERRLIST_MAX);
	site_assert_error(&s, "is the same as GET /");
	buf_reset(&b);
	buf_puts(&b, SITE_HEAD "functions:\n");
	for (i = 0; i <= CONF_MAX_ROUTES; i++) {
		if (i % 5001 == 0)
			buf_printf(&b, "  f%d:\n" HELLO "    events:\n", i);
		buf_printf(&b, "    - httpApi: GET /%d\n", i);
	}
	assert_int_equal(site_load_text(&s, buf_str(&b), NULL), -1);
	site_assert_error(&s, "more than 10000 routes");
	buf_reset(&b);
	buf_puts(&b, SITE_HEAD "custom:\n  env:\n");
	for (i = 0; i < 400; i++)
		buf_printf(&b, "    VARIABLE_%d: %060d\n", i, i);
	buf_puts(&b, "functions:\n");
	for (i = 0; i < CONF_MAX_FUNCTIONS; i++)
		buf_printf(&b, "  f%d:\n" HELLO
		    "    environment: ${self:custom.env}\n", i);
	site_assert_loads(&s, buf_str(&b), NULL);
	buf_release(&b);
	site_remove(&s);
}

/* A chain of variables that need one another, and text that doubles. */
static void
variables_are_bounded(void **state)
{
	struct site s;
	struct buf b;
	int i;

	(void)state;
	site_make(&s);
	buf_init(&b, CONF_MAX_FILE);
	buf_puts(&b, SITE_HEAD "custom:\n");
	for (i = 0; i < 1000; i++)
		buf_printf(&b, "  v%d: ${self:custom.v%d}\n", i, i + 1);
	buf_puts(&b, "  v1000: end\n");
	assert_int_equal(site_load_text(&s, buf_str(&b), NULL), -1);
	site_assert_error(&s, "more than 32 deep");
	buf_reset(&b);
	buf_puts(&b, SITE_HEAD "custom:\n  big: '");
	for (i = 0; i < 60000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "'\n  list:\n");
	for (i = 0; i < 20000; i++)
		buf_puts(&b, "    - ${self:custom.big}y\n");
	assert_int_equal(site_load_text(&s, buf_str(&b), NULL), -1);
	site_assert_error(&s, "needs too much memory");
	buf_release(&b);
	site_remove(&s);
}

/* --- without memory ------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LIMITS_WORK = 0 };	/* the sanitizer's own memory counts too */
#else
enum { LIMITS_WORK = 1 };
#endif

/* In a child: what loading comes to if only `room` more bytes can be had. */
static int
load_within(struct site *s, size_t room)
{
	struct rlimit limit;
	struct snapshot *snap;
	struct err e;
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages;

	/* field 6: data and stack, which is what the limit counts */
	if (!f || fscanf(f, "%*s %*s %*s %*s %*s %lu", &pages) != 1)
		return 2;
	fclose(f);
	limit.rlim_cur = limit.rlim_max = pages * 4096 + room;
	if (setrlimit(RLIMIT_DATA, &limit) < 0)
		return 2;
	if (site_load(s, NULL) < 0)
		return s->errors.count + s->errors.dropped > 0 ? 0 : 3;
	snap = snapshot_build(s->conf, &e);
	if (!snap)
		return e.text[0] ? 0 : 4;
	snapshot_free(snap);
	return 1;
}

static void
too_little_memory_is_an_error(void **state)
{
	int status, loaded = 0, refused = 0;
	struct site s;
	struct buf b;
	size_t room;
	pid_t pid;
	int i;

	(void)state;
	if (!LIMITS_WORK)
		skip();
	site_make(&s);
	buf_init(&b, CONF_MAX_FILE);
	buf_puts(&b, SITE_HEAD "functions:\n");
	for (i = 0; i < 300; i++)
		buf_printf(&b, "  f%d:\n" HELLO "    environment: {A: b%d}\n"
		    "    events: [httpApi: 'GET /r%d/{id}/${sls:stage}']\n",
		    i, i, i);
	site_write(&s, CONF_FILE, buf_str(&b), 0600);
	buf_release(&b);
	for (room = 0; room < 3 * 1024 * 1024; room += 24 * 1024) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(load_within(&s, room));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_true(WEXITSTATUS(status) <= 1);
		loaded += WEXITSTATUS(status) == 1;
		refused += WEXITSTATUS(status) == 0;
	}
	print_message("%d loaded, %d refused\n", loaded, refused);
	assert_true(loaded > 10 && refused > 10);
	site_remove(&s);
}

/* --- relative names ------------------------------------------------------- */

static void
state_and_env_file_may_be_relative(void **state)
{
	struct conf_options opt = {.state_dir = "state", .env_file = "e"};
	char cwd[PATH_MAX], link[128];
	struct site s;

	(void)state;
	site_make(&s);
	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_int_equal(chdir(s.dir), 0);
	site_write(&s, "e", "NAME=relative\n", 0600);
	site_assert_loads(&s, "service: ${env:NAME}\n"
	    "provider: {name: bothy}\nfunctions:\n  a:\n" HELLO, &opt);
	assert_int_equal(chdir(cwd), 0);
	assert_string_equal(s.conf->service, "relative");
	snprintf(link, sizeof link, "%s/state/build/a", s.dir);
	assert_string_equal(function(&s, "a")->link, link);
	site_remove(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* first, while there is little to be had again */
		cmocka_unit_test(too_little_memory_is_an_error),
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key_arrives),
		cmocka_unit_test(
		    cors_true_means_everyone_and_the_methods_of_the_routes),
		cmocka_unit_test(variables_become_values),
		cmocka_unit_test(stages_that_are_not_used_are_passed_over),
		cmocka_unit_test(environment_of_the_process_is_not_read),
		cmocka_unit_test(bad_lines_of_the_env_file),
		cmocka_unit_test(builds_are_asked_for_only_where_told),
		cmocka_unit_test(stage_of_the_caller_must_be_a_name),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(a_thousand_functions_and_their_routes),
		cmocka_unit_test(shared_lists_end_at_the_limits),
		cmocka_unit_test(variables_are_bounded),
		cmocka_unit_test(state_and_env_file_may_be_relative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
