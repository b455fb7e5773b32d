/*
 * Reading and making the store's key, for secret.h.
 */
#include "secret.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int
secret_load(const char *path, unsigned char *secret, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int rc = -1;

	if (fd < 0)
		return err_sys(e, "cannot open the store's key %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != TOKEN_SECRET_SIZE)
		err_set(e, EINVAL, "%s is no store's key", path);
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		err_set(e, EPERM, "others may read the store's key %s; "
		    "`chmod 600` it, or remove it for a new one", path);
	else if (io_read_all(fd, secret, TOKEN_SECRET_SIZE) < 0)
		err_sys(e, "cannot read the store's key %s", path);
	else
		rc = 0;
	close(fd);
	return rc;
}

int
secret_make(const char *path, unsigned char *secret, struct err *e)
{
	if (access(path, F_OK) == 0)
		return secret_load(path, secret, e);
	if (getrandom(secret, TOKEN_SECRET_SIZE, 0) != TOKEN_SECRET_SIZE)
		return err_sys(e, "cannot make a key");
	return io_replace_file(path, secret, TOKEN_SECRET_SIZE, 0600, e);
}
