/*
 * A store as a whole: what is committed is there after a close, after a kill,
 * and after the index was removed; in files; in the history.  What a sync that
 * failed may have lost is not trusted.
 */
#include "store/engine/store_internal.h"
#include "store/value/fault.h"
#include "store/value/typed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char TABLE[] =
    "{\"name\":\"messages\",\"id\":1,\"created\":1700000000000,"
    "\"hash\":[{\"name\":\"room\",\"type\":\"S\"}],"
    "\"range\":[{\"name\":\"at\",\"type\":\"N\"}],"
    "\"indexes\":[{\"name\":\"byAuthor\",\"id\":1,\"global\":true,"
    "\"filling\":false,\"hash\":[{\"name\":\"author\",\"type\":\"S\"}],"
    "\"range\":[],\"projection\":\"ALL\",\"nonkey\":[]}],"
    "\"ttl\":\"expires\",\"stream\":\"NEW_AND_OLD_IMAGES\","
    "\"streamSince\":1700000000000,\"history\":true,\"protected\":false}";

static char dir[64];
static const struct store_options OPTIONS = {.force = true,
    .segment_bytes = 1 << 20, .checkpoint_ms = -1, .ttl_sweep_ms = 3600000};

/* --- a disk that fails: the store's calls come here first ----------------------- */

static atomic_bool files_fail, index_fails;

static bool
is_index(int fd)
{
	char link[32], path[256] = "";

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof path - 1) > 0 &&
	    strstr(path, "/data.mdb") != NULL;
}

static int
outcome(bool fails, long r)
{
	if (fails)
		errno = EIO;
	return fails ? -1 : (int)r;
}

int
syncfs(int fd)
{
	return outcome(files_fail, syscall(SYS_syncfs, fd));
}

int
msync(void *p, size_t n, int flags)
{
	return outcome(index_fails, syscall(SYS_msync, p, n, flags));
}

int
fdatasync(int fd)
{
	return outcome(index_fails && is_index(fd),
	    syscall(SYS_fdatasync, fd));
}

/* --- jobs that are waited for -------------------------------------------------- */

struct call {
	struct commit_job job;
	struct arena arena;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
	struct err failed;
	char typed[512];	/* of a put */
	char room[32];		/* of a delete */
	int at;
};

static void
called(struct commit_job *job, const struct err *failed)
{
	struct call *c = (struct call *)(void *)job;

	pthread_mutex_lock(&c->lock);
	if (failed)
		c->failed = *failed;
	c->over = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
}

/* 0, or the fault. */
static int
call(struct store *s, struct call *c,
    int (*run)(struct commit_job *job, struct commit *c, struct err *e))
{
	int code;

	arena_init(&c->arena, 64 << 20);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wake, NULL);
	c->over = false;
	c->failed = (struct err){0};
	c->job = (struct commit_job){.run = run, .done = called,
	    .arena = &c->arena, .bytes = 1024, .wait_file = true};
	commit_submit(s, &c->job);
	pthread_mutex_lock(&c->lock);
	while (!c->over)
		pthread_cond_wait(&c->wake, &c->lock);
	pthread_mutex_unlock(&c->lock);
	code = c->failed.text[0] ? c->failed.code : 0;
	if (code)
		print_message("    %s\n", c->failed.text);
	arena_release(&c->arena);
	return code;
}

static int
make_table(struct commit_job *job, struct commit *c, struct err *e)
{
	struct table *t = table_read(TABLE, sizeof TABLE - 1, e);

	(void)job;
	if (!t)
		return -1;
	if (commit_table_id(c, &t->id, e) < 0) {
		table_free(t);
		return -1;
	}
	commit_table(c, t);
	return 0;
}

static int
drop_table(struct commit_job *job, struct commit *c, struct err *e)
{
	const struct table *t = catalog_named(commit_catalog(c), "messages", 8);

	(void)job;
	if (!t)
		return err_set(e, FAULT_NOT_FOUND, "no table");
	commit_drop(c, t->id);
	return 0;
}

static int
put(struct commit_job *job, struct commit *c, struct err *e)
{
	struct call *call = (struct call *)(void *)job;
	const struct table *t = catalog_named(commit_catalog(c), "messages", 8);
	struct commit_old old;
	struct value item;
	struct text key;

	if (!t)
		return err_set(e, FAULT_NOT_FOUND, "no table");
	if (typed_read_item(job->arena, call->typed, strlen(call->typed),
	        &item, e) < 0 ||
	    key_item(job->arena, t, &item, &key, e) < 0 ||
	    commit_get(c, &key, &old, e) < 0)
		return -1;
	return commit_put(c, t, &key, &old, &item, e);
}

