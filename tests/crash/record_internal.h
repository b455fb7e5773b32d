/*
 * What the files of the recorder share: record_log.c keeps the log and knows
 * what counts and what is to fail; the others take the calls over.
 */
#ifndef CRASH_RECORD_INTERNAL_H
#define CRASH_RECORD_INTERNAL_H

#include "record.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)

/* Every call that is taken over goes on to the kernel by its number. */
#define CALL(name, ...) syscall(SYS_##name, __VA_ARGS__)

enum kind {
	OPEN, READ, WRITE, SYNC, SYNCFS, DATASYNC, NAME, TRUNCATE, ALLOCATE,
	MEMORY, KINDS
};

enum { MODE_BITS = 07777 };

/* What is counted, by one program or by several (CRASH_COUNT). */
struct counts {
	long records, calls;
};

struct recorder {
	pthread_mutex_t lock;
	char root[PATH_MAX];
	size_t root_len;
	int log_fd;
	struct counts *counts;
	bool many;	/* programs count together */
	bool pipes;	/* count as sockets do */
	long kill_at;
	bool kill_all;	/* of the process group */
	enum kind fail_kind;
	long fail_at;
	long slow_every, slowed;	/* calls; 0: none */
	int fail_errno;
	int fail_every;	/* of later calls each so many-th, too; 0: none */
	uintptr_t program, program_end;	/* where its code lies */
	uint64_t tickets;
};

extern struct recorder recorder;

void lock(void);
void unlock(void);		/* errno stays */

/* Notes a record with the bytes that belong to it; the lock is held. */
void note(struct record r, const void *first, const void *second);

/* True if the file or path lies below CRASH_ROOT. */
bool fd_counts(int fd);
bool path_counts(int dir_fd, const char *path);

/* True if it is a document, or a directory of some. */
bool fd_is_document(int fd);

/* Its mode; or its number, 0 if there is nothing. */
mode_t mode_of(int fd);
uint64_t inode_of(int fd);
uint64_t inode_at(int dir_fd, const char *path);

/* The directory that a path names something in, and the name. */
struct place {
	uint64_t dir;
	char name[NAME_MAX + 1];
};

struct place place_of(int dir_fd, const char *path);

/* Notes that a name now is this inode, or nothing. */
void note_name(const struct place *p, uint64_t is);

/* Ends a template for a new name by chance.  0, or -1 with errno. */
int chance_name(char *path);

/* Waits a while, if it is this call's turn. */
void dawdle(void);

/* Counts a call: true, with errno, if it is to fail. */
bool fails(enum kind kind);

/* The same for memory that `caller` wants: only the program's own calls. */
bool memory_fails(const void *caller);

#pragma GCC visibility pop

#endif
