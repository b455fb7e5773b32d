/*
 * The path of a request (path.h): taken apart, decoded once, compared.
 */
#include "path.h"

#include "store/base/utf8.h"

#include <string.h>
#include <strings.h>

static int
refuse(struct path *p, int status, const char *reason)
{
	p->reason = reason;
	return status;
}

void
path_init(struct path *p)
{
	memset(p, 0, sizeof(*p));
	buf_init(&p->decoded, PATH_URI_MAX);
	/* basePath, SCRIPT_NAME and PATH_INFO, of which any may be long. */
	buf_init(&p->server, 4 * PATH_URI_MAX);
}

void
path_release(struct path *p)
{
	buf_release(&p->decoded);
	buf_release(&p->server);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of the escape at `s` ("%41", `n` bytes are there), or -1. */
static int
escape(const char *s, size_t n)
{
	int high, low;

	if (n < 3)
		return -1;
	high = hex_digit(s[1]);
	low = hex_digit(s[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Decodes p->raw into p->decoded. */
static int
decode(struct path *p)
{
	const char *s = p->raw, *end = p->raw + p->raw_len;
	bool ascii = true;
	char *out;
	int c;

	buf_reset(&p->decoded);
	if (buf_reserve(&p->decoded, p->raw_len) < 0)
		return refuse(p, 500, "no memory");
	out = p->decoded.data;
	while (s < end) {
		c = (unsigned char)*s;
		if (c == '%') {
			c = escape(s, (size_t)(end - s));
			if (c < 0)
				return refuse(p, 400,
				    "bad escape in the path");
			if (c == '/')
				return refuse(p, 400,
				    "encoded slash in the path");
			s += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return refuse(p, 400, "control byte in the path");
		if (c == '\\')
			return refuse(p, 400, "backslash in the path");
		ascii = ascii && c < 0x80;
		*out++ = (char)c;
		s++;
	}
	*out = '\0';
	p->decoded.len = (size_t)(out - p->decoded.data);
	if (!ascii && !utf8_valid(p->decoded.data, p->decoded.len))
		return refuse(p, 400, "the path is not UTF-8");
	return 0;
}

/* "." or ".." between slashes. */
static bool
has_dot_segment(const char *s, size_t n)
{
	const char *end = s + n, *slash;
	size_t len;

	while (s < end) {
		slash = memchr(s, '/', (size_t)(end - s));
		len = (size_t)((slash ? slash : end) - s);
		if ((len == 1 && s[0] == '.') ||
		    (len == 2 && s[0] == '.' && s[1] == '.'))
			return true;
		s += len + 1;
	}
	return false;
}

/* The origin form of an absolute URI (RFC 9112 3.2.2), or NULL. */
static const char *
skip_authority(const char *uri)
{
	if (strncasecmp(uri, "http://", 7) == 0)
		uri += 7;
	else if (strncasecmp(uri, "https://", 8) == 0)
		uri += 8;
	else
		return NULL;
	return uri + strcspn(uri, "/?#");
}

static int
check_query(struct path *p)
{
	size_t i;
	unsigned char c;

	for (i = 0; i < p->query_len; i++) {
		c = (unsigned char)p->query[i];
		if (c <= 0x20 || c == 0x7f)
			return refuse(p, 400, "control byte in the query");
	}
	return 0;
}

int
path_parse(struct path *p, const char *request_uri)
{
	const char *s = request_uri;
	size_t len;
	int rc;

	p->reason = NULL;
	p->raw = p->text = p->site = p->query = "";
	p->raw_len = p->len = p->site_len = p->query_len = p->mount_len = 0;
	p->has_query = p->asterisk = false;
	if (!s || *s == '\0')
		return refuse(p, 400, "the web server sent no REQUEST_URI");
	len = strnlen(s, PATH_URI_MAX + 1);
	if (len > PATH_URI_MAX)
		return refuse(p, 414, "the address is too long");
	if (strcmp(s, "*") == 0) {
		p->asterisk = true;
		p->raw = p->text = p->site = "*";
		p->raw_len = p->len = p->site_len = 1;
		return 0;
	}
	if (*s != '/') {
		s = skip_authority(s);
		if (!s)
			return refuse(p, 400, "the address is no path");
	}
	p->raw = s;
	p->raw_len = strcspn(s, "?#");
	s += p->raw_len;
	if (p->raw_len == 0) {
		p->raw = "/";
		p->raw_len = 1;
	}
	if (*s == '?') {
		p->has_query = true;
		p->query = ++s;
		p->query_len = strcspn(s, "#");
		s += p->query_len;
	}
	if (*s == '#')
		return refuse(p, 400, "fragment in the address");
	rc = decode(p);
	if (!rc)
		rc = check_query(p);
	if (rc)
		return rc;
	if (has_dot_segment(p->decoded.data, p->decoded.len))
		return refuse(p, 400, "dot segment in the path");
	p->text = p->site = p->decoded.data;
	p->len = p->site_len = p->decoded.len;
	return 0;
}

/* Equal, where a run of slashes counts as one on either side. */
static bool
equal_merged(const char *a, size_t an, const char *b, size_t bn)
{
	size_t i = 0, j = 0;

	while (i < an && j < bn) {
		if (a[i] != b[j])
			return false;
		if (a[i] == '/') {
			while (i + 1 < an && a[i + 1] == '/')
				i++;
			while (j + 1 < bn && b[j + 1] == '/')
				j++;
		}
		i++;
		j++;
	}
	return i == an && j == bn;
}

/* Decodes the escapes of p->server in place; those that are none stay. */
static void
decode_server(struct path *p)
{
	char *in = p->server.data, *out = in, *end = in + p->server.len;
	int c;

	while (in < end) {
		c = *in == '%' ? escape(in, (size_t)(end - in)) : -1;
		*out++ = c < 0 ? *in : (char)c;
		in += c < 0 ? 1 : 3;
	}
	p->server.len = (size_t)(out - p->server.data);
}

/* Is prefix + a + b our path, decoded or raw, slashes merged or kept? */
static bool
same(struct path *p, const char *prefix, size_t prefix_len, const char *a,
    size_t a_len, const char *b)
{
	struct buf *s = &p->server;

	buf_reset(s);
	buf_add(s, prefix, prefix_len);
	buf_add(s, a, a_len);
	buf_puts(s, b);
	if (s->len == 0)
		buf_putc(s, '/');
	if (!buf_ok(s))
		return false;
	if (equal_merged(s->data, s->len, p->text, p->len) ||
	    equal_merged(s->data, s->len, p->raw, p->raw_len))
		return true;
	/*
	 * A decoded SCRIPT_NAME before a raw PATH_INFO: decoding it all is
	 * right, as neither can hold an escape of a slash (we refused it).
	 */
	if (!memchr(s->data, '%', s->len))
		return false;
	decode_server(p);
	return equal_merged(s->data, s->len, p->text, p->len);
}

/* Length of the directory of a dispatch file ("/dir" of "/dir/x.fcgi"). */
static bool
dispatch_directory(const char *script_name, size_t *len)
{
	const char *slash = strrchr(script_name, '/');
	const char *dot = slash ? strrchr(slash, '.') : NULL;

	if (!dot || (strcmp(dot, ".fcgi") != 0 && strcmp(dot, ".cgi") != 0))
		return false;
	*len = (size_t)(slash - script_name);
	return true;
}

/* Takes text[0..n), which must be `mount`, off the path of the site. */
static int
set_mount(struct path *p, const char *mount, size_t n)
{
	if (n > p->len || memcmp(p->text, mount, n) != 0 ||
	    (n < p->len && p->text[n] != '/'))
		return refuse(p, 404, "outside of the site's base path");
	p->mount_len = n;
	p->site = n < p->len ? p->text + n : "/";
	p->site_len = n < p->len ? p->len - n : 1;
	return 0;
}

int
path_agree(struct path *p, const char *script_name, const char *path_info,
    const char *base_path)
{
	const char *script = script_name ? script_name : "";
	const char *info = path_info ? path_info : "";
	size_t script_len = strlen(script), base_len = strlen(base_path);
	size_t dir_len;

	if (p->asterisk)
		return 0;
	if (!script_name && !path_info)
		return set_mount(p, base_path, base_len);
	if (same(p, "", 0, script, script_len, info))
		return set_mount(p, base_path, base_len);
	if (*info && same(p, "", 0, script, script_len, "") &&
	    same(p, "", 0, info, strlen(info), ""))
		return set_mount(p, base_path, base_len);
	if (base_len && same(p, base_path, base_len, script, script_len, info))
		return set_mount(p, base_path, base_len);
	if (!dispatch_directory(script, &dir_len))
		return refuse(p, 400, "the web server and the gateway "
		                      "disagree about the path");
	if (*info == '\0')
		info = "/";
	if (same(p, "", 0, script, dir_len, info)) {
		if (base_len)
			return set_mount(p, base_path, base_len);
		return set_mount(p, script, dir_len);
	}
	if (base_len && same(p, base_path, base_len, script, dir_len, info))
		return set_mount(p, base_path, base_len);
	return refuse(p, 400, "the web server and the gateway disagree "
	                      "about the path");
}

int
path_follow(struct path *p, const char *target)
{
	int rc;

	/* Decoding the new path overwrites the old one. */
	buf_reset(&p->server);
	if (buf_add(&p->server, p->text, p->mount_len) < 0)
		return refuse(p, 500, "no memory");
	rc = path_parse(p, target);
	if (rc || p->asterisk)
		return rc ? rc : refuse(p, 400, "the address is no path");
	return set_mount(p, p->server.data, p->server.len);
}

bool
path_enter(struct path *p, const char *at)
{
	size_t n = strlen(at);

	return !p->asterisk && p->site_len >= n &&
	    memcmp(p->site, at, n) == 0 &&
	    (p->site_len == n || p->site[n] == '/') &&
	    set_mount(p, p->text, p->mount_len + n) == 0;
}
