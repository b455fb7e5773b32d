/*
 * Spares: files that were documents and wait to be documents again, in spare/
 * below the store's directory.
 *
 * Freeing an inode is dear, so the file of an old document is kept and written
 * anew.  It must be nobody's by then: a write lease says so, which the kernel
 * refuses while anyone has the file open or mapped; and a file that has
 * another name, other rights, or a broken seal (files_seal.h) is not used.
 *
 * Sequence: spares_pop and spare_open until one is ready, or else spare_make;
 * write; spare_close; give the file the name of the document, in exchange for
 * the old one; spares_push what lies under the spare's name now.
 *
 * A set of spares belongs to one thread.  All are removed at the start.
 *
 * Where somebody waits for the file, the spare is one that has rested.  Its
 * seal is read from its times, and Linux gives a file that is changed in the
 * tick in which its times were set, and then read, a time finer than the
 * tick's; from that moment on all other files are given times as late.  So the
 * journal's times change with its next line, and where the file system has no
 * journal of its own, each sync of the store's writes them, too: a third of
 * its time.
 */
#ifndef FILES_SPARE_H
#define FILES_SPARE_H

#include "path.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SPARES_MAX = 64,		/* of a thread */
	SPARE_REST_MS = 12,		/* longer than a tick of the kernel's */
	SPARE_SIZE_MAX = 64 << 10	/* a longer one is not kept */
};

struct files_table;

struct spare {
	char file[32];		/* its name in spare/ */
	struct files_table *table;	/* the document that it was */
	struct path_name was;
	uint64_t salt;		/* of that document's seal */
	int64_t since_ms;	/* monotonic: a spare since then */
};

struct spares {
	int dir_fd;		/* of spare/; the caller's */
	unsigned thread;
	uint64_t named;		/* names given so far */
	bool recycle;		/* else none is kept */
	size_t first, n;	/* a ring, the oldest first */
	struct spare kept[SPARES_MAX];
};

/* One that is open to be written. */
struct spare_file {
	char file[32];
	int fd;
	uint64_t inode;
	off_t size;		/* of what it still holds */
	bool recycled;
};

void spares_init(struct spares *s, int dir_fd, unsigned thread, bool recycle);

/* A name in spare/ that no file has. */
void spares_name(struct spares *s, char file[32]);

bool spares_pop(struct spares *s, struct spare *out);	/* the newest */

/* The oldest, if it has rested, or there are SPARES_MAX. */
bool spares_pop_rested(struct spares *s, struct spare *out);

/* Takes a file in; one too many, or too large, is removed. */
void spares_push(struct spares *s, const struct spare *one, off_t size);

enum spare_state {
	SPARE_READY,		/* open, with a lease */
	SPARE_IN_USE,		/* by a reader, or under another name */
	SPARE_CHANGED,		/* it was edited since it was written */
	SPARE_GONE
};

enum spare_state spare_open(const struct spares *s, const struct spare *one,
    struct spare_file *out);

/* A new file: 0, or -1 with errno. */
int spare_make(struct spares *s, struct spare_file *out);

/* Ends the lease too: 0, or -1 with errno. */
int spare_close(struct spare_file *f);

/* Removes a spare that can't be used. */
void spare_drop(const struct spares *s, const char *file);

#endif
