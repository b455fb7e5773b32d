/*
 * What the files of the reader share: schema.c (structs and what stands alone),
 * schema_value.c (attribute values), schema_parts.c (lists and maps),
 * schema_check.c (constraints).
 */
#ifndef WIRE_SCHEMA_INTERNAL_H
#define WIRE_SCHEMA_INTERNAL_H

#include "schema.h"

/* Where in the body: "requestItems.messages.member.keys". */
struct place {
	const struct place *parent;	/* NULL: the body itself */
	struct text name;
	size_t index;			/* from 1, behind the name; 0: none */
	bool exact;			/* no parameter, but a name of a map */
};

/* What an object is to DynamoDB, which its errors tell. */
enum shape {
	SHAPE_STRUCT, SHAPE_MAP, SHAPE_MAP_OF_TEXTS, SHAPE_MAP_OF_LISTS
};

/* --- schema.c ------------------------------------------------------------- */

int schema_read_struct(struct decoder *d, const struct schema *schema,
    void *target, const struct json_token *opened, const struct place *at);

/* 0, or -1 for a token of another type; `type` is DynamoDB's name for it. */
int schema_expect_list(struct decoder *d, const struct json_token *t);
int schema_expect_object(struct decoder *d, const struct json_token *t,
    enum shape shape, const char *type);

/* Always -1. */
int schema_fail_parameterized(struct decoder *d, const struct json_token *t);
int schema_fail_scalar(struct decoder *d, const struct json_token *t,
    const char *type);
int schema_fail_twice(struct decoder *d, const struct text *name);

bool schema_is_arn(const struct text *text);

/* The name that an ARN ends in; any other text as it is. */
struct text schema_name_of(const struct text *text);

/* A place in a struct. */
void *schema_at(void *target, size_t at);

/* --- schema_value.c ------------------------------------------------------- */

/*
 * The value or item that begins with `t`: 1; 0 if it was put aside under the
 * name of `param` (`name`: of the placeholder it is for); or -1.
 */
int schema_take(struct decoder *d, const struct json_token *t, bool item,
    const char *param, const struct text *name, struct value *out);

int schema_read_value(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t);

/* A wrong placeholder among those of `map` comes before all wrong values. */
void schema_prefer_keys(struct decoder *d, const struct param *p,
    const struct value *map);

/* --- schema_parts.c ------------------------------------------------------- */

int schema_read_list(struct decoder *d, const struct param *p, void *target,
    const struct json_token *t, const struct place *at);
int schema_read_map(struct decoder *d, const struct param *p, void *target,
    const struct json_token *opened, const struct place *at);
int schema_read_placeholders(struct decoder *d, const struct param *p,
    void *target, const struct json_token *opened);

/* --- schema_check.c ------------------------------------------------------- */

/* Why a name within a value may not be, or NULL. */
const char *schema_check_names(const struct value *v);

/* Constraints on what was read; they note what is violated. */
void schema_check_text(struct decoder *d, const struct param *p,
    const struct place *at, const struct text *text);
void schema_check_count(struct decoder *d, const struct param *p,
    const struct place *at, size_t count, const struct text *raw);
void schema_check_number(struct decoder *d, const struct param *p,
    const struct place *at, int64_t n);
void schema_check_absent(struct decoder *d, const struct param *p,
    const struct place *at);

/* Of a map, whose JSON is `raw`: false after a violation. */
bool schema_check_name(struct decoder *d, const struct param *p,
    const struct place *at, const struct text *name, const struct text *raw);
bool schema_check_list(struct decoder *d, const struct param *p,
    const struct place *at, size_t count, const struct text *raw);

/* The value of the word; 0 and a violation if it is none. */
int schema_check_word(struct decoder *d, const struct param *p,
    const struct place *at, const struct text *text);

/* After the body: what was found, as an error. 0, or -1. */
int schema_verdict(struct decoder *d);

#endif
