/*
 * Records of backups, exports and imports: a small JSON file each, below
 * transfers/ in the store's directory, named by an id that sorts by time.
 *
 *   transfers/backup/01700000000000-0badf00d.json
 */
#ifndef OP_OP_RECORD_H
#define OP_OP_RECORD_H

#include "op_internal.h"

#include "store/value/json.h"

enum {
	RECORD_ID = 40,			/* bytes of an id, with its NUL */
	RECORD_MAX = 1 << 20		/* of a record */
};

/* A new id: of the moment, and different from all others. */
void op_record_id(int64_t now_ms, char out[RECORD_ID]);

/* The id behind "/KIND/" at the end of an ARN; false if it can be none. */
bool op_record_of_arn(const struct text *arn, const char *kind,
    char out[RECORD_ID]);

/* In the place of an older one, synced: 0, or -1 and *e. */
int op_record_put(struct store *s, const char *kind, const char *id,
    const struct buf *json, struct err *e);

/*
 * As it was put, into the arena: 1; 0 if there is none; -1.  LEVELS of JSON are
 * taken apart.
 */
int op_record_get(struct store *s, const char *kind, const char *id,
    struct arena *a, const struct json_node **out, struct err *e);

int op_record_remove(struct store *s, const char *kind, const char *id,
    struct err *e);

/* How many of a kind there are; -1 and *e. */
int op_record_count(struct store *s, const char *kind, struct err *e);

/* Removes the oldest of a kind until there are `most`: 0, or -1 and *e. */
int op_record_thin(struct store *s, const char *kind, int most,
    struct err *e);

/*
 * Calls `each` for all in the order of their ids, or with `newest` backward,
 * behind `start` ("": all): 0, or what isn't 0 and ended it.
 */
typedef int op_record_fn(void *ctx, const char *id,
    const struct json_node *record, struct err *e);
int op_record_each(struct store *s, const char *kind, const char *start,
    bool newest, op_record_fn *each, void *ctx, struct err *e);

/* Members of a record: "" or 0 if absent. */
struct text op_record_text(const struct json_node *record, const char *name);
int64_t op_record_number(const struct json_node *record, const char *name);

/* The table in its member "table", for table_free(). */
struct table *op_record_table(const struct json_node *record, struct err *e);

/*
 * Is it about the table that its ARN names, which grants were asked about?  1,
 * 0 or -1.
 */
int op_record_is_of(const struct json_node *record, const struct text *name,
    struct err *e);

#endif
