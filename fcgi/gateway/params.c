/*
 * One pass over a request's FastCGI parameters (params.h); bothy-fcgi's
 * workers.  It copies nothing but what was sent twice.
 */
#include "params.h"

#include <string.h>

/* What is to be done with a header field; a name may have several. */
enum {
	DROP = 1,		/* never handed on */
	ONCE = 2,		/* refused when doubled */
	SEMICOLON = 4		/* joined by "; " instead of ", " */
};

struct header_rule {
	const char *name;	/* behind HTTP_ */
	size_t len;
	unsigned char known;	/* enum params_known */
	unsigned char flags;
};

#define RULE(name, known, flags) {name, sizeof(name) - 1, known, flags}

static const struct header_rule header_rules[] = {
    RULE("HOST", PARAMS_HOST, ONCE),
    RULE("COOKIE", PARAMS_COOKIE, SEMICOLON),
    RULE("ORIGIN", PARAMS_ORIGIN, ONCE),
    RULE("AUTHORIZATION", PARAMS_AUTHORIZATION, ONCE),
    RULE("RANGE", PARAMS_RANGE, 0),
    RULE("IF_RANGE", PARAMS_IF_RANGE, 0),
    RULE("IF_NONE_MATCH", PARAMS_IF_NONE_MATCH, 0),
    RULE("IF_MODIFIED_SINCE", PARAMS_IF_MODIFIED_SINCE, 0),
    RULE("ACCESS_CONTROL_REQUEST_METHOD", PARAMS_ACRM, 0),
    RULE("ACCESS_CONTROL_REQUEST_HEADERS", PARAMS_ACRH, 0),
    RULE("X_FORWARDED_FOR", PARAMS_FORWARDED_FOR, ONCE),
    RULE("X_FORWARDED_PROTO", PARAMS_FORWARDED_PROTO, ONCE),
    RULE("TRACEPARENT", PARAMS_TRACEPARENT, 0),
    RULE("UPGRADE", PARAMS_UPGRADE, DROP),
    /* RFC 9110 7.6.1, and httpoxy. */
    RULE("CONNECTION", PARAMS_OTHER, DROP),
    RULE("KEEP_ALIVE", PARAMS_OTHER, DROP),
    RULE("PROXY", PARAMS_OTHER, DROP),
    RULE("PROXY_AUTHENTICATE", PARAMS_OTHER, DROP),
    RULE("PROXY_AUTHORIZATION", PARAMS_OTHER, DROP),
    RULE("PROXY_CONNECTION", PARAMS_OTHER, DROP),
    RULE("TE", PARAMS_OTHER, DROP),
    RULE("TRAILER", PARAMS_OTHER, DROP),
    RULE("TRANSFER_ENCODING", PARAMS_OTHER, DROP),
    /* Known without HTTP_; here they are a second, other value. */
    RULE("CONTENT_LENGTH", PARAMS_OTHER, DROP),
    RULE("CONTENT_TYPE", PARAMS_OTHER, DROP),
};

static const struct header_rule other_rule = RULE("", PARAMS_OTHER, 0);
static const struct header_rule forwarded_rule = RULE("", PARAMS_OTHER, ONCE);

struct meta_rule {
	const char *name;
	size_t len;
	size_t at;	/* of the const char * in struct params */
};

#define META(name, member) \
	{name, sizeof(name) - 1, offsetof(struct params, member)}

static const struct meta_rule meta_rules[] = {
    META("REQUEST_METHOD", request_method),
    META("REQUEST_URI", request_uri),
    META("SCRIPT_NAME", script_name),
    META("PATH_INFO", path_info),
    META("SERVER_PROTOCOL", server_protocol),
    META("SERVER_SOFTWARE", server_software),
    META("SERVER_NAME", server_name),
    META("SERVER_PORT", server_port),
    META("REMOTE_ADDR", remote_addr),
    META("REMOTE_PORT", remote_port),
    META("REMOTE_USER", remote_user),
    META("AUTH_TYPE", auth_type),
    META("CONTENT_TYPE", content_type),
    META("CONTENT_LENGTH", content_length_text),
    META("HTTPS", https),
    META("REQUEST_SCHEME", request_scheme),
};

enum { METHOD_MAX = 32 };

static int
refuse(struct params *p, int status, const char *reason)
{
	p->reason = reason;
	return status;
}