static int
put_text(struct store *s, const char *room, int at, const char *text)
{
	struct call c;

	snprintf(c.typed, sizeof c.typed, "{\"at\":{\"N\":\"%d\"},"
	    "\"author\":{\"S\":\"ada\"},\"room\":{\"S\":\"%s\"},"
	    "\"text\":{\"S\":\"%s\"}}", at, room, text);
	return call(s, &c, put);
}

/* As one that was there before the index was. */
static int
put_unindexed(struct store *s, const char *room, int at, const char *author)
{
	struct call c;

	snprintf(c.typed, sizeof c.typed, "{\"at\":{\"N\":\"%d\"},"
	    "\"author\":%s,\"room\":{\"S\":\"%s\"}}", at, author, room);
	return call(s, &c, put);
}

/* --- looking ------------------------------------------------------------------------ */

static struct store *
open_store(void)
{
	struct err e = {0};
	struct store *s = store_open(dir, &OPTIONS, &e);

	if (!s)
		print_message("    %s\n", e.text);
	assert_non_null(s);
	return s;
}

/* The document's typed bytes, or "". */
static const char *
look(struct store *s, const char *room, int at)
{
	static char found[1024];
	struct store_view v;
	struct index_record r;
	struct arena a;
	struct value key;
	struct text k;
	char text[128];
	struct err e;
	int rc;

	found[0] = '\0';
	arena_init(&a, 1 << 20);
	assert_int_equal(store_view_init(&v, s, &e), 0);
	assert_int_equal(store_read_begin(&v, &e), 0);
	snprintf(text, sizeof text, "{\"room\":{\"S\":\"%s\"},"
	    "\"at\":{\"N\":\"%d\"}}", room, at);
	assert_int_equal(typed_read_item(&a, text, strlen(text), &key, &e), 0);
	if (catalog_named(v.catalog, "messages", 8)) {
		assert_int_equal(key_item(&a, catalog_named(v.catalog,
		    "messages", 8), &key, &k, &e), 0);
		rc = index_get(v.index, &k, &r, &e);
		assert_true(rc >= 0);
		if (rc)
			snprintf(found, sizeof found, "%.*s", (int)r.item.n,
			    r.item.p);
	}
	store_read_end(&v);
	store_view_release(&v);
	arena_release(&a);
	return found;
}

/* `before`, the store's directory, `after`. */
static int
shell(const char *before, const char *after)
{
	char command[256];

	snprintf(command, sizeof command, "%s%s%s", before, dir, after);
	return system(command);
}

static int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/bothy-store-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
	(void)state;
	return shell("rm -rf ", "");
}

/* --- tests --------------------------------------------------------------------------- */

static void
keeps_what_was_put(void **state)
{
	struct store *s = open_store();
	struct call c;

	(void)state;
	assert_int_equal(put_text(s, "tea", 1, "early"), FAULT_NOT_FOUND);
	assert_int_equal(call(s, &c, make_table), 0);
	assert_int_equal(put_text(s, "tea", 1, "one"), 0);
	assert_int_equal(put_text(s, "tea", 2, "two"), 0);
	assert_int_equal(put_text(s, "tea", 1, "uno"), 0);
	assert_non_null(strstr(look(s, "tea", 1), "uno"));
	assert_int_equal(shell("grep -q uno ",
	    "/data/messages/tea~=1.json"), 0);
	store_close(s);
	s = open_store();
	assert_non_null(strstr(look(s, "tea", 1), "uno"));
	assert_non_null(strstr(look(s, "tea", 2), "two"));
	assert_string_equal(look(s, "tea", 3), "");
	store_close(s);
}

