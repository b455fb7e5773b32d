/*
 * Tests of handler -> binary with a real compiler and an SDK of three lines.
 */
#include "fcgi/build/build.h"
#include "fcgi/build/cache.h"
#include "store/base/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char dir[64], site[80], state[80], sdk[80];
	struct build build;
	struct build_result result;
	char source[160];
	struct conf_function function;
};

static void
write_at(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
make_at(const char *dir, const char *name)
{
	char path[512];
	struct err e;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	assert_int_equal(io_mkdirs(path, 0700, &e), 0);
}

/* A libbothy.a whose main() ends with what bothy_handle() gives. */
static void
make_sdk(const struct fixture *x)
{
	char command[512];

	write_at(x->sdk, "bothy.h", "struct bothy_req;\n"
	    "int bothy_handle(struct bothy_req *req);\n");
	write_at(x->sdk, "main.c", "#include \"bothy.h\"\n"
	    "int main(void) { return bothy_handle(0); }\n");
	snprintf(command, sizeof command, "cd %s && cc -c main.c && "
	    "ar rcs libbothy.a main.o", x->sdk);
	assert_int_equal(system(command), 0);
}

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof *x);

	assert_non_null(x);
	snprintf(x->dir, sizeof x->dir, "/tmp/bothy-build-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	snprintf(x->site, sizeof x->site, "%s/site", x->dir);
	snprintf(x->state, sizeof x->state, "%s/state", x->dir);
	snprintf(x->sdk, sizeof x->sdk, "%s/sdk", x->dir);
	make_at(x->site, "functions/hello");
	make_at(x->sdk, ".");
	make_sdk(x);
	x->build = (struct build){x->site, x->state, x->sdk, x->sdk,
	    BUILD_RELEASE};
	snprintf(x->source, sizeof x->source, "%s/functions/hello/hello.c",
	    x->site);
	x->function = (struct conf_function){.name = "hello",
	    .handler = "functions/hello/hello.c",
	    .source = x->source,
	    .linkage = SNAP_LINK_STATIC};
	build_result_init(&x->result);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	io_remove_tree(AT_FDCWD, x->dir);
	build_result_release(&x->result);
	free(x);
	return 0;
}

static enum build_outcome
build(struct fixture *x)
{
	enum build_outcome outcome;
	struct err e;

	outcome = build_function(&x->build, &x->function, &x->result, &e);
	if (outcome == BUILD_FAILED)
		print_message("%s\n", e.text);
	return outcome;
}

/* Exit status of the binary that <state>/build/hello links to. */
static int
run_linked(const struct fixture *x)
{
	char path[512];
	int status;

	snprintf(path, sizeof path, "%s/build/hello", x->state);
	status = system(path);
	return WEXITSTATUS(status);
}

static void
hello(const struct fixture *x, const char *text)
{
	write_at(x->site, "functions/hello/hello.c", text);
}

#define RETURNS(n) "#include <bothy.h>\n" \
	"int bothy_handle(struct bothy_req *r) { (void)r; return " n "; }\n"

static void
test_builds_once(void **state)
{
	struct fixture *x = *state;
	char first[PATH_MAX];

	hello(x, RETURNS("7"));
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 7);
	memcpy(first, x->result.binary, sizeof first);
	assert_int_equal(access(first, X_OK), 0);
	assert_int_equal(build(x), BUILD_CURRENT);
	assert_string_equal(x->result.binary, first);
	hello(x, RETURNS("8"));
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 8);
	assert_string_not_equal(x->result.binary, first);
	/* The old text again: nothing is compiled, the link goes back. */
	hello(x, RETURNS("7"));
	assert_int_equal(build(x), BUILD_CURRENT);
	assert_string_equal(x->result.binary, first);
	assert_int_equal(run_linked(x), 7);
}

static void
test_follows_headers(void **state)
{
	struct fixture *x = *state;

	hello(x, "#include <bothy.h>\n#include \"../number.h\"\n"
	    "int bothy_handle(struct bothy_req *r) { (void)r; "
	    "return NUMBER; }\n");
	write_at(x->site, "functions/number.h", "#define NUMBER 3\n");
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 3);
	assert_int_equal(build(x), BUILD_CURRENT);
	write_at(x->site, "functions/number.h", "#define NUMBER 4\n");
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 4);
	write_at(x->site, "functions/unused.h", "#define NUMBER 5\n");
	assert_int_equal(build(x), BUILD_CURRENT);
}

