/*
 * A commit's tree -> files: what is written, and what is refused.
 */
#include "fcgi/deploy/checkout.h"
#include "fcgi/deploy/deploy.h"
#include "fcgi/deploy/git.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <fcntl.h>
#include <git2.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	char top[64], out[96];
	git_repository *repo;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	char path[96];

	assert_non_null(w);
	snprintf(w->top, sizeof w->top, "/tmp/checkout_test.XXXXXX");
	assert_non_null(mkdtemp(w->top));
	snprintf(w->out, sizeof w->out, "%s/out", w->top);
	snprintf(path, sizeof path, "%s/git", w->top);
	git_start();
	/* What git never made is what is to be refused. */
	git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
	assert_int_equal(git_repository_init(&w->repo, path, 1), 0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	git_close(w->repo);
	io_remove_tree(AT_FDCWD, w->top);
	free(w);
	return 0;
}

/* Puts an entry into a raw tree: "MODE NAME\0" and the id. */
static void
add(struct buf *tree, const char *mode, const char *name, const git_oid *id)
{
	buf_printf(tree, "%s %s", mode, name);
	buf_putc(tree, '\0');
	buf_add(tree, (const char *)id->id, GIT_OID_RAWSZ);
}

static git_oid
put(const struct world *w, const void *p, size_t n, git_object_t type)
{
	git_odb *odb;
	git_oid id;

	assert_int_equal(git_repository_odb(&odb, w->repo), 0);
	assert_int_equal(git_odb_write(&id, odb, p, n, type), 0);
	git_odb_free(odb);
	return id;
}

static git_oid
blob(const struct world *w, const char *text)
{
	return put(w, text, strlen(text), GIT_OBJECT_BLOB);
}

/* The commit of a raw tree, as hex. */
static void
commit(const struct world *w, const struct buf *tree, char *hex)
{
	git_oid id = put(w, tree->data, tree->len, GIT_OBJECT_TREE);
	char text[512], of[GIT_OID_HEXSZ + 1];

	git_oid_tostr(of, sizeof of, &id);
	snprintf(text, sizeof text,
	    "tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n"
	    "one\n",
	    of);
	id = put(w, text, strlen(text), GIT_OBJECT_COMMIT);
	git_oid_tostr(hex, GIT_OID_HEXSZ + 1, &id);
}

/* Checks out a tree of one entry: 0, or -1 and why not. */
static int
try(const struct world *w, const char *mode, const char *name, const char *text,
    struct err *e)
{
	git_oid id = blob(w, text);
	char hex[GIT_OID_HEXSZ + 1];
	struct checkout done;
	struct buf tree;
	int rc;

	buf_init(&tree, 4096);
	add(&tree, mode, name, &id);
	commit(w, &tree, hex);
	buf_release(&tree);
	rc = checkout_tree(w->repo, hex, w->out, 0, &done, e);
	io_remove_tree(AT_FDCWD, w->out);
	return rc;
}

static void
test_files_folders_and_links(void **state)
{
	const struct world *w = *state;
	char hex[GIT_OID_HEXSZ + 1], path[PATH_MAX], target[64] = "";
	git_oid text = blob(w, "hello"), link = blob(w, "sub/run"), sub;
	struct checkout done;
	struct buf tree;
	struct stat st;
	struct err e;

	buf_init(&tree, 4096);
	add(&tree, "100755", "run", &text);
	sub = put(w, tree.data, tree.len, GIT_OBJECT_TREE);
	buf_reset(&tree);
	add(&tree, "100644", "file", &text);
	add(&tree, "120000", "link", &link);
	add(&tree, "40000", "sub", &sub);
	commit(w, &tree, hex);
	buf_release(&tree);
	assert_int_equal(checkout_tree(w->repo, hex, w->out, 0, &done, &e), 0);
	assert_int_equal(done.files, 3);
	assert_int_equal(done.bytes, 5 + 5 + 7);
	snprintf(path, sizeof path, "%s/file", w->out);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_size, 5);
	snprintf(path, sizeof path, "%s/sub/run", w->out);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	snprintf(path, sizeof path, "%s/link", w->out);
	assert_int_equal(readlink(path, target, sizeof target), 7);
	assert_string_equal(target, "sub/run");
	/* It makes its directory, and nothing else. */
	assert_int_equal(checkout_tree(w->repo, hex, w->out, 0, &done, &e), -1);
}

