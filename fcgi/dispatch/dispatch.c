/*
 * bothy-dispatch: what a web server runs as a plain CGI program, dispatch.cgi.
 *
 * Started for every request, so it is as small as can be: no C library, whose
 * start alone costs more than all that is done here.  If a resident gateway is
 * there it hands the request over and passes the reply on; if not it becomes
 * bothy-fcgi, which serves the request itself and may leave a resident behind
 * for the next ones.  It has no configuration of its own, runs no function,
 * writes no file, and never asks twice for what may have been done once.
 */
#include "place.h"
#include "relay.h"
#include "sys.h"
#include "text.h"

#include <elf.h>
#include <string.h>

enum { VARIABLES = 4096 };

void dispatch_main(char **stack);

SYS_ENTRY;

/* A loop that no compiler makes a call of memcpy or memset of. */
#define AS_WRITTEN() __asm__ volatile("" ::: "memory")

/* A compiler may call these two wherever it likes. */
void *
memcpy(void *restrict to, const void *restrict from, size_t n)
{
	const char *s = from;
	char *p = to;

	while (n--) {
		*p++ = *s++;
		AS_WRITTEN();
	}
	return to;
}

void *
memset(void *to, int c, size_t n)
{
	char *p = to;

	while (n--) {
		*p++ = (char)c;
		AS_WRITTEN();
	}
	return to;
}

static void
say(int fd, const char *s)
{
	sys_write(fd, s, text_length(s));
}

static _Noreturn void
fail(const char *status, const char *message, const char *log)
{
	say(2, log);
	say(1, "Status: ");
	say(1, status);
	say(1, "\r\nContent-Type: application/json\r\n\r\n{\"message\":\"");
	say(1, message);
	say(1, "\"}");
	sys_exit(1);
}

/* How we were called: argv[0] may be a name only, and anything. */
static const char *
program_name(char **envp)
{
	union {
		char **words;
		const Elf64_auxv_t *entry;
	} u = {envp};

	while (*u.words)
		u.words++;
	for (u.words++; u.entry->a_type != AT_NULL; u.entry++)
		if (u.entry->a_type == AT_EXECFN)
			return (const char *)(uintptr_t)u.entry->a_un.a_val;
	return "";
}

/* Becomes bothy-fcgi, which is told where a resident may listen. */
static _Noreturn void
become_gateway(const struct place *p, const char *self, char **envp)
{
	static char *env[VARIABLES];
	static char socket[PLACE_PATH + 32];
	struct text t = {socket, 0, sizeof socket, false};
	char *argv[] = {(char *)(uintptr_t)self, NULL};
	size_t n;

	for (n = 0; n < VARIABLES - 2 && envp[n]; n++)
		env[n] = envp[n];
	if (p->socket[0] && !envp[n]) {
		text_puts(&t, "BOTHY_RESIDENT_SOCKET=");
		text_puts(&t, p->socket);
		env[n] = socket;
		envp = env;
	}
	sys_exec(p->program, argv, envp);
	say(2, p->program);
	fail("500 Internal Server Error",
	    "the gateway can't start; its reason is in the web server's error "
	    "log",
	    ": bothy-dispatch cannot run it; bothy.site says where it is with "
	    "a line gateway=\n");
}

void
dispatch_main(char **stack)
{
	static struct place p;
	char **envp = stack + *(long *)stack + 2;
	const char *self = program_name(envp);
	enum relay_end end = RELAY_NOT_BEGUN;

	if (place_find(&p, self, envp) < 0)
		fail("500 Internal Server Error", "the gateway can't start",
		    "bothy-dispatch: the path of bothy-fcgi is too long\n");
	if (p.socket[0])
		end = relay(p.socket, envp);
	if (end == RELAY_NOT_BEGUN)
		become_gateway(&p, self, envp);
	if (end == RELAY_SILENT)
		fail("502 Bad Gateway", "the gateway ended before it answered",
		    "bothy-dispatch: the resident gateway ended before it "
		    "answered\n");
	sys_exit(end == RELAY_DONE ? 0 : 1);
}
