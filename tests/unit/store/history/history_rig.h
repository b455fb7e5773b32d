/*
 * What the tests of the history share: a store in a directory of its own, and
 * a model of it, which is a list of states.  A state is the version of each
 * document, 0 for none; a document's bytes follow from its number and version.
 */
#ifndef HISTORY_RIG_H
#define HISTORY_RIG_H

#include "store/base/io.h"
#include "store/history/history.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RIG_DOCUMENTS = 60, RIG_STATES = 1500 };

/* Progress that nobody asks for. */
static const struct history_progress rig_quiet;

struct rig {
	char dir[64];
	struct history *h;
	struct err e;
	unsigned seed;
	unsigned version;		/* the newest given to a document */
	unsigned now[RIG_DOCUMENTS];
	unsigned state[RIG_STATES][RIG_DOCUMENTS];
	struct history_id id[RIG_STATES];
	int64_t time_ms[RIG_STATES];
	unsigned states;
	int64_t clock_ms;

	/* The changes of the commit at hand. */
	unsigned change[RIG_DOCUMENTS];
	size_t changes, next;
	char path[100], bytes[600];
};

static inline unsigned
rig_random(struct rig *r, unsigned below)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return (r->seed >> 8) % below;
}

/* Three tables: flat, in one level, in two. */
static inline const char *
rig_path(struct rig *r, unsigned doc)
{
	unsigned h = doc * 2654435761u;

	if (doc % 3 == 0)
		snprintf(r->path, sizeof r->path, "flat/doc%u.json", doc);
	else if (doc % 3 == 1)
		snprintf(r->path, sizeof r->path, "one/%02x/doc%u.json",
		    h >> 30, doc);
	else
		snprintf(r->path, sizeof r->path, "two/%02x/%02x/doc%u.json",
		    h >> 30, h >> 28 & 3, doc);
	return r->path;
}

/* Every third version changes the text, every version the number. */
static inline size_t
rig_bytes(struct rig *r, unsigned doc, unsigned version)
{
	return (size_t)snprintf(r->bytes, sizeof r->bytes,
	    "{\n  \"id\": \"doc%u\",\n  \"text\": \"secret%u-%u and a line that"
	    " stays for good, as most lines do in most documents\",\n"
	    "  \"version\": %u\n}\n", doc, doc, version / 3, version);
}

static inline int
rig_next(void *ctx, struct history_change *c, struct err *e)
{
	struct rig *r = ctx;
	unsigned doc;

	(void)e;
	if (r->next == r->changes)
		return 0;
	doc = r->change[r->next++];
	c->path = rig_path(r, doc);
	c->bytes = NULL;
	c->n = 0;
	if (r->now[doc]) {
		c->n = rig_bytes(r, doc, r->now[doc]);
		c->bytes = r->bytes;
	}
	return 1;
}

/* Commits what `change` names; a state is noted if it went well. */
static inline int
rig_commit(struct rig *r, const char *note)
{
	struct history_meta m = { r->states + 1, r->clock_ms, note, false };
	struct history_made made;

	r->next = 0;
	if (history_commit(r->h, rig_next, r, &m, &made, &r->e))
		return -1;
	memcpy(r->state[r->states], r->now, sizeof r->now);
	r->id[r->states] = made.id;
	r->time_ms[r->states] = r->clock_ms / 1000 * 1000;
	r->states++;
	return 0;
}

/* Changes up to `most` documents at random, in any order. */
static inline void
rig_change(struct rig *r, unsigned most)
{
	unsigned n = rig_random(r, most) + 1, i, j;

	r->changes = 0;
	for (i = 0; i < n; i++) {
		unsigned doc = rig_random(r, RIG_DOCUMENTS);

		for (j = 0; j < r->changes && r->change[j] != doc; j++)
			continue;
		if (j < r->changes)
			continue;
		r->change[r->changes++] = doc;
		r->now[doc] = rig_random(r, 5) == 0 ? 0 : ++r->version;
	}
}

static inline void
rig_begin(struct rig *r, unsigned seed)
{
	memset(r, 0, sizeof *r);
	print_message("seed %u\n", seed);
	r->seed = seed;
	r->clock_ms = 1700000000000;
	/* (Nothing here is about the disk: a sync may cost nothing.) */
	snprintf(r->dir, sizeof r->dir, "%s/bothy-history-XXXXXX",
	    access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(r->dir));
	r->h = history_open(r->dir, false, &r->e);
	if (!r->h)
		err_print(&r->e, "open");
	assert_non_null(r->h);
}

static inline void
rig_reopen(struct rig *r)
{
	history_close(r->h);
	r->h = history_open(r->dir, false, &r->e);
	if (!r->h)
		err_print(&r->e, "open");
	assert_non_null(r->h);
}

static inline void
rig_end(struct rig *r)
{
	history_close(r->h);
	io_remove_tree(AT_FDCWD, r->dir);
}

/* A document as a commit has it is the model's. */
static inline void
rig_check_document(struct rig *r, const struct history_id *id,
    const unsigned *state, unsigned doc)
{
	const char *path = rig_path(r, doc);
	struct history_paths p = { &path, 1 };
	struct buf b;
	int found;

	buf_init(&b, 4096);
	found = history_get(r->h, id, p, &b, &r->e);
	if (found < 0)
		err_print(&r->e, path);
	assert_int_equal(found, state[doc] != 0);
	if (found) {
		size_t n = rig_bytes(r, doc, state[doc]);

		assert_int_equal(b.len, n);
		assert_memory_equal(b.data, r->bytes, n);
	}
	buf_release(&b);
}

static inline void
rig_check_state(struct rig *r, const struct history_id *id,
    const unsigned *state)
{
	unsigned doc;

	for (doc = 0; doc < RIG_DOCUMENTS; doc++)
		rig_check_document(r, id, state, doc);
}

/* Runs a git command in the repository; its status, -1 without git. */
static inline int
rig_git(const struct rig *r, const char *arguments)
{
	char command[512];
	int status;

	snprintf(command, sizeof command, "command -v git >/dev/null || exit"
	    " 127; cd %s/history.git && git -c safe.directory='*' %s", r->dir,
	    arguments);
	status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		print_message("git is not installed: not checked with it\n");
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* git itself finds nothing wrong. */
static inline void
rig_fsck(const struct rig *r)
{
	assert_int_not_equal(rig_git(r, "fsck --full --strict --no-dangling"
	    " 2>&1 | grep -v '^notice' | head -5 | grep ."), 0);
}

#endif