void
params_init(struct params *p)
{
	memset(p, 0, sizeof(*p));
	/* All values together, and a separator and a NUL for each. */
	buf_init(&p->joined, PARAMS_BYTES_MAX + 4 * PARAMS_HEADERS_MAX);
}

void
params_release(struct params *p)
{
	buf_release(&p->joined);
}

/* True if there is no control byte but tabs; eight bytes at a time. */
static bool
clean(const char *s, size_t n)
{
	const uint64_t ones = 0x0101010101010101u, tops = ones << 7;
	uint64_t x, del;
	unsigned char c;
	size_t i = 0;

	for (; n - i >= sizeof(x); i += sizeof(x)) {
		memcpy(&x, s + i, sizeof(x));
		del = x ^ (ones * 0x7f);
		if ((((x - ones * 0x20) & ~x) | ((del - ones) & ~del)) & tops)
			break;
	}
	for (; i < n; i++) {
		c = (unsigned char)s[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static const struct header_rule *
find_header_rule(const char *name, size_t len)
{
	static const char forwarded[] = "X_FORWARDED_";
	size_t i;

	for (i = 0; i < sizeof(header_rules) / sizeof(header_rules[0]); i++)
		if (header_rules[i].len == len &&
		    memcmp(header_rules[i].name, name, len) == 0)
			return &header_rules[i];
	if (len >= sizeof(forwarded) - 1 &&
	    memcmp(name, forwarded, sizeof(forwarded) - 1) == 0)
		return &forwarded_rule;
	return &other_rule;
}

/* Names of variables as RFC 3875 4.1.18 makes them of header fields. */
static bool
plain_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!((name[i] >= 'A' && name[i] <= 'Z') || name[i] == '_' ||
		        (name[i] >= '0' && name[i] <= '9')))
			return false;
	return len > 0;
}

/* The index of the first field of that name, or that of the next field. */
static size_t
first_of_name(const struct params *p, const char *variable, size_t name_len)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		if (p->fields[i].name_len == name_len &&
		    memcmp(p->fields[i].variable, variable, name_len) == 0)
			return i;
	return i;
}

/* `variable` is "HTTP_NAME=value", name_len that of HTTP_NAME. */
static int
read_header(struct params *p, const char *variable, size_t name_len,
    size_t *bytes)
{
	const char *value = variable + name_len + 1;
	size_t value_len = strlen(value), first;
	const struct header_rule *rule;
	struct params_field *f;

	if (value_len > PARAMS_VALUE_MAX || name_len > PARAMS_NAME_MAX)
		return refuse(p, 431, "a header field is too long");
	*bytes += name_len + value_len;
	if (p->count == PARAMS_HEADERS_MAX || *bytes > PARAMS_BYTES_MAX)
		return refuse(p, 431, "too many header fields");
	if (!clean(value, value_len))
		return refuse(p, 400, "control byte in a header field");
	if (!plain_name(variable + 5, name_len - 5))
		return 0;
	rule = find_header_rule(variable + 5, name_len - 5);
	first = first_of_name(p, variable, name_len);
	if (first < p->count && (rule->flags & ONCE))
		return refuse(p, 400, "a header field that must be single "
		                      "is there twice");
	f = &p->fields[p->count];
	*f = (struct params_field){
	    .variable = variable,
	    .name_len = name_len,
	    .value = value,
	    .value_len = value_len,
	    .known = rule->known,
	    .first = (unsigned char)first,
	    .dropped = first < p->count || (rule->flags & DROP),
	};
	if (first < p->count)
		p->fields[first].doubled = true;
	else
		p->known[rule->known] = value;
	p->count++;
	return 0;
}

static int
read_meta(struct params *p, const char *name, size_t name_len)
{
	const char *value = name + name_len + 1;
	size_t i;

	for (i = 0; i < sizeof(meta_rules) / sizeof(meta_rules[0]); i++)
		if (meta_rules[i].len == name_len &&
		    memcmp(meta_rules[i].name, name, name_len) == 0)
			break;
	if (i == sizeof(meta_rules) / sizeof(meta_rules[0]))
		return 0;
	memcpy((char *)p + meta_rules[i].at, &value, sizeof(value));
	if (meta_rules[i].at == offsetof(struct params, path_info) ||
	    meta_rules[i].at == offsetof(struct params, script_name))
		return 0;	/* decoded by the server: compared, not used */
	if (!clean(value, strlen(value)))
		return refuse(p, 400, "control byte in a variable of the "
		                      "web server");
	return 0;
}

