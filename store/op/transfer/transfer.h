/*
 * Exports and imports, between the operations (export_table.c,
 * import_table.c; transfer_ways.c has what they share), the work behind
 * their replies (export_write.c, import_fill.c) and their records
 * (transfer.c), which are told by DescribeExport, ListExports and the two of
 * imports:
 *
 *   transfers/export/ID.json    transfers/import/ID.json
 */
#ifndef OP_OP_TRANSFER_H
#define OP_OP_TRANSFER_H

#include "bucket.h"
#include "store/op/op_later.h"
#include "store/op/op_record.h"
#include "store/op/tables/table.h"

enum {
	TRANSFER_TOKEN = 129, TRANSFER_BUCKET = 256, TRANSFER_PREFIX = 1025,
	TRANSFER_STATE = 80, TRANSFER_RUN = 64,
	TRANSFERS_KEPT = 1000		/* records of a kind, the newest */
};

enum transfer_status { TRANSFER_RUNNING, TRANSFER_DONE, TRANSFER_FAILED };

struct transfer {
	struct op_later later;		/* first */
	const char *kind;		/* "export", "import" */
	char id[RECORD_ID];
	enum transfer_status status;
	struct table *table;		/* as it was when it began */
	char run[TRANSFER_RUN];		/* of the process that does it */
	int64_t start_ms, end_ms, at_ms;
	char token[TRANSFER_TOKEN];
	char bucket[TRANSFER_BUCKET], prefix[TRANSFER_PREFIX];
	char state[TRANSFER_STATE];	/* of an export, for past_find() */
	bool typed;			/* ExportType was given */
	enum file_format format;	/* of an import */
	enum compression compression;
	char delimiter;
	char *header;			/* NULL; or a CSV line of names */
	char failure[32], message[400];	/* FailureCode, FailureMessage */
	char manifest[TRANSFER_PREFIX + 128];
	uint64_t items, imported, errors, bytes;
};

/* Heap, of op's request, begun now; NULL with an error. */
struct transfer *op_transfer_new(struct op *op, const char *kind,
    struct err *e);
void op_transfer_free(struct transfer *t);

/* The record of it as it is now. */
int op_transfer_keep(struct transfer *t, struct err *e);

/* Ends it: kept as done, or with what went wrong. */
void op_transfer_end(struct transfer *t, const char *failure,
    const char *message);

/* Of a record; NULL with an error. */
struct transfer *op_transfer_read(struct store *s, const char *kind,
    const char *id, const struct json_node *record, struct err *e);

/*
 * The newest with op's ClientToken: 1, 0, -1.  With `running` only one that
 * isn't over.
 */
int op_transfer_by_token(struct op *op, const char *kind, bool running,
    struct transfer **out, struct err *e);

/* "arn:...:table/NAME/KIND/ID" */
enum { TRANSFER_ARN = OP_TABLE_ARN + RECORD_ID + 8 };
void op_transfer_arn(const struct transfer *t, char out[TRANSFER_ARN]);
const char *op_transfer_status(const struct transfer *t);

/* What both tell: status, times, tables, failures. */
void op_transfer_write(struct reply *r, const struct transfer *t,
    const char *arn_name, const char *status_name);

/* The operations of a kind. */
struct transfer_ways {
	const char *kind;
	int missing;			/* a fault, */
	const char *missing_text;	/* and its text: "Export not found" */
	int conflict;			/* the fault of a token used again */
	const char *one, *list;		/* "ExportDescription", ... */
	uint32_t page;			/* at most, in a list */
	bool only_running;		/* a token counts no longer than that */

	/* A new one looks at the table, or makes it, and is kept. */
	int (*begin)(struct op *op, struct transfer *t, struct err *e);
	/* The request asks for what that one did. */
	bool (*is_same)(const struct op *op, const struct transfer *was);
	void (*run)(struct op_later *l, const atomic_bool *stop);
	void (*describe)(struct reply *r, const struct transfer *t);
	void (*summarise)(struct reply *r, const struct transfer *t);
};

void op_transfer_begin(struct op *op, const struct transfer_ways *w);
void op_transfer_describe(struct op *op, const struct transfer_ways *w);
void op_transfer_list(struct op *op, const struct transfer_ways *w);

/* Behind the replies. */
void op_export_run(struct op_later *l, const atomic_bool *stop);
void op_import_run(struct op_later *l, const atomic_bool *stop);

#endif
