/*
 * Every promise of sandbox.h, tried from inside.
 */
#include "confined.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

/* --- files ------------------------------------------------------------------ */

/* errno of opening top/dir/name so, or 0. */
static int
opens(const char *dir, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static bool
refused(int error)
{
	return error == EACCES || error == EPERM || error == EROFS;
}

static int
reads(struct play *p)
{
	const struct scene *s = p->scene;
	char launcher[64];
	int bad = 0;

	bad += check(opens(s->own, "file", O_RDONLY) == 0, "read own file");
	bad += check(opens(s->readable, "file", O_RDONLY) == 0, "paths.read");
	bad += check(opens(s->writable, "file", O_RDONLY) == 0,
	    "read in paths.write");
	bad += check(opens(s->scratch, "file", O_RDONLY) == 0, "scratch");
	bad += check(opens("/etc", "passwd", O_RDONLY) == 0, "/etc/passwd");
	bad += check(opens("/proc/self", "status", O_RDONLY) == 0, "/proc");
	bad += check(opens("/dev", "urandom", O_RDONLY) == 0, "urandom");
	bad += check(opens(s->secret, "file", O_RDONLY) == EACCES, "secret");
	bad += check(opens(s->other, "file", O_RDONLY) == EACCES,
	    "another function's file");
	bad += check(opens(s->other, "", O_RDONLY | O_DIRECTORY) == EACCES,
	    "another function's directory");
	bad += check(opens(s->top, "", O_RDONLY | O_DIRECTORY) == EACCES,
	    "the site's directory");
	bad += check(opens("/", "", O_RDONLY | O_DIRECTORY) == EACCES, "/");
	bad += check(opens("/dev", "shm", O_RDONLY) != 0, "/dev/shm");
	snprintf(launcher, sizeof launcher, "/proc/%d", (int)p->launcher);
	bad += check(opens(launcher, "stat", O_RDONLY) == 0, "/proc of others");
	bad += check(refused(opens(launcher, "environ", O_RDONLY)),
	    "environment of another process");
	bad += check(refused(opens(launcher, "mem", O_RDONLY)),
	    "memory of another process");
	return bad;
}

static int
writes(struct play *p)
{
	const struct scene *s = p->scene;
	const int make = O_WRONLY | O_CREAT;
	char from[128], to[128];
	int bad = 0;

	bad += check(opens(s->scratch, "new", make) == 0, "make in scratch");
	bad += check(opens(s->scratch, "file", O_WRONLY | O_TRUNC) == 0,
	    "overwrite in scratch");
	bad += check(opens(s->writable, "new", make) == 0, "paths.write");
	bad += check(opens("/dev", "null", O_RDWR) == 0, "/dev/null");
	bad += check(refused(opens(s->own, "new", make)), "make in own dir");
	bad += check(refused(opens(s->own, "file", O_WRONLY)), "own file");
	bad += check(refused(opens(s->own, "file", O_RDONLY | O_TRUNC)),
	    "truncate own file");
	bad += check(refused(opens(s->readable, "new", make)), "paths.read");
	bad += check(refused(opens(s->top, "new", make)), "make in the site");
	bad += check(refused(opens("/tmp", "bothy-no", make)), "/tmp");
	bad += check(opens("/dev/shm", "bothy-no", make) != 0, "/dev/shm");
	snprintf(from, sizeof from, "%s/new", s->scratch);
	snprintf(to, sizeof to, "%s/d", s->scratch);
	bad += check(mkdir(to, 0700) == 0, "mkdir in scratch");
	snprintf(to, sizeof to, "%s/d/moved", s->scratch);
	bad += check(rename(from, to) == 0, "rename in scratch");
	snprintf(from, sizeof from, "%s/file", s->own);
	bad += check(link(from, to) < 0 && unlink(from) < 0, "unlink own file");
	snprintf(to, sizeof to, "%s/x", s->own);
	bad += check(mkdir(to, 0700) < 0, "mkdir in own dir");
	return bad;
}

static int
act_files(struct play *p)
{
	return play_confined(p, reads) + play_confined(p, writes);
}

static void
files_outside_are_out_of_reach(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_files);
}

/* The file is its own; only a read-only mount keeps it from this. */
static int
change_modes(struct play *p)
{
	char path[128];
	int bad;

	snprintf(path, sizeof path, "%s/file", p->scene->own);
	bad = check(chmod(path, 0) < 0 && errno == EROFS, "chmod outside");
	bad += check(utimensat(AT_FDCWD, path, NULL, 0) < 0, "utime outside");
	snprintf(path, sizeof path, "%s/file", p->scene->scratch);
	bad += check(chmod(path, 0640) == 0, "chmod in scratch");
	snprintf(path, sizeof path, "%s/file", p->scene->writable);
	return bad + check(chmod(path, 0640) == 0, "chmod in paths.write");
}

