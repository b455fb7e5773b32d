/*
 * The table of keys of keys.h, from the leaves up.
 */
#include "keys.h"

#include "format.h"
#include "smoke.h"
#include "stages.h"

#include <string.h>

#define SITE(field) .at = KEY_AT(struct site_keys, field)
#define FUNCTION(field) .at = KEY_AT(struct conf_function, field)
#define EVENT(field) .at = KEY_AT(struct event_keys, field)
#define ITEM .name = "*", .shape = KEY_STRING, .at = 1	/* of a conf_list */

/* Words in the order of the enums that they stand for. */
static const char *const providers[] = {"bothy", NULL};
static const char *const runtimes[] = {"c", "exec", NULL};
static const char *const responses[] = {"buffered", "stream", NULL};
static const char *const disconnects[] = {"auto", "finish", "stop", NULL};
static const char *const networks[] = {"all", "unix", "none", NULL};
static const char *const links[] = {"static", "dynamic", NULL};
static const char *const confinements[] = {"best-effort", "required", NULL};

#define RUNTIME_TEXT "c: a C program that is built and kept warm. exec: any " \
	"executable, started for each request as a CGI program."
#define TIMEOUT_TEXT "Wall clock that a request may take, waiting included, " \
	"before the function is ended and the client gets 504."
#define MEMORY_TEXT "Memory that a request and its descendants may use."

/* --- environment ---------------------------------------------------------- */

static const struct key variable_item = {
	.name = "*",
	.shape = KEY_STRING | KEY_NUMBER | KEY_BOOL | KEY_SECRET,
	.max = CONF_MAX_ENVIRONMENT, .at = KEY_AT(struct conf_pair, value),
	.text = "A variable's value; here, and only here, ${secret:NAME} may "
	    "stand.",
};

#define ENVIRONMENT .shape = KEY_NAMES, .max = 500, \
	.format = format_env_name, .pattern = FORMAT_ENV_PATTERN, \
	.item = &variable_item

/* --- provider.httpApi ----------------------------------------------------- */

static const struct key origin_item = {
	ITEM, .max = 255, .format = format_origin,
	.text = "An origin as browsers send it, or *.",
};

static const struct key token_item = {
	ITEM, .max = 128, .format = format_token,
	.text = "A method or a header, or *.",
};

static const struct key cors_keys[] = {
	{ .name = "allowedOrigins", .shape = KEY_LIST, .max = 100,
	  SITE(cors.origins), .item = &origin_item, .fallback = "['*']",
	  .text = "Origins that may read replies." },
	{ .name = "allowedMethods", .shape = KEY_LIST, .max = 20,
	  SITE(cors.methods), .item = &token_item,
	  .text = "Methods that a preflight allows; all that have a route "
	    "unless given." },
	{ .name = "allowedHeaders", .shape = KEY_LIST, .max = 100,
	  SITE(cors.headers), .item = &token_item,
	  .text = "Request headers that a preflight allows; those of API "
	    "Gateway's default unless given." },
	{ .name = "exposedResponseHeaders", .shape = KEY_LIST, .max = 100,
	  SITE(cors.exposed), .item = &token_item,
	  .text = "Reply headers that a page may read." },
	{ .name = "allowCredentials", .shape = KEY_BOOL, .fallback = "false",
	  SITE(cors.credentials),
	  .text = "Whether cookies may come along; needs allowedOrigins "
	    "without *." },
	{ .name = "maxAge", .shape = KEY_NUMBER, .unit = "seconds",
	  .max = 86400, .scale = 1, SITE(cors.max_age_s), .fallback = "0",
	  .text = "How long a browser may keep a preflight's answer." },
	{ .name = NULL }
};

static const struct key http_api_keys[] = {
	{ .name = "cors", .shape = KEY_BOOL | KEY_MAP, .keys = cors_keys,
	  SITE(cors.enabled), .fallback = "false",
	  .text = "true: every origin may call every route. Or a map that "
	    "says more." },
	{ .name = NULL }
};

/* --- provider ------------------------------------------------------------- */

static const struct key network_item = {
	ITEM, .max = 64, .format = format_network,
	.text = "An IP address or a network.",
};

static const struct key aws_keys[] = {
	{ .name = "path", .shape = KEY_STRING, .max = 255,
	  .format = format_base_path, SITE(aws_path), .fallback = "",
	  .text = "Where DynamoDB's protocol is spoken, beside /." },
	{ .name = NULL }
};

