/*
 * bothy store stat: the store's figures; also for bothy status (storestat.h).
 */
#include "stat.h"

#include "cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 16 * 1024 * 1024, WIDTH = 12, STORESTAT_MS = 3000 };

/* --- for people --------------------------------------------------------- */

struct printer {
	const struct json_node *stat;
	size_t width;
};

static void line(const struct printer *p, const char *head, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static void
line(const struct printer *p, const char *head, const char *fmt, ...)
{
	va_list ap;

	printf("%-*s", (int)p->width, head);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void
print_journal(const struct printer *p)
{
	const struct json_node *j = json_member(p->stat, "Journal");
	char bytes[32];

	storetext_bytes((double)storetext_integer(j, "Bytes"), bytes);
	line(p, "journal", "%lld to %lld, %s on the disk",
	    storetext_integer(j, "Begin"), storetext_integer(j, "End"),
	    bytes);
	line(p, "", "needed for recovery from %lld, for streams from %lld, "
	    "for restores from %lld", storetext_integer(j, "Redo"),
	    storetext_integer(j, "Feed"), storetext_integer(j, "Restorable"));
}

static void
print_files(const struct printer *p)
{
	const struct json_node *f = json_member(p->stat, "Files");
	long long waiting = storetext_integer(f, "BacklogDocuments");
	long long edited = storetext_integer(f, "Edited");
	char bytes[32];

	storetext_bytes((double)storetext_integer(f, "BacklogBytes"), bytes);
	if (waiting)
		line(p, "files", "%lld documents (%s) are still to be written",
		    waiting, bytes);
	else
		line(p, "files", "all are written");
	if (edited)
		line(p, "", "%lld that were edited by hand were put aside in "
		    "conflicts/", edited);
}

void
storestat_reach(const struct json_node *history, char out[STORESTAT_REACH])
{
	char since[32], anew[32];

	storetext_time(json_member(history, "Since"), since);
	storetext_time(json_member(history, "BegunAnew"), anew);
	out[0] = '\0';
	if (*anew)
		snprintf(out, STORESTAT_REACH, "it was begun anew at %s, for "
		    "the one before was gone; nothing older is in it", anew);
	else if (*since)
		snprintf(out, STORESTAT_REACH, "it reaches back to %s", since);
}

static void
print_history(const struct printer *p)
{
	const struct json_node *h = json_member(p->stat, "History");
	char bytes[32], today[32], time[32], since[STORESTAT_REACH];

	storetext_bytes((double)storetext_integer(h, "Bytes"), bytes);
	storetext_bytes((double)storetext_integer(h, "DayBytes"), today);
	storetext_time(json_member(h, "CheckpointTime"), time);
	line(p, "history", "%lld commits in %lld packs, %s, of which %s came "
	    "in a day", storetext_integer(h, "Commits"),
	    storetext_integer(h, "Packs"), bytes, today);
	storestat_reach(h, since);
	if (*since)
		line(p, "", "%s", since);
	if (*time)
		line(p, "checkpoint", "%s, which took %lld ms", time,
		    storetext_integer(h, "CheckpointMs"));
	else
		line(p, "checkpoint", "none yet");
}

static void
print_mirrors(const struct printer *p)
{
	const struct json_node *list = json_member(p->stat, "Mirrors"), *m;
	struct text name, error;
	const char *head = "mirrors";
	char time[32];

	for (m = list ? list->first : NULL; m; m = m->next) {
		name = storetext_member(m, "Name");
		error = storetext_member(m, "Error");
		storetext_time(json_member(m, "Pushed"), time);
		line(p, head, "%.*s, pushed to %s%s%.*s", (int)name.n, name.p,
		    *time ? time : "not yet", error.n ? ": " : "",
		    (int)error.n, error.p);
		head = "";
	}
}

void
storestat_print(const char *json, size_t n, size_t width)
{
	struct printer p = {.width = width};
	const struct json_node *read_only;
	struct text dir, trouble;
	char bytes[32];
	struct arena a;
	struct err e;

	arena_init(&a, ARENA_MAX);
	p.stat = json_read(&a, json, n, STORELINK_LEVELS, &e);
	if (p.stat) {
		dir = storetext_member(p.stat, "Directory");
		trouble = storetext_member(p.stat, "Trouble");
		read_only = json_member(p.stat, "ReadOnly");
		storetext_bytes((double)storetext_integer(json_member(p.stat,
		    "Index"), "Bytes"), bytes);
		line(&p, "store", "%.*s%s", (int)dir.n, dir.p,
		    read_only && read_only->type == JSON_TRUE ?
		    ", read-only" : "");
		line(&p, "tables", "%lld, with an index of %s",
		    storetext_integer(p.stat, "Tables"), bytes);
		print_journal(&p);
		print_files(&p);
		print_history(&p);
		print_mirrors(&p);
		if (trouble.n)
			line(&p, "trouble", "%.*s", (int)trouble.n, trouble.p);
	}
	arena_release(&a);
}

/* --- asking ------------------------------------------------------------- */

int
storestat_ask(const struct cli *c, struct buf *out, struct err *e)
{
	struct data_place p;
	struct client *client;
	int rc;

	if (storelink_place(c, &p, e) < 0)
		return -1;
	if (!storelink_listens(&p))
		return 0;
	client = data_client(&p, STORESTAT_MS);
	if (!client)
		return err_set(e, 0, "no memory");
	rc = client_call(client, OP_STAT, 0, "{}", 2, out, e);
	client_free(client);
	return rc < 0 ? -1 : 1;
}

static int
print(struct storelink *l, const struct json_node *n, const void *told)
{
	(void)n;
	(void)told;
	storestat_print(l->reply.data, l->reply.len, WIDTH);
	return CLI_OK;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	struct storelink l;
	struct reply r;
	int code = storelink_open(c, &l);

	(void)values;
	(void)argc;
	(void)argv;
	if (code != CLI_OK)
		return code;
	storelink_begin(&l, &r);
	return storecmd_answer(&l, OP_STAT, 0, &r, print, NULL);
}

const struct command command_store_stat = {
	.name = "store stat",
	.chapter = "upkeep",
	.arguments = "",
	.summary = "show backlog, checkpoints, sizes and troubles",
	.help =
	    "Shows what of the journal is kept and for what, how many "
	    "documents wait to become files, how old the last checkpoint "
	    "is, what it all takes on the disk, and what hinders writing, "
	    "if anything does.",
	.tables = true,
	.run = run,
};
