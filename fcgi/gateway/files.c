/*
 * Static files (files.h): find, judge conditions and range, send.
 */
#include "files.h"

#include "answer.h"
#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PIECE = 32 * 1024,	/* bytes of a file read at once */
	ETAG_SIZE = 48,
	OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
};

#define INDEX_NAME "index.html"

struct file_type {
	const char *extension;
	const char *type;
};

static const struct file_type file_types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"webmanifest", "application/manifest+json"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/vnd.microsoft.icon"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"xml", "text/xml; charset=utf-8"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"pdf", "application/pdf"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"wasm", "application/wasm"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
};

const char *
files_type(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash ? slash : name, '.');
	size_t i;

	if (dot)
		for (i = 0; i < sizeof(file_types) / sizeof(file_types[0]); i++)
			if (strcasecmp(file_types[i].extension, dot + 1) == 0)
				return file_types[i].type;
	return "application/octet-stream";
}

static int
open_beneath(int root_fd, const char *name, int flags)
{
	struct open_how how = {
	    .flags = (unsigned)flags,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 8;

	/* EAGAIN: something was renamed meanwhile. */
	do
		fd = (int)syscall(
		    SYS_openat2, root_fd, name, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || (errno == EAGAIN && --tries)));
	return fd;
}

/* The same without openat2: no links at all. */
static int
open_walking(int root_fd, const char *name, int flags)
{
	char part[NAME_MAX + 1];
	const char *slash;
	int dir = root_fd, next;
	size_t len;

	while ((slash = strchr(name, '/')) != NULL) {
		len = (size_t)(slash - name);
		if (len > NAME_MAX) {
			next = -1;
			errno = ENAMETOOLONG;
			goto out;
		}
		memcpy(part, name, len);
		part[len] = '\0';
		next = openat(dir, part,
		    O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
		if (dir != root_fd)
			io_close(&dir);
		if (next < 0)
			return -1;
		dir = next;
		name = slash + 1;
	}
	next = openat(dir, name, flags | O_NOFOLLOW);
out:
	if (dir != root_fd)
		io_close(&dir);
	return next;
}

static int
open_name(const struct files *f, const char *name)
{
	return f->walk ? open_walking(f->root_fd, name, OPEN_FLAGS)
	               : open_beneath(f->root_fd, name, OPEN_FLAGS);
}

int
files_open(struct files *f, const char *directory, struct err *e)
{
	char path[PATH_MAX];
	int n, probe;

	f->root_fd = -1;
	f->walk = false;
	n = snprintf(path, sizeof(path), "%s/www", directory);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, ENAMETOOLONG, "%s: too long", directory);
	f->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->root_fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	probe = open_beneath(f->root_fd, ".", O_PATH | O_CLOEXEC);
	f->walk = probe < 0;
	io_close(&probe);
	return 0;
}

void
files_close(struct files *f)
{
	io_close(&f->root_fd);
}

/* No empty segment, and none that begins with a dot but /.well-known/. */
static bool
may_be_served(const char *site)
{
	static const char known[] = ".well-known/";
	const char *s = site + 1;

	if (strncmp(s, known, sizeof(known) - 1) == 0)
		s += sizeof(known) - 1;
	for (;;) {
		if (*s == '.' || *s == '/')
			return false;
		s = strchr(s, '/');
		if (!s)
			return true;
		s++;
	}
}

static enum files_found
no_file(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM
	    ? FILES_ERROR
	    : FILES_NONE;
}

/* Is there an index in the directory `name`, which has no slash behind it? */
static enum files_found
find_index(const struct files *f, char *name, size_t len)
{
	int fd;

	memcpy(name + len, "/" INDEX_NAME, sizeof("/" INDEX_NAME));
	fd = open_name(f, name);
	if (fd < 0)
		return no_file();
	io_close(&fd);
	return FILES_SLASH;
}

enum files_found
files_find(const struct files *f, const struct path *path,
    struct files_hit *hit)
{
	char name[PATH_URI_MAX + sizeof("/" INDEX_NAME)];
	size_t len = path->site_len - 1;
	struct stat st;

	*hit = (struct files_hit){.fd = -1, .status = 200};
	if (f->root_fd < 0 || path->asterisk || !may_be_served(path->site))
		return FILES_NONE;
	memcpy(name, path->site + 1, len + 1);
	if (len == 0 || name[len - 1] == '/')
		memcpy(name + len, INDEX_NAME, sizeof(INDEX_NAME));
	hit->fd = open_name(f, name);
	if (hit->fd < 0)
		return no_file();
	if (fstat(hit->fd, &st) < 0) {
		files_hit_close(hit);
		return FILES_NONE;
	}
	if (S_ISREG(st.st_mode)) {
		hit->size = hit->bytes = (uint64_t)st.st_size;
		hit->mtime_s = st.st_mtim.tv_sec;
		hit->mtime_ns = st.st_mtim.tv_nsec;
		hit->type = files_type(name);
		return FILES_FILE;
	}
	files_hit_close(hit);
	return S_ISDIR(st.st_mode) && name[len] == '\0'
	    ? find_index(f, name, len)
	    : FILES_NONE;
}

void
files_hit_close(struct files_hit *hit)
{
	io_close(&hit->fd);
}

static void
make_etag(const struct files_hit *hit, char etag[ETAG_SIZE])
{
	snprintf(etag, ETAG_SIZE, "\"%llx-%lx-%llx\"",
	    (unsigned long long)hit->mtime_s, (unsigned long)hit->mtime_ns,
	    (unsigned long long)hit->size);
}

