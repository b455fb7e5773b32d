/*
 * Expands the templates of webservers.c, and puts the files of a shared host
 * into its document root.  Runs in bothy; starts nothing.
 */
#include "webconf.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUN_PATH_MAX = 107 };

/* Bytes that mean something inside quotes to one of the servers. */
static const char unsafe[] = "\"'\\$`{}<>|;#%";

struct value {
	const char *name, *text;
};

enum { VALUES = 20 };

/* The directories where distributions keep Apache's modules. */
static const char *
apache_modules(void)
{
	static const char *const dirs[] = {
	    "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules",
	    "/usr/lib/httpd/modules", "/usr/libexec/apache2"};
	size_t i;

	for (i = 0; i < sizeof dirs / sizeof *dirs; i++) {
		if (access(dirs[i], X_OK) == 0)
			return dirs[i];
	}
	return dirs[0];
}

static int
check_values(const struct value *v, struct err *e)
{
	const char *bad;

	for (; v->name; v++) {
		for (bad = v->text; *bad; bad++) {
			if ((unsigned char)*bad < 0x20 || *bad == 0x7f ||
			    strchr(unsafe, *bad))
				return err_set(e, EINVAL,
				    "%s holds byte 0x%02x, which a web "
				    "server's configuration can't carry; "
				    "choose another place",
				    v->text, (unsigned char)*bad);
		}
	}
	return 0;
}

static const char *
value_of(const struct value *v, const char *name, size_t n)
{
	for (; v->name; v++) {
		if (strlen(v->name) == n && memcmp(v->name, name, n) == 0)
			return v->text;
	}
	return NULL;
}

/* Length of the NAME at `p` up to a '@' that ends it, or 0. */
static size_t
name_length(const char *p)
{
	size_t n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	return p[n] == '@' ? n : 0;
}

/* True if the line at *p is wanted; *p moves behind its conditions. */
static bool
line_wanted(const struct value *v, const char **p)
{
	const char *s = *p, *text;
	bool wanted = true, want_empty;
	size_t n;

	while (s[0] == '@' && (s[1] == '?' || s[1] == '!')) {
		want_empty = s[1] == '!';
		n = name_length(s + 2);
		text = value_of(v, s + 2, n);
		if (want_empty != (!text || !*text))
			wanted = false;
		s += 2 + n + 1;
	}
	*p = s;
	return wanted;
}

static void
expand(const char *p, const struct value *v, struct buf *out)
{
	const char *end, *text;
	size_t n;

	while (*p) {
		end = strchr(p, '\n');
		end = end ? end + 1 : p + strlen(p);
		if (!line_wanted(v, &p)) {
			p = end;
			continue;
		}
		while (p < end) {
			n = *p == '@' ? name_length(p + 1) : 0;
			text = n ? value_of(v, p + 1, n) : NULL;
			if (text) {
				buf_puts(out, text);
				p += n + 2;
			} else
				buf_putc(out, *p++);
		}
	}
}

static int
check_socket(const struct webconf *w, struct err *e)
{
	if (strlen(w->socket) <= SUN_PATH_MAX)
		return 0;
	return err_set(e, ENAMETOOLONG, "the socket's path has %zu bytes and "
	    "a web server can reach %d: choose a shorter one with --socket "
	    "PATH, and start bothy-fcgi with --listen unix:PATH (%s)",
	    strlen(w->socket), (int)SUN_PATH_MAX, w->socket);
}

/* mod_fcgid takes the program's path for a command with arguments. */
static int
check_docroot(const struct webserver *s, const struct webconf *w,
    struct err *e)
{
	if (!s->dispatch || s->each_request || !strchr(w->docroot, ' '))
		return 0;
	return err_set(e, EINVAL, "mod_fcgid can't run a program below a "
	    "directory with a space in its name: choose another document "
	    "root, or apache-cgi (%s)", w->docroot);
}

