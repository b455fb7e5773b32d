/*
 * Builds one function: find its key, take it from the cache or compile it,
 * switch the link (build.h).
 */
#include "build.h"

#include "cache.h"
#include "compile.h"
#include "hints.h"
#include "inputs.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS = 3 };

static const char *const variant_names[] = {"release", "debug", "sanitize"};

void
build_result_init(struct build_result *r)
{
	r->binary[0] = '\0';
	buf_init(&r->messages, BUILD_MAX_OUTPUT);
}

void
build_result_release(struct build_result *r)
{
	buf_release(&r->messages);
}

/* <state>/build/.cache/<function>.<variant>.files */
static int
list_path(const struct build *b, const char *function, char *path,
    struct err *e)
{
	if (snprintf(path, PATH_MAX, "%s/build/.cache/%s.%s.files",
	    b->state_dir, function, variant_names[b->variant]) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    b->state_dir);
	return 0;
}

/* Adds the sources, then what the list of the last build names. */
static int
known_files(const struct build *b, const struct conf_function *f,
    struct map *files, enum inputs_kind *kind, struct err *e)
{
	char path[PATH_MAX];

	if (inputs_sources(b->site_dir, f->source, files, kind, e) < 0 ||
	    list_path(b, f->name, path, e) < 0)
		return -1;
	return *kind == INPUTS_MAKE ? 0 : inputs_load(path, files, e);
}

int
build_files(const struct build *b, const struct conf_function *f,
    struct map *files, struct err *e)
{
	enum inputs_kind kind;

	return known_files(b, f, files, &kind, e);
}

/* The key of the files' content now: 0, or -1 with the error set. */
static int
make_key(const struct build *b, const struct conf_function *f,
    const struct map *files, char *key, struct err *e)
{
	struct hash *h = hash_new();

	if (!h)
		return err_set(e, ENOMEM, "no memory");
	if (compile_hash(b, f, h, e) < 0 ||
	    inputs_hash(files, b->site_dir, h, e) < 0) {
		hash_free(h);
		return -1;
	}
	hash_take_hex(h, key);
	return 0;
}

/* One compilation in a directory of its own, which is left for the caller. */
static enum build_outcome
compile(const struct compile *c, enum inputs_kind kind, struct map *files,
    struct build_result *r, struct err *e)
{
	int rc;

	buf_reset(&r->messages);
	rc = kind == INPUTS_MAKE ? compile_make(c, &r->messages, e) :
	    compile_c(c, files, &r->messages, e);
	if (rc < 0)
		return BUILD_FAILED;
	hints_add(&r->messages, c->function->name);
	return rc ? BUILD_BROKEN : BUILD_MADE;
}

/* Replaces the set by the sources as they are now. */
static int
list_sources(const struct build *b, const struct conf_function *f,
    struct map *files, struct err *e)
{
	enum inputs_kind kind;

	map_release(files);
	return inputs_sources(b->site_dir, f->source, files, &kind, e);
}

/*
 * One try of compile_steadily(); *steady tells whether no file changed
 * meanwhile.  A make may write among its sources, so their content counts
 * there, and the time of their change elsewhere.
 */
static enum build_outcome
compile_once(struct compile *c, enum inputs_kind kind, struct map *files,
    bool *steady, struct build_result *r, struct err *e)
{
	char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
	const struct build *b = c->build;
	enum build_outcome outcome;
	struct timespec start;

	clock_gettime(CLOCK_REALTIME_COARSE, &start);
	if (kind == INPUTS_MAKE &&
	    make_key(b, c->function, &c->sources, before, e) < 0)
		return BUILD_FAILED;
	outcome = compile(c, kind, files, r, e);
	if (outcome != BUILD_MADE)
		return outcome;
	if (kind == INPUTS_C) {
		*steady = !inputs_changed(files, b->site_dir, &start);
		return outcome;
	}
	*steady = make_key(b, c->function, &c->sources, after, e) == 0 &&
	    strcmp(before, after) == 0;
	return list_sources(b, c->function, files, e) < 0 ? BUILD_FAILED :
	    BUILD_MADE;
}

/*
 * Compiles until no file changed meanwhile, so that the key tells what is in
 * the binary.  `files` becomes what it was made from.
 */
