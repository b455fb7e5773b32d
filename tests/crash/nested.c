/*
 * A crash during the recovery from a crash: the checker recovers under the
 * recorder, from a log that begins with the state as it is on the disk.
 */
#include "states.h"

#include "store/base/err.h"
#include "store/base/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INNER_STATES = 16 };	/* of each recovery */

/* --- a crash during the recovery from a crash --------------------------- */

static void
log_record(int fd, struct record r, const void *first)
{
	const char zeros[8] = "";

	if (io_write_all(fd, &r, sizeof r) < 0 ||
	    io_write_all(fd, first, r.first) < 0 ||
	    io_write_all(fd, zeros, record_padding(&r)) < 0)
		die("log");
}

/* Logs a file or directory that is there, and its name in `dir`. */
static void
log_there(int log_fd, int dir_fd, uint64_t dir, const char *name)
{
	struct stat st;
	struct buf b;
	struct err e;
	struct dirent *entry;
	DIR *d;
	int fd;

	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		die(name);
	log_record(log_fd, (struct record){.kind = dir ? RECORD_NEW
		: RECORD_START, .a = st.st_ino, .b = S_ISDIR(st.st_mode)},
	    NULL);
	if (dir)
		log_record(log_fd, (struct record){.kind = RECORD_NAME,
		    .a = dir, .b = st.st_ino,
		    .first = (uint32_t)strlen(name)}, name);
	if (S_ISDIR(st.st_mode)) {
		d = fdopendir(fd);
		while (d && (entry = readdir(d)) != NULL)
			if (strcmp(entry->d_name, ".") != 0 &&
			    strcmp(entry->d_name, "..") != 0)
				log_there(log_fd, fd, st.st_ino,
				    entry->d_name);
		(void)closedir(d);
		return;
	}
	buf_init(&b, LOG_MAX);
	if (io_read_fd(fd, name, &b, &e) < 0)
		die(name);
	log_record(log_fd, (struct record){.kind = RECORD_WRITE,
	    .a = st.st_ino, .first = (uint32_t)b.len}, buf_str(&b));
	buf_release(&b);
	(void)close(fd);
}

bool
explore_nested(struct run *outer, const char *state)
{
	char work[512], log[600], sent[600], output[600];
	struct run inner;
	int log_fd, status;
	bool well;

	/* Where something failed, the next has another directory. */
	(void)snprintf(work, sizeof work, "%s/nested-%ld", outer->work,
	    outer->failed + 1);
	(void)snprintf(log, sizeof log, "%s/log", work);
	(void)snprintf(sent, sizeof sent, "%s/sent", outer->work);
	(void)snprintf(output, sizeof output, "%s/output", work);
	(void)mkdir(work, 0700);
	log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (log_fd < 0)
		die(log);
	log_there(log_fd, AT_FDCWD, 0, state);
	log_record(log_fd, (struct record){.kind = RECORD_DURABLE}, NULL);
	(void)close(log_fd);
	(void)setenv("CRASH_LOG", log, 1);
	status = ask(outer, state, sent, "recover", output);
	run_init(&inner, outer->o, work, log, outer->random | 1);
	if (buf_add(&inner.before, outer->sent.data, outer->sent.len) < 0)
		die("buf_add");
	inner.nested = true;
	if (status)
		(void)printf("the recovery under the recorder: status %#x\n",
		    (unsigned int)status);
	explore(&inner, "cut", INNER_STATES);
	well = status == 0 && inner.failed == 0;
	outer->failed += inner.failed + (status != 0);
	outer->inner += inner.made;
	run_release(&inner);
	return well;
}
