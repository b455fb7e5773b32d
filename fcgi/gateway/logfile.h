/*
 * A log file of JSON lines that many threads and processes append to.
 *
 * One write(2) a batch of whole lines with O_APPEND, so lines never mix.
 * Rotation: move the file away.  Every process looks now and then whether the
 * name still means the file that it has open (logfile_look), since nobody
 * could tell all copies that web servers start; a signal tells one at once.
 * Either way logs_reopen() bumps a generation, and each file is opened again
 * at its next write.
 */
#ifndef GATEWAY_LOGFILE_H
#define GATEWAY_LOGFILE_H

#include "store/base/err.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* The log directory, <state>/log. */
struct logs {
	int dir_fd;
	atomic_uint generation;
};

/* Makes and opens `directory` (mode 0700): 0, or -1 with the error set. */
int logs_open(struct logs *l, const char *directory, struct err *e);
void logs_close(struct logs *l);

/* All files are opened again at their next write; safe in a signal handler. */
void logs_reopen(struct logs *l);

/* Opens <directory>/<name> for appending once: a descriptor, or -1. */
int logs_append(const struct logs *l, const char *name);

struct logfile {
	struct logs *logs;
	char name[64];
	int fd;			/* the number stays, dup3 swaps the file */
	atomic_uint generation;	/* of logs, when fd was opened */
	pthread_mutex_t lock;	/* held while opening again */
	atomic_ulong lost;	/* lines that could not be written */
};

/* Opens <directory>/<name> for appending: 0, or -1 with the error set. */
int logfile_open(struct logfile *f, struct logs *l, const char *name,
    struct err *e);
void logfile_close(struct logfile *f);

/* All files are opened again if this one was moved away or removed. */
void logfile_look(struct logfile *f);

/* Appends whole lines with one write; a failure is counted, not told. */
void logfile_write(struct logfile *f, const void *p, size_t n);

#endif