int
webconf_print(const struct webserver *s, const struct webconf *w,
    bool standalone, struct buf *out, struct err *e)
{
	struct buf fragment;
	struct value v[VALUES] = {
	    {"SITE", w->site},
	    {"STATE", w->state},
	    {"GATEWAY", w->gateway},
	    {"LAUNCHER", w->launcher},
	    {"SOCKET", w->socket},
	    {"ROOT", w->root},
	    {"DOCROOT", w->docroot},
	    {"BASE", w->base},
	    {"STAGE", w->stage},
	    {"PUSH", w->push ? w->push : ""},
	    {"BASE_OR_ROOT", *w->base ? w->base : "/"},
	    {"LISTEN", w->listen},
	    {"PORT", w->port},
	    {"USER", w->user},
	    {"GROUP", w->group},
	    {"SPAWNED", w->spawned ? "yes" : ""},
	    {"MODULES", apache_modules()},
	};
	size_t n = 0;

	if (check_values(v, e) < 0 || check_docroot(s, w, e) < 0 ||
	    (!s->dispatch && check_socket(w, e) < 0))
		return -1;
	buf_init(&fragment, WEBCONF_MAX);
	expand(s->fragment, v, &fragment);
	if (!standalone)
		buf_add(out, buf_str(&fragment), fragment.len);
	else {
		while (v[n].name)
			n++;
		v[n] = (struct value){"FRAGMENT", buf_str(&fragment)};
		expand(s->standalone, v, out);
	}
	if (!buf_ok(&fragment) || !buf_ok(out)) {
		buf_release(&fragment);
		return err_set(e, EFBIG, "the configuration is longer than %d "
		    "bytes", (int)WEBCONF_MAX);
	}
	buf_release(&fragment);
	return 0;
}

static int
copy_all(int from, int to)
{
	ssize_t k;

	do
		k = sendfile(to, from, NULL, 1 << 20);
	while (k > 0 || (k < 0 && errno == EINTR));
	return k < 0 ? -1 : 0;
}

/* Copies a program in one step, so that a running server sees it whole. */
static int
copy_program(const char *from, const char *to, struct err *e)
{
	char tmp[PATH_MAX];
	int in, out;

	if (snprintf(tmp, sizeof tmp, "%s.XXXXXX", to) >= (int)sizeof tmp)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    to);
	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return err_sys(e, "cannot open %s", from);
	out = mkostemp(tmp, O_CLOEXEC);
	if (out < 0) {
		err_sys(e, "cannot create %s", tmp);
		close(in);
		return -1;
	}
	if (copy_all(in, out) < 0 || fchmod(out, 0755) < 0 ||
	    fsync(out) < 0 || rename(tmp, to) < 0) {
		err_sys(e, "cannot copy %s to %s", from, to);
		unlink(tmp);
		close(in);
		close(out);
		return -1;
	}
	close(in);
	close(out);
	return 0;
}

/* Writes docroot/name. */
static int
put(const struct webconf *w, const char *name, const struct buf *text,
    struct err *e)
{
	char path[PATH_MAX];

	if (!buf_ok(text))
		return err_set(e, EFBIG, "%s would be too long", name);
	if (snprintf(path, sizeof path, "%s/%s", w->docroot, name) >=
	    (int)sizeof path)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    w->docroot);
	return io_replace_file(path, buf_str(text), text->len, 0644, e);
}

int
webconf_install(const struct webserver *s, const struct webconf *w,
    struct err *e)
{
	char program[PATH_MAX];
	struct buf text;
	int rc = -1;

	buf_init(&text, WEBCONF_MAX);
	if (snprintf(program, sizeof program, "%s/%s", w->docroot,
	    s->dispatch) >= (int)sizeof program)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    w->docroot);
	if (webconf_print(s, w, false, &text, e) < 0 ||
	    io_mkdirs(w->docroot, 0755, e) < 0 ||
	    copy_program(s->each_request ? w->dispatcher : w->gateway,
	        program, e) < 0)
		goto out;
	if (put(w, ".htaccess", &text, e) < 0)
		goto out;
	buf_reset(&text);
	buf_printf(&text, "site=%s\nstate=%s\nlaunch=%s\ngateway=%s\n",
	    w->site, w->state, w->launcher, w->gateway);
	if (*w->stage)
		buf_printf(&text, "stage=%s\n", w->stage);
	if (*w->secrets)
		buf_printf(&text, "secrets=%s\n", w->secrets);
	rc = put(w, "bothy.site", &text, e);
out:
	buf_release(&text);
	return rc;
}
