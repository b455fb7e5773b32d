/*
 * Sockets by directory, messages with descriptors, and what is refused.
 */
#include "store/base/io.h"
#include "store/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
listens_under_long_paths(void **state)
{
	char top[] = "/tmp/bothy-sock-XXXXXX", path[400], part[100];
	int dir_fd, a, b;
	struct stat st;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(top));
	memset(part, 'x', sizeof part - 1);
	part[sizeof part - 1] = '\0';
	snprintf(path, sizeof path, "%s/%s/%s", top, part, part);
	assert_int_equal(io_mkdirs(path, 0700, &e), 0);
	dir_fd = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(sock_connect_at(dir_fd, "s", SOCK_STREAM), -1);
	assert_int_equal(errno, ENOENT);
	a = sock_listen_at(dir_fd, "s", SOCK_STREAM, 0600, 5);
	assert_true(a >= 0);
	assert_int_equal(fstatat(dir_fd, "s", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	b = sock_connect_at(dir_fd, "s", SOCK_STREAM);
	assert_true(b >= 0);
	close(a);
	close(b);
	b = sock_connect_at(dir_fd, "s", SOCK_STREAM);
	assert_int_equal(b, -1);
	assert_int_equal(errno, ECONNREFUSED);
	a = sock_listen_at(dir_fd, "s", SOCK_STREAM, 0600, 5);
	assert_true(a >= 0);
	close(a);
	close(dir_fd);
	io_remove_tree(AT_FDCWD, top);
}

static void
carries_descriptors(void **state)
{
	char text[8] = "";
	struct iovec out = {text, 3}, in = {text, sizeof text};
	int sv[2], p[2], fds[2];
	size_t nfds = 2;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(pipe(p), 0);
	memcpy(text, "abc", 3);
	assert_int_equal(sock_send(sv[0], &out, 1, p, 2, 0), 3);
	memset(text, 0, sizeof text);
	assert_int_equal(sock_recv(sv[1], &in, 1, fds, &nfds, 0), 3);
	assert_int_equal(nfds, 2);
	assert_string_equal(text, "abc");
	assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(p[0], text, 1), 1);
	close(fds[0]);
	close(fds[1]);
	nfds = 2;
	assert_int_equal(sock_send(sv[0], &out, 1, p, 1, 0), 3);
	assert_int_equal(sock_recv_plain(sv[1], &in, 1, fds, &nfds), 3);
	assert_int_equal(fcntl(fds[0], F_GETFD), 0);
	close(fds[0]);
	close(p[0]);
	close(p[1]);
	close(sv[0]);
	close(sv[1]);
}

static void
refuses_what_is_too_much(void **state)
{
	char text[8] = "1234567";
	struct iovec out = {text, 8}, in = {text, 4};
	int sv[2], p[2], fds[1], before, after;
	size_t nfds = 1;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(pipe(p), 0);
	before = dup(0);
	close(before);
	assert_int_equal(sock_send(sv[0], &out, 1, p, 2, 0), 8);
	in.iov_len = 8;
	assert_int_equal(sock_recv(sv[1], &in, 1, fds, &nfds, 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	nfds = 1;
	in.iov_len = 4;
	assert_int_equal(sock_send(sv[0], &out, 1, p, 1, 0), 8);
	assert_int_equal(sock_recv(sv[1], &in, 1, fds, &nfds, 0), -1);
	assert_int_equal(errno, EMSGSIZE);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);	/* nothing was kept */
	close(sv[0]);
	nfds = 1;
	assert_int_equal(sock_recv(sv[1], &in, 1, fds, &nfds, 0), 0);
	assert_int_equal(sock_send(sv[1], &out, 1, NULL, 0, 0), -1);
	assert_int_equal(errno, EPIPE);
	close(p[0]);
	close(p[1]);
	close(sv[1]);
}

/*
 * What the function ABI leans on: a peer that ends with a message unread
 * shows as ECONNRESET, one that has read it as the end of file.
 */
static void
an_unread_message_is_told(void **state)
{
	char text[8] = "abc";
	struct iovec iov = {text, 3};
	size_t nfds = 0;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(sock_send(sv[0], &iov, 1, NULL, 0, 0), 3);
	close(sv[1]);
	assert_int_equal(sock_recv(sv[0], &iov, 1, NULL, &nfds, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(sv[0]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv), 0);
	assert_int_equal(sock_send(sv[0], &iov, 1, NULL, 0, 0), 3);
	assert_int_equal(sock_recv(sv[1], &iov, 1, NULL, &nfds, 0), 3);
	close(sv[1]);
	assert_int_equal(sock_recv(sv[0], &iov, 1, NULL, &nfds, 0), 0);
	close(sv[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listens_under_long_paths),
	    cmocka_unit_test(carries_descriptors),
	    cmocka_unit_test(refuses_what_is_too_much),
	    cmocka_unit_test(an_unread_message_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
