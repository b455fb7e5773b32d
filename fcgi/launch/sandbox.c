/*
 * Forks a function's process into its namespaces and confines it, as
 * sandbox.h describes it.  sandbox_fork runs in the launcher, sandbox_enter
 * in the child; neither ever runs in a process with threads.
 */
#include "sandbox_internal.h"

#include "identity.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void
sandbox_host_init(struct sandbox_host *h, const struct probe *p)
{
	*h = (struct sandbox_host){.probe = p};
}

void
sandbox_host_release(struct sandbox_host *h)
{
	size_t i;

	for (i = 0; i < SANDBOX_NETWORKS; i++)
		sandbox_filter_release(&h->filters[i]);
}

/* --- the launcher's side --------------------------------------------------- */

static int
write_file(pid_t pid, const char *name, const char *text)
{
	char path[48];
	int fd, rc;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = io_write_all(fd, text, strlen(text));
	io_close(&fd);
	return rc;
}

/*
 * Maps one uid and one gid to themselves in the child's user namespace.  Who
 * isn't root must give up setgroups for that (user_namespaces(7)).
 */
static int
map_ids(pid_t pid, uid_t uid, gid_t gid)
{
	char text[64];

	snprintf(text, sizeof text, "%u %u 1", (unsigned)uid, (unsigned)uid);
	if (write_file(pid, "uid_map", text) < 0)
		return -1;
	if (geteuid() != 0 && write_file(pid, "setgroups", "deny") < 0)
		return -1;
	snprintf(text, sizeof text, "%u %u 1", (unsigned)gid, (unsigned)gid);
	return write_file(pid, "gid_map", text);
}

/* The child's wait for its maps: one byte, or the launcher has given up. */
static void
await_maps(int *go)
{
	char c;

	io_close(&go[1]);
	if (io_read_all(go[0], &c, 1) < 0)
		_exit(127);
	io_close(&go[0]);
}

pid_t
sandbox_fork_namespaces(unsigned long more, uid_t uid, gid_t gid,
    struct err *e)
{
	const unsigned long flags =
	    SIGCHLD | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | more;
	int go[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC) < 0) {
		err_sys(e, "cannot make a pipe");
		return -1;
	}
	/* Not fork: it takes no flags.  The child only makes ready to exec. */
	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (pid == 0) {
		await_maps(go);
		return 0;
	}
	if (pid < 0)
		err_sys(e, "cannot fork into namespaces");
	else if (map_ids(pid, uid, gid) < 0 || io_write_all(go[1], "", 1) < 0) {
		err_sys(e, "cannot map uid %u into a user namespace",
		    (unsigned)uid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	io_close(&go[0]);
	io_close(&go[1]);
	return pid;
}

pid_t
sandbox_fork(struct sandbox_host *h, const struct sandbox *s, struct err *e)
{
	const bool namespace = h->probe->rung == CONTAIN_NAMESPACE;
	struct sandbox_filter *f = &h->filters[s->network];
	pid_t pid;

	if (s->required && probe_require(h->probe, e) < 0)
		return -1;
	if (h->probe->seccomp && !f->code &&
	    sandbox_filter_compile(f, s->network, namespace, e) < 0)
		return -1;
	if (namespace)
		return sandbox_fork_namespaces(
		    h->probe->mounts ? CLONE_NEWNS : 0,
		    s->uid ? s->uid : geteuid(),
		    s->uid ? (gid_t)s->uid : getegid(), e);
	pid = fork();
	if (pid < 0)
		err_sys(e, "cannot fork");
	return pid;
}

/* --- the child's side ------------------------------------------------------ */

static int
close_from(int first_fd, struct err *e)
{
	if (close_range((unsigned)first_fd, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(e, "cannot keep descriptors from the function");
	return 0;
}

/* What a program expects to find: no signal blocked or ignored. */
static int
reset_signals(struct err *e)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(e, "cannot unblock signals");
	return 0;
}

int
sandbox_keep_capability(struct err *e)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	const uint32_t bit = 1U << CAP_SYS_ADMIN;
	const struct __user_cap_data_struct set[2] = {
	    {bit, bit, bit}, {0, 0, 0}};

	if (syscall(SYS_capset, &head, set) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) <
	        0)
		return err_sys(e, "cannot keep the capability for namespaces");
	return 0;
}

static int
enter_identity(const struct sandbox *s, struct err *e)
{
	if (s->uid)
		return identity_become(s->uid, e);
	if (geteuid() == 0)
		return err_set(e, EPERM, "a function never runs as root");
	return 0;
}

static int
enter_namespace(const struct sandbox_host *h, const struct sandbox *s,
    struct err *e)
{
	if (h->probe->mounts && sandbox_mounts(s, e) < 0)
		return -1;
	return sandbox_keep_capability(e);
}

int
sandbox_enter(const struct sandbox_host *h, const struct sandbox *s,
    int first_fd, struct err *e)
{
	const struct sandbox_filter *f = &h->filters[s->network];

	if (close_from(first_fd, e) < 0)
		return -1;
	setsid();	/* fails for a leader of a session, which is as good */
	umask(022);
	if (reset_signals(e) < 0 || limits_apply(&s->limits, e) < 0 ||
	    enter_identity(s, e) < 0)
		return -1;
	if (prctl(PR_SET_PDEATHSIG, s->death_signal, 0, 0, 0) < 0)
		return err_sys(e, "cannot set the death signal");
	if (h->probe->rung == CONTAIN_NAMESPACE && enter_namespace(h, s, e) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "cannot set no_new_privs");
	if (h->probe->landlock_abi &&
	    sandbox_landlock(s, h->probe->landlock_abi, e) < 0)
		return -1;
	if (f->code && sandbox_filter_install(f, e) < 0)
		return -1;
	return 0;
}
