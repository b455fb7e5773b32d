/*
 * The life of a store as tests/crash lives it: which operation comes when, and
 * what the documents are after each.  Pure computation, for document_store.c.
 *
 * Operation M of run RUN is given by these two numbers alone.  Each leaves M
 * and RUN in some document that it puts, so that the greatest M found in any
 * document tells how many operations a store has seen: since they are
 * submitted in order, it must have seen the ones before too, and be as
 * documents_after says, to the byte.  One that only creates leaves nothing
 * where there is a document, and tells which.
 */
#ifndef CRASH_DOCUMENTS_H
#define CRASH_DOCUMENTS_H

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DOCUMENTS_KEYS = 20,	/* in the table docs */
	DOCUMENTS_PAIRS = 4,	/* in left and right, always changed together */
	DOCUMENTS_ALL = DOCUMENTS_KEYS + 2 * DOCUMENTS_PAIRS,
	OPERATIONS_MAX = 4096
};

/* One document: m 0 if there is none. */
struct document {
	uint32_t m, run;
};

/* Who submitted operation m, by m; 0: it was refused, and not done. */
struct history_of_runs {
	uint32_t run[OPERATIONS_MAX];
};

/* All documents after the operations up to m. */
void documents_after(const struct history_of_runs *runs, uint32_t m,
    struct document all[DOCUMENTS_ALL]);

/* The three tables: the name of one, NULL behind them; its CreateTable. */
const char *table_name(size_t i);
void create_write(struct buf *b, size_t i);

/* The GetItem of a document, and what the reply shows. */
void get_write(struct buf *b, size_t i);
struct document document_read(const char *reply);

/* The greatest m in a reply that shows several; 0 if there is none. */
uint32_t documents_newest(const char *reply);

/* The table and key of a document. */
const char *document_table(size_t i);
const char *document_key(size_t i);

/* The name of its file, but for `.json`; and the document that one holds. */
const char *document_file(size_t i);
struct document document_of_file(const char *text);

/* Its item, canonical typed JSON. */
void document_write(struct buf *b, size_t i, const struct document *d);

/* The request that operation m is: its body, and which operation it is. */
int operation_write(struct buf *b, uint32_t m, uint32_t run);

/*
 * What a reply's status promises of its operation: "done"; "refused", and so
 * not done; "unknown"; or NULL, if the store can't write any more and nobody
 * knows of this and what follows.
 */
const char *operation_outcome(int status);

/* True if the reply tells of trouble, which a condition that failed is not. */
bool operation_failed(int status);

/* True if the reply is to wait for the file. */
bool operation_waits(uint32_t m, uint32_t run);

#endif
