/*
 * Handler -> binary, for functions of `runtime: c`.
 *
 * Used by bothy (build, run, check, invoke); runs the compiler, never the
 * function.  What was built before from the same content is not built again:
 *
 *   <state>/build/<function>		link to the newest good binary
 *   <state>/build/<function>.error	what the compiler said, while it is bad
 *   <state>/build/.cache/<key>/<function>
 *   <state>/build/.cache/<function>.<variant>.files   what the last was made of
 *
 * The key is a hash of all sources, the headers that were really included,
 * flags, compiler and libbothy.a.
 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "fcgi/conf/conf.h"
#include "store/base/buf.h"
#include "store/base/err.h"
#include "store/base/map.h"

#include <limits.h>
#include <stdbool.h>

enum build_variant {
	BUILD_RELEASE,		/* -O2, linked as deploy.yaml says */
	BUILD_DEBUG,		/* -O0, dynamic */
	BUILD_SANITIZE		/* -O0, dynamic, address and undefined */
};

enum { BUILD_MAX_OUTPUT = 256 * 1024 };	/* bytes of compiler messages kept */

struct build {
	const char *site_dir;		/* absolute; the compiler's directory */
	const char *state_dir;		/* absolute */
	const char *include_dir, *lib_dir;	/* of bothy.h and libbothy.a */
	enum build_variant variant;
};

enum build_outcome {
	BUILD_FAILED = -1,	/* it could not be tried: the error is set */
	BUILD_CURRENT = 0,	/* nothing to do: the binary is there */
	BUILD_MADE = 1,		/* compiled now, perhaps with warnings */
	BUILD_BROKEN = 2	/* the source has errors */
};

struct build_result {
	char binary[PATH_MAX];	/* absolute, links resolved; "" when broken */
	struct buf messages;	/* errors or warnings, with hints of ours */
};

void build_result_init(struct build_result *r);
void build_result_release(struct build_result *r);

/*
 * Builds `f` if needed.  Of the release variant, <state>/build/<function> is
 * switched to the result in one step, and a broken source leaves it as it is.
 * May run in several threads at once, for different functions.
 */
enum build_outcome build_function(const struct build *b,
    const struct conf_function *f, struct build_result *r, struct err *e);

/*
 * Adds the files that `f` is made from, as far as is known: its sources and
 * the headers of the last build; relative to the site or absolute.  0 or -1.
 */
int build_files(const struct build *b, const struct conf_function *f,
    struct map *files, struct err *e);

#endif