static void
test_names(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".git", ".GIT",
	    ".gIt.", ".git . ", "git~1", "GIT~1", "a/b", "a\\b", "a\nb",
	    "\x1b[31m", "\x7f"};
	static const char *const good[] = {".gitignore", ".gi", "git", "-rf",
	    "a b", "...", "\xc3\xa9", ".gitt", "git~12"};
	char longest[NAME_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_non_null(checkout_misnamed(bad[i]));
	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_null(checkout_misnamed(good[i]));
	memset(longest, 'x', sizeof longest);
	longest[NAME_MAX + 1] = '\0';
	assert_non_null(checkout_misnamed(longest));
	longest[NAME_MAX] = '\0';
	assert_null(checkout_misnamed(longest));
}

static void
test_what_leads_out_is_refused(void **state)
{
	const struct world *w = *state;
	struct err e;

	assert_int_equal(try(w, "100644", "fine", "x", &e), 0);
	assert_int_equal(try(w, "120000", "self", ".", &e), 0);
	assert_int_equal(try(w, "120000", "out", "/etc/passwd", &e), -1);
	assert_non_null(strstr(e.text, "leads out"));
	assert_int_equal(try(w, "120000", "out", "..", &e), -1);
	assert_non_null(strstr(e.text, "leads out"));
	assert_int_equal(try(w, "120000", "out", "../../etc", &e), -1);
	assert_int_equal(try(w, "120000", "loop", "loop", &e), -1);
	assert_int_equal(try(w, "120000", "none", "nowhere", &e), -1);
	assert_non_null(strstr(e.text, "to nothing"));
	assert_int_equal(try(w, "120000", "none", "", &e), -1);
	assert_int_equal(try(w, "160000", "module", "x", &e), -1);
	assert_non_null(strstr(e.text, "submodules"));
	assert_int_equal(try(w, "100644", "..", "x", &e), -1);
	assert_int_equal(try(w, "100644", "../x", "x", &e), -1);
}

static void
test_limits(void **state)
{
	const struct world *w = *state;
	char hex[GIT_OID_HEXSZ + 1], name[16];
	git_oid id = blob(w, "x");
	struct checkout done;
	struct buf tree;
	struct err e;
	int i;

	buf_init(&tree, 4096);
	add(&tree, "100644", "x", &id);
	for (i = 0; i <= DEPLOY_MAX_DEPTH; i++) {
		id = put(w, tree.data, tree.len, GIT_OBJECT_TREE);
		buf_reset(&tree);
		add(&tree, "40000", "d", &id);
	}
	commit(w, &tree, hex);
	buf_release(&tree);
	assert_int_equal(checkout_tree(w->repo, hex, w->out, 0, &done, &e), -1);
	assert_non_null(strstr(e.text, "too deep"));
	io_remove_tree(AT_FDCWD, w->out);

	id = blob(w, "");
	buf_init(&tree, 4 * 1024 * 1024);
	for (i = 0; i <= DEPLOY_MAX_FILES; i++) {
		snprintf(name, sizeof name, "f%06d", i);
		add(&tree, "100644", name, &id);
	}
	commit(w, &tree, hex);
	buf_release(&tree);
	assert_int_equal(checkout_tree(w->repo, hex, w->out, 0, &done, &e), -1);
	assert_non_null(strstr(e.text, "more than 20000 files"));
}

/* Ten folders in each of ten in each of ten: a few objects, 10^7 folders. */
static void
test_few_objects_do_not_become_many_folders(void **state)
{
	const struct world *w = *state;
	char hex[GIT_OID_HEXSZ + 1], name[2] = "a";
	struct checkout done;
	struct buf tree;
	struct err e;
	git_oid id;
	int i, j;

	buf_init(&tree, 4096);
	for (i = 0; i < 7; i++) {
		id = put(
		    w, tree.data ? tree.data : "", tree.len, GIT_OBJECT_TREE);
		buf_reset(&tree);
		for (j = 0; j < 10; j++) {
			name[0] = (char)('a' + j);
			add(&tree, "40000", name, &id);
		}
	}
	commit(w, &tree, hex);
	buf_release(&tree);
	assert_int_equal(checkout_tree(w->repo, hex, w->out, 0, &done, &e), -1);
	assert_non_null(strstr(e.text, "more than 20000 folders"));
}