static int
act_modes(struct play *p)
{
	if (!p->probe.mounts) {
		fprintf(stderr, "    SKIPPED: no read-only mounts here\n");
		return SKIP;
	}
	return play_confined(p, change_modes);
}

static void
modes_outside_stay(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_NAMESPACE, act_modes);
}

/* A shell, its tools and a pipe: what every script needs. */
static int
run_script(struct play *p)
{
	char script[512];

	snprintf(script, sizeof script,
	    "set -e; cd %s; echo one two | wc -w > count; read n < count; "
	    "test \"$n\" -eq 2; echo hello > /dev/null; ls %s > /dev/null; "
	    "echo x > /dev/stderr; ! cat %s/file",
	    p->scene->scratch, p->scene->own, p->scene->secret);
	fclose(stderr);
	if (open("/dev/null", O_WRONLY) != 2)
		return 98;
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	return 97;
}

static int
act_script(struct play *p)
{
	return check(play_confined(p, run_script) == 0, "a shell script");
}

static void
scripts_run(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_script);
}

/* --- system calls ----------------------------------------------------------- */

static int
refuses(long rc, int error, const char *what)
{
	return check(rc < 0 && errno == error, what);
}

static int
into_others(void)
{
	int bad = 0;

	bad += refuses(ptrace(PTRACE_TRACEME, 0, NULL, NULL), EPERM, "ptrace");
	bad += refuses(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL,
	                   0, 0),
	    EPERM, "process_vm_readv");
	bad += refuses(syscall(SYS_process_vm_writev, getpid(), NULL, 0, NULL,
	                   0, 0),
	    EPERM, "process_vm_writev");
	bad += refuses(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0), EPERM,
	    "kcmp");
	return bad;
}

static int
into_namespaces(void)
{
	static const unsigned long flags[] = {CLONE_NEWUSER, CLONE_NEWNS,
	    CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP,
	    CLONE_NEWPID, CLONE_NEWUSER | CLONE_NEWPID};
	int bad = 0, fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	size_t i;

	for (i = 0; i < sizeof flags / sizeof *flags; i++) {
		/* A zygote makes its children that way; they can't. */
		if (flags[i] != CLONE_NEWPID)
			bad += refuses(syscall(SYS_clone, flags[i] | SIGCHLD,
			                   NULL, NULL, NULL, NULL),
			    EPERM, "clone into a namespace");
		bad += refuses(unshare((int)flags[i]), EPERM, "unshare");
	}
	bad += refuses(setns(fd, 0), EPERM, "setns to anything");
	bad += refuses(setns(fd, CLONE_NEWUSER), EPERM, "setns");
	bad += refuses(mount("a", "/tmp", "tmpfs", 0, NULL), EPERM, "mount");
	bad += refuses(umount2("/tmp", MNT_DETACH), EPERM, "umount");
	bad += refuses(syscall(SYS_clone3, NULL, 0), ENOSYS, "clone3");
	close(fd);
	return bad;
}

static int
into_kernel(void)
{
	struct perf_event_attr perf = {.size = sizeof perf};
	int bad = 0;

	bad += refuses(syscall(SYS_bpf, BPF_MAP_CREATE, NULL, 0), EPERM, "bpf");
	bad += refuses(syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0), EPERM,
	    "perf_event_open");
	bad += refuses(syscall(SYS_userfaultfd, 0), EPERM, "userfaultfd");
	bad += refuses(syscall(SYS_io_uring_setup, 1, NULL), EPERM, "io_uring");
	bad += refuses(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM, "keyctl");
	bad += refuses(syscall(SYS_add_key, "user", "a", "b", 1, -1), EPERM,
	    "add_key");
	bad += refuses(syscall(SYS_shmget, 0, 4096, 0600), EPERM, "shmget");
	bad += refuses(syscall(SYS_mq_open, "/a", O_CREAT, 0600, NULL), EPERM,
	    "mq_open");
	bad += refuses(ioctl(0, TIOCSTI, "x"), EPERM, "TIOCSTI");
	/* The kernel reads 32 bits of it; so must the filter. */
	bad += refuses(syscall(SYS_ioctl, 0, (unsigned long)TIOCSTI | 1UL << 32,
	                   "x"),
	    EPERM, "TIOCSTI with more bits");
	return bad;
}

