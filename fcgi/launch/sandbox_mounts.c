/*
 * Read-only mounts: the rung namespace's answer to what Landlock doesn't rule,
 * chmod, chown, utime and setxattr on files of one's own uid.
 *
 * Runs in the launcher's child, in a mount namespace that its user namespace
 * owns, before Landlock (which refuses mounts).  Paths stay what they are:
 * each place that may be written is mounted onto itself, then all mounts are
 * made read-only, then those places writable again.
 */
#include "sandbox_internal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* mount_setattr(2) of all mounts below `path`. */
static int
set_read_only(const char *path, int on)
{
	struct mount_attr attr = {0};

	if (on)
		attr.attr_set = MOUNT_ATTR_RDONLY;
	else
		attr.attr_clr = MOUNT_ATTR_RDONLY;
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE,
	    &attr, sizeof attr);
}

static int
each_writable(const struct sandbox *s, int (*act)(const char *path),
    struct err *e)
{
	size_t i;

	if (act(s->scratch) < 0)
		return err_sys(e, "cannot keep %s writable", s->scratch);
	for (i = 0; i < s->write_count; i++)
		if (act(s->write_paths[i]) < 0)
			return err_sys(
			    e, "paths.write: cannot open %s to the function",
			    s->write_paths[i]);
	return 0;
}

static int
mount_on_itself(const char *path)
{
	return mount(path, path, NULL, MS_BIND | MS_REC, NULL);
}

static int
make_writable(const char *path)
{
	return set_read_only(path, 0);
}

int
sandbox_mounts(const struct sandbox *s, struct err *e)
{
	/* Later mounts of the host still come in; ours don't go out. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "cannot take mounts for the function");
	if (each_writable(s, mount_on_itself, e) < 0)
		return -1;
	if (set_read_only("/", 1) < 0)
		return err_sys(e, "cannot make mounts read-only");
	return each_writable(s, make_writable, e);
}
