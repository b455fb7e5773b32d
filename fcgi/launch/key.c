/*
 * Making, reading and comparing the launcher's key.
 */
#include "key.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

int
key_make(const char *state_dir, char key[KEY_SIZE], struct err *e)
{
	unsigned char raw[(KEY_SIZE - 1) / 2];
	char path[4096];
	size_t i;

	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return err_sys(e, "cannot make a key");
	for (i = 0; i < sizeof raw; i++)
		snprintf(key + 2 * i, 3, "%02x", raw[i]);
	snprintf(path, sizeof path, "%s/run/launch.key", state_dir);
	return io_replace_file(path, key, KEY_SIZE - 1, 0600, e);
}

int
key_read(int run_fd, char key[KEY_SIZE])
{
	int fd = openat(run_fd, "launch.key", O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = io_read_all(fd, key, KEY_SIZE - 1);
	close(fd);
	key[KEY_SIZE - 1] = '\0';
	return rc;
}

bool
key_equal(const char *a, const char *b)
{
	unsigned differ = 0;
	size_t i;

	for (i = 0; i < KEY_SIZE; i++)
		differ |= (unsigned char)a[i] ^ (unsigned char)b[i];
	return differ == 0;
}