#ifdef __x86_64__
/* The same call by the table of 32-bit programs: 26 is ptrace there. */
static int
by_another_table(void)
{
	long rc;

	__asm__ volatile("int $0x80"
	                 : "=a"(rc)
	                 : "a"(26L), "b"(0L)
	                 : "memory", "r8", "r9", "r10", "r11");
	return check(rc == -ENOSYS, "ptrace by int 0x80");
}
#else
static int
by_another_table(void)
{
	return 0;
}
#endif

static int
try_calls(struct play *p)
{
	int bad = into_others() + into_namespaces() + into_kernel() +
	    by_another_table();

	bad += check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "nnp");
	if (p->rung != CONTAIN_NAMESPACE)
		bad += refuses(syscall(SYS_kill, 0xffffffffUL, 0), EPERM,
		    "kill(-1)");
	return bad;
}

static int
act_calls(struct play *p)
{
	int bad = 0, i;

	for (i = 0; i < SANDBOX_NETWORKS; i++) {
		p->sandbox.network = (enum snap_network)i;
		bad += play_confined(p, try_calls);
	}
	return bad;
}

static void
dangerous_calls_are_refused(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_calls);
}

/* --- network ---------------------------------------------------------------- */

static int
socket_of(int domain, int type)
{
	int fd = socket(domain, type, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int
pair_of(int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type, 0, fds) < 0)
		return errno;
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static int
try_network(struct play *p)
{
	const bool all = p->sandbox.network == SNAP_NETWORK_ALL;
	const bool none = p->sandbox.network == SNAP_NETWORK_NONE;
	const int inet = all ? 0 : EAFNOSUPPORT;
	const int local = none ? EAFNOSUPPORT : 0;
	int bad = 0;

	bad += check(socket_of(AF_INET, SOCK_STREAM) == inet, "tcp");
	bad += check(socket_of(AF_INET, SOCK_DGRAM) == inet, "udp");
	bad += check(socket_of(AF_INET6, SOCK_STREAM) == inet ||
	        (all && socket_of(AF_INET6, SOCK_STREAM) == EAFNOSUPPORT),
	    "tcp 6");
	bad += check(socket_of(AF_NETLINK, SOCK_RAW) == inet, "netlink");
	bad += check(socket_of(AF_UNIX, SOCK_STREAM) == local, "unix stream");
	bad += check(socket_of(AF_UNIX, SOCK_DGRAM) == local, "unix datagram");
	bad += check(pair_of(SOCK_STREAM | SOCK_CLOEXEC) == 0, "stream pair");
	bad += check(pair_of(SOCK_SEQPACKET) == 0, "seqpacket pair");
	bad += check(pair_of(SOCK_DGRAM | SOCK_NONBLOCK) == local, "dgram pair");
	bad += check(pair_of(SOCK_RAW) == local, "raw pair");
	return bad;
}

static int
act_network(struct play *p)
{
	int bad = 0, i;

	for (i = 0; i < SANDBOX_NETWORKS; i++) {
		p->sandbox.network = (enum snap_network)i;
		bad += play_confined(p, try_network);
	}
	return bad;
}

static void
network_is_what_is_said(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_network);
}

/* An abstract socket of somebody outside is out of reach (Landlock 6). */
static int
reach_abstract(struct play *p)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    (size_t)snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s",
	        p->scene->top));
	return check(connect(fd, (struct sockaddr *)&a, len) < 0 &&
	        errno == EPERM,
	    "connect to an abstract socket outside");
}

static int
act_abstract(struct play *p)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	socklen_t len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (p->probe.landlock_abi < 6) {
		fprintf(stderr, "    SKIPPED: landlock is older than 6\n");
		return SKIP;
	}
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    (size_t)snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s",
	        p->scene->top));
	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 1) < 0)
		return check(false, "listen");
	return play_confined(p, reach_abstract);
}

static void
abstract_sockets_are_scoped(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_abstract);
}

/* --- limits and identity ---------------------------------------------------- */

