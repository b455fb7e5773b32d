/*
 * The forms of format.h, written out by hand: no locale, no regex.
 */
#include "format.h"

#include "smoke.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

enum { NAME_MAX_BYTES = 64, ENV_NAME_MAX_BYTES = 128 };

static bool
made_of(const char *s, const char *bytes, size_t most)
{
	size_t n = strlen(s);

	return n > 0 && n <= most && strspn(s, bytes) == n;
}

const char *
format_name(const char *s)
{
	if (!made_of(s, LETTERS DIGITS "_-", NAME_MAX_BYTES))
		return "must be 1 to 64 letters, digits, '_' or '-'";
	return NULL;
}

/* A function's log is <name>.jsonl, beside Bothy's own. */
const char *
format_function_name(const char *s)
{
	if (strcmp(s, "access") == 0 || strcmp(s, "gateway") == 0 ||
	    strcmp(s, "launch") == 0)
		return "is the name of a log of Bothy's own: take another";
	return format_name(s);
}

const char *
format_param_name(const char *s)
{
	if (made_of(s, LETTERS DIGITS "_.-", NAME_MAX_BYTES))
		return NULL;
	return "must be 1 to 64 letters, digits, '_', '-' or '.'";
}

bool
format_identifier(const char *s)
{
	return made_of(s, LETTERS DIGITS "_", ENV_NAME_MAX_BYTES) &&
	    (s[0] < '0' || s[0] > '9');
}

/*
 * What the gateway and the launcher set themselves.  SCRIPT_FILENAME,
 * REDIRECT_STATUS and DOCUMENT_ROOT are not among it: php-cgi needs them to
 * be set here.
 */
static const char *const reserved[] = {
	"AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "GATEWAY_INTERFACE",
	"HOME", "HTTPS", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING",
	"REMOTE_ADDR", "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT",
	"REMOTE_USER", "REQUEST_METHOD", "REQUEST_SCHEME", "REQUEST_URI",
	"SCRIPT_NAME", "SERVER_ADDR", "SERVER_NAME", "SERVER_PORT",
	"SERVER_PROTOCOL", "SERVER_SOFTWARE", "TMPDIR", "TRACEPARENT"
};

const char *
format_env_name(const char *s)
{
	size_t i;

	if (!format_identifier(s))
		return "must be letters, digits and '_', with no digit first";
	if (strncmp(s, "BOTHY_", 6) == 0 || strncmp(s, "HTTP_", 5) == 0)
		return "is reserved: BOTHY_ and HTTP_ are set per request";
	for (i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (strcmp(s, reserved[i]) == 0)
			return "is reserved: the gateway sets it";
	return NULL;
}

/* "/a/b": no empty, "." or ".." segment, nothing that a URL would escape. */
const char *
format_base_path(const char *s)
{
	static const char why[] = "must be like /app or /a/b, of letters, "
	    "digits and -._~, without a slash at its end";
	size_t n;

	if (s[0] == '\0')
		return NULL;
	while (*s == '/') {
		n = strcspn(++s, "/");
		if (n == 0 || strspn(s, LETTERS DIGITS "-._~") < n ||
		    strspn(s, ".") == n)
			return why;
		s += n;
	}
	return *s ? why : NULL;
}

const char *
format_network(const char *s)
{
	static const char why[] = "must be an IP address or a network like "
	    "10.0.0.0/8 or fd00::/8";
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	long bits, most;
	char *end;

	if (n >= sizeof address)
		return why;
	memcpy(address, s, n);
	address[n] = '\0';
	if (inet_pton(AF_INET, address, bytes) == 1)
		most = 32;
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		most = 128;
	else
		return why;
	if (!slash)
		return NULL;
	if (!made_of(slash + 1, DIGITS, 3))
		return why;
	bits = strtol(slash + 1, &end, 10);
	return bits > most ? why : NULL;
}

const char *
format_origin(const char *s)
{
	static const char why[] = "must be * or like https://www.example.org, "
	    "without a path";
	const char *host;

	if (strcmp(s, "*") == 0)
		return NULL;
	host = strstr(s, "://");
	if (!host || host == s ||
	    strspn(s, LETTERS DIGITS "+-.") != (size_t)(host - s))
		return why;
	return made_of(host + 3, LETTERS DIGITS "-.:[]_*", 255) ? NULL : why;
}

const char *
format_token(const char *s)
{
	if (made_of(s, LETTERS DIGITS "!#$%&'*+-.^_`|~", 128))
		return NULL;
	return "must be the name of a header or a method";
}

const char *
format_path(const char *s)
{
	if (s[0] == '\0' || strlen(s) >= 4096)
		return "must be a path of 1 to 4095 bytes";
	return NULL;
}

const char *
format_table_name(const char *s)
{
	if (strlen(s) < 3 || !made_of(s, LETTERS DIGITS "_.-", 255))
		return "must be 3 to 255 letters, digits, '_', '-' or '.'";
	return NULL;
}

const char *
format_attribute(const char *s)
{
	return s[0] && strlen(s) <= 255 ? NULL : "must have 1 to 255 bytes";
}

/* All of an ARN before "table/" says whose it is: it is ours. */
const char *
format_resource(const char *s)
{
	const char *table = strstr(s, ":table/");

	if (strncmp(s, "arn:aws:dynamodb:", 17) == 0)
		s = (table ? table : strrchr(s, ':')) + 1;
	if (strcmp(s, "*") == 0 || (strncmp(s, "table/", 6) == 0 && s[6]))
		return NULL;
	return "must be table/NAME, table/NAME/index/NAME or *";
}

const char *
format_mirror_name(const char *s)
{
	return made_of(s, LETTERS DIGITS "._-", 64)
	    ? NULL
	    : "must be 1 to 64 letters, digits, '.', '_' or '-'";
}

const char *
format_endpoint(const char *s)
{
	const char *host = strncmp(s, "https://", 8) == 0 ? s + 8
	    : strncmp(s, "http://", 7) == 0               ? s + 7
	                                                  : "";

	return *host && strspn(host, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == strlen(host)
	    ? NULL
	    : "must be https://HOST or http://HOST:PORT, and nothing behind";
}

const char *
format_region(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
	    strlen(s)
	    ? NULL
	    : "must be a region's name, as eu-central-1";
}

const char *
format_mirror_url(const char *s)
{
	static const char why[] = "must be an absolute path, or begin with "
	    "file://, ssh:// or https://, without spaces";
	static const char *const begins[] = {"/", "file://", "ssh://",
	    "https://", "http://"};
	const unsigned char *p;
	size_t i;

	for (p = (const unsigned char *)s; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			return why;
	for (i = 0; i < sizeof begins / sizeof *begins; i++)
		if (strncmp(s, begins[i], strlen(begins[i])) == 0 &&
		    s[strlen(begins[i])])
			return NULL;
	return why;
}

const char *
format_smoke(const char *s)
{
	struct smoke_request r;

	return smoke_read(s, &r) == 0
	    ? NULL
	    : "must be a method, a path and the status that is right, as "
	      "'GET /health 200'";
}
