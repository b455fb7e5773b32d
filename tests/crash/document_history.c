/*
 * The history as a crash left it, before anything is recovered: each commit
 * that matters must hold just what the store held at its position.  Part of
 * the checker document_store; reads only.
 */
#include "drill.h"

#include "store/history/history.h"
#include "store/journal/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- a commit ----------------------------------------------------------- */

/* Which document a path of the history is; DOCUMENTS_ALL: none of ours. */
static size_t
document_of(const char *path)
{
	char name[128];
	size_t i;

	for (i = 0; i < DOCUMENTS_ALL; i++) {
		(void)snprintf(name, sizeof name, "%s/%s.json",
		    document_table(i), document_file(i));
		if (strcmp(path, name) == 0)
			break;
	}
	return i;
}

static int
see_document(void *ctx, const struct history_delta *delta, struct err *e)
{
	struct past *p = ctx;
	const char *slash = strrchr(delta->path, '/');
	size_t i = document_of(delta->path);
	char text[8192];

	(void)e;
	if (slash && slash[1] == '.')
		return 0;	/* what tells of the table */
	if (i < DOCUMENTS_ALL && delta->new_n < sizeof text) {
		memcpy(text, delta->new_bytes, delta->new_n);
		text[delta->new_n] = '\0';
		p->all[i] = document_of_file(text);
		if (p->all[i].m > p->m)
			p->m = p->all[i].m;
		return 0;
	}
	bad("%s in the history was never written", delta->path);
}

static void
load(struct history *h, const struct history_commit *c, struct past *p)
{
	const struct history_side nothing = {.path = ""};
	const struct history_side all = {c->id, ""};
	struct err e;

	p->there = true;
	p->position = c->position;
	if (history_diff(h, &nothing, &all, see_document, p, &e) != 0)
		bad("the history cannot be read: %s", e.text);
}

/* --- held against the journal ------------------------------------------- */

/* The greatest m of the lines on both sides of a position. */
struct sides {
	uint64_t position;
	uint32_t before, after;		/* the least of those after; 0: none */
};

static uint32_t
m_of_line(const char *payload, size_t n)
{
	static const char MEMBER[] = "\"m\":{\"N\":\"";
	const char *found = memmem(payload, n, MEMBER, sizeof MEMBER - 1);

	return found ? (uint32_t)strtoul(found + sizeof MEMBER - 1, NULL, 10)
		     : 0;
}

static int
see_line(void *ctx, const struct journal_line *l)
{
	struct sides *s = ctx;
	uint32_t m = m_of_line(l->payload, l->len);

	if (l->position < s->position)
		s->before = m ? m : s->before;
	else if (s->after == 0)
		s->after = m;
	return 0;
}

static void
compare_position(struct journal *j, const struct past *p)
{
	struct sides s = {.position = p->position};
	struct err e;

	if (journal_read(j, journal_begin(j), see_line, &s, NULL, &e) < 0)
		bad("the journal cannot be read: %s", e.text);
	if ((s.before && s.before != p->m) || (s.after && s.after <= p->m))
		bad("the history's commit of position %" PRIu64 " has "
		    "operation %u for its last; the journal has %u before "
		    "that and %u behind it", p->position, p->m, s.before,
		    s.after);
}

/* What lies below the redo mark is in the history. */
static void
compare_marks(struct journal *j, const struct past *p)
{
	struct mark m;

	journal_marks(j, &m);
	if (m.commit[0] && (!p->there || p->position < m.redo.position))
		bad("the history is of position %" PRIu64 ", the redo mark %"
		    PRIu64, p->there ? p->position : 0, m.redo.position);
}

/* --- all of it ---------------------------------------------------------- */

static struct journal *
open_journal(const struct drill *d)
{
	const struct journal_options o = {.read_only = true};
	int fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct journal *j = NULL;
	struct err e;

	if (fd >= 0 && journal_open(fd, &o, &j, &e) < 0)
		j = NULL;
	(void)close(fd);
	return j;
}

/* The last operation up to m that has left something. */
static uint32_t
last_done(const struct drill *d, uint32_t m)
{
	struct document all[DOCUMENTS_ALL];
	uint32_t last = 0;
	size_t i;

	documents_after(&d->runs, m, all);
	for (i = 0; i < DOCUMENTS_ALL; i++)
		last = all[i].m > last ? all[i].m : last;
	return last;
}

static void
load_backup(struct drill *d, struct history *h, uint32_t m)
{
	struct history_commit commit;
	char name[32];
	struct err e;

	(void)snprintf(name, sizeof name, BACKUP, m);
	if (!h || history_resolve(h, name, &commit, &e) < 0)
		bad("%s is gone", name);
	load(h, &commit, &d->backup);
	if (d->backup.m < last_done(d, m))
		bad("%s ends with operation %u", name, d->backup.m);
}

void
read_history(struct drill *d, uint32_t backup)
{
	struct history_commit tip;
	struct journal *j = open_journal(d);
	struct history *h;
	struct err e;
	int found = 0;

	h = history_open(d->path, true, &e);
	if (h)
		found = history_tip(h, &tip, &e);
	if (found < 0)
		bad("the history cannot be read: %s", e.text);
	if (found > 0)
		load(h, &tip, &d->tip);
	if (found > 0 && j == NULL)
		bad("there is a history, and no journal");
	if (j)
		compare_marks(j, &d->tip);
	if (backup)
		load_backup(d, h, backup);
	if (d->tip.there)
		compare_position(j, &d->tip);
	if (d->backup.there)
		compare_position(j, &d->backup);
	history_close(h);
	journal_close(j);
}

static void
compare_past(const struct drill *d, const struct past *p)
{
	struct document all[DOCUMENTS_ALL];
	size_t i;

	documents_after(&d->runs, p->m, all);
	for (i = 0; i < DOCUMENTS_ALL; i++)
		if (all[i].m != p->all[i].m || all[i].run != p->all[i].run)
			bad("%s/%s is of operation %u in the history of "
			    "position %" PRIu64 " after operation %u, not of "
			    "%u", document_table(i), document_key(i),
			    p->all[i].m, p->position, p->m, all[i].m);
}

void
compare_history(const struct drill *d)
{
	if (d->tip.there)
		compare_past(d, &d->tip);
	if (d->backup.there)
		compare_past(d, &d->backup);
}
