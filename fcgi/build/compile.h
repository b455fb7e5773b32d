/*
 * The commands that make a binary: the compiler for .c files, make for a
 * folder with a Makefile.
 */
#ifndef BUILD_COMPILE_H
#define BUILD_COMPILE_H

#include "build.h"
#include "store/base/hash.h"

/* Where and what to compile; all but `sources` is borrowed. */
struct compile {
	const struct build *build;
	const struct conf_function *function;
	const char *dir;		/* scratch; the binary is made here */
	struct map sources;
};

/* Adds compiler, flags and libbothy.a to a key: 0 or -1. */
int compile_hash(const struct build *b, const struct conf_function *f,
    struct hash *h, struct err *e);

/*
 * Compile every source and link them to dir/<function>; what the compiler
 * says goes to `messages`, the headers that it read to `files`.  0; 1 if the
 * sources have errors; -1 with the error set.
 */
int compile_c(const struct compile *c, struct map *files,
    struct buf *messages, struct err *e);

/* Run make -s -B with OUT, CC, CFLAGS and LDLIBS in the handler's folder. */
int compile_make(const struct compile *c, struct buf *messages,
    struct err *e);

#endif