static const struct key provider_keys[] = {
	{ .name = "name", .shape = KEY_WORD, .words = providers,
	  .required = true, SITE(provider), .text = "Always bothy." },
	{ .name = "stage", .shape = KEY_STRING, .max = 64,
	  .format = format_name, .pattern = FORMAT_NAME_PATTERN, SITE(stage),
	  .fallback = "dev",
	  .text = "Which params and secrets are used; --stage goes before "
	    "it." },
	{ .name = "runtime", .shape = KEY_WORD, .words = runtimes,
	  SITE(runtime), .fallback = "c", .text = RUNTIME_TEXT },
	{ .name = "timeout", .shape = KEY_NUMBER, .unit = "seconds",
	  .min = 0.1, .max = 86400, .scale = 1000, SITE(timeout_ms),
	  .fallback = "6", .text = TIMEOUT_TEXT },
	{ .name = "memorySize", .shape = KEY_NUMBER, .unit = "MB", .min = 8,
	  .max = 1048576, .scale = 1, SITE(memory_mb), .fallback = "128",
	  .text = MEMORY_TEXT },
	{ .name = "environment", ENVIRONMENT, SITE(environment),
	  .text = "Variables of every function." },
	{ .name = "httpApi", .shape = KEY_MAP, .keys = http_api_keys,
	  .text = "What holds for all routes." },
	{ .name = "confinement", .shape = KEY_WORD, .words = confinements,
	  SITE(confinement), .fallback = "best-effort",
	  .text = "required: no function starts where files can't be kept "
	    "apart. best-effort: what is missing is said in bothy status." },
	{ .name = "basePath", .shape = KEY_STRING, .max = 255,
	  .format = format_base_path, SITE(base_path), .fallback = "",
	  .text = "What stands before every path, as the web server sees "
	    "it." },
	{ .name = "aws", .shape = KEY_MAP, .keys = aws_keys,
	  .text = "The protocols of AWS that the gateway itself speaks." },
	{ .name = "trustedProxies", .shape = KEY_LIST, .max = 100,
	  SITE(trusted_proxies), .item = &network_item, .fallback = "[]",
	  .text = "Proxies whose X-Forwarded-For and X-Forwarded-Proto are "
	    "believed." },
	{ .name = "iam", .shape = KEY_MAP, .keys = keys_iam,
	  .text = "What every function may do with documents." },
	{ .name = "region", .refused = "there are no regions here; remove "
	    "it" },
	{ .name = NULL }
};

/* --- functions.*.events --------------------------------------------------- */

static const struct key http_keys[] = {
	{ .name = "method", .shape = KEY_STRING, .max = 16, EVENT(method),
	  .text = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, or * for "
	    "any." },
	{ .name = "path", .shape = KEY_STRING, .max = SNAP_MAX_PATH,
	  .required = true,
	  EVENT(path),
	  .text = "The path with its {name} and {name+} segments, or * for "
	    "whatever no other route takes." },
	{ .name = NULL }
};

static const struct key event_keys[] = {
	{ .name = "httpApi", .shape = KEY_STRING | KEY_MAP, .max = 1100,
	  .keys = http_keys, EVENT(http_short),
	  .text = "A route: 'GET /path', '* /path' for any method, '*' for "
	    "whatever no other route takes, or a map." },
	{ .name = "schedule", .refused = "schedules are not supported yet; "
	    "remove it and let cron call bothy invoke" },
	{ .name = "sns", .refused = "topics are not supported yet; remove "
	    "it" },
	{ .name = "stream", .refused = "streams of changes are not supported "
	    "yet; remove it" },
	{ .name = "websocket", .refused = "WebSockets are not supported yet; "
	    "remove it" },
	{ .name = "http", .refused = "this is the older API Gateway; write "
	    "httpApi" },
	{ .name = "sqs", .refused = "queues are not supported; remove it" },
	{ .name = "s3", .refused = "buckets are not supported; remove it" },
	{ .name = NULL }
};

static const struct key event_item = {
	.name = "*", .shape = KEY_MAP, .scope = KEY_EVENT, .keys = event_keys,
	.text = "One event, a map of one key.",
};

/* --- functions ------------------------------------------------------------ */

static const struct key path_item = {
	ITEM, .max = 4095, .format = format_path,
	.text = "A directory or a file, absolute or relative to the site.",
};

