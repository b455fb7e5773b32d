/*
 * Forget: no byte of a document is left below the store's directory, nor in a
 * mirror, and everything else is. Mirror: added, pushed to, told, removed. The
 * test is the child that pushes, too.
 */
#include "rig.h"

#include "store/history/history.h"

#include <dirent.h>
#include <sys/stat.h>

/* libgit2 1.5 leaks a match that fails, when it looks for url.*.insteadOf. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

#define SECRET "Zyzzogeton-4711"

static char self[512];

/* --- what lies on the disk ------------------------------------------------ */

static unsigned
find_in_file(int dir_fd, const char *name, const char *text)
{
	struct err e;
	struct buf b;
	unsigned found = 0;

	buf_init(&b, (size_t)1 << 31);
	if (io_read_file(dir_fd, name, &b, &e) == 0 &&
	    memmem(b.data, b.len, text, strlen(text))) {
		print_message("%s holds %s\n", name, text);
		found = 1;
	}
	buf_release(&b);
	return found;
}

/* How many files below a directory hold a text, or have it in their name. */
static unsigned
find_below(int dir_fd, const char *path, const char *text)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned found = 0;
	struct stat st;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		found += strstr(entry->d_name, text) != NULL;
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			found += find_below(fd, entry->d_name, text);
		else if (S_ISREG(st.st_mode))
			found += find_in_file(fd, entry->d_name, text);
	}
	closedir(d);
	return found;
}

static unsigned
find_text(const struct rig *r, const char *text)
{
	return find_below(AT_FDCWD, r->dir, text);
}

/* --- a store with some history -------------------------------------------- */

enum { OTHERS = 120 };

static void
make_table(struct rig *r, const char *name, const char *more)
{
	rig_ok(r, "CreateTable", "{\"TableName\":\"%s\","
	    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],"
	    "\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
	    "\"AttributeType\":\"S\"}],\"BillingMode\":\"PAY_PER_REQUEST\""
	    "%s}", name, more);
}

static void
put(struct rig *r, const char *id, const char *text)
{
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":{\"id\":\"%s\","
	    "\"text\":\"%s\"}}", id, text);
}

static void
put_others(struct rig *r, unsigned round)
{
	char id[32], text[700];
	unsigned i;

	for (i = 0; i < OTHERS; i++) {
		snprintf(id, sizeof id, "other-%u", i);
		snprintf(text, sizeof text, "round %u of %u %*d", round, i,
		    (int)(i * 7 % 600), 0);
		put(r, id, text);
	}
}

static void
check_others(struct rig *r, unsigned round)
{
	char text[64];
	const char *reply;
	unsigned i;

	for (i = 0; i < OTHERS; i++) {
		snprintf(text, sizeof text, "round %u of %u ", round, i);
		reply = rig_ok(r, "GetItem", "{\"TableName\":\"notes\","
		    "\"Key\":{\"id\":\"other-%u\"}}", i);
		rig_has(reply, text);
	}
}

static void
fill(struct rig *r)
{
	make_table(r, "notes", ",\"StreamSpecification\":"
	    "{\"StreamEnabled\":true,"
	    "\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}");
	put(r, "mine", SECRET " first");
	put_others(r, 1);
	rig_ok(r, "Backup", "{\"Name\":\"early\"}");
	put(r, "mine", SECRET " second");
	rig_ok(r, "TransactWriteItems", "{\"TransactItems\":["
	    "{\"Put\":{\"TableName\":\"notes\",\"Item\":{\"id\":\"before\","
	    "\"text\":\"kept\"}}},"
	    "{\"Put\":{\"TableName\":\"notes\",\"Item\":{\"id\":\"mine\","
	    "\"text\":\"" SECRET " third\"}}},"
	    "{\"Put\":{\"TableName\":\"notes\",\"Item\":{\"id\":\"behind\","
	    "\"text\":\"kept\"}}}]}");
	rig_ok(r, "Checkpoint", "{}");
	put_others(r, 2);
}

#define FORGET(r, id) rig_ok((r), "Forget", \
	"{\"TableName\":\"notes\",\"Key\":{\"id\":\"%s\"}}", (id))

static void
check_kept(struct rig *r)
{
	const char *reply;

	check_others(r, 2);
	reply = rig_ok(r, "Show", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"other-7\"},\"From\":\"early\"}");
	rig_has(reply, "round 1 of 7 ");
	reply = rig_ok(r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"behind\"}}");
	rig_has(reply, "kept");
	reply = rig_ok(r, "Log", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"mine\"}}");
	rig_lacks(reply, "Commit");
}

static void
open_with_helper(struct rig *r)
{
	rig_init(r);
	rig_close(r);
	r->options.push_helper = self;
	r->options.segment_bytes = 32 << 10;
	rig_open(r);
}

/* --- the tests ------------------------------------------------------------ */