static void
test_lists_files(void **state)
{
	struct fixture *x = *state;
	struct map files;
	struct err e;

	hello(x, "#include <bothy.h>\n#include \"../number.h\"\n"
	    "int bothy_handle(struct bothy_req *r) { (void)r; "
	    "return NUMBER; }\n");
	write_at(x->site, "functions/number.h", "#define NUMBER 3\n");
	assert_int_equal(build(x), BUILD_MADE);
	map_init(&files);
	assert_int_equal(build_files(&x->build, &x->function, &files, &e), 0);
	assert_non_null(map_find(&files, "functions/hello/hello.c", 23));
	assert_non_null(map_find(&files,
	    "functions/hello/../number.h", 27));
	map_release(&files);
}

static void
test_follows_the_library(void **state)
{
	struct fixture *x = *state;
	char command[512];

	hello(x, RETURNS("1"));
	assert_int_equal(build(x), BUILD_MADE);
	write_at(x->sdk, "main.c", "#include \"bothy.h\"\n"
	    "int main(void) { return 40 + bothy_handle(0); }\n");
	snprintf(command, sizeof command, "cd %s && cc -c main.c && "
	    "ar rcs libbothy.a main.o", x->sdk);
	assert_int_equal(system(command), 0);
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 41);
}

static void
error_file(const struct fixture *x, struct buf *text)
{
	char path[512];
	struct err e;

	snprintf(path, sizeof path, "%s/build/hello.error", x->state);
	buf_init(text, 65536);
	if (io_read_file(AT_FDCWD, path, text, &e) < 0)
		buf_puts(text, "none");
}

static void
test_keeps_the_good_one(void **state)
{
	struct fixture *x = *state;
	struct buf text;

	hello(x, RETURNS("5"));
	assert_int_equal(build(x), BUILD_MADE);
	hello(x, "int bothy_handle(void *r)\n{\n\treturn x;\n}\n");
	assert_int_equal(build(x), BUILD_BROKEN);
	assert_non_null(strstr(buf_str(&x->result.messages),
	    "functions/hello/hello.c:3:16: error:"));
	assert_string_equal(x->result.binary, "");
	assert_int_equal(run_linked(x), 5);
	error_file(x, &text);
	assert_string_equal(buf_str(&text), buf_str(&x->result.messages));
	buf_release(&text);
	hello(x, RETURNS("6"));
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 6);
	error_file(x, &text);
	assert_string_equal(buf_str(&text), "none");
	buf_release(&text);
}

static void
test_hints(void **state)
{
	struct fixture *x = *state;

	hello(x, "#include <netdb.h>\nint bothy_handle(void *r) { "
	    "struct addrinfo *a; (void)r; "
	    "return getaddrinfo(\"x\", 0, 0, &a); }\n");
	assert_int_equal(build(x), BUILD_MADE);
	assert_non_null(strstr(buf_str(&x->result.messages),
	    "hello: hint: "));
	assert_non_null(strstr(buf_str(&x->result.messages),
	    "`link: dynamic`"));
	x->function.linkage = SNAP_LINK_DYNAMIC;
	assert_int_equal(build(x), BUILD_MADE);
	assert_null(strstr(buf_str(&x->result.messages), "hint"));
	hello(x, "int other(void) { return 0; }\n");
	assert_int_equal(build(x), BUILD_BROKEN);
	assert_non_null(strstr(buf_str(&x->result.messages),
	    "hint: a function defines int bothy_handle("));
}

static void
use_folder(struct fixture *x)
{
	snprintf(x->source, sizeof x->source, "%s/functions/hello", x->site);
	x->function.handler = "functions/hello";
}

static void
test_folder(void **state)
{
	struct fixture *x = *state;

	use_folder(x);
	assert_int_equal(build(x), BUILD_FAILED);
	hello(x, "int part(void);\n"
	    "int bothy_handle(void *r) { (void)r; return part(); }\n");
	write_at(x->site, "functions/hello/part.c",
	    "int part(void) { return 9; }\n");
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 9);
	assert_int_equal(build(x), BUILD_CURRENT);
	write_at(x->site, "functions/hello/more.c", "int more;\n");
	assert_int_equal(build(x), BUILD_MADE);
}

