/*
 * The launcher's clients: accepts gateways and the CLI, and carries out the
 * closed list of requests in proto.h.  Whoever sends anything else, or does
 * not read what was sent, is dropped; what it held is freed.
 */
#include "launcher.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void client_ready(struct launcher *l, struct source *s,
    uint32_t events);

int
client_say(struct launcher *l, struct client *c, struct launch_msg *m,
    const char *text, const int *fds, size_t nfds)
{
	struct iovec iov[2] = {{m, sizeof *m}, {NULL, 0}};
	size_t len = text ? strlen(text) : 0;

	if (c->gone)
		return -1;
	if (len > LAUNCH_TEXT_MAX)
		len = LAUNCH_TEXT_MAX;
	memcpy(&iov[1].iov_base, &text, sizeof text);
	iov[1].iov_len = len;
	m->version = LAUNCH_VERSION;
	m->bytes = (uint32_t)len;
	if (sock_send(c->source.fd, iov, 2, fds, nfds, MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EPIPE && errno != ECONNRESET)
		launchlog(l, "warning", "dropped a client that does not read "
		    "what is sent to it: %s", strerror(errno));
	client_drop(l, c);
	return -1;
}

void
client_refuse(struct launcher *l, struct client *c, uint32_t tag,
    uint32_t code, const char *text)
{
	struct launch_msg m = {.type = LAUNCH_REFUSED, .tag = tag,
	    .code = code};

	client_say(l, c, &m, text, NULL, 0);
}

/* Only this uid and root may speak to a launcher (the socket is 0600 too). */
static bool
peer_allowed(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	return cred.uid == geteuid() || cred.uid == 0;
}

struct client *
client_add(struct launcher *l, int fd)
{
	struct launch_msg hello = {.type = LAUNCH_HELLO, .pid = getpid()};
	struct client *c = calloc(1, sizeof *c);

	if (!c) {
		close(fd);
		return NULL;
	}
	c->source = (struct source){fd, client_ready};
	if (loop_add(l, &c->source) < 0) {
		close(fd);
		free(c);
		return NULL;
	}
	c->next = l->clients;
	if (c->next)
		c->next->prev = c;
	l->clients = c;
	l->nclients++;
	yield_client_came(l, c);
	client_say(l, c, &hello, NULL, NULL, 0);
	return c;
}

void
client_accept(struct launcher *l, struct source *s, uint32_t events)
{
	int fd;

	(void)events;
	fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
	                  errno == ENOMEM || errno == ENOBUFS)) {
		l->accept_paused = true;
		loop_mute(l, s, true);
	}
	if (fd < 0)
		return;
	if (l->nclients >= CLIENTS_MAX || !peer_allowed(fd)) {
		close(fd);
		return;
	}
	client_add(l, fd);
}

/* Ends what the client held; the struct itself is freed by the loop. */
void
client_drop(struct launcher *l, struct client *c)
{
	if (c->gone)
		return;
	yield_client_goes(c);
	c->gone = true;
	loop_remove(l, &c->source);
	l->nclients--;
	pool_forget_client(l, c);
	backend_client_goes(l, c);
	while (c->children) {
		child_kill(l, c->children);
		child_own(c->children, NULL);
	}
	if (l->private_client)
		loop_leave(l);
}

static void
lease(struct launcher *l, struct client *c, const struct launch_msg *m)
{
	struct err e;
	struct pool *p;

	if (l->leaving) {
		client_refuse(l, c, m->tag, LAUNCH_LEAVING,
		    "the launcher is leaving");
		return;
	}
	p = release_pool(l, m->snapshot, m->function, &e);
	if (!p)
		client_refuse(l, c, m->tag, LAUNCH_UNKNOWN, e.text);
	else if (m->type == LAUNCH_LEASE)
		pool_lease(l, p, c, m->tag, m->count);
	else
		pool_acquire(l, p, c, m->tag);
}

/* A child of this client's, or NULL. */
static struct child *
own_child(struct launcher *l, const struct client *c, uint64_t id)
{
	struct child *child = child_find(l, id);

	return child && child->owner == c ? child : NULL;
}

static void
about_child(struct launcher *l, struct client *c, const struct launch_msg *m)
{
	struct child *child = own_child(l, c, m->id);

	if (!child)
		return;		/* it ended in the meantime */
	if (m->type == LAUNCH_WATCH)
		child_watch(l, child, m->deadline_mono_ms);
	else if (m->type == LAUNCH_REST)
		child_rest(l, child);
	else if (m->type == LAUNCH_DONE)
		child_own(child, NULL);
	else if (m->type == LAUNCH_KILL)
		child_signal(l, child, m->code);
	else
		zygote_retire(l, child->zygote);
}

static int
carry_out(struct launcher *l, struct client *c, struct launch_msg *m)
{
	m->snapshot[sizeof m->snapshot - 1] = '\0';
	if (!c->proven) {
		c->proven = m->type == LAUNCH_PROVE &&
		    key_equal(m->snapshot, l->key);
		return c->proven ? 0 : -1;
	}
	switch (m->type) {
	case LAUNCH_LEASE:
	case LAUNCH_ACQUIRE:
		lease(l, c, m);
		return 0;
	case LAUNCH_RELEASE:
		pool_release_slot(l, c, m->id);
		return 0;
	case LAUNCH_WATCH:
	case LAUNCH_REST:
	case LAUNCH_DONE:
	case LAUNCH_KILL:
	case LAUNCH_RETIRE:
		about_child(l, c, m);
		return 0;
	case LAUNCH_REPORT:
		child_report(l, c, m->id);
		return 0;
	case LAUNCH_STATUS:
		status_send(l, c);
		return 0;
	case LAUNCH_QUIT:
		loop_leave(l);
		return 0;
	default:
		return -1;
	}
}

/* The only request that brings text and descriptors. */
static int
git(struct launcher *l, struct client *c, const struct launch_msg *m,
    char *text, const int *fds, size_t nfds)
{
	if (!c->proven || nfds != LAUNCH_GIT_FDS)
		return -1;
	if (!l->leaving)
		return backend_start(l, c, m, text, fds);
	client_refuse(l, c, m->tag, LAUNCH_LEAVING, "the launcher is leaving");
	return 0;
}

static void
client_ready(struct launcher *l, struct source *s, uint32_t events)
{
	struct client *c = (struct client *)s;
	char text[LAUNCH_GIT_BYTES];
	int fds[LAUNCH_GIT_FDS], rc = -1;
	size_t nfds = LAUNCH_GIT_FDS;
	struct launch_msg m;
	struct iovec iov[2] = {{&m, sizeof m}, {text, sizeof text}};
	ssize_t n;

	(void)events;
	n = sock_recv(s->fd, iov, 2, fds, &nfds, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	l->busy_ms = clock_mono_ms();
	if (n >= (ssize_t)sizeof m && m.version == LAUNCH_VERSION &&
	    (size_t)n == sizeof m + m.bytes)
		rc = m.type == LAUNCH_GIT
		    ? git(l, c, &m, text, fds, nfds)
		    : m.bytes || nfds ? -1 : carry_out(l, c, &m);
	while (n > 0 && nfds > 0)
		close(fds[--nfds]);
	if (rc == 0)
		return;
	if (n > 0)
		launchlog(l, "warning", c->proven
		        ? "dropped a client that sent what is no request of "
		          "this launcher's version"
		        : "dropped a client that does not know the key");
	client_drop(l, c);
}
