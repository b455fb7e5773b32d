/*
 * Uids of functions, as identity.h describes them.  Runs in the launcher;
 * identity_become in its child.
 */
#include "identity.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	UIDS = IDENTITY_LAST - IDENTITY_FIRST + 1,
	FILE_BYTES_MAX = UIDS * (IDENTITY_NAME_MAX + 16),
	PASSWD_BYTES_MAX = 16 * 1024 * 1024
};

bool
identity_needed(void)
{
	return geteuid() == 0;
}

/* FNV-1a: stable over versions, as the file outlives them. */
static uint32_t
hash(const char *s)
{
	uint32_t h = 2166136261U;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619U;
	return h;
}

static void
take(bool *taken, unsigned long uid)
{
	if (uid >= IDENTITY_FIRST && uid <= IDENTITY_LAST)
		taken[uid - IDENTITY_FIRST] = true;
}

/* Marks what /etc/passwd names; the third of its fields is the uid. */
static int
read_passwd(bool *taken, struct err *e)
{
	struct buf b;
	const char *p;

	buf_init(&b, PASSWD_BYTES_MAX);
	if (io_read_file(AT_FDCWD, "/etc/passwd", &b, e) < 0) {
		buf_release(&b);
		return e->code == ENOENT ? 0 : -1;
	}
	for (p = buf_str(&b); *p; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *name_end = p + strcspn(p, ":\n");
		const char *uid;

		if (*name_end != ':')
			continue;
		uid = name_end + 1 + strcspn(name_end + 1, ":\n");
		if (*uid == ':')
			take(taken, strtoul(uid + 1, NULL, 10));
	}
	buf_release(&b);
	return 0;
}

/*
 * Marks the uids of all lines "uid name"; the one whose name is `name`, or 0.
 * A line that isn't complete (a write that was cut off) is passed over.
 */
static uid_t
search(const char *text, const char *name, bool *taken)
{
	size_t len = strlen(name);
	unsigned long uid;
	uid_t found = 0;
	const char *p, *end;
	char *after;

	for (p = text; (end = strchr(p, '\n')); p = end + 1) {
		uid = strtoul(p, &after, 10);
		take(taken, uid);
		if (*after == ' ' && (size_t)(end - after - 1) == len &&
		    memcmp(after + 1, name, len) == 0 &&
		    uid >= IDENTITY_FIRST && uid <= IDENTITY_LAST)
			found = (uid_t)uid;
	}
	return found;
}

static uid_t
choose(const char *name, const bool *taken)
{
	uint32_t start = hash(name) % UIDS;
	uint32_t i;

	for (i = 0; i < UIDS; i++)
		if (!taken[(start + i) % UIDS])
			return IDENTITY_FIRST + (start + i) % UIDS;
	return 0;
}

/* Adds a line, after an end to one that was cut off. */
static int
append(int fd, const struct buf *old, uid_t uid, const char *name,
    struct err *e)
{
	bool cut = old->len && old->data[old->len - 1] != '\n';
	struct buf line;
	int rc;

	buf_init(&line, IDENTITY_NAME_MAX + 32);
	buf_printf(&line, "%s%u %s\n", cut ? "\n" : "", (unsigned)uid, name);
	rc = buf_ok(&line) ? io_write_all(fd, line.data, line.len) : -1;
	buf_release(&line);
	return rc < 0 ? err_sys(e, "cannot write the list of uids") : 0;
}

/* With the list open and locked. */
static int
find(int fd, const char *file, const char *name, uid_t *uid, struct err *e)
{
	bool taken[UIDS] = {false};
	struct buf b;
	int rc = -1;

	buf_init(&b, FILE_BYTES_MAX);
	if (io_read_file(AT_FDCWD, file, &b, e) < 0)
		goto out;
	*uid = search(buf_str(&b), name, taken);
	if (*uid == 0) {
		if (read_passwd(taken, e) < 0)
			goto out;
		*uid = choose(name, taken);
		if (*uid == 0) {
			err_set(e, EAGAIN,
			    "all %d uids for functions are taken; remove lines "
			    "of functions that are gone from %s",
			    UIDS, file);
			goto out;
		}
		if (append(fd, &b, *uid, name, e) < 0)
			goto out;
	}
	rc = 0;
out:
	buf_release(&b);
	return rc;
}

int
identity_find(const char *file, const char *site, const char *function,
    uid_t *uid, struct err *e)
{
	char name[IDENTITY_NAME_MAX];
	int fd, n, rc;

	n = snprintf(name, sizeof name, "%s\t%s", site, function);
	if (n < 0 || (size_t)n >= sizeof name || strchr(name, '\n'))
		return err_set(e, EINVAL,
		    "the path of the site is too long, or has a line break");
	fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return err_sys(e, "cannot open %s", file);
	if (flock(fd, LOCK_EX) < 0)
		rc = err_sys(e, "cannot lock %s", file);
	else
		rc = find(fd, file, name, uid, e);
	close(fd);
	return rc;
}

int
identity_own(const char *path, uid_t uid, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	if (fchown(fd, uid, (gid_t)uid) < 0 || fchmod(fd, 0700) < 0)
		rc = err_sys(e, "cannot give %s to uid %u", path,
		    (unsigned)uid);
	close(fd);
	return rc;
}

int
identity_become(uid_t uid, struct err *e)
{
	gid_t gid = (gid_t)uid;

	if (uid == 0)
		return err_set(e, EINVAL, "a function never runs as root");
	if (setgroups(0, NULL) < 0)
		return err_sys(e, "cannot drop supplementary groups");
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(e, "cannot become uid %u", (unsigned)uid);
	/* A change of uid hides our own /proc files from us until exec. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return 0;
}