static void
leaves_nothing(void **state)
{
	const char *reply;
	struct rig r;
	char path[128];

	(void)state;
	open_with_helper(&r);
	fill(&r);
	assert_true(find_text(&r, SECRET) > 0);
	reply = FORGET(&r, "mine");
	rig_has(reply, "\"Deleted\":true");
	assert_int_equal(find_text(&r, SECRET), 0);
	assert_int_equal(find_text(&r, "mine"), 0);
	check_kept(&r);
	put(&r, "mine", "another one");
	rig_close(&r);
	snprintf(path, sizeof path, "%s/index", r.dir);
	assert_int_equal(io_remove_tree(AT_FDCWD, path), 0);
	rig_open(&r);
	check_others(&r, 2);
	reply = rig_ok(&r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"mine\"}}");
	rig_has(reply, "another one");
	assert_int_equal(find_text(&r, SECRET), 0);
	/* Again, and of what isn't there. */
	reply = FORGET(&r, "mine");
	rig_has(reply, "\"Deleted\":true");
	reply = FORGET(&r, "mine");
	rig_has(reply, "\"Deleted\":false");
	assert_int_equal(find_text(&r, "another one"), 0);
	check_kept(&r);
	rig_release(&r);
}

/* Edited by hand, deleted before, and its table dropped. */
static void
finds_it_everywhere(void **state)
{
	static const char EDITED[] = "{\"id\": \"mine\", \"text\": \"" SECRET
	    " by hand\"}\n";
	struct rig r;
	struct err e;
	char path[128];

	(void)state;
	open_with_helper(&r);
	fill(&r);
	snprintf(path, sizeof path, "%s/data/notes/mine.json", r.dir);
	assert_int_equal(io_replace_file(path, EDITED, sizeof EDITED - 1,
	    0600, &e), 0);
	put(&r, "mine", "over it");
	assert_true(find_text(&r, "by hand") > 0);
	rig_ok(&r, "DeleteItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"mine\"}}");
	FORGET(&r, "mine");
	assert_int_equal(find_text(&r, SECRET), 0);
	check_kept(&r);
	put(&r, "yours", SECRET " again");
	rig_ok(&r, "Checkpoint", "{}");
	rig_ok(&r, "DeleteTable", "{\"TableName\":\"notes\"}");
	rig_ok(&r, "Checkpoint", "{}");
	FORGET(&r, "yours");
	assert_int_equal(find_text(&r, SECRET), 0);
	rig_release(&r);
}

static void
keeps_mirrors(void **state)
{
	char bare[] = "/tmp/bothy-mirror-XXXXXX", url[80], dir[80];
	struct history_commit tip;
	const char *reply;
	struct history *h;
	struct rig r;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(bare));
	snprintf(url, sizeof url, "%s/m.git", bare);
	open_with_helper(&r);
	fill(&r);
	reply = rig_ok(&r, "Mirror", "{}");
	rig_has(reply, "\"Mirrors\":[]");
	rig_ok(&r, "Mirror", "{\"Name\":\"near=%s\"}", url);
	rig_ok(&r, "Mirror", "{\"Name\":\"far=/nowhere/at/all.git\"}");
	reply = rig_ok(&r, "Mirror", "{\"Name\":\"near\"}");
	rig_has(reply, "\"Pushed\"");
	rig_call(&r, "Mirror", "{\"Name\":\"neither\"}");
	assert_int_equal(r.status, FAULT_NOT_FOUND);
	rig_call(&r, "Mirror", "{\"Name\":\"a b=/x\"}");
	assert_int_equal(r.status, FAULT_VALIDATION);
	/* The list is there after a start; a failure is told. */
	rig_close(&r);
	rig_open(&r);
	reply = rig_ok(&r, "Mirror", "{\"Name\":\"far\"}");
	rig_has(reply, "\"Error\"");
	reply = FORGET(&r, "mine");
	rig_has(reply, "near");
	reply = rig_ok(&r, "Stat", "{}");
	rig_has(reply, "\"Name\":\"far\"");
	rig_ok(&r, "Mirror", "{\"Name\":\"far=\"}");
	reply = rig_ok(&r, "Mirror", "{}");
	rig_lacks(reply, "\"far\"");
	rig_release(&r);
	/* Who clones the mirror has nothing of it. */
	snprintf(dir, sizeof dir, "%s/copy", bare);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(history_clone_from(dir, url, NULL, NULL, &tip, &e), 0);
	h = history_open(dir, true, &e);
	assert_non_null(h);
	{
		const char *paths[] = {"notes/mine.json"};
		struct buf b;

		buf_init(&b, 1 << 20);
		assert_int_equal(history_get(h, &tip.id,
		    (struct history_paths){paths, 1}, &b, &e), 0);
		assert_int_equal(history_resolve(h, "early", &tip, &e), 0);
		assert_int_equal(history_get(h, &tip.id,
		    (struct history_paths){paths, 1}, &b, &e), 0);
		buf_release(&b);
	}
	history_close(h);
	io_remove_tree(AT_FDCWD, bare);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_nothing),
		cmocka_unit_test(finds_it_everywhere),
		cmocka_unit_test(keeps_mirrors),
	};

	if (argc > 1 && strcmp(argv[1], "history-push") == 0)
		return history_push_main(argc, argv);
	snprintf(self, sizeof self, "%s", argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
