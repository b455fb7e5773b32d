/*
 * Starts, keeps and stops the daemons of `bothy run` (devserver.h).
 */
#include "devserver.h"

#include "quit.h"
#include "webconf.h"

#include "fcgi/data/data.h"
#include "fcgi/invoke/link.h"
#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	READY_MS = 5000,	/* for a daemon to answer */
	GRACE_MS = 5000,	/* for one to leave */
	STORE_GRACE_MS = 60000,	/* for the store, which takes a checkpoint */
	QUICK_MS = 2000,	/* a gateway that lived less can't start */
	NAP_MS = 20,
	TAIL_BYTES = 2048	/* of a log that is shown */
};

/* One `bothy run` a site: two would fight about the socket. */
static int
take_lock(struct devserver *d, struct err *e)
{
	char path[PATH_MAX];

	if (place_path(path, e, "%s/run", d->place->state) < 0 ||
	    io_mkdirs(path, 0700, e) < 0 ||
	    place_path(path, e, "%s/run/dev.lock", d->place->state) < 0)
		return -1;
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d->lock_fd < 0)
		return err_sys(e, "cannot open %s", path);
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return err_set(e, EBUSY, "another `bothy run` serves %s already",
	    d->place->site);
}

static int
parse_address(const char *listen, const char *port,
    struct sockaddr_in *address, struct err *e)
{
	char *end;
	long n = strtol(port, &end, 10);

	*address = (struct sockaddr_in){.sin_family = AF_INET};
	if (*end || n < 1 || n > 65535)
		return err_set(e, EINVAL, "--port %s is not a number from 1 "
		    "to 65535", port);
	if (inet_pton(AF_INET, listen, &address->sin_addr) != 1)
		return err_set(e, EINVAL, "--listen %s is no IPv4 address",
		    listen);
	address->sin_port = htons((uint16_t)n);
	return 0;
}