static void
makes_the_index_again(void **state)
{
	struct store *s = open_store();
	struct call c;
	int i;

	(void)state;
	assert_int_equal(call(s, &c, make_table), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(put_text(s, "tea", i, "text"), 0);
	assert_int_equal(put_unindexed(s, "odd", 1, "{\"N\":\"7\"}"), 0);
	store_close(s);
	assert_int_equal(shell("rm -r ", "/index"), 0);
	s = open_store();
	assert_non_null(strstr(look(s, "odd", 1), "7"));
	for (i = 0; i < 100; i++)
		assert_non_null(strstr(look(s, "tea", i), "text"));
	/* A number of a table is not given again. */
	assert_int_equal(call(s, &c, drop_table), 0);
	assert_string_equal(look(s, "tea", 1), "");
	assert_int_equal(call(s, &c, make_table), 0);
	assert_string_equal(look(s, "tea", 1), "");
	assert_int_equal(put_text(s, "tea", 1, "anew"), 0);
	store_close(s);
	s = open_store();
	assert_non_null(strstr(look(s, "tea", 1), "anew"));
	assert_string_equal(look(s, "tea", 2), "");
	assert_int_not_equal(shell("test -e ",
	    "/data/messages/tea~=2.json"), 0);
	store_close(s);
}

/* The store closed while its disk fails: its index is made anew. */
static void
close_and_look(struct store *s)
{
	store_close(s);
	files_fail = index_fails = false;
	assert_int_not_equal(shell("test -e ", "/index/stamp"), 0);
	s = open_store();
	assert_non_null(strstr(look(s, "tea", 1), "one"));
	assert_non_null(strstr(look(s, "tea", 2), "two"));
	store_close(s);
	assert_int_equal(shell("grep -q clean ", "/index/stamp"), 0);
}

static void
distrusts_an_index_of_a_disk_that_failed(void **state)
{
	struct store *s = open_store();
	struct call c;
	struct err e;

	(void)state;
	assert_int_equal(call(s, &c, make_table), 0);
	assert_int_equal(put_text(s, "tea", 1, "one"), 0);
	assert_int_equal(put_text(s, "tea", 2, "two"), 0);
	files_fail = true;
	assert_int_equal(store_checkpoint(s, NULL, &e), -1);
	/* At once: it may be killed before it is closed. */
	assert_int_not_equal(shell("test -e ", "/index/stamp"), 0);
	close_and_look(s);
}

static void
distrusts_an_index_that_cannot_be_synced(void **state)
{
	struct store *s = open_store();
	struct call c;

	(void)state;
	assert_int_equal(call(s, &c, make_table), 0);
	assert_int_equal(put_text(s, "tea", 1, "one"), 0);
	assert_int_equal(put_text(s, "tea", 2, "two"), 0);
	index_fails = true;
	close_and_look(s);
}

static void
commits_to_the_history(void **state)
{
	struct store *s = open_store();
	struct store_stat stat;
	struct call c;
	struct err e;
	int i;

	(void)state;
	assert_int_equal(call(s, &c, make_table), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(put_text(s, "tea", i, "first"), 0);
	assert_int_equal(store_checkpoint(s, "one", &e), 0);
	assert_int_equal(put_text(s, "tea", 7, "second"), 0);
	assert_int_equal(put_text(s, "tea", 7, "third"), 0);
	assert_int_equal(store_checkpoint(s, NULL, &e), 0);
	store_stat(s, &stat);
	assert_string_equal(stat.trouble, "");
	assert_int_equal(stat.commits, 2);
	assert_int_equal(stat.redo, stat.journal_end);
	assert_int_equal(shell("git -C ",
	    "/history.git log -p main >/dev/null"), 0);
	assert_int_equal(shell("git -C ", "/history.git show "
	    "main:messages/tea~=7.json | grep -q third"), 0);
	assert_int_equal(shell("git -C ", "/history.git show "
	    "one:messages/tea~=7.json | grep -q first"), 0);
	assert_int_equal(shell("git -C ",
	    "/history.git fsck --full 2>/dev/null"), 0);
	store_close(s);
}

/* Writes in a child that is killed; what it acknowledged is there. */
static void
survives_a_kill(void **state)
{
	int p[2], round, last, n;
	struct store *s = open_store();
	struct call c;
	pid_t pid;

	(void)state;
	assert_int_equal(call(s, &c, make_table), 0);
	store_close(s);
	for (round = 0; round < 5; round++) {
		assert_int_equal(pipe(p), 0);
		pid = fork();
		if (pid == 0) {
			s = store_open(dir, &OPTIONS, &(struct err){0});
			if (!s)
				_exit(2);
			for (n = 0;; n++)
				if (put_text(s, "kill", round * 100000 + n,
				        "x") != 0 ||
				    write(p[1], &n, sizeof n) != sizeof n)
					_exit(1);
		}
		close(p[1]);
		last = -1;
		assert_int_equal(read(p[0], &last, sizeof last), sizeof last);
		usleep(100000);	/* somewhere in the midst of writes */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(p[0], &n, sizeof n) == sizeof n)
			last = n;
		close(p[0]);
		assert_true(last >= 0);
		if (round % 2)
			assert_int_equal(shell("rm -r ", "/index"), 0);
		s = open_store();
		for (n = 0; n <= last; n++)
			assert_string_not_equal(look(s, "kill",
			    round * 100000 + n), "");
		store_close(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(keeps_what_was_put, make_dir,
	        remove_dir),
	    cmocka_unit_test_setup_teardown(makes_the_index_again, make_dir,
	        remove_dir),
	    cmocka_unit_test_setup_teardown(
	        distrusts_an_index_of_a_disk_that_failed, make_dir,
	        remove_dir),
	    cmocka_unit_test_setup_teardown(
	        distrusts_an_index_that_cannot_be_synced, make_dir,
	        remove_dir),
	    cmocka_unit_test_setup_teardown(commits_to_the_history, make_dir,
	        remove_dir),
	    cmocka_unit_test_setup_teardown(survives_a_kill, make_dir,
	        remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
