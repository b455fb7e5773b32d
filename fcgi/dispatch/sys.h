/*
 * System calls without a C library, for bothy-dispatch: x86-64 and aarch64.
 *
 * Each gives what the kernel gives: a result, or an errno below zero.  Types
 * and numbers are those of the kernel's and libc's headers, which need no
 * library; what has no number on one of the two (open, poll) is not used.  For
 * another machine none of this is compiled (sources.mk).
 */
#ifndef DISPATCH_SYS_H
#define DISPATCH_SYS_H

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/*
 * Where the kernel enters: dispatch_main(sp) gets the initial stack, which
 * holds argc, the arguments, NULL, the environment, NULL, the auxiliary
 * vector.
 */
#if defined(__x86_64__)
#define SYS_ENTRY \
	__asm__(".globl _start\n" \
	        "_start:\n" \
	        "\txor %ebp, %ebp\n" \
	        "\tmov %rsp, %rdi\n" \
	        "\tand $-16, %rsp\n" \
	        "\tcall dispatch_main\n" \
	        "\thlt\n")

static inline long
sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long rc;

	__asm__ volatile("syscall"
	    : "=a"(rc)
	    : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	    : "rcx", "r11", "memory");
	return rc;
}
#elif defined(__aarch64__)
#define SYS_ENTRY \
	__asm__(".globl _start\n" \
	        "_start:\n" \
	        "\tmov x29, #0\n" \
	        "\tmov x30, #0\n" \
	        "\tmov x0, sp\n" \
	        "\tbl dispatch_main\n" \
	        "\tbrk #1\n")

static inline long
sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
	    : "+r"(x0)
	    : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	    : "memory");
	return x0;
}
#endif

static inline long
sys_read(int fd, void *p, size_t n)
{
	return sys_call(SYS_read, fd, (long)p, (long)n, 0, 0, 0);
}

static inline long
sys_write(int fd, const void *p, size_t n)
{
	return sys_call(SYS_write, fd, (long)p, (long)n, 0, 0, 0);
}

static inline long
sys_open(const char *path)
{
	return sys_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC,
	    0, 0, 0);
}

static inline void
sys_close(int fd)
{
	sys_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline long
sys_stat(const char *path, struct stat *st)
{
	return sys_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)st, 0, 0,
	    0);
}

/* `wait_ms` below zero: without end. */
static inline long
sys_poll(struct pollfd *p, size_t n, long wait_ms)
{
	struct timespec t = {wait_ms / 1000, wait_ms % 1000 * 1000000};

	return sys_call(SYS_ppoll, (long)p, (long)n,
	    wait_ms < 0 ? 0 : (long)&t, 0, 0, 0);
}

static inline long
sys_connect(int fd, const struct sockaddr_un *to)
{
	return sys_call(SYS_connect, fd, (long)to, sizeof *to, 0, 0, 0);
}

static inline long
sys_socket(void)
{
	return sys_call(SYS_socket, AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 0, 0, 0);
}

static inline long
sys_send(int fd, const void *p, size_t n)
{
	return sys_call(SYS_sendto, fd, (long)p, (long)n, MSG_NOSIGNAL, 0, 0);
}

static inline long
sys_pipe(int *ends)
{
	return sys_call(SYS_pipe2, (long)ends, O_CLOEXEC, 0, 0, 0, 0);
}

static inline long
sys_dup(int from, int to)
{
	return sys_call(SYS_dup3, from, to, 0, 0, 0, 0);
}

static inline long
sys_exec(const char *path, char *const *argv, char *const *envp)
{
	return sys_call(SYS_execve, (long)path, (long)argv, (long)envp, 0, 0,
	    0);
}

static inline _Noreturn void
sys_exit(int status)
{
	for (;;)
		sys_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

#endif
