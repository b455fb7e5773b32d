/*
 * Misbehaves as the path says.  All its processes carry the name `mark`, and
 * all end by themselves after SECONDS: a failed test must not take the machine
 * down.
 */
#define _GNU_SOURCE	/* SCHED_IDLE */
#include <bothy.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { SECONDS = 60, BOMB_MAX = 300, HOG_MAX_MB = 200 };

/* The name is inherited, the alarm is not. */
static int
spawn(void)
{
	int pid = fork();

	if (pid == 0)
		alarm(SECONDS);
	return pid;
}

static void
bomb(void)
{
	atomic_int *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	while (atomic_fetch_add(n, 1) < BOMB_MAX)
		if (spawn() < 0)
			usleep(1000);
	for (;;)
		pause();
}

static void
hog(int mb)
{
	int i;
	char *p;

	for (i = 0; i < mb && (p = malloc(1 << 20)); i++) {
		memset(p, i, 1 << 20);
		usleep(1000);
	}
	for (;;)
		pause();
}

static void
daemonise(void)
{
	if (spawn() > 0)
		return;
	setsid();
	if (spawn() > 0)
		_exit(0);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close(0);
	close(1);
	close(2);
	for (;;)
		pause();
}

static int
count_descriptors(struct bothy_req *req)
{
	int n = 0;

	while (n < 100000 && open("/dev/null", O_RDONLY) >= 0)
		n++;
	return bothy_text(req, 200, "%d", n);
}

static int
write_for_ever(struct bothy_req *req)
{
	static char block[65536];

	bothy_set_header(req, "Content-Type", "text/plain");
	memset(block, 'w', sizeof block);
	while (bothy_write(req, block, sizeof block) == 0)
		;
	return 1;
}

int
bothy_handle(struct bothy_req *req)
{
	const char *how = bothy_param(req, "how");
	int i;

	prctl(PR_SET_NAME, bothy_param(req, "mark"));
	alarm(SECONDS);
	if (strcmp(how, "bomb") == 0)
		bomb();
	else if (strcmp(how, "loop") == 0)
		for (;;)
			;
	else if (strcmp(how, "hog") == 0)
		hog(HOG_MAX_MB);
	else if (strcmp(how, "hogs") == 0) {
		for (i = 0; i < 8; i++)
			if (spawn() == 0)
				hog(16);
		pause();
	} else if (strcmp(how, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	} else if (strcmp(how, "crowd") == 0) {
		for (i = 0; i < 3 && spawn() > 0; i++)
			;
		for (;;)
			;
	} else if (strcmp(how, "compute") == 0 ||
	    strcmp(how, "compute-and-wait") == 0) {
		while (sched_getscheduler(0) != SCHED_IDLE)
			;
		if (strcmp(how, "compute") != 0)
			pause();
		return bothy_text(req, 200, "%d", sched_getscheduler(0));
	} else if (strcmp(how, "policy") == 0)
		return bothy_text(req, 200, "%d", sched_getscheduler(0));
	else if (strcmp(how, "stopped") == 0)
		raise(SIGSTOP);
	else if (strcmp(how, "closer") == 0 ||
	    strcmp(how, "close-all") == 0) {
		bothy_set_header(req, "Content-Type", "text/plain");
		bothy_printf(req, "closed");
		bothy_flush(req);
		for (i = 1; i < (strcmp(how, "closer") == 0 ? 3 : 256); i++)
			close(i);
		for (;;)
			pause();
	} else if (strcmp(how, "writer") == 0)
		return write_for_ever(req);
	else if (strcmp(how, "descriptors") == 0)
		return count_descriptors(req);
	else if (strcmp(how, "daemon") == 0)
		daemonise();
	else if (strcmp(how, "kill") == 0) {
		kill(-1, SIGKILL);
		for (i = 2; i < 65536; i++)
			if (i != getpid())
				kill(i, SIGKILL);
	} else if (strcmp(how, "children") == 0) {
		for (i = 0; i < 20; i++)
			if (spawn() == 0)
				for (;;)
					pause();
		abort();
	}
	return bothy_text(req, 200, "%s", how);
}
