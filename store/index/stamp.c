/*
 * The stamp of stamp.h, and on what a store may lie.  Runs in bothy-store
 * before the index is opened; never looks into the index.
 */
#include "stamp.h"

#include "store/base/io.h"
#include "store/base/plant.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U	/* Linux 6.8 */
#endif

enum { TEXT_MAX = 500, FIELD_SIZE = 40 };

/* What a stamp says, as text. */
struct facts {
	char boot[FIELD_SIZE], mount[FIELD_SIZE], inode[FIELD_SIZE];
	char state[FIELD_SIZE];
};

static const char unknown[] = "unknown";

static int
read_boot(char *out, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, TEXT_MAX);
	r = io_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &b, e);
	snprintf(out, FIELD_SIZE, "%.*s",
	    (int)strcspn(buf_str(&b), "\n"), buf_str(&b));
	buf_release(&b);
	return r;
}

/* What is so now; the state is left. */
static int
look(const char *path, struct facts *f, struct err *e)
{
	char file[PATH_MAX];
	struct statx st;

	snprintf(file, sizeof file, "%s/data.mdb", path);
	if (statx(AT_FDCWD, file, AT_SYMLINK_NOFOLLOW,
	    STATX_INO | STATX_MNT_ID_UNIQUE, &st) < 0)
		return err_sys(e, "%s", file);
	snprintf(f->inode, sizeof f->inode, "%llu",
	    (unsigned long long)st.stx_ino);
	snprintf(f->mount, sizeof f->mount, "%s", unknown);
	if (st.stx_mask & STATX_MNT_ID_UNIQUE)
		snprintf(f->mount, sizeof f->mount, "%llu",
		    (unsigned long long)st.stx_mnt_id);
	return read_boot(f->boot, e);
}

static int
read_stamp(const char *path, struct facts *f, struct err *e)
{
	char file[PATH_MAX], end[2];
	struct buf b;
	int fields, r;

	snprintf(file, sizeof file, "%s/stamp", path);
	buf_init(&b, TEXT_MAX);
	r = io_read_file(AT_FDCWD, file, &b, e);
	fields = r < 0 ? 0 : sscanf(buf_str(&b), "bothy-index 1 boot %39s "
	    "mount %39s inode %39s state %39s %1s", f->boot, f->mount,
	    f->inode, f->state, end);
	buf_release(&b);
	if (r < 0)
		return -1;
	return fields == 4 ? 0 : err_set(e, 0, "%s is no stamp", file);
}

static bool
differs(const char *what, const char *was, const char *is, struct err *why)
{
	if (strcmp(was, is) == 0)
		return false;
	err_set(why, 0, "the index was open on %s %s, this is %s", what, was,
	    is);
	return true;
}

bool
stamp_trusted(const char *path, struct err *why)
{
	struct facts was, is;

	if (look(path, &is, why) < 0 || read_stamp(path, &was, why) < 0)
		return false;
	if (strcmp(was.state, "clean") == 0 ||
	    planted(PLANT_INDEX_TRUSTED))
		return true;
	if (strcmp(is.mount, unknown) == 0) {
		err_set(why, 0, "the index was not closed, and this kernel "
		    "can't tell whether its file system was mounted again");
		return false;
	}
	return strcmp(was.state, "open") == 0 &&
	    !differs("boot", was.boot, is.boot, why) &&
	    (!differs("mount", was.mount, is.mount, why) ||
	        planted(PLANT_REMOUNT_TRUSTED)) &&
	    !differs("inode", was.inode, is.inode, why);
}

int
stamp_write(const char *path, enum stamp_state state, struct err *e)
{
	char file[PATH_MAX], text[TEXT_MAX];
	struct facts f;
	int n;

	if (look(path, &f, e) < 0)
		return -1;
	n = snprintf(text, sizeof text,
	    "bothy-index 1\nboot %s\nmount %s\ninode %s\nstate %s\n", f.boot,
	    f.mount, f.inode, state == STAMP_CLEAN ? "clean" : "open");
	snprintf(file, sizeof file, "%s/stamp", path);
	return io_replace_file(file, text, (size_t)n, 0600, e);
}

int
stamp_remove(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return err_sys(e, "%s", path);
	if ((unlinkat(fd, "stamp", 0) < 0 && errno != ENOENT) ||
	    fsync(fd) < 0)
		r = err_sys(e, "%s/stamp", path);
	io_close(&fd);
	return r;
}

/* --- where a store may lie ------------------------------------------------ */

static const struct {
	unsigned long magic;
	const char *name;
	bool in_memory;	/* nothing there outlives a restart */
} refused[] = {
	{0x6969, "NFS", false},
	{0xff534d42, "SMB", false},
	{0xfe534d42, "SMB", false},
	{0x517b, "SMB", false},
	{0x65735546, "FUSE", false},
	{0x01021997, "9P", false},
	{0x00c36400, "Ceph", false},
	{0x5346414f, "AFS", false},
	{0x6b414653, "AFS", false},
	{0x73757245, "Coda", false},
	{0x786f4256, "a folder of VirtualBox", false},
	{0x794c7630, "an overlay", false},
	{0x61756673, "an overlay", false},
	{0x01021994, "tmpfs", true},
	{0x858458f6, "ramfs", true}
};

int
stamp_check_magic(const char *path, unsigned long magic, struct err *e)
{
	size_t i;

	for (i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (refused[i].magic != magic)
			continue;
		if (refused[i].in_memory)
			return err_set(e, ENOTSUP, "%s is on %s: nothing "
			    "there outlives a restart", path,
			    refused[i].name);
		return err_set(e, ENOTSUP, "%s is on %s, whose locks and "
		    "syncs can't be relied on: use a local disk", path,
		    refused[i].name);
	}
	return 0;
}

int
stamp_check_place(const char *path, struct err *e)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return err_sys(e, "%s", path);
	return stamp_check_magic(path, (unsigned long)fs.f_type & 0xffffffffu,
	    e);
}
