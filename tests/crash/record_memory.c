/*
 * The recorder's memory, which only fails (record.c): where the program itself
 * asks for it, by malloc or by a call that has it from there.
 */
#include "record_internal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t n);

/* Those of libasan, if it is preloaded too. */
#pragma weak __interceptor_malloc
#pragma weak __interceptor_calloc
#pragma weak __interceptor_realloc
void *__interceptor_malloc(size_t n);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	if (memory_fails(__builtin_return_address(0)))
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(n)
				    : __libc_malloc(n);
}

void *
calloc(size_t count, size_t size)
{
	if (memory_fails(__builtin_return_address(0)))
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(count, size)
				    : __libc_calloc(count, size);
}

void *
realloc(void *p, size_t n)
{
	if (memory_fails(__builtin_return_address(0)))
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, n)
				     : __libc_realloc(p, n);
}

/* --- calls that have it from there: libc asks, for the program ------------ */

static char *
copy_of(const char *s, size_t n)
{
	char *copy = malloc(n + 1);

	if (copy) {
		memcpy(copy, s, n);
		copy[n] = '\0';
	}
	return copy;
}

char *
strdup(const char *s)
{
	return memory_fails(__builtin_return_address(0))
		   ? NULL
		   : copy_of(s, strlen(s));
}

char *
strndup(const char *s, size_t n)
{
	return memory_fails(__builtin_return_address(0))
		   ? NULL
		   : copy_of(s, strnlen(s, n));
}

static int __attribute__((format(printf, 2, 0)))
print(char **out, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	*out = n < 0 ? NULL : malloc((size_t)n + 1);
	return *out ? vsnprintf(*out, (size_t)n + 1, fmt, ap) : -1;
}

int
asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (memory_fails(__builtin_return_address(0)))
		return -1;
	va_start(ap, fmt);
	n = print(out, fmt, ap);
	va_end(ap);
	return n;
}

/* What asprintf is with _FORTIFY_SOURCE. */
int __asprintf_chk(char **out, int flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

int
__asprintf_chk(char **out, int flag, const char *fmt, ...)
{
	va_list ap;
	int n;

	(void)flag;
	if (memory_fails(__builtin_return_address(0)))
		return -1;
	va_start(ap, fmt);
	n = print(out, fmt, ap);
	va_end(ap);
	return n;
}

/* Directories: a stream is memory too. */
#define DIRECTORY_LIKE(name, type)                             \
	DIR *name(type where)                                  \
	{                                                      \
		DIR *(*next)(type);                            \
		if (memory_fails(__builtin_return_address(0))) \
			return NULL;                           \
		*(void **)&next = dlsym(RTLD_NEXT, #name);     \
		return next(where);                            \
	}

DIRECTORY_LIKE(opendir, const char *)
DIRECTORY_LIKE(fdopendir, int)