/* RFC 9110 13.1.2 and 13.1.3: the second counts only without the first. */
static bool
not_modified(const struct files_hit *hit, const struct params *p,
    const char *etag)
{
	const char *none_match = params_header(p, PARAMS_IF_NONE_MATCH);
	const char *since = params_header(p, PARAMS_IF_MODIFIED_SINCE);
	time_t t;

	if (none_match)
		return strcmp(none_match, "*") == 0 ||
		    strstr(none_match, etag) != NULL;
	return since && clock_http_parse(since, &t) == 0 && hit->mtime_s <= t;
}

/* RFC 9110 13.1.5: exactly this file, or no range. */
static bool
if_range_holds(const struct params *p, const char *etag, const char *modified)
{
	const char *value = params_header(p, PARAMS_IF_RANGE);

	return !value || strcmp(value, etag) == 0 ||
	    strcmp(value, modified) == 0;
}

/* Digits at *s: moves on, and gives the number, at most UINT64_MAX / 16. */
static bool
read_number(const char **s, uint64_t *v)
{
	const char *start = *s;

	for (*v = 0; **s >= '0' && **s <= '9'; (*s)++)
		if (*v < UINT64_MAX / 16)
			*v = *v * 10 + (uint64_t)(**s - '0');
	return *s != start;
}

/*
 * A single "bytes=a-b", "bytes=a-" or "bytes=-n" (RFC 9110 14.1.2): sets
 * status, first and bytes.  Anything else is no range, and all is sent.
 */
static void
read_range(struct files_hit *hit, const char *s)
{
	uint64_t a = 0, b = UINT64_MAX;
	bool from, to;

	if (strncasecmp(s, "bytes=", 6) != 0)
		return;
	s += 6;
	from = read_number(&s, &a);
	if (*s++ != '-')
		return;
	to = read_number(&s, &b);
	if (*s != '\0' || (!from && !to) || (from && to && b < a))
		return;
	if (!from) {
		a = b < hit->size ? hit->size - b : 0;
		if (b == 0)
			a = hit->size;
		to = false;
	}
	if (a >= hit->size) {
		hit->status = 416;
		hit->bytes = 0;
		return;
	}
	if (!to || b >= hit->size)
		b = hit->size - 1;
	hit->status = 206;
	hit->first = a;
	hit->bytes = b - a + 1;
}

static void
add_line(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, name);
	buf_puts(out, value);
	buf_puts(out, "\r\n");
}

static void
add_common(const struct files_extra *x, const char *origin, struct buf *out)
{
	add_line(out, "X-Request-Id: ", x->request_id);
	if (x->cors)
		cors_lines(x->cors, origin, out);
	buf_puts(out, "\r\n");
}

static void
add_entity(const struct files_hit *hit, struct buf *out)
{
	unsigned long long size = hit->size, first = hit->first;

	if (hit->status == 304)
		return;
	buf_printf(out, "Content-Length: %llu\r\n",
	    (unsigned long long)hit->bytes);
	if (hit->status == 416) {
		buf_printf(out, "Content-Range: bytes */%llu\r\n", size);
		return;
	}
	if (hit->status == 206)
		buf_printf(out, "Content-Range: bytes %llu-%llu/%llu\r\n",
		    first, first + hit->bytes - 1, size);
	add_line(out, "Content-Type: ", hit->type);
	buf_puts(out, "Accept-Ranges: bytes\r\n"
	              "X-Content-Type-Options: nosniff\r\n");
}

void
files_head(struct files_hit *hit, const struct params *p,
    const struct files_extra *x, struct buf *out)
{
	const char *range = params_header(p, PARAMS_RANGE);
	char etag[ETAG_SIZE], modified[CLOCK_HTTP_SIZE];

	make_etag(hit, etag);
	clock_http((time_t)hit->mtime_s, modified);
	if (not_modified(hit, p, etag))
		hit->status = 304;
	else if (range && !x->head && if_range_holds(p, etag, modified))
		read_range(hit, range);
	buf_printf(out, "Status: %d %s\r\n", hit->status,
	    answer_phrase(hit->status));
	add_entity(hit, out);
	add_line(out, "Last-Modified: ", modified);
	add_line(out, "ETag: ", etag);
	buf_puts(out, "Cache-Control: no-cache\r\n");
	add_common(x, params_header(p, PARAMS_ORIGIN), out);
	if (x->head || hit->status == 304)
		hit->bytes = 0;
}

int
files_send(const struct files_hit *hit,
    int (*write)(void *ctx, const void *p, size_t n), void *ctx)
{
	uint64_t at = hit->first, left = hit->bytes;
	char piece[PIECE];
	ssize_t n;

	while (left) {
		n = pread(hit->fd, piece,
		    left < sizeof(piece) ? (size_t)left : sizeof(piece),
		    (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -2;
		if (write(ctx, piece, (size_t)n) < 0)
			return -1;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return 0;
}

/* Percent-encodes what RFC 3986 3.3 does not allow in a path. */
static void
add_encoded(struct buf *out, const char *s, size_t n)
{
	static const char plain[] = "/-._~!$&'()*+,;=:@";
	size_t i;

	for (i = 0; i < n; i++)
		if ((s[i] >= 'a' && s[i] <= 'z') ||
		    (s[i] >= 'A' && s[i] <= 'Z') ||
		    (s[i] >= '0' && s[i] <= '9') || strchr(plain, s[i]))
			buf_putc(out, s[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)s[i]);
}

void
files_slash(const struct path *path, const struct files_extra *x,
    const char *origin, struct buf *out)
{
	buf_puts(out, "Status: 301 Moved Permanently\r\nLocation: ");
	add_encoded(out, path->text, path->len);
	buf_putc(out, '/');
	if (path->has_query) {
		buf_putc(out, '?');
		buf_add(out, path->query, path->query_len);
	}
	buf_puts(out, "\r\nContent-Length: 0\r\n");
	add_common(x, origin, out);
}
