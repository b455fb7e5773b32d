/*
 * Listening addresses: what is taken, what is refused and how it is said, and
 * what is left behind.
 */
#include "fcgi/gateway/listen.h"

#include "store/base/io.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/bothy-listen-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return io_remove_tree(AT_FDCWD, dir);
}

static int
connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	if (connect(fd, (const struct sockaddr *)&sun, sizeof sun) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
a_unix_socket_listens_and_goes(void **state)
{
	struct listener l;
	struct stat st;
	struct err e;
	char address[160], path[128];
	int fd;

	(void)state;
	snprintf(path, sizeof path, "%s/new/dir/fcgi.sock", dir);
	snprintf(address, sizeof address, "unix:%s", path);
	assert_int_equal(listen_open(&l, address, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFSOCK | 0660);
	assert_true(fcntl(l.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
	fd = connect_to(path);
	assert_true(fd >= 0);
	close(fd);
	listen_close(&l);
	assert_int_equal(l.fd, -1);
	assert_int_equal(stat(path, &st), -1);
}

static void
a_served_socket_is_not_taken_over(void **state)
{
	struct listener first, second;
	struct err e;
	char address[128];
	int fd;

	(void)state;
	snprintf(address, sizeof address, "unix:%s/s", dir);
	assert_int_equal(listen_open(&first, address, &e), 0);
	assert_int_equal(listen_open(&second, address, &e), -1);
	assert_non_null(strstr(e.text, "another bothy-fcgi"));
	listen_close(&second);
	fd = connect_to(address + strlen("unix:"));
	assert_true(fd >= 0);
	close(fd);
	listen_close(&first);
}

static void
a_dead_socket_is_replaced(void **state)
{
	struct listener l;
	struct err e;
	char address[128];
	int fd;

	(void)state;
	snprintf(address, sizeof address, "unix:%s/s", dir);
	assert_int_equal(listen_open(&l, address, &e), 0);
	io_close(&l.fd);	/* as if it had been killed */
	assert_int_equal(listen_open(&l, address, &e), 0);
	fd = connect_to(address + strlen("unix:"));
	assert_true(fd >= 0);
	close(fd);
	listen_close(&l);
}

static void
tcp_listens_on_this_machine(void **state)
{
	struct listener l;
	struct sockaddr_in sin;
	socklen_t len = sizeof sin;
	struct err e;

	(void)state;
	assert_int_equal(listen_open(&l, "tcp:127.0.0.1:0", &e), 0);
	assert_int_equal(getsockname(l.fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(ntohl(sin.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_true(fcntl(l.fd, F_GETFL) & O_NONBLOCK);
	listen_close(&l);
}

static void
other_addresses_are_refused(void **state)
{
	static const char *const BAD[] = {"tcp:0.0.0.0:9000",
	    "tcp:10.0.0.1:9000", "tcp:localhost:9000", "tcp:127.0.0.1",
	    "tcp:127.0.0.1:", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:9x",
	    "tcp:[::1]:9000", "9000", "", "/tmp/sock"};
	struct listener l;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof BAD / sizeof *BAD; i++) {
		assert_int_equal(listen_open(&l, BAD[i], &e), -1);
		assert_int_equal(l.fd, -1);
		assert_non_null(strstr(e.text, "--listen"));
		listen_close(&l);
	}
}

static void
a_long_path_is_refused(void **state)
{
	struct listener l;
	struct err e;
	char address[6000] = "unix:/";

	(void)state;
	memset(address + 6, 'a', sizeof address - 7);
	assert_int_equal(listen_open(&l, address, &e), -1);
	assert_non_null(strstr(e.text, "too long"));
	listen_close(&l);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_unix_socket_listens_and_goes),
	    T(a_served_socket_is_not_taken_over),
	    T(a_dead_socket_is_replaced),
	    T(tcp_listens_on_this_machine),
	    T(other_addresses_are_refused),
	    T(a_long_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