/* Tells early and clearly that somebody else has the port. */
static int
check_port(const struct devserver *d, struct err *e)
{
	struct sockaddr_in address;
	int fd, on = 1, rc = 0;

	if (parse_address(d->listen, d->port, &address, e) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
		rc = err_sys(e, "cannot listen at %s:%s; another --port may "
		    "be free", d->listen, d->port);
	close(fd);
	return rc;
}

int
devserver_open(struct devserver *d, const struct place *place,
    const struct devserver_options *o, struct err *e)
{
	*d = (struct devserver){.place = place,
	    .listen = o->listen ? o->listen : "127.0.0.1",
	    .port = o->port ? o->port : "8080",
	    .no_web = o->no_web,
	    .gateway.name = "bothy-fcgi",
	    .web.name = "lighttpd",
	    .lock_fd = -1};
	if (place_program("bothy-fcgi", d->gateway_path, e) < 0 ||
	    place_program("bothy-launch", d->launcher_path, e) < 0)
		return -1;
	if (!d->no_web && place_which("lighttpd", d->web_path) < 0)
		return err_set(e, ENOENT, "lighttpd is not installed (Debian: "
		    "apt install lighttpd); or use a web server of your own: "
		    "`bothy run --no-web` and `bothy config`");
	if (place_path(d->socket, e, "%s/run/gateway.sock", place->state) < 0 ||
	    place_path(d->root, e, "%s/web", place->state) < 0 ||
	    place_path(d->config, e, "%s/lighttpd.conf", d->root) < 0 ||
	    (!d->no_web && check_port(d, e) < 0))
		return -1;
	return take_lock(d, e);
}

/* --- starting ------------------------------------------------------------- */

static int
start_gateway(struct devserver *d, struct err *e)
{
	char address[PATH_MAX + 8];
	const char *argv[] = {d->gateway_path, "--site", d->place->site,
	    "--state", d->place->state, "--listen", address, "--dev", NULL};

	snprintf(address, sizeof address, "unix:%s", d->socket);
	return service_start(&d->gateway, argv, e);
}

static int
write_config(const struct devserver *d, const char *base_path,
    struct err *e)
{
	struct webconf w = {.site = d->place->site,
	    .state = d->place->state,
	    .gateway = d->gateway_path,
	    .launcher = d->launcher_path,
	    .socket = d->socket,
	    .root = d->root,
	    .docroot = "",
	    .base = base_path,
	    .stage = "",
	    .listen = d->listen,
	    .port = d->port,
	    .user = "",
	    .group = ""};
	char empty[PATH_MAX];
	struct buf text;
	int rc = -1;

	buf_init(&text, WEBCONF_MAX);
	if (place_path(empty, e, "%s/empty", d->root) == 0 &&
	    io_mkdirs(empty, 0700, e) == 0 &&
	    webconf_print(webserver_find("lighttpd"), &w, true, &text, e) == 0)
		rc = io_replace_file(d->config, buf_str(&text), text.len,
		    0600, e);
	buf_release(&text);
	return rc;
}

/* True if somebody accepts at the gateway's socket. */
static bool
gateway_answers(const struct devserver *d)
{
	char dir[PATH_MAX];
	int dir_fd, fd;

	snprintf(dir, sizeof dir, "%s", d->socket);
	*strrchr(dir, '/') = '\0';
	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return false;
	fd = sock_connect_at(dir_fd, strrchr(d->socket, '/') + 1,
	    SOCK_STREAM);
	close(dir_fd);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool
web_answers(const struct devserver *d)
{
	struct sockaddr_in address;
	struct err ignored;
	bool answers;
	int fd;

	if (parse_address(d->listen, d->port, &address, &ignored) < 0)
		return false;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	answers = fd >= 0 && connect(fd, (const struct sockaddr *)&address,
	    sizeof address) == 0;
	io_close(&fd);
	return answers;
}

/* What a daemon wrote last, on our stderr, where its error is to be read. */
static void
show_tail(const char *path)
{
	char text[TAIL_BYTES + 1];
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		n = pread(fd, text, TAIL_BYTES, st.st_size > TAIL_BYTES ?
		    st.st_size - TAIL_BYTES : 0);
		if (n > 0)
			fprintf(stderr, "%.*s", (int)n, text);
	}
	close(fd);
}

static int
ended(struct devserver *d, const struct service *s, struct err *e)
{
	char how[64], log[PATH_MAX];

	service_ending(s, how, sizeof how);
	if (s == &d->web && place_path(log, e, "%s/error.log", d->root) == 0)
		show_tail(log);
	return err_set(e, 0, "%s has ended: %s", s->name, how);
}

static int
wait_ready(struct devserver *d, struct service *s,
    bool (*answers)(const struct devserver *), struct err *e)
{
	const struct timespec nap = {0, NAP_MS * 1000000L};
	int64_t end_ms = clock_mono_ms() + READY_MS;

	while (!answers(d)) {
		if (service_ended(s))
			return ended(d, s, e);
		if (clock_mono_ms() > end_ms)
			return err_set(e, ETIMEDOUT, "%s does not answer",
			    s->name);
		nanosleep(&nap, NULL);
	}
	return 0;
}

int
devserver_start(struct devserver *d, const char *base_path, struct err *e)
{
	const char *argv[] = {d->web_path, "-D", "-f", d->config, NULL};
	char log[PATH_MAX];

	if (gateway_answers(d))
		return err_set(e, EADDRINUSE, "a gateway is running at %s "
		    "already; stop it, or choose another --state", d->socket);
	d->started = true;
	if (start_gateway(d, e) < 0 ||
	    wait_ready(d, &d->gateway, gateway_answers, e) < 0)
		return -1;
	if (d->no_web)
		return 0;
	if (place_path(log, e, "%s/error.log", d->root) < 0)
		return -1;
	unlink(log);
	if (write_config(d, base_path, e) < 0 ||
	    service_start(&d->web, argv, e) < 0)
		return -1;
	return wait_ready(d, &d->web, web_answers, e);
}

/* --- keeping and stopping ------------------------------------------------- */

void
devserver_reload(struct devserver *d)
{
	service_signal(&d->gateway, SIGHUP);
}

int
devserver_look(struct devserver *d, struct err *e)
{
	char how[64];

	if (service_ended(&d->web))
		return ended(d, &d->web, e);
	if (!service_ended(&d->gateway))
		return 0;
	if (clock_mono_ms() - d->gateway.started_ms < QUICK_MS)
		return ended(d, &d->gateway, e);
	service_ending(&d->gateway, how, sizeof how);
	fprintf(stderr, "bothy: the gateway has ended (%s) and is started "
	    "again\n", how);
	return start_gateway(d, e);
}

/* The launcher goes with its functions, and is waited for. */
static void
stop_launcher(const struct devserver *d)
{
	struct link_options o = {.site_dir = d->place->site,
	    .state_dir = d->place->state,
	    .launcher = d->launcher_path};

	quit_launcher(&o, GRACE_MS);
}

static void
stop_store(const struct devserver *d)
{
	struct data_place place;
	struct err ignored;

	if (data_place(&place, d->place->state, &ignored) == 0)
		data_stop(&place, STORE_GRACE_MS);
}

void
devserver_close(struct devserver *d)
{
	service_stop(&d->web, GRACE_MS);
	service_stop(&d->gateway, GRACE_MS);
	if (d->started) {
		stop_launcher(d);
		stop_store(d);
	}
	io_close(&d->lock_fd);
}
