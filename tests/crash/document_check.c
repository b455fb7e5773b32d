/*
 * What was promised held against what is there: documents, index, files and
 * history, after a crash.
 */
#include "drill.h"

#include "store/base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	UNKNOWN_MAX = 8,	/* operations of which nobody knows */
	INDEX_HEAD = 8192	/* bytes by which an index is known for one */
};

/* --- documents ---------------------------------------------------------- */

static unsigned
count_items(struct drill *d, const char *table, const char *index)
{
	struct call c;
	const char *count;
	unsigned n;

	call_init(&c, d);
	(void)buf_printf(&c.body, "{\"TableName\":\"%s\",%s"
	    "\"Select\":\"COUNT\"}", table, index);
	if (ask(&c, OP_SCAN))
		bad("cannot scan %s: %s", table, buf_str(&c.out));
	count = strstr(buf_str(&c.out), "\"Count\":");
	n = count ? (unsigned)strtoul(count + 8, NULL, 10) : UINT32_MAX;
	call_release(&c);
	return n;
}

/* Each document is what the operations made it, and there is no other. */
static void
compare_items(struct drill *d, const struct document all[DOCUMENTS_ALL])
{
	unsigned docs = 0, pairs = 0;
	struct buf want, out;
	size_t i;

	buf_init(&want, REPLY_MAX);
	buf_init(&out, REPLY_MAX);
	for (i = 0; i < DOCUMENTS_ALL; i++) {
		buf_reset(&want);
		(void)get(d, i, &out);
		if (all[i].m) {
			(void)buf_puts(&want, "{\"Item\":");
			document_write(&want, i, &all[i]);
			(void)buf_puts(&want, "}");
			docs += i < DOCUMENTS_KEYS;
			pairs += i >= DOCUMENTS_KEYS;
		} else {
			(void)buf_puts(&want, "{}");
		}
		if (strcmp(buf_str(&want), buf_str(&out)) != 0)
			bad("%s/%s is %.150s instead of %.150s",
			    document_table(i), document_key(i),
			    buf_str(&out), buf_str(&want));
	}
	if (count_items(d, "docs", "") != docs ||
	    count_items(d, "docs", "\"IndexName\":\"byGroup\",") != docs ||
	    count_items(d, "left", "") + count_items(d, "right", "") != pairs)
		bad("%u items, %u in the index, %u and %u in pairs, not %u, "
		    "%u", count_items(d, "docs", ""),
		    count_items(d, "docs", "\"IndexName\":\"byGroup\","),
		    count_items(d, "left", ""), count_items(d, "right", ""),
		    docs, pairs);
	buf_release(&want);
	buf_release(&out);
}

/* --- files -------------------------------------------------------------- */