static const struct key paths_keys[] = {
	{ .name = "read", .shape = KEY_LIST, .max = 64, .item = &path_item,
	  FUNCTION(read_paths), .text = "May be read, and executed from." },
	{ .name = "write", .shape = KEY_LIST, .max = 64, .item = &path_item,
	  FUNCTION(write_paths), .text = "May be read and changed." },
	{ .name = NULL }
};

static const struct key function_keys[] = {
	{ .name = "handler", .shape = KEY_STRING, .max = 4095,
	  .required = true, .format = format_path, FUNCTION(handler),
	  .text = "runtime c: a .c file, a folder of them, or a folder with "
	    "a Makefile. runtime exec: an executable." },
	{ .name = "runtime", .shape = KEY_WORD, .words = runtimes,
	  FUNCTION(runtime), .text = RUNTIME_TEXT },
	{ .name = "timeout", .shape = KEY_NUMBER, .unit = "seconds",
	  .max = 86400, .scale = 1000, FUNCTION(timeout_ms),
	  .text = TIMEOUT_TEXT " 0: none, which needs response: stream and "
	    "an idleTimeout." },
	{ .name = "memorySize", .shape = KEY_NUMBER, .unit = "MB", .min = 8,
	  .max = 1048576, .scale = 1, FUNCTION(memory_mb),
	  .text = MEMORY_TEXT },
	{ .name = "environment", ENVIRONMENT, FUNCTION(environment),
	  .text = "Variables of this function; they go before the "
	    "provider's." },
	{ .name = "reservedConcurrency", .shape = KEY_NUMBER,
	  .unit = "requests", .max = 10000, .scale = 1,
	  FUNCTION(reserved_concurrency),
	  .text = "Requests at the same time, over all copies of the "
	    "gateway; more get 429. 0 turns the function off. No limit of "
	    "its own unless given." },
	{ .name = "requestsPerProcess", .shape = KEY_NUMBER,
	  .unit = "requests", .max = 1000000, .scale = 1,
	  .where = KEY_RUNTIME_C, FUNCTION(requests_per_process),
	  .fallback = "1",
	  .text = "Requests that one process serves, one after the other; 0 "
	    "is any number." },
	{ .name = "warm", .shape = KEY_NUMBER, .unit = "processes",
	  .max = 256, .scale = 1, .where = KEY_RUNTIME_C, FUNCTION(warm),
	  .fallback = "0",
	  .text = "Processes that wait ready even when nobody has asked." },
	{ .name = "response", .shape = KEY_WORD, .words = responses,
	  FUNCTION(response), .fallback = "buffered",
	  .text = "buffered: held until the function flushes or ends. "
	    "stream: sent as it is written." },
	{ .name = "idleTimeout", .shape = KEY_NUMBER, .unit = "seconds",
	  .min = 0.1, .max = 86400, .scale = 1000, .where = KEY_STREAM,
	  FUNCTION(idle_timeout_ms),
	  .text = "How long a stream may be silent before it is ended." },
	{ .name = "onDisconnect", .shape = KEY_WORD, .words = disconnects,
	  FUNCTION(on_disconnect), .fallback = "auto",
	  .text = "When the client leaves: finish, stop, or auto, which "
	    "stops a stream, GET or HEAD and lets others finish." },
	{ .name = "paths", .shape = KEY_MAP, .keys = paths_keys,
	  .text = "Files that the function may reach beside its own, its "
	    "scratch directory and the system's." },
	{ .name = "network", .shape = KEY_WORD, .words = networks,
	  FUNCTION(network), .fallback = "all",
	  .text = "What may be connected to: all, unix sockets only, or "
	    "none." },
	{ .name = "link", .shape = KEY_WORD, .words = links,
	  .where = KEY_RUNTIME_C, FUNCTION(linkage), .fallback = "static",
	  .text = "How the program is linked; dynamic for what needs "
	    "dlopen, iconv or the resolver." },
	{ .name = "events", .shape = KEY_LIST, .max = CONF_MAX_ROUTES,
	  .item = &event_item,
	  .text = "What runs the function. Without any it is reached by "
	    "bothy invoke only." },
	{ .name = "iam", .shape = KEY_MAP, .keys = keys_iam,
	  .text = "What this function may do with documents, beside what "
	    "every one may." },
	{ .name = "history", .refused = "tables have a history; write it "
	    "below resources.tables" },
	{ .name = "layers", .refused = "there are no layers here; link what "
	    "the function needs" },
	{ .name = NULL }
};