static int
hit_memory(void)
{
	const size_t half = (size_t)64 << 20;
	int bad = 0;
	void *p;

	if (SANITIZED) {
		fprintf(stderr, "    memory SKIPPED under sanitizers\n");
		return 0;
	}
	p = mmap(NULL, half, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bad += check(p != MAP_FAILED, "64 of 128 MB");
	p = mmap(NULL, 3 * half, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return bad +
	    check(p == MAP_FAILED && errno == ENOMEM, "256 of 128 MB");
}

static int
hit_limits(struct play *p)
{
	char path[128];
	int fd, n, bad = hit_memory();

	for (n = 0; n < 2 * LIMITS_FILES && dup(0) >= 0; n++)
		;
	bad += check(errno == EMFILE && n < LIMITS_FILES, "descriptors");
	for (fd = 3; fd < LIMITS_FILES; fd++)
		close(fd);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(path, sizeof path, "%s/large", p->scene->scratch);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bad += check(pwrite(fd, "x", 1, 2 << 20) < 0 && errno == EFBIG,
	    "a file over its limit");
	bad += check(pwrite(fd, "x", 1, 100) == 1, "a file under its limit");
	close(fd);
	return bad;
}

static int
act_limits(struct play *p)
{
	limits_default(&p->sandbox.limits, 128, 0);
	p->sandbox.limits.file_mb = 1;
	return play_confined(p, hit_limits);
}

static void
limits_hold(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_limits);
}

static int
count_forks(struct play *p)
{
	int n;

	(void)p;
	for (n = 0; n < 100; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			pause();
			_exit(0);
		}
		if (pid < 0)
			break;
	}
	return n;
}

/* Its own processes count, not those of the user outside. */
static int
act_processes(struct play *p)
{
	pid_t others[40];
	int i, n;

	if (THREADED || !p->probe.counts_processes) {
		fprintf(stderr, "    SKIPPED: processes are not counted\n");
		return SKIP;
	}
	for (i = 0; i < 40; i++) {
		others[i] = fork();
		if (others[i] == 0) {
			pause();
			_exit(0);
		}
	}
	p->sandbox.limits.processes = 30;
	n = play_confined(p, count_forks);
	for (i = 0; i < 40; i++) {
		kill(others[i], SIGKILL);
		waitpid(others[i], NULL, 0);
	}
	return check(n >= 20 && n < 30, "about 30 processes");
}

static void
processes_are_counted(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_NAMESPACE, act_processes);
}

static int
who_am_i(struct play *p)
{
	uid_t want = p->probe.own_uids ? FUNCTION_UID : getuid();
	uid_t r, e, s;
	gid_t gr, ge, gs;
	int signal = 0, bad = 0;

	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	bad += check(r == want && e == want && s == want && r != 0, "uid");
	bad += check(gr == ge && ge == gs && gr != 0, "gid");
	bad += check(!p->probe.own_uids || getgroups(0, NULL) == 0, "groups");
	bad += check(setuid(0) < 0 && setgid(0) < 0, "become root");
	bad += check(getsid(0) == getpid(), "a session of its own");
	bad += check(prctl(PR_GET_PDEATHSIG, &signal) == 0 &&
	        signal == SIGUSR1,
	    "the death signal");
	return bad;
}

static int
act_identity(struct play *p)
{
	p->sandbox.death_signal = SIGUSR1;
	return play_confined(p, who_am_i);
}

static void
functions_are_never_root(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_identity);
}

/* --- refusals --------------------------------------------------------------- */

static int
nothing(struct play *p)
{
	(void)p;
	return 0;
}

static int
act_refusals(struct play *p)
{
	struct err e = {0};
	int bad = 0;

	p->read_paths[0] = "/nonexistent/data";
	bad += check(play_confined(p, nothing) == 99, "a path that is missing");
	p->read_paths[0] = p->scene->readable;
	bad += check(play_confined(p, nothing) == 0, "as it should be");
	p->probe.landlock_abi = 0;
	bad += check(sandbox_fork(&p->host, &p->sandbox, &e) < 0 &&
	        strstr(e.text, "best-effort"),
	    "required without landlock");
	p->sandbox.required = false;
	bad += check(play_confined(p, nothing) == 0, "best effort without it");
	return bad;
}

static void
what_cannot_be_had_is_refused(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_refusals);
}

static int
leak(struct play *p)
{
	(void)p;
	execl("/bin/sh", "sh", "-c", "echo x 2>/dev/null >&7", (char *)NULL);
	return 97;
}

static int
act_descriptors(struct play *p)
{
	int got;

	if (dup2(2, 7) != 7)
		return 1;
	got = play_confined(p, leak);
	return check(got != 0 && got != 97, "descriptor 7 after exec");
}

static void
descriptors_stay_behind(void **state)
{
	(void)state;
	play_all(CONTAIN_NAMESPACE, CONTAIN_SUBREAPER, act_descriptors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_outside_are_out_of_reach),
	    cmocka_unit_test(modes_outside_stay),
	    cmocka_unit_test(scripts_run),
	    cmocka_unit_test(dangerous_calls_are_refused),
	    cmocka_unit_test(network_is_what_is_said),
	    cmocka_unit_test(abstract_sockets_are_scoped),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(processes_are_counted),
	    cmocka_unit_test(functions_are_never_root),
	    cmocka_unit_test(what_cannot_be_had_is_refused),
	    cmocka_unit_test(descriptors_stay_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
