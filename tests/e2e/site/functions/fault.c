/*
 * Fails in the way that the path says.
 */
#include <bothy.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
deeper(volatile char *above)
{
	volatile char here[4096];

	here[0] = above[0];
	return deeper(here) + here[0];
}

static void
hold_memory(void)
{
	size_t i, n = 1 << 20;
	char *p;

	for (i = 0; i < 512 && (p = malloc(n)); i++)
		memset(p, 1, n);
	pause();
}

static int
reply(struct bothy_req *req)
{
	return bothy_text(req, 200, "fine");
}

int
bothy_handle(struct bothy_req *req)
{
	const char *how = bothy_param(req, "how");
	char byte = 0;

	if (strcmp(how, "segv") == 0)
		raise(SIGSEGV);
	else if (strcmp(how, "null") == 0)
		return *(volatile int *)(how - (size_t)how);
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "stack") == 0)
		return deeper(&byte);
	else if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(how, "segv-after-reply") == 0) {
		reply(req);
		raise(SIGSEGV);
	} else if (strcmp(how, "segv-after-flush") == 0) {
		bothy_set_header(req, "Content-Type", "text/plain");
		bothy_printf(req, "begin");
		bothy_flush(req);
		raise(SIGSEGV);
	} else if (strcmp(how, "timeout-after-flush") == 0) {
		bothy_set_header(req, "Content-Type", "text/plain");
		bothy_printf(req, "begin");
		bothy_flush(req);
		pause();
	} else if (strcmp(how, "closed") == 0) {
		bothy_set_header(req, "Content-Type", "text/plain");
		bothy_printf(req, "begin");
		bothy_flush(req);
		close(1);
		pause();
	} else if (strcmp(how, "exit") == 0)
		exit(3);
	else if (strcmp(how, "_exit") == 0)
		_exit(3);
	else if (strcmp(how, "exit-after-reply") == 0) {
		reply(req);
		exit(0);
	} else if (strcmp(how, "fail-after-reply") == 0) {
		reply(req);
		return 3;
	} else if (strcmp(how, "fail") == 0)
		return 1;
	else if (strcmp(how, "sleep") == 0)
		pause();
	else if (strcmp(how, "spin") == 0)
		for (;;)
			byte++;
	else if (strcmp(how, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	} else if (strcmp(how, "memory") == 0)
		hold_memory();
	else if (strcmp(how, "fine") == 0)
		return reply(req);
	return 0;
}
