/*
 * Stat, Checkpoint, Backup, Backups, Stop: the store as a whole.
 */
#include "store/op/op_internal.h"

#include "store/engine/mirrors.h"
#include "store/engine/parts.h"

#include <errno.h>

/* --- figures ------------------------------------------------------------- */

static void
write_journal(struct reply *r, const struct store_stat *s)
{
	reply_object(r, "Journal");
	reply_integer(r, "Begin", (int64_t)s->journal_begin);
	reply_integer(r, "End", (int64_t)s->journal_end);
	reply_integer(r, "Bytes", (int64_t)s->journal_bytes);
	reply_integer(r, "Redo", (int64_t)s->redo);
	reply_integer(r, "Feed", (int64_t)s->feed);
	reply_integer(r, "Restorable", (int64_t)s->pitr);
	reply_close(r);
}

static void
write_files(struct reply *r, const struct store_stat *s)
{
	reply_object(r, "Files");
	reply_integer(r, "Applied", (int64_t)s->applied);
	reply_integer(r, "BacklogDocuments", (int64_t)s->backlog_documents);
	reply_integer(r, "BacklogBytes", (int64_t)s->backlog_bytes);
	reply_integer(r, "Edited", (int64_t)s->edited);
	reply_close(r);
}

static void
write_history(struct reply *r, const struct store_stat *s)
{
	reply_object(r, "History");
	reply_integer(r, "Commits", (int64_t)s->commits);
	reply_integer(r, "Packs", (int64_t)s->packs);
	reply_integer(r, "Bytes", (int64_t)s->history_bytes);
	reply_integer(r, "DayBytes", (int64_t)s->history_day_bytes);
	if (s->history_since_ms)
		reply_time(r, "Since", s->history_since_ms);
	if (s->history_anew_ms)
		reply_time(r, "BegunAnew", s->history_anew_ms);
	reply_integer(r, "CheckpointMs", s->checkpoint_ms);
	if (s->redo_at_ms)
		reply_time(r, "CheckpointTime", s->redo_at_ms);
	reply_close(r);
}

void
op_stat(struct op *op, struct store_view *v)
{
	struct store_stat s;
	struct reply r;

	store_stat(v->store, &s);
	op_open(op, &r);
	reply_string(&r, "Directory", store_dir(v->store));
	reply_bool(&r, "ReadOnly", store_is_read_only(v->store));
	reply_integer(&r, "Tables", (int64_t)s.tables);
	write_journal(&r, &s);
	write_files(&r, &s);
	write_history(&r, &s);
	reply_object(&r, "Index");
	reply_integer(&r, "Bytes", (int64_t)s.index_bytes);
	reply_close(&r);
	reply_object(&r, "Writer");
	reply_integer(&r, "Batches", (int64_t)s.batches);
	reply_integer(&r, "Units", (int64_t)s.units);
	reply_close(&r);
	op_write_mirrors(&r, store_mirrors(v->store));
	reply_string(&r, "Trouble", s.trouble);
	op_close(op, &r);
}

/* --- checkpoints and backups --------------------------------------------- */

/* A commit's members, as every operation on the history tells them. */
void
op_write_commit(struct reply *r, const struct history_commit *c)
{
	reply_string(r, "Commit", c->id.hex);
	reply_integer(r, "Position", (int64_t)c->position);
	reply_time(r, "Time", c->time_ms);
	reply_string(r, "Subject", c->subject);
}

/* Tables that no commit has anything of. */
static void
write_without(struct reply *r, struct store *s)
{
	struct catalog *c = store_catalog_hold(s);
	size_t i;

	reply_list(r, "WithoutHistory");
	for (i = 0; i < c->count; i++)
		if (!c->entries[i].table->history)
			reply_string(r, NULL, c->entries[i].table->name);
	reply_close(r);
	store_catalog_release(s, c);
}

static void
answer_tip(struct op *op, struct store *s)
{
	struct history_commit tip;
	struct reply r;
	struct err e;
	int rc = history_tip(store_history(s), &tip, &e);

	if (rc < 0) {
		op_fail(op, &e);
		return;
	}
	op_open(op, &r);
	if (rc)
		op_write_commit(&r, &tip);
	write_without(&r, s);
	op_close(op, &r);
}

void
op_checkpoint(struct op *op, struct store_view *v)
{
	struct err e;

	if (store_checkpoint(v->store, NULL, &e) < 0)
		op_fail(op, &e);
	else
		answer_tip(op, v->store);
}

void
op_backup(struct op *op, struct store_view *v)
{
	const struct text *name = &op->request.store.name;
	char *tag = arena_copy(&op->arena, name->p, name->n);
	struct err e;

	if (!tag)
		op_no_memory(&e);
	if (!tag || store_checkpoint(v->store, tag, &e) < 0)
		op_fail(op, &e);
	else
		answer_tip(op, v->store);
}

struct listing {
	struct reply reply;
	uint32_t left;
};

static int
write_backup(void *ctx, const char *name, const struct history_commit *c)
{
	struct listing *l = ctx;

	if (!l->left)
		return 1;
	l->left--;
	reply_object(&l->reply, NULL);
	reply_string(&l->reply, "Name", name);
	op_write_commit(&l->reply, c);
	reply_close(&l->reply);
	return 0;
}

void
op_backups(struct op *op, struct store_view *v)
{
	uint32_t limit = op->request.store.limit;
	struct listing l = {.left = limit ? limit : UINT32_MAX};
	struct err e;

	op_open(op, &l.reply);
	reply_list(&l.reply, "Backups");
	if (history_tags(store_history(v->store), write_backup, &l, &e) < 0) {
		op_fail(op, &e);
		return;
	}
	reply_close(&l.reply);
	op_close(op, &l.reply);
}

/* --- the end ------------------------------------------------------------- */

/* Nothing but the reply: whose process this is ends it, after that. */
void
op_stop(struct op *op, struct store_view *v)
{
	struct reply r;

	(void)v;
	op_open(op, &r);
	op_close(op, &r);
}
