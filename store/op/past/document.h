/*
 * A document as the operations on files and history want it: where it lies,
 * by whatever its table is or last was.
 */
#ifndef OP_OP_DOCUMENT_H
#define OP_OP_DOCUMENT_H

#include "store/op/op_internal.h"

#include "store/engine/past.h"

struct document {
	const struct table *table;
	struct table *gone;		/* it is no more; as it last was */
	char table_name[TABLE_NAME_MAX + 1];
	const struct value *key;
	struct path_name name;
	struct past_paths paths;
};

/* TableName and Key of a request.  Release it also after a failure. */
int op_document(struct op *op, struct document *d, struct err *e);
void op_document_release(struct document *d);

/*
 * Runs `fn` on the request's document (without a Key: one of no table) under
 * the history's lock, and ends the operation: with what it wrote to the reply,
 * or why not.
 */
void op_with_history(struct op *op,
    int (*fn)(struct op *op, const struct document *d, struct reply *r,
        struct err *e));

/* The request's table's name as a string. */
void op_table_name(const struct text *t, char out[TABLE_NAME_MAX + 1]);

/* A text of the request in its arena; NULL if it is absent. */
int op_string(struct op *op, const struct text *t, const char **out,
    struct err *e);

/* A document from the plain JSON of its file; `a` is reset by it. */
int op_write_plain(struct reply *r, const char *name, struct arena *a,
    const void *p, size_t n, struct err *e);

/* The state that a request names: its members for the reply. */
void op_write_past(struct reply *r, const struct past *p);

#endif
