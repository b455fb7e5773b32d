/*
 * git http-backend, for pushes over HTTP: the one program that is started
 * outside of any confinement, as whoever owns the site, since its hooks build
 * a release and make it live.  Nothing else can be asked for here.  It ends
 * with the connection of the client that asked.
 */
#include "launcher.h"

#include "schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VARIABLES_MAX = 64, HIGH_FD = 20, NOT_STARTED = 127 };

/*
 * What each of git's processes may take: a pack of some kilobytes can name
 * gigabytes to be put together.  Soft, for the hooks lift them for themselves.
 */
enum { GIT_MB = 1024, GIT_CPU_S = 300 };

/* "NAME=value\0"... as execve() wants it: 0, or -1 for what is none. */
static int
split(char *env, size_t bytes, char **out)
{
	size_t n = 0, at;

	if (bytes == 0 || env[bytes - 1] != '\0')
		return -1;
	for (at = 0; at < bytes; at += strlen(env + at) + 1) {
		if (n == VARIABLES_MAX || !strchr(env + at, '='))
			return -1;
		out[n++] = env + at;
	}
	out[n] = NULL;
	return 0;
}

/* Under root: who owns the site, as if he had come over ssh. */
static int
become_owner(const char *site)
{
	struct stat st;

	if (geteuid() != 0)
		return 0;
	if (stat(site, &st) < 0)
		return -1;
	if (st.st_uid == 0)
		return 0;
	return setgroups(0, NULL) < 0 || setgid(st.st_gid) < 0 ||
		       setuid(st.st_uid) < 0
		   ? -1
		   : 0;
}

/* What the launcher has set for itself is undone. */
static void
reset_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int
limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(resource, &r) < 0)
		return -1;
	if (r.rlim_cur > most)
		r.rlim_cur = most;
	return setrlimit(resource, &r);
}

/* In the child. */
static void __attribute__((noreturn))
become_git(const struct launcher *l, char **envp, const int *fds)
{
	static char git[] = "git", command[] = "http-backend";
	char *argv[] = {git, command, NULL};
	int high[LAUNCH_GIT_FDS], i;

	setsid();
	for (i = 0; i < LAUNCH_GIT_FDS; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
	for (i = 0; i < LAUNCH_GIT_FDS; i++)
		if (high[i] < 0 || dup2(high[i], i) < 0)
			_exit(NOT_STARTED);
	schedule_thread(0, SCHEDULE_USUAL);
	reset_signals();
	if (close_range(LAUNCH_GIT_FDS, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ||
	    chdir(l->site_dir) < 0 || become_owner(l->site_dir) < 0)
		dprintf(2, "cannot become the owner of %s, there: %s\n",
		    l->site_dir, strerror(errno));
	else if (limit(RLIMIT_DATA, (rlim_t)GIT_MB << 20) < 0 ||
		 limit(RLIMIT_CPU, GIT_CPU_S) < 0)
		dprintf(2, "cannot limit git: %s\n", strerror(errno));
	else {
		execvpe(git, argv, envp);
		dprintf(2, "cannot start git: %s\n", strerror(errno));
	}
	_exit(NOT_STARTED);
}

int
backend_start(struct launcher *l, struct client *c, const struct launch_msg *m,
    char *env, const int *fds)
{
	char *envp[VARIABLES_MAX + 1];
	struct backend *b;

	if (split(env, m->bytes, envp) < 0)
		return -1;
	if (l->nbackends == BACKENDS_MAX) {
		client_refuse(
		    l, c, m->tag, LAUNCH_BUSY, "too many pushes at once");
		return 0;
	}
	b = calloc(1, sizeof *b);
	if (b)
		b->pid = fork();
	if (!b || b->pid < 0) {
		free(b);
		client_refuse(l, c, m->tag, LAUNCH_BROKEN,
		    "no process can be had for git");
		return 0;
	}
	if (b->pid == 0)
		become_git(l, envp, fds);
	b->client = c;
	b->tag = m->tag;
	b->next = l->backends;
	l->backends = b;
	l->nbackends++;
	return 0;
}

bool
backend_reaped(struct launcher *l, pid_t pid, int status)
{
	struct launch_msg m = {.type = LAUNCH_EXIT, .wait_status = status};
	struct backend **at, *b;

	for (at = &l->backends; *at && (*at)->pid != pid; at = &(*at)->next)
		;
	b = *at;
	if (!b)
		return false;
	*at = b->next;
	l->nbackends--;
	m.tag = b->tag;
	if (b->client)
		client_say(l, b->client, &m, NULL, NULL, 0);
	free(b);
	return true;
}

void
backend_client_goes(struct launcher *l, const struct client *c)
{
	struct backend *b;

	for (b = l->backends; b; b = b->next) {
		if (b->client != c)
			continue;
		b->client = NULL;
		kill(b->pid, SIGTERM); /* it may not lead its group yet */
		kill(-b->pid, SIGTERM);
	}
}
