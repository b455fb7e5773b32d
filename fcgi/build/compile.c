/*
 * Puts compiler command lines together and runs them (compile.h).
 */
#include "compile.h"

#include "inputs.h"
#include "process.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGS_MAX = 1024, LIB_MAX = 64 * 1024 * 1024 };

/* What differs between the variants; all begin with COMMON. */
#define COMMON "-g -Wall -Wextra -fstack-protector-strong -fPIE"
#define HARDEN "-Wl,-z,relro,-z,now,-z,noexecstack"

static const struct {
	const char *cflags, *ldflags;
} flags[] = {
    [BUILD_RELEASE] = {COMMON " -O2 -U_FORTIFY_SOURCE"
	" -D_FORTIFY_SOURCE=2",
	"-static-pie " HARDEN},
    [BUILD_DEBUG] = {COMMON " -O0", "-pie"},
    [BUILD_SANITIZE] = {COMMON " -O0 -fno-omit-frame-pointer"
	" -fsanitize=address,undefined", "-fsanitize=address,undefined"},
};

static const char libraries[] = "-lbothy -ljansson -lm";

static const char *
compiler(void)
{
	const char *cc = getenv("CC");

	return cc && *cc ? cc : "cc";
}

static const char *
link_flags(const struct build *b, const struct conf_function *f)
{
	if (b->variant == BUILD_RELEASE && f->linkage == SNAP_LINK_DYNAMIC)
		return "-pie " HARDEN;
	return flags[b->variant].ldflags;
}

/* A command line that is put together from words. */
struct args {
	const char *argv[ARGS_MAX];
	size_t count;
	char words[1024];	/* what add_words() has cut */
	size_t used;
};

static void
add(struct args *a, const char *arg)
{
	if (a->count + 1 < ARGS_MAX)
		a->argv[a->count++] = arg;
	a->argv[a->count] = NULL;
}

/* Adds each of the words in a string of ours. */
static void
add_words(struct args *a, const char *words)
{
	char *rest = a->words + a->used, *word;
	size_t n = strlen(words) + 1;

	if (n > sizeof a->words - a->used)
		return;
	memcpy(rest, words, n);
	a->used += n;
	while ((word = strsep(&rest, " "))) {
		if (*word)
			add(a, word);
	}
}

static int
missing_compiler(struct err *e)
{
	if (e->code == ENOENT)
		err_set(e, ENOENT, "there is no C compiler %s; install one "
		    "(Debian: apt install gcc libc6-dev libjansson-dev), or "
		    "deploy programs that were built elsewhere, as `runtime: "
		    "exec`",
		    compiler());
	return -1;
}

/* A path of the compiler that tells one version from another by its stat. */
static int
find_compiler(struct stat *st, struct err *e)
{
	const char *cc = compiler(), *path = getenv("PATH");
	char dirs[PATH_MAX], file[PATH_MAX];
	char *dir, *rest = dirs;

	if (strchr(cc, '/')) {
		if (stat(cc, st) == 0)
			return 0;
		err_set(e, ENOENT, "-");
		return missing_compiler(e);
	}
	snprintf(dirs, sizeof dirs, "%s", path && *path ? path :
	    "/usr/bin:/bin");
	while ((dir = strsep(&rest, ":"))) {
		if (snprintf(file, sizeof file, "%s/%s", dir, cc) <
		    (int)sizeof file && access(file, X_OK) == 0 &&
		    stat(file, st) == 0)
			return 0;
	}
	err_set(e, ENOENT, "-");
	return missing_compiler(e);
}

int
compile_hash(const struct build *b, const struct conf_function *f,
    struct hash *h, struct err *e)
{
	char text[1024], library[PATH_MAX];
	struct buf lib;
	struct stat st;

	if (find_compiler(&st, e) < 0)
		return -1;
	snprintf(text, sizeof text, "bothy-build-1\n%s\n%s %lld %lld.%ld\n"
	    "%s\n%s\n%s\n%s\n", f->name, compiler(), (long long)st.st_size,
	    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
	    flags[b->variant].cflags, link_flags(b, f), libraries,
	    b->include_dir);
	hash_add(h, text, strlen(text));
	if (snprintf(library, sizeof library, "%s/libbothy.a", b->lib_dir) >=
	    (int)sizeof library)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    b->lib_dir);
	buf_init(&lib, LIB_MAX);
	if (io_read_file(AT_FDCWD, library, &lib, e) < 0) {
		buf_release(&lib);
		return -1;
	}
	hash_add(h, buf_str(&lib), lib.len);
	buf_release(&lib);
	return 0;
}

/* Adds the headers in dir/dep to the files. */
static int
read_dependencies(const char *path, struct map *files, struct err *e)
{
	struct buf text;
	int rc;

	buf_init(&text, 4 * 1024 * 1024);
	rc = io_read_file(AT_FDCWD, path, &text, e);
	if (rc == 0 && text.data)
		rc = inputs_depfile(text.data, files, e);
	buf_release(&text);
	return rc;
}

