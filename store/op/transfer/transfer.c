/*
 * Exports and imports as records, for transfer.h.
 */
#include "transfer.h"

#include "store/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_MAX = 256 * 1024, STAT_MAX = 1024, START_FIELD = 20 };

static const char *const STATUSES[] = {"IN_PROGRESS", "COMPLETED", "FAILED"};

/* --- which process ---------------------------------------------------------- */

/*
 * Its id and when it was started: another that has the id later was started
 * later.
 */
static void
name_run(char out[TRANSFER_RUN])
{
	char text[STAT_MAX];
	FILE *f = fopen("/proc/self/stat", "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	const char *p;
	int i;

	if (f)
		fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	for (i = 0; p && i < START_FIELD; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	snprintf(out, TRANSFER_RUN, "%d-%.*s", (int)getpid(),
	    p ? (int)strcspn(p, " ") : 0, p ? p : "");
}

/* --- made -------------------------------------------------------------------- */

static void
take(char *to, size_t size, const struct text *from)
{
	snprintf(to, size, "%.*s", (int)from->n, from->p ? from->p : "");
}

/* The names of columns as a line of CSV. */
static char *
write_header(const struct transfer_request *q)
{
	struct buf b;
	char *line;
	size_t i, k;

	if (!q->nheader)
		return NULL;
	buf_init(&b, HEADER_MAX);
	for (i = 0; i < q->nheader; i++) {
		buf_puts(&b, i ? "," : "");
		buf_putc(&b, '"');
		for (k = 0; k < q->header[i].n; k++) {
			if (q->header[i].p[k] == '"')
				buf_putc(&b, '"');
			buf_putc(&b, q->header[i].p[k]);
		}
		buf_putc(&b, '"');
	}
	line = buf_take(&b);
	buf_release(&b);
	return line;
}

struct transfer *
op_transfer_new(struct op *op, const char *kind, struct err *e)
{
	const struct transfer_request *q = &op->request.transfer;
	struct transfer *t = calloc(1, sizeof *t);

	if (!t) {
		op_no_memory(e);
		return NULL;
	}
	t->later.store = op->store;
	t->kind = kind;
	t->start_ms = clock_wall_ms();
	t->at_ms = q->has_at ? q->at_ms : t->start_ms;
	op_record_id(t->start_ms, t->id);
	name_run(t->run);
	take(t->token, sizeof t->token, &op->request.token);
	if (!*t->token)
		snprintf(t->token, sizeof t->token, "%s", t->id);
	take(t->bucket, sizeof t->bucket, &q->bucket);
	take(t->prefix, sizeof t->prefix, &q->prefix);
	t->typed = q->type.p != NULL;
	t->format = q->format;
	t->compression = q->compression;
	t->delimiter = q->delimiter.p ? *q->delimiter.p : ',';
	t->header = write_header(q);
	if (q->nheader && !t->header) {
		op_no_memory(e);
		op_transfer_free(t);
		return NULL;
	}
	return t;
}

void
op_transfer_free(struct transfer *t)
{
	if (!t)
		return;
	table_free(t->table);
	free(t->header);
	free(t);
}

/* --- kept -------------------------------------------------------------------- */

static void
keep_text(struct buf *b, const char *name, const char *s)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json(b, s, strlen(s));
}

static void
keep_number(struct buf *b, const char *name, uint64_t n)
{
	buf_printf(b, ",\"%s\":%llu", name, (unsigned long long)n);
}

int
op_transfer_keep(struct transfer *t, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, RECORD_MAX);
	buf_printf(&b, "{\"status\":%d", (int)t->status);
	keep_text(&b, "run", t->run);
	keep_number(&b, "start", (uint64_t)t->start_ms);
	keep_number(&b, "end", (uint64_t)t->end_ms);
	keep_number(&b, "at", (uint64_t)t->at_ms);
	keep_text(&b, "token", t->token);
	keep_text(&b, "bucket", t->bucket);
	keep_text(&b, "prefix", t->prefix);
	keep_number(&b, "typed", t->typed);
	keep_number(&b, "format", t->format);
	keep_number(&b, "compression", t->compression);
	keep_text(&b, "failure", t->failure);
	keep_text(&b, "message", t->message);
	keep_text(&b, "manifest", t->manifest);
	keep_number(&b, "items", t->items);
	keep_number(&b, "imported", t->imported);
	keep_number(&b, "errors", t->errors);
	keep_number(&b, "bytes", t->bytes);
	buf_puts(&b, ",\"table\":");
	table_write(t->table, &b);
	buf_puts(&b, "}\n");
	rc = op_record_put(t->later.store, t->kind, t->id, &b, e);
	buf_release(&b);
	return rc;
}

void
op_transfer_end(struct transfer *t, const char *failure, const char *message)
{
	struct err ignored;

	t->status = failure ? TRANSFER_FAILED : TRANSFER_DONE;
	t->end_ms = clock_wall_ms();
	if (failure) {
		snprintf(t->failure, sizeof t->failure, "%s", failure);
		snprintf(t->message, sizeof t->message, "%s", message);
	}
	op_transfer_keep(t, &ignored);
}

