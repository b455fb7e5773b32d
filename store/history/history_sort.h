/*
 * The changes of a commit, put in the order of their paths in bounded memory:
 * what is beyond a few megabytes lies in sorted runs in an unnamed file.
 *
 * Sequence: sort_init, sort_add..., sort_rewind, sort_next..., sort_release.
 */
#ifndef HISTORY_HISTORY_SORT_H
#define HISTORY_HISTORY_SORT_H

#include "history.h"

#include <git2.h>

struct sort_record {
	char path[HISTORY_PATH_MAX + 1];
	size_t len;
	bool gone;
	git_oid id;		/* of the blob, unless it is gone */
};

struct sort_run;

struct sort {
	int dir_fd;		/* where the unnamed file is made; borrowed */
	int fd;			/* that file, or -1 */
	char *memory;		/* records, one behind the other */
	size_t used;
	char **order;		/* each record of memory */
	size_t count, room;
	struct sort_run *runs;
	size_t nruns;
	char *buffers;		/* of the runs' readers */
	uint64_t file_size;
	size_t next;		/* of order, where there is no run */
};

void sort_init(struct sort *s, int dir_fd);
void sort_release(struct sort *s);

/* `id` NULL: gone.  0 or -1 with *e. */
int sort_add(struct sort *s, const char *path, const git_oid *id,
    struct err *e);

/* All was added: 0 or -1 with *e. */
int sort_rewind(struct sort *s, struct err *e);

/* The next in order: 1, 0 at the end, -1 with *e. */
int sort_next(struct sort *s, struct sort_record *out, struct err *e);

#endif