static const struct key function_item = {
	.name = "*", .shape = KEY_MAP, .scope = KEY_FUNCTION,
	.keys = function_keys, .text = "One function.",
};

/* --- deploy --------------------------------------------------------------- */

static const struct key smoke_item = {
	ITEM, .max = SMOKE_TEXT_MAX, .format = format_smoke,
	.pattern = FORMAT_SMOKE_PATTERN,
	.text = "A method, a path and the status that is right: 'GET /health "
	    "200'.",
};

#define ADDRESS .shape = KEY_STRING, .max = STAGES_ADDRESS_SIZE - 1, \
	.at = KEY_AT(struct conf_pair, value)

static const struct key stage_address_keys[] = {
	{ .name = "path", ADDRESS, .format = stages_path_wrong,
	  .text = "Where the stage is reached, below the site's own path; a * "
	    "is what it was in the branch." },
	{ .name = "host", ADDRESS, .format = stages_host_wrong,
	  .text = "The host name by which the stage is reached; a * is what it "
	    "was in the branch." },
	{ .name = NULL }
};

static const struct key branch_item = {
	.name = "*", .shape = KEY_MAP, .keys = stage_address_keys,
	.at = KEY_AT(struct conf_pair, value),
	.text = "The address of branches that are called so: a path, or a "
	    "host.",
};

static const struct key deploy_keys[] = {
	{ .name = "smoke", .shape = KEY_LIST, .max = SMOKE_MAX,
	  SITE(smoke), .item = &smoke_item, .fallback = "[]",
	  .text = "Requests that a pushed release has to answer before it "
	    "goes live. They may read documents, not change them." },
	{ .name = "stages", .shape = KEY_NAMES, .max = STAGES_MAX_RULES,
	  SITE(stages), .item = &branch_item, .format = stages_pattern_wrong,
	  .text = "Branches that may be pushed beside main, each a stage of "
	    "its own; one * stands for any text without a slash. Those of main "
	    "count." },
	{ .name = NULL }
};

/* --- the file ------------------------------------------------------------- */

static const struct key param_item = {
	.name = "*", .shape = KEY_FREE,
	.text = "A value that ${param:name} stands for.",
};

static const struct key stage_item = {
	.name = "*", .shape = KEY_NAMES, .max = 1000, .item = &param_item,
	.format = format_param_name, .scope = KEY_STAGE,
	.text = "The parameters of one stage; those of default hold where a "
	    "stage says nothing.",
};

static const struct key root_keys[] = {
	{ .name = "service", .shape = KEY_STRING, .max = 64, .required = true,
	  .format = format_name, .pattern = FORMAT_NAME_PATTERN,
	  SITE(service), .text = "The site's name." },
	{ .name = "provider", .shape = KEY_MAP, .keys = provider_keys,
	  .required = true, .text = "What holds for all functions." },
	{ .name = "params", .shape = KEY_NAMES, .max = 100,
	  .item = &stage_item, .format = format_name,
	  .text = "Values by stage, for ${param:name}." },
	{ .name = "custom", .shape = KEY_FREE,
	  .text = "Anything, for ${self:custom.name}." },
	{ .name = "functions", .shape = KEY_NAMES,
	  .max = CONF_MAX_FUNCTIONS, .item = &function_item,
	  .format = format_function_name, .pattern = FORMAT_NAME_PATTERN,
	  .text = "The functions by name." },
	{ .name = "resources", .shape = KEY_MAP, .keys = keys_resources,
	  .text = "What functions use: tables of documents." },
	{ .name = "deploy", .shape = KEY_MAP, .keys = deploy_keys,
	  .text = "What git push does beside checking and building." },
	{ .name = "plugins", .refused = "there are no plugins; remove it" },
	{ .name = "package", .refused = "nothing is packaged; remove it" },
	{ .name = "frameworkVersion", .refused = "this is not the Serverless "
	    "Framework; remove it" },
	{ .name = "useDotenv", .refused = "the site's .env is always read; "
	    "remove it" },
	{ .name = NULL }
};

const struct key keys_root = {
	.name = "", .shape = KEY_MAP, .keys = root_keys,
	.text = "What a site is made of.",
};

const struct key *
keys_find(const struct key *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}