static enum build_outcome
compile_steadily(struct compile *c, enum inputs_kind kind, struct map *files,
    struct build_result *r, struct err *e)
{
	enum build_outcome outcome = BUILD_FAILED;
	bool steady = false;
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS && !steady; attempt++) {
		if (list_sources(c->build, c->function, &c->sources, e) < 0 ||
		    list_sources(c->build, c->function, files, e) < 0)
			return BUILD_FAILED;
		outcome = compile_once(c, kind, files, &steady, r, e);
		if (outcome != BUILD_MADE)
			return outcome;
	}
	return outcome;
}

static enum build_outcome
build_new(const struct build *b, const struct conf_function *f,
    enum inputs_kind kind, char *key, struct build_result *r, struct err *e)
{
	char dir[PATH_MAX], list[PATH_MAX];
	struct compile c = {.build = b, .function = f, .dir = dir};
	enum build_outcome outcome = BUILD_FAILED;
	struct map files;

	map_init(&files);
	map_init(&c.sources);
	if (list_path(b, f->name, list, e) < 0 ||
	    cache_scratch(b->state_dir, dir, e) < 0)
		goto out;
	outcome = compile_steadily(&c, kind, &files, r, e);
	if (outcome != BUILD_MADE) {
		io_remove_tree(AT_FDCWD, dir);
		goto out;
	}
	if (make_key(b, f, &files, key, e) < 0) {
		io_remove_tree(AT_FDCWD, dir);
		outcome = BUILD_FAILED;
	} else if (inputs_save(list, &files, e) < 0 ||
	    cache_put(b->state_dir, dir, key, f->name, r->binary, e) < 0)
		outcome = BUILD_FAILED;
out:
	map_release(&c.sources);
	map_release(&files);
	return outcome;
}

/* Keeps what the compiler said where the gateway shows it, or removes it. */
static int
keep_error(const struct build *b, const struct conf_function *f,
    const struct buf *text, struct err *e)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/build/%s.error", b->state_dir,
	    f->name) >= (int)sizeof path)
		return err_set(e, ENAMETOOLONG, "%s: the name is too long",
		    b->state_dir);
	if (text)
		return io_replace_file(path, buf_str(text), text->len, 0600,
		    e);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove %s", path);
	return 0;
}

/* Takes it from the cache, or builds it. */
static enum build_outcome
find_or_build(const struct build *b, const struct conf_function *f, char *key,
    struct build_result *r, struct err *e)
{
	enum inputs_kind kind;
	struct map files;
	int found;

	map_init(&files);
	if (known_files(b, f, &files, &kind, e) < 0) {
		map_release(&files);
		return BUILD_FAILED;
	}
	/* A header that is gone is no failure yet: the compiler will tell. */
	found = make_key(b, f, &files, key, e);
	map_release(&files);
	if (found < 0 && e->code != ENOENT)
		return BUILD_FAILED;
	if (found == 0)
		found = cache_find(b->state_dir, key, f->name, r->binary, e);
	else
		found = 0;
	if (found < 0)
		return BUILD_FAILED;
	return found ? BUILD_CURRENT : build_new(b, f, kind, key, r, e);
}

enum build_outcome
build_function(const struct build *b, const struct conf_function *f,
    struct build_result *r, struct err *e)
{
	enum build_outcome outcome;
	char key[HASH_HEX_SIZE];

	r->binary[0] = '\0';
	buf_reset(&r->messages);
	if (cache_prepare(b->state_dir, e) < 0)
		return BUILD_FAILED;
	outcome = find_or_build(b, f, key, r, e);
	if (outcome == BUILD_FAILED)
		return outcome;
	if (outcome == BUILD_BROKEN)
		r->binary[0] = '\0';
	if (b->variant == BUILD_RELEASE) {
		if (outcome == BUILD_BROKEN)
			return keep_error(b, f, &r->messages, e) < 0 ?
			    BUILD_FAILED : BUILD_BROKEN;
		if (cache_link(b->state_dir, key, f->name, e) < 0 ||
		    keep_error(b, f, NULL, e) < 0)
			return BUILD_FAILED;
	}
	if (outcome == BUILD_MADE)
		cache_trim(b->state_dir, f->name);
	return outcome;
}
