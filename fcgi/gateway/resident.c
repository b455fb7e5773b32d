/*
 * How a resident gateway comes and goes, as resident.h describes it.  Runs in
 * bothy-fcgi: as a CGI program that starts one, and as the one.
 */
#include "resident.h"

#include "accept.h"

#include "store/base/clock.h"
#include "store/base/daemon.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	BETWEEN_STARTS_S = 5,
	IDLE_MAX_S = 24 * 3600,
	VARIABLES = 256,
	CPU_RESERVE_S = 2,
	LAST_WAIT_MS = 50
};

extern char **environ;

/* ---- starting one ----------------------------------------------------- */

/*
 * run/resident.lock is held by who starts one, or begins to listen; its time
 * is that of the last start.  The descriptor, or -1.
 */
static int
lock(const struct gateway *g, int how)
{
	int fd = openat(g->state_fd, "run/resident.lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;

	if (fd < 0)
		return -1;
	do
		rc = flock(fd, how);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		io_close(&fd);
	return fd;
}

/* Notes that one is started now; false if the last start is just past. */
static bool
take_turn(int lock_fd)
{
	struct stat st;

	if (fstat(lock_fd, &st) < 0)
		return false;
	if (st.st_size && time(NULL) - st.st_mtim.tv_sec < BETWEEN_STARTS_S)
		return false;
	return pwrite(lock_fd, "\n", 1, 0) == 1;
}

/* What is the request's stays behind: only these variables go on. */
static void
fill_environment(char **env)
{
	static const char *const KEPT[] = {"BOTHY_", "HOME=", "LANG=",
	    "PATH=", "TMPDIR=", "TZ=", "XDG_CONFIG_HOME="};
	size_t i, k, n = 0;

	for (i = 0; environ[i] && n < VARIABLES - 1; i++)
		for (k = 0; k < sizeof KEPT / sizeof *KEPT; k++)
			if (strncmp(environ[i], KEPT[k], strlen(KEPT[k])) == 0)
				env[n++] = environ[i];
	env[n] = NULL;
}

void
resident_start(const struct gateway *g, const struct sitefile *s)
{
	const char *path = getenv("BOTHY_RESIDENT_SOCKET");
	const char *launcher = getenv("BOTHY_LAUNCHER");
	char self[4096], site[4096], state[4096], socket[4096];
	const char *argv[] = {self, "--site", site, "--state", state,
	    "--resident", socket, NULL};
	char *env[VARIABLES];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	pid_t pid;
	int fd;

	/* Where a launcher can't stay, neither can we. */
	if (!path || (launcher && strcmp(launcher, "private") == 0) || n < 0)
		return;
	self[n] = '\0';
	snprintf(site, sizeof site, "%s", s->site);
	snprintf(state, sizeof state, "%s", s->state);
	snprintf(socket, sizeof socket, "%s", path);
	if (s->launcher)
		setenv("BOTHY_LAUNCH", s->launcher, 1);
	if (s->resident)
		setenv("BOTHY_RESIDENT", s->resident, 1);
	unsetenv("BOTHY_RESIDENT_SOCKET");
	fd = lock(g, LOCK_EX | LOCK_NB);
	fill_environment(env);
	if (fd >= 0 && take_turn(fd))
		daemon_spawn(argv, env, 1, true, &pid);
	io_close(&fd);
}

/* ---- being one -------------------------------------------------------- */

/* A host that limits CPU time sends SIGXCPU before it kills: with time left. */
static void
reserve_cpu(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_CPU, &r) < 0 || r.rlim_max == RLIM_INFINITY ||
	    r.rlim_max <= 2 * CPU_RESERVE_S)
		return;
	if (r.rlim_cur > r.rlim_max - CPU_RESERVE_S) {
		r.rlim_cur = r.rlim_max - CPU_RESERVE_S;
		setrlimit(RLIMIT_CPU, &r);
	}
}

int
resident_open(struct gateway *g, struct listener *l, const char *path,
    const struct sitefile *s, struct err *e)
{
	long idle_s = s->resident ? atol(s->resident) : RESIDENT_IDLE_S;
	int fd, rc;

	if (idle_s < 1 || idle_s > IDLE_MAX_S)
		idle_s = RESIDENT_IDLE_S;
	g->idle_ms = idle_s * 1000;
	atomic_store(&g->used_ms, clock_mono_ms());
	fd = lock(g, LOCK_EX);
	if (fd < 0)
		return err_sys(e, "cannot lock %s/run/resident.lock",
		    g->state_dir);
	rc = listen_private(l, path, e);
	close(fd);
	reserve_cpu();
	return rc;
}

bool
resident_is_idle(struct gateway *g, int64_t now_ms)
{
	return atomic_load(&g->busy) == 0 &&
	    now_ms - atomic_load(&g->used_ms) >= g->idle_ms;
}

/*
 * The name goes first, then the socket refuses who had just found it; whom it
 * had let in by then is taken in, and has a moment to say what he wants.
 */
void
resident_close(struct gateway *g, struct listener *l)
{
	static const struct timespec MOMENT = {0, LAST_WAIT_MS * 1000000L};
	bool any = false;
	int fd;

	unlink(l->path);
	l->path[0] = '\0';
	shutdown(l->fd, SHUT_RD);
	while ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		accept_again(g, fd);
		any = true;
	}
	if (any)
		nanosleep(&MOMENT, NULL);
}
