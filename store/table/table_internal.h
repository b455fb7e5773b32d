/*
 * What the files that read, write and check tables share: the words of the
 * JSON, each list ended by NULL, readers of its members, and errors.
 */
#ifndef TABLE_TABLE_INTERNAL_H
#define TABLE_TABLE_INTERNAL_H

#include "table.h"

#include "store/value/json.h"

extern const char *const table_projections[];	/* by enum projection */
extern const char *const table_views[];		/* by enum stream_view */

/* "table NAME: " and printf text, FAULT_VALIDATION.  Always -1. */
int table_refuse(const struct table *t, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* --- table_field.c: members ------------------------------------------------ */

struct table_reader {
	struct table *table;
	struct err *err;
};

/* How a member is read into what stands at an offset. */
struct table_field {
	const char *name;
	int (*read)(struct table_reader *r, const struct json_node *n,
	    void *out);
	size_t at;
};

/* The members of an object, each by its field, the last without a name. */
int table_read_fields(struct table_reader *r, const struct json_node *n,
    const struct table_field *fields, void *base);

/* A string of `least` to `max` bytes without NUL, into max + 1. */
int table_read_text(struct table_reader *r, const struct json_node *n,
    char *out, size_t least, size_t max);
int table_read_bool(struct table_reader *r, const struct json_node *n,
    void *out);
int table_read_count(struct table_reader *r, const struct json_node *n,
    uint64_t max, uint64_t *out);
int table_read_ms(struct table_reader *r, const struct json_node *n,
    void *out);	/* an int64_t */

/* The place of a string in a list of words, or -1. */
int table_read_word(struct table_reader *r, const struct json_node *n,
    const char *const *words);

/* Both always -1: "NAME is WHAT, not WANTED", and ENOMEM. */
int table_wrong(struct table_reader *r, const struct json_node *n,
    const char *wanted);
int table_no_memory(struct table_reader *r);

/* --- table_terms.c ---------------------------------------------------------- */

int table_read_units(struct table_reader *r, const struct json_node *n,
    void *out);		/* a struct table_units */
int table_read_terms(struct table_reader *r, const struct json_node *n,
    void *out);		/* a struct table_terms */

/* ,"name":{...}, or nothing where there is nothing to say. */
void table_write_units(struct buf *out, const char *name,
    const struct table_units *u);
void table_write_terms(struct buf *out, const struct table_terms *t);

/* What must hold of a table as a whole: 0, or -1 with an error. */
int table_check(const struct table *t, struct err *e);

#endif