/* What is inflated as a whole is judged before. */
static void
test_huge_trees_and_commits(void **state)
{
	const struct world *w = *state;
	char hex[GIT_OID_HEXSZ + 1], name[256], *text;
	git_oid id = blob(w, "");
	struct checkout done;
	struct release r;
	struct buf tree;
	struct err e;
	int i;

	buf_init(&tree, 16 * 1024 * 1024);
	memset(name, 'x', 255);
	name[255] = '\0';
	for (i = 0; i <= DEPLOY_MAX_FILES + 1000; i++) {
		name[snprintf(name, 7, "%06d", i)] = 'x';
		add(&tree, "100644", name, &id);
	}
	commit(w, &tree, hex);
	buf_release(&tree);
	assert_int_equal(checkout_tree(w->repo, hex, w->out, 0, &done, &e), -1);
	assert_non_null(strstr(e.text, "20000 files in one folder"));

	text = malloc(2 << 20);
	assert_non_null(text);
	memset(text, 'x', 2 << 20);
	id = put(w, text, 2 << 20, GIT_OBJECT_COMMIT);
	free(text);
	git_oid_tostr(hex, sizeof hex, &id);
	assert_int_equal(git_describe(w->repo, hex, &r, &e), -1);
	assert_non_null(strstr(e.text, "more than 1 MB"));
}

/* Git asks of no name that it be UTF-8; release.json does. */
static void
test_bytes_of_another_encoding(void **state)
{
	const struct world *w = *state;
	char text[4096], of[GIT_OID_HEXSZ + 1], hex[GIT_OID_HEXSZ + 1];
	git_oid id = put(w, "", 0, GIT_OBJECT_TREE);
	struct release r = {.number = 7};
	struct err e;

	git_oid_tostr(of, sizeof of, &id);
	snprintf(text, sizeof text,
	    "tree %s\nauthor J\xf6rg <a@b> 1 +0000\ncommitter A <a@b> 1 "
	    "+0000\n\n%0250d\xc3\xb6\xc3\xb6\xc3\xb6\n",
	    of, 7);
	id = put(w, text, strlen(text), GIT_OBJECT_COMMIT);
	git_oid_tostr(hex, sizeof hex, &id);
	assert_int_equal(git_describe(w->repo, hex, &r, &e), 0);
	assert_string_equal(r.author, "J?rg <a@b>");
	assert_int_equal(strlen(r.subject), 254);
	assert_string_equal(r.subject + 249, "7\xc3\xb6\xc3\xb6");
	assert_int_equal(release_write(&r, w->top, &e), 0);
}

static void
test_a_commit_is_described_in_one_line(void **state)
{
	const struct world *w = *state;
	char hex[GIT_OID_HEXSZ + 1], other[GIT_OID_HEXSZ + 1];
	git_oid id = blob(w, "x");
	struct release r = {.number = 1};
	struct buf tree;
	struct err e;

	buf_init(&tree, 4096);
	add(&tree, "100644", "a", &id);
	commit(w, &tree, hex);
	add(&tree, "100644", "b", &id);
	commit(w, &tree, other);
	buf_release(&tree);
	assert_int_equal(git_describe(w->repo, hex, &r, &e), 0);
	assert_string_equal(r.commit, hex);
	assert_string_equal(r.author, "A <a@b>");
	assert_string_equal(r.subject, "one");
	assert_int_equal(git_files_changed(w->repo, hex, other), 1);
	assert_int_equal(git_files_changed(w->repo, hex, hex), 0);
	hex[0] = hex[0] == '0' ? '1' : '0';
	assert_int_equal(git_files_changed(w->repo, hex, other), -1);
	assert_int_equal(git_describe(w->repo, hex, &r, &e), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_files_folders_and_links),
	    cmocka_unit_test(test_names),
	    T(test_what_leads_out_is_refused),
	    T(test_limits),
	    T(test_few_objects_do_not_become_many_folders),
	    T(test_huge_trees_and_commits),
	    T(test_bytes_of_another_encoding),
	    T(test_a_commit_is_described_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
