/*
 * bothy config: prints a web server's configuration.
 */
#include "cli.h"
#include "site.h"
#include "webconf.h"

#include "fcgi/conf/secret.h"
#include "fcgi/release/release.h"
#include "store/base/io.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config {
	bool standalone, spawned;
	const char *root, *install, *socket, *listen, *port, *base, *user;
};

static const struct opt config_opts[] = {
	{"standalone", 0, OPT_SWITCH, NULL, offsetof(struct config, standalone),
	    "a whole configuration file, for a private server"},
	{"root", 0, OPT_VALUE, "DIR", offsetof(struct config, root),
	    "its pid, log and temporary files (STATE/web)"},
	{"listen", 0, OPT_VALUE, "ADDRESS", offsetof(struct config, listen),
	    "where it listens (127.0.0.1)"},
	{"port", 0, OPT_VALUE, "PORT", offsetof(struct config, port),
	    "and the port (8080)"},
	{"user", 0, OPT_VALUE, "NAME", offsetof(struct config, user),
	    "whom it becomes when root starts it"},
	{"spawned", 0, OPT_SWITCH, NULL, offsetof(struct config, spawned),
	    "lighttpd: the web server starts the gateway"},
	{"socket", 0, OPT_VALUE, "PATH", offsetof(struct config, socket),
	    "the gateway's socket (STATE/run/gateway.sock)"},
	{"base-path", 0, OPT_VALUE, "/PATH", offsetof(struct config, base),
	    "what goes to Bothy (else deploy.yaml's basePath)"},
	{"install", 0, OPT_VALUE, "DIR", offsetof(struct config, install),
	    "apache-cgi, apache-fcgid: put .htaccess, the gateway "
	    "and bothy.site into this document root"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* Digits from 1 to 65535. */
static bool
is_port(const char *s)
{
	size_t n = strlen(s);
	long port = strtol(s, NULL, 10);

	return n > 0 && n <= 5 && strspn(s, "0123456789") == n && port > 0 &&
	    port <= 65535;
}

/* What of the options makes no sense for this server; NULL if all does. */
static const char *
misfit(const struct webserver *s, const struct config *o)
{
	if (o->spawned && !s->can_spawn)
		return "--spawned is for lighttpd";
	if (o->install && !s->dispatch)
		return "--install is for apache-cgi and apache-fcgid";
	if (s->dispatch && o->standalone && !o->install)
		return "--standalone needs --install DIR here, the document "
		    "root that holds the .htaccess";
	if (o->port && !is_port(o->port))
		return "--port is a number from 1 to 65535";
	if (o->base && (o->base[0] != '/' || o->base[1] == '\0' ||
	    o->base[strlen(o->base) - 1] == '/'))
		return "--base-path is like /api: a slash first, none at the "
		    "end";
	return NULL;
}

/* Makes a directory if need be, and gives its absolute path. */
static int
make_directory(const char *path, mode_t mode, char *out, struct err *e)
{
	if (io_mkdirs(path, mode, e) < 0)
		return -1;
	if (!realpath(path, out))
		return err_sys(e, "cannot find %s", path);
	return 0;
}

/* The private directory, and in it a document root without any file. */
static int
make_root(const char *path, char *out, struct err *e)
{
	char empty[PATH_MAX];

	if (place_path(empty, e, "%s/empty", path) < 0 ||
	    io_mkdirs(empty, 0700, e) < 0)
		return -1;
	return make_directory(path, 0700, out, e);
}

struct paths {
	struct place place;
	char gateway[PATH_MAX], launcher[PATH_MAX], dispatcher[PATH_MAX];
	char socket[PATH_MAX];
	char root[PATH_MAX], docroot[PATH_MAX];
	char user[PATH_MAX], group[PATH_MAX], base[PATH_MAX];
	char secrets[PATH_MAX];
	char push[RELEASE_HTTP_SIZE];
};

/* The user that the server becomes, and his group; "" for none. */
static int
find_user(const char *name, struct paths *p, struct err *e)
{
	const struct passwd *user;
	const struct group *group;

	if (!name || !*name)
		return 0;
	user = getpwnam(name);
	group = user ? getgrgid(user->pw_gid) : NULL;
	if (!group)
		return err_set(e, ENOENT, "there is no user %s; choose one "
		    "with --user NAME", name);
	if (place_path(p->user, e, "%s", user->pw_name) < 0)
		return -1;
	return place_path(p->group, e, "%s", group->gr_name);
}

/* basePath of a deploy.yaml that can be read; what is wrong is not said. */
static void
find_base(const struct cli *c, struct paths *p)
{
	struct site s = {.place = p->place, .stage = c->stage};
	struct errlist errors;
	struct err ignored;

	errlist_init(&errors);
	if (site_load(&s, &errors) == CLI_OK &&
	    place_path(p->base, &ignored, "%s", s.conf->base_path) < 0)
		p->base[0] = '\0';
	errlist_release(&errors);
	site_close(&s);
}

/* The path that takes pushes, if there is one. */
static void
find_push(struct paths *p)
{
	struct release_site s;
	struct err ignored;

	if (release_site_read(&s, p->place.site, &ignored) == 0)
		memcpy(p->push, s.http, sizeof p->push);
}

/* A socket that the web server binds, before a gateway ever made its place. */
static int
make_run(const struct paths *p, struct err *e)
{
	char run[PATH_MAX];

	if (place_path(run, e, "%s/run", p->place.state) < 0)
		return -1;
	return io_mkdirs(run, 0711, e);
}

static int
find_paths(const struct cli *c, const struct config *o, struct paths *p,
    struct err *e)
{
	char root[PATH_MAX];

	if (cli_place(c, &p->place, e) < 0)
		return -1;
	find_base(c, p);
	find_push(p);
	if (place_program("bothy-fcgi", p->gateway, e) < 0 ||
	    place_program("bothy-launch", p->launcher, e) < 0 ||
	    place_program("bothy-dispatch", p->dispatcher, e) < 0)
		return -1;
	if (secret_root(p->secrets, e) < 0)
		p->secrets[0] = '\0';
	if (o->socket ? place_path(p->socket, e, "%s", o->socket) :
	    place_path(p->socket, e, "%s/run/gateway.sock", p->place.state))
		return -1;
	if (p->socket[0] != '/')
		return err_set(e, EINVAL, "--socket %s is not an absolute path",
		    p->socket);
	if (o->spawned && !o->socket && make_run(p, e) < 0)
		return -1;
	if (o->install &&
	    make_directory(o->install, 0755, p->docroot, e) < 0)
		return -1;
	if (!o->standalone)
		return 0;
	if (o->root ? place_path(root, e, "%s", o->root) :
	    place_path(root, e, "%s/web", p->place.state))
		return -1;
	return make_root(root, p->root, e);
}

static int
list_servers(void)
{
	const struct webserver *s;

	for (s = webservers; s->name; s++)
		printf("%-14s%s\n", s->name, s->summary);
	return CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const struct config *o = values;
	const struct webserver *s;
	struct paths p = {.root = "", .docroot = "", .user = "",
	    .group = "", .base = "", .secrets = "", .push = ""};
	struct webconf w;
	struct buf text;
	struct err e;
	const char *wrong;

	if (argc == 0)
		return list_servers();
	s = webserver_find(argv[0]);
	if (!s)
		return cli_usage("config", "there is no web server %s; "
		    "`bothy config` lists them", argv[0]);
	wrong = misfit(s, o);
	if (wrong)
		return cli_usage("config", "%s", wrong);
	if (find_paths(c, o, &p, &e) < 0 || find_user((o->user || geteuid()) ?
	    o->user : s->root_user, &p, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	w = (struct webconf){.site = p.place.site,
	    .state = p.place.state,
	    .gateway = p.gateway,
	    .dispatcher = p.dispatcher,
	    .launcher = p.launcher,
	    .socket = p.socket,
	    .root = p.root,
	    .docroot = p.docroot,
	    .base = o->base ? o->base : p.base,
	    .stage = c->stage ? c->stage : "",
	    .secrets = p.secrets,
	    .push = p.push,
	    .listen = o->listen ? o->listen : "127.0.0.1",
	    .port = o->port ? o->port : "8080",
	    .user = p.user,
	    .group = p.group,
	    .spawned = o->spawned};
	buf_init(&text, WEBCONF_MAX);
	if (webconf_print(s, &w, o->standalone, &text, &e) < 0 ||
	    (o->install && webconf_install(s, &w, &e) < 0)) {
		buf_release(&text);
		return cli_fail(&e, CLI_FAILED);
	}
	fputs(buf_str(&text), stdout);
	buf_release(&text);
	return CLI_OK;
}

const struct command command_config = {
	.name = "config",
	.arguments = "[SERVER]",
	.summary = "print a web server's configuration",
	.help =
	    "Prints what goes into the configuration of lighttpd, apache, "
	    "apache-cgi, apache-fcgid, nginx or caddy; without a name, "
	    "lists them. With --standalone it is a whole file, for "
	    "lighttpd -D -f, nginx -c, apache2 -f, caddy run --adapter "
	    "caddyfile --config.",
	.opts = config_opts,
	.size = sizeof(struct config),
	.most = 1,
	.words = "lighttpd apache apache-cgi apache-fcgid nginx caddy",
	.run = run,
};