/* 0; 1 if it found errors; -1 if it could not do its work. */
static int
run(const char *const *argv, const char *directory, struct buf *messages,
    struct err *e)
{
	int status = process_run(argv, directory, messages, e);

	if (status > PROCESS_KILLED)
		return err_set(e, EINTR, "%s was killed by signal %d", argv[0],
		    status - PROCESS_KILLED);
	return status < 0 ? -1 : status > 0;
}

/* Compiles one source to `object`. */
static int
compile_one(const struct compile *c, const char *source, const char *object,
    struct map *files, struct buf *messages, struct err *e)
{
	char include[PATH_MAX + 2], dep[PATH_MAX];
	struct args a = {.count = 0};
	int status;

	snprintf(include, sizeof include, "-I%s", c->build->include_dir);
	if (snprintf(dep, sizeof dep, "%s/dep", c->dir) >= (int)sizeof dep)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    c->dir);
	add(&a, compiler());
	add_words(&a, flags[c->build->variant].cflags);
	add_words(&a, "-fdiagnostics-color=never -c -MMD");
	add(&a, "-MF");
	add(&a, dep);
	add(&a, include);
	add(&a, "-o");
	add(&a, object);
	add(&a, source);
	status = run(a.argv, c->build->site_dir, messages, e);
	if (status < 0)
		return missing_compiler(e);
	return status ? 1 : read_dependencies(dep, files, e);
}

static int
link_all(const struct compile *c, char *const *objects, size_t n,
    struct buf *messages, struct err *e)
{
	char lib[PATH_MAX + 2], out[PATH_MAX];
	struct args a = {.count = 0};
	size_t i;
	int status;

	snprintf(lib, sizeof lib, "-L%s", c->build->lib_dir);
	if (snprintf(out, sizeof out, "%s/%s", c->dir, c->function->name) >=
	    (int)sizeof out)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    c->dir);
	add(&a, compiler());
	add(&a, "-g");
	add_words(&a, link_flags(c->build, c->function));
	add(&a, "-o");
	add(&a, out);
	for (i = 0; i < n; i++)
		add(&a, objects[i]);
	add(&a, lib);
	add_words(&a, libraries);
	status = run(a.argv, c->build->site_dir, messages, e);
	return status < 0 ? missing_compiler(e) : status;
}

int
compile_c(const struct compile *c, struct map *files, struct buf *messages,
    struct err *e)
{
	enum { SOURCES_MAX = 512 };
	char *objects[SOURCES_MAX];
	size_t n = 0, i;
	int rc = 0, one;

	if (c->sources.count > SOURCES_MAX)
		return err_set(e, E2BIG, "%s has more than %d .c files; give "
		    "it a Makefile", c->function->handler, (int)SOURCES_MAX);
	for (i = 0; i < c->sources.count && rc >= 0; i++) {
		if (asprintf(&objects[n], "%s/%zu.o", c->dir, i) < 0) {
			rc = err_set(e, ENOMEM, "no memory");
			break;
		}
		one = compile_one(c, c->sources.entries[i].key, objects[n++],
		    files, messages, e);
		if (one != 0)
			rc = one;
	}
	if (rc == 0)
		rc = link_all(c, objects, n, messages, e);
	for (i = 0; i < n; i++)
		free(objects[i]);
	return rc;
}

/* make's variables, as NAME=value arguments. */
struct make_variables {
	char out[PATH_MAX + 8], cc[PATH_MAX + 8];
	char cflags[PATH_MAX + 512], ldlibs[PATH_MAX + 512];
};

int
compile_make(const struct compile *c, struct buf *messages, struct err *e)
{
	const struct build *b = c->build;
	struct make_variables v;
	struct args a = {.count = 0};
	char out[PATH_MAX];
	int status;

	if (snprintf(out, sizeof out, "%s/%s", c->dir, c->function->name) >=
	    (int)sizeof out)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    c->dir);
	snprintf(v.out, sizeof v.out, "OUT=%s", out);
	snprintf(v.cc, sizeof v.cc, "CC=%s", compiler());
	snprintf(v.cflags, sizeof v.cflags, "CFLAGS=%s -I%s",
	    flags[b->variant].cflags, b->include_dir);
	snprintf(v.ldlibs, sizeof v.ldlibs, "LDLIBS=%s -L%s %s",
	    link_flags(b, c->function), b->lib_dir, libraries);
	add_words(&a, "make -s -B --no-print-directory");
	add(&a, v.out);
	add(&a, v.cc);
	add(&a, v.cflags);
	add(&a, v.ldlibs);
	add(&a, out);
	status = run(a.argv, c->function->source, messages, e);
	if (status < 0) {
		if (e->code == ENOENT)
			err_set(e, ENOENT, "there is no make; install it "
			    "(Debian: apt install make)");
		return -1;
	}
	if (status == 0 && access(out, X_OK) < 0) {
		buf_printf(messages, "%s/Makefile:1:1: error: it made no "
		    "program $(OUT)\n", c->function->handler);
		return 1;
	}
	return status;
}