/* The one file of a directory that holds m and run; counts all documents. */
static unsigned
count_files(struct drill *d, const char *table)
{
	char path[512];
	struct dirent *entry;
	unsigned n = 0;
	size_t len;
	DIR *dir;

	(void)snprintf(path, sizeof path, "%s/data/%s", d->path, table);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) != NULL) {
		len = strlen(entry->d_name);
		n += entry->d_name[0] != '.' && len > 5 &&
		    strcmp(entry->d_name + len - 5, ".json") == 0;
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

/* It ends where its one brace closes. */
static bool
is_whole(const char *text)
{
	const char *end = strstr(text, "\n}\n");

	return end && end[3] == '\0';
}

static void
compare_file(struct drill *d, size_t i, const struct document *want)
{
	struct document found;
	char path[512];
	struct buf b;
	struct err e;

	(void)snprintf(path, sizeof path, "%s/data/%s/%s.json", d->path,
	    document_table(i), document_file(i));
	buf_init(&b, REPLY_MAX);
	if (want->m == 0) {
		if (access(path, F_OK) == 0)
			bad("%s is there; the document was deleted", path);
	} else if (io_read_file(AT_FDCWD, path, &b, &e) < 0) {
		bad("no file: %s", e.text);
	} else {
		found = document_of_file(buf_str(&b));
		if (found.m != want->m || found.run != want->run ||
		    !is_whole(buf_str(&b)))
			bad("%s is of another moment than m %u, run %u: %s",
			    path, want->m, want->run, buf_str(&b));
	}
	buf_release(&b);
}

/* Once a checkpoint has been taken, files are as the documents are. */
static void
compare_files(struct drill *d, const struct document all[DOCUMENTS_ALL])
{
	unsigned there[3] = {0};
	struct err e;
	size_t i;

	if (store_checkpoint(d->store, NULL, &e) < 0)
		bad("no checkpoint: %s", e.text);
	for (i = 0; i < DOCUMENTS_ALL; i++) {
		compare_file(d, i, &all[i]);
		there[i < DOCUMENTS_KEYS ? 0 : i < DOCUMENTS_KEYS +
			DOCUMENTS_PAIRS ? 1 : 2] += all[i].m != 0;
	}
	if (count_files(d, "docs") != there[0] ||
	    count_files(d, "left") != there[1] ||
	    count_files(d, "right") != there[2])
		bad("%u, %u and %u files instead of %u, %u and %u",
		    count_files(d, "docs"), count_files(d, "left"),
		    count_files(d, "right"), there[0], there[1], there[2]);
}

/* git finds the history whole; its newest commit has what the files have. */
static void
check_history(struct drill *d)
{
	char command[1600];
	int status;

	(void)snprintf(command, sizeof command,
	    "exec 2>&1; export GIT_DIR='%s/history.git'; "
	    "git fsck --strict --no-dangling --no-progress && "
	    "for f in $(cd '%s/data' && ls -d docs/*.json left/*.json); do "
	    "git show \"main:$f\" | cmp - '%s/data/'\"$f\" || exit 1; done",
	    d->path, d->path, d->path);
	status = system(command);
	if (status)
		bad("the history is not sound: %d", status);
}

/* --- checking ----------------------------------------------------------- */

struct promises {
	uint32_t done, backup;
	bool tables;
	struct { uint32_t m, run; } unknown[UNKNOWN_MAX];
	unsigned nunknown;
};

static void
add_unknown(struct drill *d, struct promises *p, uint32_t m)
{
	if (p->nunknown == UNKNOWN_MAX)
		bad("too much is unknown");
	p->unknown[p->nunknown].m = m;
	p->unknown[p->nunknown++].run = d->runs.run[m];
}

/* Finds out which of the unknown ones were done, from what was found. */
static void
settle_unknown(struct drill *d, const struct promises *p)
{
	struct document all[DOCUMENTS_ALL];
	unsigned which, i;

	for (which = 0; which < 1u << p->nunknown; which++) {
		for (i = 0; i < p->nunknown; i++)
			d->runs.run[p->unknown[i].m] =
			    which >> i & 1 ? 0 : p->unknown[i].run;
		documents_after(&d->runs, d->m, all);
		if (memcmp(all, d->found, sizeof all) == 0)
			return;
	}
}

/* Reads them into d->runs and *p. */
static void
read_promises(struct drill *d, struct promises *p, const char *path)
{
	uint32_t m, who, i;
	struct buf b;
	struct err e;
	char *line, *rest;

	buf_init(&b, 64 << 20);
	if (io_read_file(AT_FDCWD, path, &b, &e) < 0)
		bad("%s", e.text);
	for (line = b.data; line && (rest = strchr(line, '\n')) != NULL;
	    line = rest + 1) {
		*rest = '\0';
		if (sscanf(line, "served %u %u", &m, &who) == 2)
			for (i = m + 1; i < OPERATIONS_MAX; i++)
				d->runs.run[i] = who;
		else if (sscanf(line, "refused %u", &m) == 1)
			d->runs.run[m] = 0;
		else if (sscanf(line, "unknown %u", &m) == 1)
			add_unknown(d, p, m);
		else if (sscanf(line, "backup %u", &m) == 1)
			p->backup = m;
		else if (strcmp(line, "tables") == 0)
			p->tables = true;
		else if (sscanf(line, "done %u", &m) != 1)
			bad("no promise: %.40s", line);
		if ((line[0] == 's' || line[0] == 'd') && m > p->done)
			p->done = m;
	}
	buf_release(&b);
}

/* By calls that the recorder saw, as on a tmpfs, and not through memory. */
static bool
index_was_written(const char *path)
{
	char head[INDEX_HEAD] = "";
	bool written = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t i;

	if (fd < 0 || read(fd, head, sizeof head) < 0)
		written = true;		/* one that is gone isn't trusted */
	for (i = 0; i < sizeof head && !written; i++)
		written = head[i] != 0;
	if (fd >= 0)
		(void)close(fd);
	return written;
}

void
damage_index(struct drill *d)
{
	char path[512], junk[16384];
	struct buf b;
	struct err e;
	bool clean;
	int fd;

	buf_init(&b, 4096);
	(void)snprintf(path, sizeof path, "%s/index/stamp", d->path);
	(void)io_read_file(AT_FDCWD, path, &b, &e);
	clean = strstr(buf_str(&b), "clean") != NULL;
	buf_release(&b);
	(void)snprintf(path, sizeof path, "%s/index/data.mdb", d->path);
	if (clean && index_was_written(path))
		return;
	if (clean) {
		(void)snprintf(path, sizeof path, "%s/index", d->path);
		(void)io_remove_tree(AT_FDCWD, path);
		return;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	memset(junk, 'j', sizeof junk);
	if (pwrite(fd, junk, sizeof junk, INDEX_HEAD) < 0)
		bad("cannot damage the index");
	(void)close(fd);
}

static void
compare_all(struct drill *d, bool with_files)
{
	struct document all[DOCUMENTS_ALL];

	documents_after(&d->runs, d->m, all);
	compare_items(d, all);
	if (with_files)
		compare_files(d, all);
}

int
check(struct drill *d, const char *sent)
{
	struct promises promises = {0}, *p = &promises;
	uint32_t last_run = 0;
	struct err e;

	d->quiet = true;
	read_promises(d, p, sent);
	read_history(d, p->backup);
	if (come(d, &e) < 0)
		bad("does not recover: %s", e.text);
	if (!has_tables(d)) {
		if (p->tables || p->done)
			bad("tables are missing");
		make_tables(d);
	}
	d->m = count_done(d, &last_run);
	if (d->failed)
		bad("cannot read after recovery");
	if (d->m < p->done)
		bad("%u operations were done; %u were promised", d->m,
		    p->done);
	settle_unknown(d, p);
	compare_history(d);
	if (d->m && last_run != d->runs.run[d->m])
		bad("operation %u is of run %u, not %u", d->m, last_run,
		    d->runs.run[d->m]);
	compare_all(d, true);
	write_some(d, 3);
	if (d->failed)
		bad("cannot write after recovery");
	compare_all(d, false);
	leave(d);
	if (come(d, &e) < 0)
		bad("does not come again: %s", e.text);
	compare_all(d, true);
	if (d->m % 16 == 0)
		check_history(d);
	leave(d);
	return 0;
}
