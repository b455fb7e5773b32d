/*
 * Becoming the owner of a store's directory, for owner.h.
 */
#include "owner.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

int
owner_become(const char *dir, struct err *e)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", dir);
	if (st.st_uid == geteuid())
		return 0;
	if (geteuid() != 0)
		return err_set(e, EPERM, "%s belongs to the user with number "
		    "%u, and only that one may serve it", dir,
		    (unsigned)st.st_uid);
	if (setgroups(0, NULL) < 0 ||
	    setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
		return err_sys(e, "cannot become the owner of %s", dir);
	return 0;
}