static void
test_makefile(void **state)
{
	struct fixture *x = *state;

	use_folder(x);
	hello(x, "#include \"made.h\"\n" RETURNS("MADE"));
	write_at(x->site, "functions/hello/Makefile",
	    "$(OUT): hello.o\n\t$(CC) -o $@ hello.o $(LDLIBS)\n"
	    "hello.o: hello.c made.h\n"
	    "made.h: number\n\techo \"#define MADE $$(cat number)\" >$@\n");
	write_at(x->site, "functions/hello/number", "11\n");
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 11);
	assert_int_equal(build(x), BUILD_CURRENT);
	write_at(x->site, "functions/hello/number", "12\n");
	assert_int_equal(build(x), BUILD_MADE);
	assert_int_equal(run_linked(x), 12);
	assert_int_equal(build(x), BUILD_CURRENT);
	write_at(x->site, "functions/hello/Makefile", "$(OUT):\n\ttrue\n");
	assert_int_equal(build(x), BUILD_BROKEN);
	assert_non_null(strstr(buf_str(&x->result.messages),
	    "it made no program $(OUT)"));
	assert_int_equal(run_linked(x), 12);
}

static void
test_variants(void **state)
{
	struct fixture *x = *state;
	char release[PATH_MAX], debug[PATH_MAX];
	struct build b = x->build;

	hello(x, RETURNS("2"));
	assert_int_equal(build(x), BUILD_MADE);
	memcpy(release, x->result.binary, sizeof release);
	x->build.variant = BUILD_DEBUG;
	assert_int_equal(build(x), BUILD_MADE);
	memcpy(debug, x->result.binary, sizeof debug);
	assert_string_not_equal(debug, release);
	x->build.variant = BUILD_SANITIZE;
	assert_int_equal(build(x), BUILD_MADE);
	assert_string_not_equal(x->result.binary, release);
	assert_string_not_equal(x->result.binary, debug);
	x->build.variant = BUILD_DEBUG;
	assert_int_equal(build(x), BUILD_CURRENT);
	x->build = b;
	assert_int_equal(build(x), BUILD_CURRENT);
	assert_string_equal(x->result.binary, release);
}

static int
count_cache(const struct fixture *x)
{
	char command[256], line[32];
	FILE *p;
	int n;

	snprintf(command, sizeof command,
	    "ls -d %s/build/.cache/*/ | wc -l", x->state);
	p = popen(command, "r");
	assert_non_null(fgets(line, sizeof line, p));
	pclose(p);
	n = atoi(line);
	return n;
}

static void
test_cache_is_bounded(void **state)
{
	struct fixture *x = *state;
	char text[256];
	int i;

	for (i = 0; i < CACHE_KEEP + 4; i++) {
		snprintf(text, sizeof text, "int bothy_handle(void *r) "
		    "{ (void)r; return %d; }\n", i);
		hello(x, text);
		assert_int_equal(build(x), BUILD_MADE);
	}
	assert_int_equal(count_cache(x), CACHE_KEEP + 1);
	assert_int_equal(run_linked(x), CACHE_KEEP + 3);
}

static void
test_no_compiler(void **state)
{
	struct fixture *x = *state;
	struct err e;

	hello(x, RETURNS("2"));
	setenv("CC", "/nowhere/cc", 1);
	assert_int_equal(build_function(&x->build, &x->function, &x->result,
	    &e), BUILD_FAILED);
	unsetenv("CC");
	assert_int_equal(e.code, 2);
	assert_non_null(strstr(e.text, "there is no C compiler /nowhere/cc"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_builds_once),
	    TEST(test_follows_headers),
	    TEST(test_lists_files),
	    TEST(test_follows_the_library),
	    TEST(test_keeps_the_good_one),
	    TEST(test_hints),
	    TEST(test_folder),
	    TEST(test_makefile),
	    TEST(test_variants),
	    TEST(test_cache_is_bounded),
	    TEST(test_no_compiler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