/* Sends the values of all fields named like fields[first] into `joined`. */
static int
join(struct params *p, size_t first)
{
	struct params_field *f = &p->fields[first];
	const char *separator = f->known == PARAMS_COOKIE ? "; " : ", ";
	size_t at, i;

	/* All at once, so that earlier values don't move. */
	if (!p->joined.data &&
	    buf_reserve(&p->joined, p->joined.max) < 0)
		return refuse(p, 500, "no memory");
	at = p->joined.len;
	for (i = first; i < p->count; i++) {
		if (p->fields[i].first != first)
			continue;
		if (i > first)
			buf_puts(&p->joined, separator);
		buf_add(&p->joined, p->fields[i].value,
		    p->fields[i].value_len);
	}
	f->value = p->joined.data + at;
	f->value_len = p->joined.len - at;
	buf_putc(&p->joined, '\0');
	if (!buf_ok(&p->joined))
		return refuse(p, 431, "too many header fields");
	p->known[f->known] = f->value;
	return 0;
}

/* Judges the names that came more than once; see params_read(). */
static int
settle_doubles(struct params *p)
{
	bool nginx = p->server_software &&
	    strncmp(p->server_software, "nginx", 5) == 0;
	struct params_field *f;
	size_t i;
	int rc;

	for (i = 0; i < p->count; i++) {
		f = &p->fields[i];
		if (!f->doubled || f->dropped)
			continue;
		if (!nginx && memchr(f->variable + 5, '_', f->name_len - 5)) {
			f->dropped = true;
			p->known[f->known] = NULL;
			continue;
		}
		rc = join(p, i);
		if (rc)
			return rc;
	}
	return 0;
}

/* RFC 3875 4.1.2; "" and "-1" are what Apache and Caddy say of chunks. */
static int
read_length(struct params *p)
{
	const char *s = p->content_length_text;
	int64_t n = 0;

	p->content_length = -1;
	if (!s || *s == '\0' || strcmp(s, "-1") == 0)
		return 0;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (n > (INT64_MAX - 9) / 10)
			return refuse(p, 413, "the body is too large");
		n = n * 10 + (*s - '0');
	}
	if (*s != '\0')
		return refuse(p, 400, "the Content-Length is no number");
	p->content_length = n;
	return 0;
}

static int
check_method(struct params *p)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	const char *s = p->request_method;
	size_t i;

	if (!s || *s == '\0')
		return refuse(p, 400, "no request method");
	for (i = 0; s[i] != '\0'; i++)
		if (i == METHOD_MAX ||
		    !((s[i] >= 'A' && s[i] <= 'Z') ||
		        (s[i] >= 'a' && s[i] <= 'z') ||
		        (s[i] >= '0' && s[i] <= '9') || strchr(others, s[i])))
			return refuse(p, 400, "bad request method");
	return 0;
}

int
params_read(struct params *p, char *const *envp)
{
	const struct buf joined = p->joined;
	size_t i, name_len, bytes = 0;
	const char *equals;
	int rc;

	memset(p, 0, offsetof(struct params, fields));
	memset(p->known, 0, sizeof(p->known));
	p->count = 0;
	p->reason = NULL;
	p->joined = joined;
	buf_reset(&p->joined);
	for (i = 0; envp[i]; i++) {
		if (i == PARAMS_VARIABLES_MAX)
			return refuse(p, 431, "too many variables");
		equals = strchr(envp[i], '=');
		if (!equals)
			continue;
		name_len = (size_t)(equals - envp[i]);
		if (name_len > 5 && memcmp(envp[i], "HTTP_", 5) == 0)
			rc = read_header(p, envp[i], name_len, &bytes);
		else
			rc = read_meta(p, envp[i], name_len);
		if (rc)
			return rc;
	}
	rc = settle_doubles(p);
	if (!rc)
		rc = check_method(p);
	if (!rc)
		rc = read_length(p);
	return rc;
}

const char *
params_header(const struct params *p, enum params_known which)
{
	return which == PARAMS_OTHER ? NULL : p->known[which];
}
