/*
 * What the files of requests share: the tables of their parameters, and the
 * checks that follow.  Inside store/wire alone.
 */
#ifndef WIRE_REQUEST_INTERNAL_H
#define WIRE_REQUEST_INTERNAL_H

#include "request.h"
#include "schema.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A table of parameters as a schema. */
#define SCHEMA(type, struct_type, params) \
	{type, sizeof(struct_type), params, COUNT(params)}

#define AT(field) offsetof(struct request, field)

#define TABLE_NAME(where) {.name = "TableName", .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED | PARAM_PATTERN | PARAM_ARN, .at = (where), \
	.min = 3, .max = 255}
#define CAPACITY {.name = "ReturnConsumedCapacity", .kind = PARAM_WORD, \
	.at = AT(capacity), .words = request_capacity_words}

extern const struct word request_capacity_words[], request_metrics_words[],
    request_failure_words[], request_joint_words[];
extern const struct schema request_condition_schema;	/* legacy_condition */

/* How one operation is read. */
struct form {
	const struct schema *schema;
	bool apart;	/* into a struct of its own, not struct request */
	/* `raw` is that struct, or the request. 0, or -1 and d->err. */
	int (*finish)(struct decoder *d, struct request *r, void *raw);
};

/* That of an operation that there is. */
const struct form *request_form(int op);

extern const struct form request_get_form, request_put_form,
    request_update_form, request_delete_form;
extern const struct form request_query_form, request_scan_form;
extern const struct form request_batch_get_form, request_batch_write_form,
    request_transact_get_form, request_transact_write_form;
extern const struct form request_statement_form,
    request_batch_statement_form, request_transact_statement_form;
extern const struct form request_create_table_form, request_update_table_form,
    request_table_form, request_list_tables_form, request_update_ttl_form;
extern const struct form request_list_streams_form,
    request_describe_stream_form, request_iterator_form, request_records_form;
extern const struct form request_tag_form, request_untag_form,
    request_list_tags_form, request_nothing_form, request_pitr_form;
extern const struct form request_create_backup_form, request_list_backups_form,
    request_backup_form, request_restore_form, request_moment_form;
extern const struct form request_export_form, request_describe_export_form,
    request_list_exports_form, request_import_form,
    request_describe_import_form, request_list_imports_form;
extern const struct form request_store_forms[];	/* from OP_STAT on */

/* A parameter of a request, for request_check_expressions(). */
struct given {
	const char *name;
	bool there;
};

struct expressions {
	const struct given *expressions;
	size_t nexpressions;
	const struct given *older;	/* what must not be beside them */
	size_t nolder;
	const struct value *names, *values;
	const char *need;		/* of values: "FilterExpression is" */
	bool valued;			/* one that may have values is there */
};

int request_check_expressions(struct decoder *d, const struct expressions *x);

/* ConditionalOperator asks for conditions. */
int request_check_joint(struct decoder *d, enum joint joint,
    const struct conditions *conditions);

/* Names of attributes: of AttributesToGet, and of an older parameter. */
int request_check_names(struct decoder *d, const struct text *names,
    size_t n);
int request_check_conditions(struct decoder *d,
    const struct conditions *conditions);

/* The checks of one item's operation, alone or in a transaction. */
int request_check_item(struct decoder *d, const struct item_request *r);

#endif
