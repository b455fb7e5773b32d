/*
 * Crash handler of a function's process, as crash.h describes it.  Addresses
 * are printed as offsets into the program, as addr2line -e wants them.
 */
#include "crash.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

enum { STACK_BYTES = 64 * 1024, FRAMES_MAX = 32 };

extern const char __executable_start[];	/* from the linker */
extern const char etext[];

static void (*say_last)(int sig);

/* Not of the heap, which would lie in two parts before and behind it. */
static char stack_room[STACK_BYTES];

struct line {
	char text[160];
	size_t len;
};

static void
add(struct line *l, const char *s)
{
	while (*s && l->len < sizeof l->text)
		l->text[l->len++] = *s++;
}

static void
add_hex(struct line *l, uintptr_t v)
{
	char digits[2 * sizeof v + 1];
	size_t i = sizeof digits - 1;

	digits[i] = '\0';
	do
		digits[--i] = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	add(l, "0x");
	add(l, digits + i);
}

static void
flush_line(struct line *l)
{
	add(l, "\n");
	if (write(STDERR_FILENO, l->text, l->len) < 0)
		l->len = 0;
	l->len = 0;
}

struct trace {
	struct line line;
	int frames;
};

static _Unwind_Reason_Code
print_frame(struct _Unwind_Context *context, void *arg)
{
	struct trace *t = arg;
	int exact;	/* else the address is where a call returns to */
	uintptr_t ip = _Unwind_GetIPInfo(context, &exact);
	uintptr_t base = (uintptr_t)__executable_start;

	if (ip == 0 || t->frames++ == FRAMES_MAX)
		return _URC_END_OF_STACK;
	if (!exact)
		ip--;
	add(&t->line, "bothy:   at ");
	if (ip >= base && ip < (uintptr_t)etext) {
		add(&t->line, "+");
		add_hex(&t->line, ip - base);
	} else
		add_hex(&t->line, ip);
	flush_line(&t->line);
	return _URC_NO_REASON;
}

static const char *
signal_name(int sig)
{
	switch (sig) {
	case SIGSEGV:
		return "SIGSEGV (a bad address)";
	case SIGBUS:
		return "SIGBUS (a bad mapping)";
	case SIGFPE:
		return "SIGFPE (bad arithmetic)";
	case SIGILL:
		return "SIGILL (a bad instruction)";
	default:
		return "SIGABRT (abort)";
	}
}

static void
on_crash(int sig, siginfo_t *info, void *context)
{
	struct trace t = {0};

	(void)context;
	signal(sig, SIG_DFL);
	add(&t.line, "bothy: crashed with ");
	add(&t.line, signal_name(sig));
	if (sig == SIGSEGV || sig == SIGBUS) {
		add(&t.line, " at ");
		add_hex(&t.line, (uintptr_t)info->si_addr);
	}
	flush_line(&t.line);
	_Unwind_Backtrace(print_frame, &t);
	if (say_last)
		say_last(sig);
	_exit(128 + sig);
}

int
crash_catch(void (*last_words)(int sig))
{
	static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL,
	    SIGABRT};
	struct sigaction sa = {.sa_sigaction = on_crash,
	    .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_sp = stack_room, .ss_size = STACK_BYTES};
	size_t i;

	say_last = last_words;
	if (sigaltstack(&stack, NULL) < 0)
		return -1;
	for (i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
		if (sigaction(SIGNALS[i], &sa, NULL) < 0)
			return -1;
	return 0;
}