/* --- read -------------------------------------------------------------------- */

static void
read_text(const struct json_node *record, const char *name, char *to,
    size_t size)
{
	struct text t = op_record_text(record, name);

	take(to, size, &t);
}

/* One that runs in no process any more has failed. */
static void
settle(struct transfer *t)
{
	char now[TRANSFER_RUN];

	name_run(now);
	if (t->status != TRANSFER_RUNNING || strcmp(now, t->run) == 0)
		return;
	t->status = TRANSFER_FAILED;
	t->end_ms = t->start_ms;
	snprintf(t->failure, sizeof t->failure, "UNKNOWN");
	snprintf(t->message, sizeof t->message, "the store's daemon ended "
	    "before it was done");
}

struct transfer *
op_transfer_read(struct store *s, const char *kind, const char *id,
    const struct json_node *n, struct err *e)
{
	struct transfer *t = calloc(1, sizeof *t);
	int64_t status = op_record_number(n, "status");

	if (!t) {
		op_no_memory(e);
		return NULL;
	}
	t->later.store = s;
	t->kind = kind;
	snprintf(t->id, sizeof t->id, "%s", id);
	t->status = status == TRANSFER_RUNNING || status == TRANSFER_DONE
	    ? (enum transfer_status)status
	    : TRANSFER_FAILED;
	t->start_ms = op_record_number(n, "start");
	t->end_ms = op_record_number(n, "end");
	t->at_ms = op_record_number(n, "at");
	read_text(n, "run", t->run, sizeof t->run);
	read_text(n, "token", t->token, sizeof t->token);
	read_text(n, "bucket", t->bucket, sizeof t->bucket);
	read_text(n, "prefix", t->prefix, sizeof t->prefix);
	read_text(n, "failure", t->failure, sizeof t->failure);
	read_text(n, "message", t->message, sizeof t->message);
	read_text(n, "manifest", t->manifest, sizeof t->manifest);
	t->typed = op_record_number(n, "typed") != 0;
	t->format = op_record_number(n, "format") == FORMAT_CSV
	    ? FORMAT_CSV
	    : FORMAT_DYNAMODB_JSON;
	t->compression = op_record_number(n, "compression") == COMPRESSION_GZIP
	    ? COMPRESSION_GZIP
	    : COMPRESSION_NONE;
	t->items = (uint64_t)op_record_number(n, "items");
	t->imported = (uint64_t)op_record_number(n, "imported");
	t->errors = (uint64_t)op_record_number(n, "errors");
	t->bytes = (uint64_t)op_record_number(n, "bytes");
	settle(t);
	t->table = op_record_table(n, e);
	if (t->table)
		return t;
	op_transfer_free(t);
	return NULL;
}

struct search {
	struct op *op;
	const char *kind;
	bool running;
	struct transfer *found;
};

static int
look(void *ctx, const char *id, const struct json_node *record,
    struct err *e)
{
	struct search *s = ctx;
	const struct text token = op_record_text(record, "token");
	struct transfer *t;

	if (text_compare(&token, &s->op->request.token) != 0)
		return 0;
	t = op_transfer_read(s->op->store, s->kind, id, record, e);
	if (!t)
		return -1;
	if (s->running && t->status != TRANSFER_RUNNING) {
		op_transfer_free(t);
		return 0;
	}
	s->found = t;
	return 1;
}

int
op_transfer_by_token(struct op *op, const char *kind, bool running,
    struct transfer **out, struct err *e)
{
	struct search s = {op, kind, running, NULL};
	int rc = 0;

	if (op->request.token.p)
		rc = op_record_each(op->store, kind, "", true, look, &s, e);
	*out = s.found;
	return rc;
}

/* --- told -------------------------------------------------------------------- */

void
op_transfer_arn(const struct transfer *t, char out[TRANSFER_ARN])
{
	snprintf(out, TRANSFER_ARN, OP_ARN "table/%s/%s/%s", t->table->name,
	    t->kind, t->id);
}

const char *
op_transfer_status(const struct transfer *t)
{
	return STATUSES[t->status];
}

void
op_transfer_write(struct reply *r, const struct transfer *t,
    const char *arn_name, const char *status_name)
{
	char arn[TRANSFER_ARN], table[OP_TABLE_ARN], id[OP_TABLE_ID];

	op_transfer_arn(t, arn);
	op_table_arn(t->table->name, table);
	op_table_id(t->table->id, id);
	reply_string(r, arn_name, arn);
	reply_string(r, status_name, op_transfer_status(t));
	reply_time(r, "StartTime", t->start_ms);
	if (t->status != TRANSFER_RUNNING)
		reply_time(r, "EndTime", t->end_ms);
	reply_string(r, "TableArn", table);
	reply_string(r, "TableId", id);
	reply_string(r, "ClientToken", t->token);
	if (*t->failure) {
		reply_string(r, "FailureCode", t->failure);
		reply_string(r, "FailureMessage", t->message);
	}
}
